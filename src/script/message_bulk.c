/* message_bulk - what is done with whole lists of a message in C. */
#include <string.h>

#include "script/hashes.h"
#include "script/message.h"
#include "script/script.h"

enum { HASH = 32 };

/* The hash of each entry of a list, in order. */
struct hash_walk {
  struct mp_list list;
  size_t field; /* of an entry */
  struct mp_hasher *hasher;
  uint8_t digest[HASH];
};

/* The field of an entry that is a hash; records of other things have none. */
static bool find_hash(const struct mp_layout *item, size_t *field) {
  for (size_t i = 0; i < item->count; i++) {
    enum mp_field_type type = item->fields[i].type;
    if (type == MP_FIELD_HASH || type == MP_FIELD_HASH_OF) {
      *field = i;
      return true;
    }
  }
  return false;
}

static void start(lua_State *L, struct hash_walk *walk) {
  const struct mp_message *m = message_check(L, 1);
  struct mp_value list;
  if (!message_list(&m->fields, NULL, &list))
    luaL_error(L, "%s: expected a message with a list", m->command);
  mp_value_list(&list, &walk->list);
  walk->hasher = script_hasher(L);
  if (!find_hash(list.item, &walk->field))
    luaL_error(L, "%s: expected a list whose entries have hashes", m->command);
}

/* The next hash, good until the next call; NULL after the last. */
static const uint8_t *next_hash(struct hash_walk *walk) {
  struct mp_value value;
  if (!mp_list_next(&walk->list))
    return NULL;
  mp_record_get(&walk->list.entry, walk->field, &value);
  if (value.kind != MP_VALUE_DIGEST)
    return value.bytes;
  mp_hash(walk->hasher, value.bytes, value.size, walk->digest);
  return walk->digest;
}

static bool table_has(lua_State *L, int index, const uint8_t *hash) {
  lua_pushlstring(L, (const char *)hash, HASH);
  lua_rawget(L, index);
  bool has = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return has;
}

/* count_known(set): how many of the hashes are in there, and how many there
 * are. A set is one of message.hashes or a table with hashes for keys. */
int message_lua_count_known(lua_State *L) {
  struct hash_walk walk;
  const uint8_t *hash;
  lua_Integer known = 0;
  const struct hashes *set = hashes_test(L, 2);
  if (!set)
    luaL_checktype(L, 2, LUA_TTABLE);
  start(L, &walk);
  while ((hash = next_hash(&walk)))
    known += set ? hashes_has(set, hash) : table_has(L, 2, hash);
  lua_pushinteger(L, known);
  lua_pushinteger(L, (lua_Integer)walk.list.count);
  return 2;
}

/* import(set): adds all hashes; how many of them are new, and how many there
 * are. */
int message_import_hashes(lua_State *L, struct hashes *set) {
  struct hash_walk walk;
  const uint8_t *hash;
  lua_Integer added = 0;
  start(L, &walk);
  while ((hash = next_hash(&walk)))
    added += hashes_add(L, set, hash);
  lua_pushinteger(L, added);
  lua_pushinteger(L, (lua_Integer)walk.list.count);
  return 2;
}

/* --- chains ---------------------------------------------------------------
 */

static int push_break(lua_State *L, uint64_t index, const char *words) {
  lua_pushnil(L);
  lua_pushfstring(L, "headers[%I]: %s", (lua_Integer)index, words);
  lua_pushstring(L, mp_error_name(MP_EPROTOCOL));
  lua_pushinteger(L, (lua_Integer)index);
  return 4;
}

static const uint8_t *take_previous(lua_State *L) {
  size_t n;
  const char *hash = luaL_optlstring(L, 2, NULL, &n);
  if (hash && n != HASH)
    luaL_argerror(L, 2, "expected the 32 bytes of a hash");
  return (const uint8_t *)hash;
}

/* check_chain([previous]): whether each header follows the one before it, and
 * the first one `previous`. The hash of the last (of no header: previous, or
 * zeros); or nil, message, code, and the place of the one that does not. */
int message_lua_check_chain(lua_State *L) {
  struct hash_walk walk;
  struct mp_value previous;
  uint8_t last[HASH] = {0};
  const uint8_t *want = take_previous(L), *hash;
  start(L, &walk);
  int field = mp_layout_index(walk.list.item, "prev");
  if (field < 0 || walk.list.item->fields[walk.field].type != MP_FIELD_HASH_OF)
    return luaL_error(L, "expected a message with headers");
  while ((hash = next_hash(&walk))) {
    mp_record_get(&walk.list.entry, (size_t)field, &previous);
    if (want && memcmp(want, previous.bytes, HASH) != 0)
      return push_break(L, walk.list.next,
                        "expected the hash of the header before it in prev");
    memcpy(last, hash, HASH);
    want = last;
  }
  lua_pushlstring(L, (const char *)(want ? want : last), HASH);
  return 1;
}
