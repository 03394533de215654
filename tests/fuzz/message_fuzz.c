/* message_fuzz - twelve bytes of command, then a payload: no view reads too
 * far, what a view gives makes the same payload, and the session's own version
 * decoder agrees with the general one. */
#include <stdio.h>

#include "commands.h"
#include "touch.h"
#include "wire/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_version(const struct mp_message *message, int rc) {
  struct mp_version version;
  struct mp_value value;
  int own =
      version_decode(&version, message->payload, (size_t)message->size, NULL);
  assert(own == rc);
  if (rc)
    return;
  mp_record_find(&message->fields, "nonce", &value);
  assert(value.number == version.nonce);
  mp_record_find(&message->fields, "user_agent", &value);
  assert(value.size == version.user_agent_size);
  mp_record_find(&message->fields, "association_id", &value);
  assert((value.kind != MP_VALUE_NONE) == version.has_association_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  char command[MP_COMMAND_SIZE + 1] = {0};
  struct mp_message message;
  struct mp_fault fault = {0};
  if (n < MP_COMMAND_SIZE)
    return 0;
  memcpy(command, bytes, MP_COMMAND_SIZE);
  count_command(command);
  int rc = mp_message_open(&message, command, bytes + MP_COMMAND_SIZE,
                           n - MP_COMMAND_SIZE, &fault);
  assert(rc == fault.code && (rc == 0 || strlen(fault.text) > 10));
  if (strcmp(command, "version") == 0)
    check_version(&message, rc);
  if (rc || !message.fields.layout)
    return 0;
  touch_record(&message.fields, 1000);
  check_stable(&message);
  return 0;
}
