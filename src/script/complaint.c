/* complaint - what an error of a script says, as a text for people. */
#include "script/complaint.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

enum { MESSAGE_TEXT = 2000 }; /* bytes of an error before its traceback */

/* Pushes what an error that is no text says of itself: its own words may fail,
 * too. */
static int words_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

int complaint_explain(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    size_t n;
    const char *text = lua_tolstring(L, 1, &n);
    lua_pushlstring(L, text, n < MESSAGE_TEXT ? n : MESSAGE_TEXT);
    luaL_traceback(L, L, lua_tostring(L, -1), 1);
    return 1;
  }
  lua_pushcfunction(L, words_of);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK)
    lua_pushfstring(L, "(a %s without words)", luaL_typename(L, 1));
  return 1;
}

enum { ERROR_TEXT = 4000 }; /* bytes of an error and its traceback */

void complaint_make_plain(lua_State *L) {
  char text[ERROR_TEXT + 1];
  size_t n = 0;
  const char *from = "(an error that is no text)";
  if (lua_type(L, -1) == LUA_TSTRING)
    from = lua_tolstring(L, -1, &n);
  else
    n = strlen(from);
  bool is_long = n > ERROR_TEXT - 3;
  n = is_long ? ERROR_TEXT - 3 : n;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)from[i];
    text[i] = (char)((c < ' ' && c != '\n' && c != '\t') || c == 127 ? '?' : c);
  }
  lua_pushlstring(L, text, n);
  if (is_long) {
    lua_pushliteral(L, "...");
    lua_concat(L, 2);
  }
  lua_replace(L, -2);
}
