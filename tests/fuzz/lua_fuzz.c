/* lua_fuzz - frames given to Lua: a script reads everything of what can be
 * decoded, in every way there is, encodes it again, and must get the same
 * bytes. Twelve bytes of command, then a payload. */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "commands.h"
#include "moonpeer/message.h"
#include "script/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Small enough to notice that something grows without an end. */
enum { MEMORY = 256 << 20, COLLECT = 1000 };

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  module_preload(L);
  if (luaL_dofile(L, FUZZ_FOLDER "/touch.lua") != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  return L;
}

/* The frame that the bytes are to be in; false when there can be none. */
static bool push_frame(lua_State *L, const uint8_t *bytes, size_t n) {
  static struct mp_hasher *hasher;
  char command[MP_COMMAND_SIZE + 1] = {0};
  uint8_t header[MP_HEADER_MAX];
  if (!hasher)
    hasher = mp_hasher_new();
  memcpy(command, bytes, MP_COMMAND_SIZE);
  count_command(command);
  bytes += MP_COMMAND_SIZE;
  n -= MP_COMMAND_SIZE;
  size_t size = mp_message_header(header, mp_network_find("mainnet"), command,
                                  bytes, n, hasher);
  if (!size)
    return false;
  lua_pushlstring(L, (const char *)header, size);
  lua_pushlstring(L, (const char *)bytes, n);
  lua_concat(L, 2);
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static lua_State *L;
  static int runs;
  if (!L)
    L = open_state();
  /* what begins like the long header is cut as that: see frame_fuzz */
  if (n < MP_COMMAND_SIZE || memcmp(bytes, "extmsg", 6) == 0)
    return 0;
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  if (!push_frame(L, bytes, n))
    return 0;
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  if (++runs % COLLECT == 0)
    lua_gc(L, LUA_GCCOLLECT);
  assert((size_t)lua_gc(L, LUA_GCCOUNT) < MEMORY / 1024);
  return 0;
}
