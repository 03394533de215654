/* chunk - running pieces of Lua as an interpreter does: with a traceback, and
 * stopped by Ctrl-C. */
#include "app/chunk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

/* A signal handler is given nothing else to find its state. */
static lua_State *running;

static void set_handler(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

static void stop(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* The next Ctrl-C ends the process, should the script catch this one. The hook
 * raises at the next instruction: a handler itself must not. */
static void interrupt(int number) {
  (void)number;
  set_handler(SIG_DFL);
  lua_sethook(running, stop,
              LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* Makes a text of whatever was raised. An object that describes itself keeps
 * its own words; all else gets a traceback. */
static int explain(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
      return 1;
    message =
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

int chunk_call(lua_State *L, int n, int results) {
  int base = lua_gettop(L) - n;
  lua_pushcfunction(L, explain);
  lua_insert(L, base);
  running = L;
  set_handler(interrupt);
  int rc = lua_pcall(L, n, results, base);
  set_handler(SIG_DFL);
  lua_remove(L, base);
  return rc;
}

int chunk_report(lua_State *L, int rc, int is_bare) {
  if (rc == LUA_OK)
    return rc;
  const char *message = lua_tostring(L, -1);
  fflush(stdout);
  fprintf(stderr, "%s%s\n", is_bare ? "" : "moonpeer: ",
          message ? message : "(error message not a string)");
  lua_pop(L, 1);
  return rc;
}

static int run(lua_State *L, int rc) {
  if (rc == LUA_OK)
    rc = chunk_call(L, 0, 0);
  return chunk_report(L, rc, 0);
}

int chunk_run_text(lua_State *L, const char *text, const char *name) {
  return run(L, luaL_loadbuffer(L, text, strlen(text), name));
}

int chunk_run_file(lua_State *L, const char *path) {
  return run(L, luaL_loadfile(L, path));
}

int chunk_require(lua_State *L, const char *what) {
  const char *equals = strchr(what, '=');
  if (equals)
    lua_pushlstring(L, what, (size_t)(equals - what));
  else
    lua_pushstring(L, what);
  lua_getglobal(L, "require");
  lua_pushstring(L, equals ? equals + 1 : what);
  int rc = chunk_call(L, 1, 1);
  if (rc == LUA_OK)
    lua_setglobal(L, lua_tostring(L, -2));
  chunk_report(L, rc, 0);
  lua_pop(L, 1);
  return rc;
}
