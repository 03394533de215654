/* value_encode - payloads from Lua tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/hex.h"
#include "moonpeer/address.h"
#include "script/script.h"
#include "script/value.h"

enum { HASH = 32 };

/* An encoder that is given a Lua value. */
struct giver {
  lua_State *L;
  struct mp_encoder *encoder;
  enum value_form form;
};

static void check(const struct giver *giver, int rc,
                  const struct mp_fault *fault) {
  if (rc != 0)
    luaL_error(giver->L, "%s", fault->text);
}

static void give_value(const struct giver *giver, const char *name);

static const char *word(const char *name) {
  return name ? name : "entry";
}

/* --- texts --------------------------------------------------------------- */

static void give_bytes(const struct giver *giver, const char *name,
                       const void *bytes, size_t n) {
  struct mp_fault fault;
  check(giver, mp_encoder_bytes(giver->encoder, name, bytes, n, &fault),
        &fault);
}

static void give_integer(const struct giver *giver, const char *name,
                         lua_Integer value) {
  struct mp_fault fault;
  check(giver, mp_encoder_integer(giver->encoder, name, value, &fault), &fault);
}

/* An address in words: where 4 or 16 bytes can be read so, they are. */
static bool is_ip(const char *text, size_t n) {
  return strspn(text, "0123456789abcdefABCDEF.:") == n && strpbrk(text, ".:");
}

/* IPv4 takes 4 bytes where the length is free. */
static void give_ip(const struct giver *giver, const char *name,
                    const char *text, bool is_short) {
  struct mp_fault fault;
  struct mp_address address;
  if (mp_address_parse(&address, text, 0, &fault) != 0)
    luaL_error(giver->L, "%s: %s", word(name), fault.text);
  bool is_four = is_short && mp_address_is_ipv4(&address) && !strchr(text, ':');
  size_t skip = is_four ? 12 : 0;
  give_bytes(giver, name, address.ip + skip, sizeof address.ip - skip);
}

/* 64 digits: a hash as it is displayed, the last byte first. */
static bool give_hash(const struct giver *giver, const char *name,
                      const char *text, size_t n) {
  uint8_t shown[HASH], hash[HASH];
  if (n != sizeof hash * 2 || !hex_parse(shown, text, n))
    return false;
  for (size_t i = 0; i < sizeof hash; i++)
    hash[i] = shown[sizeof hash - 1 - i];
  give_bytes(giver, name, hash, sizeof hash);
  return true;
}

static void give_hex(const struct giver *giver, const char *name,
                     const char *text, size_t n) {
  uint8_t *bytes = lua_newuserdatauv(giver->L, n / 2 + 1, 0);
  if (!hex_parse(bytes, text, n))
    luaL_error(giver->L, "%s: expected hex digits, two for a byte, got \"%s\"",
               word(name), text);
  give_bytes(giver, name, bytes, n / 2);
  lua_pop(giver->L, 1);
}

/* "42", "-1", "0x2a", "true", "false". */
static void give_number(const struct giver *giver, const char *name,
                        const char *text) {
  bool is_negative = text[0] == '-';
  const char *digits = text + is_negative;
  int base = strncmp(digits, "0x", 2) == 0 ? 16 : 10;
  char *end = NULL;
  errno = 0;
  unsigned long long value = strtoull(digits, &end, base);
  if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
    value = text[0] == 't';
  else if (*digits < '0' || *digits > '9' || *end || errno)
    luaL_error(giver->L, "%s: expected a number such as 33 or 0x21, got \"%s\"",
               word(name), text);
  give_integer(giver, name, (lua_Integer)(is_negative ? 0 - value : value));
}

/* Whether the table that the value at the top is from names a network whose
 * addresses are written in words; those of others are bytes, whatever they
 * look like. The key is below the value, and the table below that. */
static bool is_ip_network(const struct giver *giver,
                          const struct mp_field *field) {
  lua_State *L = giver->L;
  int is_integer;
  lua_getfield(L, -3, field[-1].name);
  lua_Integer id = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  return is_integer && mp_network_id_is_ip((uint64_t)id);
}

/* Words where bytes of no such length belong get words for an answer. */
static bool is_address(const struct giver *giver, const struct mp_field *field,
                       const char *text, size_t n) {
  if (field->flags & MP_NETWORK_ADDRESS)
    return is_ip(text, n) && is_ip_network(giver, field);
  return field->type == MP_FIELD_IP && ((n != 4 && n != 16) || is_ip(text, n));
}

static void give_words(const struct giver *giver, const char *name,
                       const struct mp_field *field) {
  size_t n;
  const char *text = lua_tolstring(giver->L, -1, &n);
  enum mp_field_type type = field ? field->type : MP_FIELD_VAR_TEXT;
  if (type == MP_FIELD_HASH && give_hash(giver, name, text, n))
    return;
  if (field && is_address(giver, field, text, n))
    give_ip(giver, name, text, type != MP_FIELD_IP);
  else if (giver->form == VALUE_RAW || type == MP_FIELD_VAR_TEXT ||
           type >= MP_FIELD_LIST)
    give_bytes(giver, name, text, n);
  else if (type <= MP_FIELD_COMPACT)
    give_number(giver, name, text);
  else
    give_hex(giver, name, text, n);
}

/* --- tables -------------------------------------------------------------- */

static void give_list(const struct giver *giver) {
  lua_State *L = giver->L;
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, -1, i);
    give_value(giver, NULL);
    lua_pop(L, 1);
  }
}

/* JSON's null, which says that a field is absent. */
static bool is_null(lua_State *L, int index) {
  return lua_islightuserdata(L, index) && !lua_touserdata(L, index);
}

static void give_fields(const struct giver *giver) {
  lua_State *L = giver->L;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "expected names of fields, got a %s", luaL_typename(L, -2));
    if (!is_null(L, -1))
      give_value(giver, lua_tostring(L, -2));
  }
}

static void give_table(const struct giver *giver, const char *name,
                       const struct mp_field *field) {
  struct mp_fault fault;
  luaL_checkstack(giver->L, 6, "fields nest too deeply");
  check(giver, mp_encoder_begin(giver->encoder, name, &fault), &fault);
  if (field &&
      (field->type == MP_FIELD_LIST || field->type == MP_FIELD_HASHES_OF))
    give_list(giver);
  else
    give_fields(giver);
  check(giver, mp_encoder_end(giver->encoder, &fault), &fault);
}

/* The value at the top, under a name or as an entry. */
static void give_value(const struct giver *giver, const char *name) {
  lua_State *L = giver->L;
  const struct mp_field *field = mp_encoder_field(giver->encoder, name);
  int is_integer = 0;
  lua_Integer value;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
      luaL_error(L, "%s: expected a whole number, got %f", word(name),
                 lua_tonumber(L, -1));
    give_integer(giver, name, value);
    break;
  case LUA_TBOOLEAN: give_integer(giver, name, lua_toboolean(L, -1)); break;
  case LUA_TSTRING: give_words(giver, name, field); break;
  case LUA_TTABLE: give_table(giver, name, field); break;
  default:
    luaL_error(L, "%s: expected a number, a text, a flag or a table, got %s",
               word(name), luaL_typename(L, -1));
  }
}

void value_encode(lua_State *L, const struct mp_message_type *type, int index,
                  enum value_form form) {
  const struct giver giver = {L, script_encoder(L), form};
  struct mp_fault fault;
  const uint8_t *payload;
  size_t n;
  mp_encoder_start(giver.encoder, type);
  if (lua_istable(L, index)) {
    lua_pushvalue(L, index);
    give_fields(&giver);
    lua_pop(L, 1);
  }
  check(&giver, mp_encoder_finish(giver.encoder, &payload, &n, &fault), &fault);
  lua_pushlstring(L, (const char *)payload, n);
}
