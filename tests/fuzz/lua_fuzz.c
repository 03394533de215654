/* lua_fuzz - frames given to Lua: a script reads everything of what can be
 * decoded, in every way there is, encodes it again, and must get the same
 * bytes. Twelve bytes of command, then a payload. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "moonpeer/message.h"
#include "script/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char script[] =
    "local core = require 'moonpeer.core'\n"
    "local set = core.hashes(100)\n"
    "core.define { command = 'own', fields = {\n"
    "  { name = 'a', type = 'uint24', big_endian = true },\n"
    "  { name = 'b', type = 'text', max = 20 },\n"
    "  { name = 'c', type = 'list', max = 50, fields = {\n"
    "    { name = 'd', type = 'hash' }, { name = 'e', type = 'var_bytes' },\n"
    "    { name = 'f', type = 'int16', when = 'g' } ,\n"
    "  } },\n"
    "} }\n" /* replaced below: a wrong declaration must raise */
    ;

static const char good_script[] =
    "local core = require 'moonpeer.core'\n"
    "local options = { network = 'mainnet' }\n"
    "local set = core.hashes(100)\n"
    "core.define { command = 'own', fields = {\n"
    "  { name = 'a', type = 'uint24' },\n"
    "  { name = 'g', type = 'uint8', min = 0, max = 9 },\n"
    "  { name = 'b', type = 'text', max = 20, when = 'g' },\n"
    "  { name = 'c', type = 'list', max = 50, fields = {\n"
    "    { name = 'd', type = 'hash' }, { name = 'e', type = 'var_bytes' },\n"
    "  } },\n"
    "  { name = 'n', type = 'count_of', of = 'c' },\n"
    "  { name = 'h', type = 'hashes_of', of = 'c' },\n"
    "  { name = 'i', type = 'list', item = 'compact64', optional = true },\n"
    "} }\n"
    "local fields = {}\n"
    "local function note(list, into)\n"
    "  for _, field in ipairs(list or {}) do\n"
    "    if field.name then into[#into + 1] = field.name end\n"
    "    note(field.fields, into)\n"
    "  end\n"
    "  return into\n"
    "end\n"
    "for _, type in ipairs(core.types()) do\n"
    "  fields[type.command] = note(type.fields, {})\n"
    "end\n"
    "fields.own = { 'a', 'g', 'b', 'c', 'n', 'h', 'i' }\n"
    "local function walk(thing, names, budget)\n"
    "  for _, name in ipairs(names) do\n"
    "    local value = thing[name]\n"
    "    if type(value) == 'table' then\n"
    "      local found, each, state, first = pcall(thing.each, thing, name)\n"
    "      if found then\n"
    "        local i = 0\n"
    "        for entry in each, state, first do\n"
    "          i = i + 1\n"
    "          if i > budget then break end\n"
    "          if type(entry) == 'userdata' then\n"
    "            walk(entry, names, budget // 4)\n"
    "            assert(#entry:raw() > 0 and entry:table() and #entry >= 0)\n"
    "          end\n"
    "        end\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "return function(frame)\n"
    "  local message, words, code = core.decode(frame, options)\n"
    "  if not message then\n"
    "    assert(#words > 5 and (code == 'protocol_error'\n"
    "      or code == 'oversize_message'), code)\n"
    "    return\n"
    "  end\n"
    "  local command = message.command\n"
    "  walk(message, fields[command] or {}, 32)\n"
    "  assert(#message:text() > 0 and #message:json() > 20)\n"
    "  pcall(message.import, message, set)\n"
    "  local good, known, all = pcall(message.count_known, message, set)\n"
    "  assert(not good or known <= all)\n"
    "  pcall(message.check_chain, message)\n"
    "  if not fields[command] or not next(fields[command]) then return end\n"
    "  local again = assert(core.encode(command, message:table(), options))\n"
    "  local copy = assert(core.decode(again, options))\n"
    "  assert(core.encode(command, copy:table(), options) == again)\n"
    "  if #again == #frame and not again:find('\\1', 1, true) then return end\n"
    "  assert(#again <= #frame)\n"
    "end\n";

/* Small enough to notice that something grows without an end. */
enum { MEMORY = 256 << 20, COLLECT = 1000 };

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  module_preload(L);
  assert(luaL_dostring(L, script) != LUA_OK);
  lua_settop(L, 0);
  if (luaL_dostring(L, good_script) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  return L;
}

/* The frame that the bytes are to be in. */
static void push_frame(lua_State *L, const uint8_t *bytes, size_t n) {
  static struct mp_hasher *hasher;
  char command[MP_COMMAND_SIZE + 1] = {0};
  uint8_t header[MP_HEADER_MAX];
  if (!hasher)
    hasher = mp_hasher_new();
  memcpy(command, bytes, MP_COMMAND_SIZE);
  bytes += MP_COMMAND_SIZE;
  n -= MP_COMMAND_SIZE;
  size_t size = mp_message_header(header, mp_network_find("mainnet"), command,
                                  bytes, n, hasher);
  lua_pushlstring(L, (const char *)header, size);
  lua_pushlstring(L, (const char *)bytes, n);
  lua_concat(L, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static lua_State *L;
  static int runs;
  if (!L)
    L = open_state();
  /* what begins like the long header is cut as that: see frame_fuzz */
  if (n < MP_COMMAND_SIZE || memcmp(bytes, "extmsg", 6) == 0)
    return 0;
  lua_pushvalue(L, 1);
  push_frame(L, bytes, n);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  if (++runs % COLLECT == 0)
    lua_gc(L, LUA_GCCOLLECT);
  assert((size_t)lua_gc(L, LUA_GCCOUNT) < MEMORY / 1024);
  return 0;
}
