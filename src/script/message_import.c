/* message_import - what a message tells, taken over in one go: hashes into a
 * set, addresses into a store. */
#include <string.h>

#include "moonpeer/store.h"
#include "script/convert.h"
#include "script/hashes.h"
#include "script/message.h"
#include "script/store.h"

/* An entry of addr or addrv2; false when it is no address of a peer. */
static bool read_entry(const struct mp_record *entry,
                       struct mp_address *address, uint64_t *services) {
  struct mp_value ip, port, value;
  *address = (struct mp_address){{0}, 0};
  if ((!mp_record_find(entry, "ip", &ip) &&
       !mp_record_find(entry, "addr", &ip)) ||
      ip.kind != MP_VALUE_IP || !mp_record_find(entry, "port", &port))
    return false;
  if (ip.size == 4)
    address->ip[10] = address->ip[11] = 0xff;
  memcpy(address->ip + sizeof address->ip - ip.size, ip.bytes, ip.size);
  address->port = (uint16_t)port.number;
  mp_record_find(entry, "services", &value);
  *services = value.number;
  return address->port != 0;
}

/* import(store[, address of who told]): how many addresses are new, and how
 * many there are. */
static int import_addresses(lua_State *L, struct store *into) {
  const struct mp_message *m = message_check(L, 1);
  struct mp_source source = {.kind = MP_SOURCE_MANUAL};
  struct mp_value value;
  struct mp_list list;
  lua_Integer added = 0;
  if (!message_list(&m->fields, "entries", &value))
    return luaL_error(L, "%s: expected a message with addresses", m->command);
  if (!lua_isnoneornil(L, 3)) {
    source.kind = MP_SOURCE_PEER;
    convert_address(L, 3, 0, &source.address);
  }
  int64_t now = store_now(L, into);
  mp_value_list(&value, &list);
  while (mp_list_next(&list)) {
    struct mp_address address;
    uint64_t services;
    if (read_entry(&list.entry, &address, &services))
      added += mp_store_hear(into->core, NULL,
                             &(struct mp_hearsay){.address = &address,
                                                  .source = &source,
                                                  .services = services},
                             now, NULL) == 0;
  }
  lua_pushinteger(L, added);
  lua_pushinteger(L, (lua_Integer)list.count);
  return 2;
}

/* import(set of hashes), import(store, source) */
int message_lua_import(lua_State *L) {
  struct hashes *set = hashes_test(L, 2);
  if (set)
    return message_import_hashes(L, set);
  return import_addresses(L, store_check(L, 2)->store);
}
