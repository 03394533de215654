/* loader - taking what a backend has, and nothing that is wrong. */
#include "store/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "store/json_text.h"

enum { ROW_MAX = 2 * MP_STORE_CAPACITY_MAX };

void loader_reset(struct mp_loader *loader) {
  store_reset(loader->store);
}

void loader_warn(struct mp_loader *loader, const char *format, ...) {
  char *warning = loader->store->warning;
  size_t n = strlen(warning);
  va_list arguments;
  if (n && n + 3 < STORE_WARNING)
    n += (size_t)snprintf(warning + n, STORE_WARNING - n, "; ");
  va_start(arguments, format);
  vsnprintf(warning + n, STORE_WARNING - n, format, arguments);
  va_end(arguments);
}

static int no_memory(struct mp_fault *fault) {
  return fault_set(fault, MP_ESTORE, "no memory");
}

/* What the fields of one peer must be to each other. */
static int check_whole(const struct mp_peer_change *change,
                       struct mp_fault *fault) {
  enum mp_status status =
      change->fields & MP_PEER_STATUS ? change->status : MP_STATUS_UNKNOWN;
  enum mp_ban_reason reason =
      change->fields & MP_PEER_BAN_REASON ? change->ban_reason : MP_REASON_NONE;
  if ((status == MP_STATUS_BANNED) != (reason != MP_REASON_NONE))
    return fault_set(fault, MP_ESTORE,
                     "expected a ban_reason just when the status is banned");
  if (change->fields & MP_PEER_AGENT &&
      change->user_agent_size > MP_PEER_USER_AGENT)
    return fault_set(fault, MP_ESTORE, "user_agent: expected %d bytes at most",
                     MP_PEER_USER_AGENT);
  if (change->fields & MP_PEER_DATA_TEXT && change->data[0] &&
      !json_is_object(change->data))
    return fault_set(fault, MP_ESTORE, "data: expected a JSON object");
  return 0;
}

static int check_place(const struct mp_store *store, uint32_t row,
                       const struct mp_peer_new *loaded,
                       struct mp_fault *fault) {
  const struct mp_address *address = loaded->address;
  char text[MP_ADDRESS_TEXT], uuid[MP_UUID_TEXT];
  if (row > ROW_MAX)
    return fault_set(fault, MP_ESTORE, "row %u: the rows end at %d", row,
                     ROW_MAX);
  if (row && peer_is_used(&store->peers, row))
    return fault_set(fault, MP_ESTORE, "row %u is there twice", row);
  if (peer_find(&store->peers, address))
    return fault_set(fault, MP_ESTORE, "the address %s is there twice",
                     mp_address_format(address, text));
  if (peer_read(&store->peers, loaded->id))
    return fault_set(fault, MP_ESTORE, "the id %s is there twice",
                     mp_uuid_format(loaded->id, uuid));
  if (!address->port)
    return fault_set(fault, MP_ESTORE, "address: expected a port above 0");
  return 0;
}

int mp_load_peer(struct mp_loader *loader, uint32_t row,
                 const struct mp_peer_new *loaded, struct mp_fault *fault) {
  const struct mp_peer_change *change = loaded->change;
  struct mp_store *store = loader->store;
  struct mp_peer made;
  struct peer_keys keys;
  int rc = check_place(store, row, loaded, fault);
  if (rc)
    return rc;
  if (record_check(change, fault))
    return fault ? (fault->code = MP_ESTORE) : MP_ESTORE;
  rc = check_whole(change, fault);
  if (rc)
    return rc;
  record_init(&made, loaded->address);
  memcpy(made.id, loaded->id, sizeof made.id);
  if (change->fields & MP_PEER_STATUS)
    made.status = change->status & 3;
  if (change->fields & MP_PEER_BAN_REASON)
    made.reason = change->ban_reason & 7;
  if (change->fields & MP_PEER_STATUS_TIME)
    made.status_time = record_seconds(change->status_time);
  if (record_apply(&made, change, UINT32_MAX, store->memory))
    return no_memory(fault);
  peer_keys_init(&keys, &store->peers, made.id, &made.address);
  if (peer_insert(&store->peers, &row, &made, &keys) == 0)
    return 0;
  record_deinit(&made, store->memory);
  return no_memory(fault);
}

int mp_load_ban(struct mp_loader *loader, uint32_t row,
                const struct mp_ban *ban, struct mp_fault *fault) {
  struct mp_store *store = loader->store;
  char text[MP_PREFIX_TEXT];
  mp_prefix_format(&ban->prefix, text);
  if (row > ROW_MAX || (row && ban_is_used(&store->bans, row)))
    return fault_set(fault, MP_ESTORE, "ban of %s: row %u is no good or taken",
                     text, row);
  if (ban_get(&store->bans, &ban->prefix))
    return fault_set(fault, MP_ESTORE, "the ban of %s is there twice", text);
  if (ban->reason <= MP_REASON_NONE || ban->reason >= MP_REASON_COUNT ||
      ban->created < 0 || ban->created / RECORD_SECOND > UINT32_MAX ||
      ban->expires < 0 || strlen(ban->origin) >= MP_BAN_TEXT ||
      strlen(ban->note) >= MP_BAN_TEXT)
    return fault_set(fault, MP_ESTORE, "ban of %s: a value is out of range",
                     text);
  return ban_insert(&store->bans, &row, ban) ? no_memory(fault) : 0;
}

int mp_load_value(struct mp_loader *loader, const char *name, const void *bytes,
                  size_t size, struct mp_fault *fault) {
  struct values *values = &loader->store->values;
  if (values_find(values, name))
    return fault_set(fault, MP_ESTORE, "the value %.128s is there twice", name);
  if (values_set(values, name, bytes, size, fault))
    return fault ? (fault->code = MP_ESTORE) : MP_ESTORE;
  return 0;
}
