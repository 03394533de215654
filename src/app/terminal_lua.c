/* terminal_lua - what Lua does with the terminal. */
#include "app/terminal_lua.h"

#include <lauxlib.h>

#include "app/editor.h"
#include "app/interrupt.h"
#include "app/screen.h"
#include "app/status.h"
#include "app/terminal.h"
#include "script/script.h"
#include "script/task.h"

static struct terminal *self(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static struct terminal *live(lua_State *L) {
  struct terminal *terminal = self(L);
  if (!terminal->loop)
    luaL_error(L, "the terminal is not open");
  return terminal;
}

/* open{ line, complete, interrupt, finish, history }: true, or false when
 * there is no terminal. */
static int do_open(lua_State *L) {
  struct terminal *terminal = self(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "history");
  const char *history = lua_tostring(L, -1);
  if (!terminal->screen || terminal->loop)
    return 0;
  if (!terminal_open(terminal, L, 1, history))
    return 0;
  lua_pushboolean(L, true);
  return 1;
}

static int do_close(lua_State *L) {
  terminal_close(self(L));
  return 0;
}

/* ask(prompt): the next line. Keys that came before are its first. */
static int do_ask(lua_State *L) {
  struct terminal *terminal = live(L);
  const char *prompt = luaL_checkstring(L, 1);
  screen_end_line(terminal->screen);
  editor_ask(terminal->editor, prompt);
  terminal_listen(terminal, true);
  mp_later_post(terminal->loop, &terminal->more);
  return 0;
}

static int do_insert(lua_State *L) {
  struct terminal *terminal = live(L);
  const char *text = luaL_checkstring(L, 1);
  if (editor_is_asking(terminal->editor))
    editor_insert(terminal->editor, text);
  return 0;
}

/* guard(task): what Ctrl-C stops; nil for nothing. */
static int do_guard(lua_State *L) {
  struct terminal *terminal = live(L);
  const struct task *task =
      lua_isnoneornil(L, 1) ? NULL : luaL_checkudata(L, 1, task_type);
  interrupt_watch(terminal->interrupt, task ? task_thread(task) : NULL);
  return 0;
}

static int do_columns(lua_State *L) {
  lua_pushinteger(L, editor_columns(live(L)->editor));
  return 1;
}

/* run(): the loop, until stop. */
static int do_run(lua_State *L) {
  struct terminal *terminal = live(L);
  if (mp_loop_is_running(terminal->loop))
    return luaL_error(L, "the loop runs already");
  mp_loop_run(terminal->loop);
  return 0;
}

static int do_stop(lua_State *L) {
  mp_loop_stop(live(L)->loop);
  return 0;
}

/* status(text): a line at the bottom; nil for none. False where there cannot
 * be one. */
static int do_status(lua_State *L) {
  struct terminal *terminal = self(L);
  const char *text = luaL_optstring(L, 1, NULL);
  bool is_good = terminal->screen && !terminal->loop;
  if (is_good && text && !terminal->status)
    terminal->status = status_open(terminal->screen);
  if (terminal->status && text) {
    status_show(terminal->status, text);
  } else if (terminal->status) {
    status_close(terminal->status);
    terminal->status = NULL;
  }
  lua_pushboolean(L, is_good);
  return 1;
}

/* is_there(): whether a person can be asked at all. */
static int do_is_there(lua_State *L) {
  lua_pushboolean(L, self(L)->screen != NULL);
  return 1;
}

static int on_gc(lua_State *L) {
  struct terminal *terminal = lua_touserdata(L, 1);
  status_close(terminal->status);
  terminal->status = NULL;
  terminal_close(terminal);
  return 0;
}

static int open_module(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"ask", do_ask},     {"close", do_close},   {"columns", do_columns},
      {"guard", do_guard}, {"insert", do_insert}, {"open", do_open},
      {"run", do_run},     {"status", do_status}, {"is_there", do_is_there},
      {"stop", do_stop},   {NULL, NULL}};
  script_of(L); /* is closed after this, which was made later */
  luaL_newlibtable(L, functions);
  struct terminal *terminal = lua_newuserdatauv(L, sizeof *terminal, 0);
  *terminal =
      (struct terminal){.screen = lua_touserdata(L, lua_upvalueindex(1))};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, on_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_setfuncs(L, functions, 1);
  return 1;
}

void terminal_preload(lua_State *L, struct screen *screen) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushlightuserdata(L, screen);
  lua_pushcclosure(L, open_module, 1);
  lua_setfield(L, -2, "moonpeer.terminal");
  lua_pop(L, 1);
}
