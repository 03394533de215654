/* record - a conversation written down: a file of JSON lines. */
#include "script/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "moonpeer/loop.h"

enum {
  NAME = 32,
  COMMAND_AT = 4, /* in a frame */
  COMMAND = 12,
};

struct record {
  FILE *file;
  int64_t start;
  char us[NAME], remote[NAME];
};

int record_open(struct record **made, const struct record_setup *setup,
                int64_t now, struct mp_fault *fault) {
  /* a pipe would wait for somebody who reads */
  int descriptor = open(
      setup->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
  FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
  if (!file)
    return fault_set(fault, MP_EIO, "%s: %s", setup->path, strerror(errno));
  struct record *record = mem_new(sizeof *record);
  record->file = file;
  record->start = now;
  snprintf(record->us, sizeof record->us, "%s", setup->us);
  snprintf(record->remote, sizeof record->remote, "%s", setup->remote);
  fprintf(file, "%s\n", setup->title);
  *made = record;
  return 0;
}

static double seconds(const struct record *record, int64_t now) {
  return (double)(now - record->start) / (double)MP_SECOND;
}

static bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The command that a header names, "raw" for what is no header. */
static void name_frame(char name[COMMAND + 1], const struct mp_frame *frame) {
  const char *bytes = frame->bytes;
  size_t n = 0;
  if (frame->n >= COMMAND_AT + COMMAND)
    while (n < COMMAND && is_plain(bytes[COMMAND_AT + n]))
      n++;
  memcpy(name, n ? bytes + COMMAND_AT : "raw", n ? n : 3);
  name[n ? n : 3] = '\0';
}

void record_frame(struct record *record, const struct mp_frame *frame,
                  int64_t now) {
  const unsigned char *bytes = frame->bytes;
  char command[COMMAND + 1];
  if (!record)
    return;
  name_frame(command, frame);
  fprintf(record->file,
          "{\"t\": %.6f, \"sender\": \"%s\", \"command\": \"%s\", "
          "\"frame\": \"",
          seconds(record, now), frame->is_ours ? record->us : record->remote,
          command);
  for (size_t i = 0; i < frame->n; i++)
    fprintf(record->file, "%02x", bytes[i]);
  fputs("\"}\n", record->file);
}

void record_end(struct record *record, const char *what, bool is_ours,
                int64_t now) {
  if (!record)
    return;
  fprintf(record->file, "{\"t\": %.6f, \"event\": \"%s by %s\"}\n",
          seconds(record, now), what, is_ours ? record->us : record->remote);
  fflush(record->file);
}

void record_close(struct record *record) {
  if (!record)
    return;
  fclose(record->file);
  free(record);
}
