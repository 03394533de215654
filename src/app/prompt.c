/* prompt - the interactive mode: read, run, print, again. */
#include "app/prompt.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "app/chunk.h"
#include "app/line.h"

/* Pushes a line; or nothing, at the end of input. The prompt is the global's
 * value, if it has one. */
static bool push_line(lua_State *L, const char *global, const char *prompt) {
  if (lua_getglobal(L, global) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushstring(L, prompt);
  }
  char *line = line_read(luaL_tolstring(L, -1, NULL));
  lua_pop(L, 2);
  if (line)
    lua_pushstring(L, line);
  free(line);
  return line != NULL;
}

/* Pushes the chunk, or the message, of the text on top. */
static int compile(lua_State *L) {
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  return luaL_loadbuffer(L, text, size, "=stdin");
}

/* The same for the value of an expression, "x" or "=x"; pushes nothing when
 * it is none. */
static bool compile_expression(lua_State *L) {
  const char *text = lua_tostring(L, -1);
  lua_pushfstring(L, "return %s", text + (text[0] == '='));
  if (compile(L) == LUA_OK) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

static int compile_any(lua_State *L) {
  return compile_expression(L) ? LUA_OK : compile(L);
}

/* Is the message on top that of a text that ends too early? */
static bool is_unfinished(lua_State *L, int rc) {
  static const char mark[] = "<eof>";
  size_t size;
  const char *message = lua_tolstring(L, -1, &size);
  return rc == LUA_ERRSYNTAX && size >= sizeof mark - 1 &&
         strcmp(message + size - (sizeof mark - 1), mark) == 0;
}

/* Leaves a chunk, or a message, of one or more lines alone on the stack:
 * LUA_OK or the error; -1 at the end of input. */
static int read_chunk(lua_State *L) {
  lua_settop(L, 0);
  if (!push_line(L, "_PROMPT", "> "))
    return -1;
  int rc;
  while (is_unfinished(L, rc = compile_any(L))) {
    lua_pop(L, 1);
    if (!push_line(L, "_PROMPT2", ">> ")) {
      compile(L); /* for its message */
      break;
    }
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
  lua_replace(L, 1);
  lua_settop(L, 1);
  return rc;
}

static void print_results(lua_State *L) {
  int n = lua_gettop(L);
  if (n == 0)
    return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lua_pcall(L, n, 0, 0) == LUA_OK)
    return;
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "error calling 'print' (%s)\n", message ? message : "?");
}

/* With line editing, while the loop runs; false when that cannot be. */
static bool run_terminal(lua_State *L) {
  lua_settop(L, 0);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonpeer.repl.prompt");
  int rc = chunk_call(L, 1, 1);
  if (rc == LUA_OK) {
    lua_getfield(L, -1, "run");
    rc = lua_pcall(L, 0, 1, 0); /* has its own way with Ctrl-C */
  }
  bool is_done = chunk_report(L, rc, 0) != LUA_OK || lua_toboolean(L, -1);
  lua_settop(L, 0);
  return is_done;
}

void prompt_run(lua_State *L) {
  int rc;
  if (isatty(STDIN_FILENO) && run_terminal(L))
    return;
  while ((rc = read_chunk(L)) != -1) {
    if (rc == LUA_OK)
      rc = chunk_call(L, 0, LUA_MULTRET);
    if (rc == LUA_OK)
      print_results(L);
    else
      chunk_report(L, rc, 1);
  }
  putchar('\n');
}
