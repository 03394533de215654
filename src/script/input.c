/* input - reading a file as its bytes come. */
#include "script/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "moonpeer/error.h"

enum { MOST = 1 << 20 };

int input_lua_read_some(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_Buffer buffer;
  luaL_argcheck(L, stream->closef, 1, "expected an open file");
  luaL_argcheck(L, n >= 1 && n <= MOST, 2, "expected 1 to 1048576 bytes");
  char *bytes = luaL_buffinitsize(L, &buffer, (size_t)n);
  ssize_t got;
  do
    got = read(fileno(stream->f), bytes, (size_t)n);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    lua_pushnil(L);
    lua_pushstring(L, strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
    lua_pushstring(L, mp_error_name(MP_EIO));
    return 3;
  }
  if (got == 0)
    lua_pushnil(L);
  else
    luaL_pushresultsize(&buffer, (size_t)got);
  return 1;
}
