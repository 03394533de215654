/* terminal - a person at a terminal, for Lua: `require "moonpeer.terminal"`.
 * What is typed comes from the loop, line by line; nothing waits for a key. */
#include "app/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "app/editor.h"
#include "app/history.h"
#include "app/interrupt.h"
#include "app/screen.h"
#include "app/status.h"
#include "moonpeer/loop.h"
#include "script/script.h"
#include "script/task.h"

enum { KEYS_A_TURN = 64 };

static const char handlers_key = 0; /* registry: the functions of Lua */

struct terminal {
  struct screen *screen;
  struct script *script;
  struct mp_loop *loop; /* NULL while it is closed */
  struct editor *editor;
  struct interrupt *interrupt;
  struct mp_watch *watch;
  struct mp_signal *resize, *resume, *hangup, *terminate;
  struct mp_timer escape;      /* the rest of a key is waited for */
  struct mp_later more, drawn; /* keys to be done; the line to be drawn */
  struct screen_guard guard;
  char *history; /* its path, or NULL */
  int keyboard;  /* the terminal, opened once more: being watched makes it
                    non-blocking, which stdin and stdout must not become */
  struct status *status;
};

/* --- into Lua --------------------------------------------------------------
 */

struct call {
  const char *handler;
  const char *text; /* or NULL */
};

static int body(lua_State *L) {
  const struct call *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &handlers_key);
  lua_getfield(L, -1, call->handler);
  lua_pushstring(L, call->text);
  lua_call(L, 1, 0);
  return 0;
}

static void tell(struct terminal *terminal, const char *handler,
                 const char *text) {
  struct call call = {handler, text};
  script_enter(terminal->script, terminal->loop, body, &call);
}

/* --- keys ------------------------------------------------------------------
 */

static void on_readable(void *data);

static void listen_for_keys(struct terminal *terminal, bool on) {
  mp_watch_close(terminal->watch);
  terminal->watch = NULL;
  if (on)
    mp_watch_open(&terminal->watch, terminal->loop, terminal->keyboard,
                  on_readable, terminal);
}

static void leave(struct terminal *terminal) {
  listen_for_keys(terminal, false);
  mp_timer_stop(&terminal->escape);
  mp_later_cancel(&terminal->more);
  editor_draw(terminal->editor);
  editor_leave(terminal->editor);
}

static void take_line(struct terminal *terminal) {
  char *line = editor_text(terminal->editor, true);
  leave(terminal);
  if (line && *line) {
    editor_remember(terminal->editor, line);
    if (terminal->history)
      history_add(terminal->history, line);
  }
  tell(terminal, "line", line ? line : "");
  free(line);
}

static void take_end(struct terminal *terminal) {
  leave(terminal);
  fputc('\n', screen_terminal(terminal->screen));
  fflush(screen_terminal(terminal->screen));
  tell(terminal, "finish", "end");
}

static void obey(struct terminal *terminal, enum editor_end end) {
  if (end == EDITOR_LINE) {
    take_line(terminal);
  } else if (end == EDITOR_END) {
    take_end(terminal);
  } else {
    char *text = editor_text(terminal->editor, false);
    tell(terminal, "complete", text ? text : "");
    free(text);
  }
}

/* A pasted text must not hold the loop: some keys, then its turn. */
static void do_keys(void *data) {
  struct terminal *terminal = data;
  int left = KEYS_A_TURN;
  enum editor_end end = EDITOR_IDLE;
  while (left-- > 0 && terminal->loop && editor_is_asking(terminal->editor)) {
    end = editor_step(terminal->editor);
    if (end == EDITOR_IDLE)
      break;
    if (end != EDITOR_MORE)
      obey(terminal, end);
  }
  if (!terminal->loop || !editor_is_asking(terminal->editor))
    return;
  if (end != EDITOR_IDLE)
    mp_later_post(terminal->loop, &terminal->more);
  else if (editor_waits(terminal->editor))
    mp_timer_start(terminal->loop, &terminal->escape, 50 * MP_MILLISECOND);
}

static void on_escape(void *data) {
  struct terminal *terminal = data;
  editor_drop(terminal->editor);
}

/* Nothing more comes from a terminal that is gone. */
static void on_readable(void *data) {
  struct terminal *terminal = data;
  void *place;
  size_t room = editor_room(terminal->editor, &place);
  ssize_t n = room > 0 ? read(terminal->keyboard, place, room) : -1;
  mp_timer_stop(&terminal->escape);
  if (n > 0) {
    editor_came(terminal->editor, (size_t)n);
    do_keys(terminal);
  } else if (n == 0 || (room > 0 && errno != EINTR && errno != EAGAIN)) {
    leave(terminal);
    tell(terminal, "finish", "hangup");
  }
}

/* --- signals and printing --------------------------------------------------
 */

static void on_interrupt(void *data) {
  struct terminal *terminal = data;
  FILE *out = screen_terminal(terminal->screen);
  if (editor_is_asking(terminal->editor)) {
    leave(terminal);
    editor_drop(terminal->editor);
    fputs("^C\n", out);
    fflush(out);
  }
  tell(terminal, "interrupt", NULL);
}

static void on_resize(void *data) {
  struct terminal *terminal = data;
  editor_resize(terminal->editor);
}

static void on_resume(void *data) {
  struct terminal *terminal = data;
  editor_resume(terminal->editor);
}

static void on_hangup(void *data) {
  struct terminal *terminal = data;
  leave(terminal);
  tell(terminal, "finish", "hangup");
}

static void on_terminate(void *data) {
  struct terminal *terminal = data;
  leave(terminal);
  tell(terminal, "finish", "terminated");
}

static void before_printing(void *data) {
  struct terminal *terminal = data;
  editor_hide(terminal->editor);
}

static void on_drawn(void *data) {
  struct terminal *terminal = data;
  if (!editor_is_asking(terminal->editor))
    return;
  screen_end_line(terminal->screen);
  editor_draw(terminal->editor);
}

/* The line comes back once a turn, however much is printed. */
static void after_printing(void *data) {
  struct terminal *terminal = data;
  if (editor_is_asking(terminal->editor))
    mp_later_post(terminal->loop, &terminal->drawn);
}

/* --- life ------------------------------------------------------------------
 */

static void remember(void *data, const char *line) {
  editor_remember(data, line);
}

static void close_all(struct terminal *terminal) {
  if (!terminal->loop)
    return;
  screen_set_guard(terminal->screen, NULL);
  leave(terminal);
  mp_later_cancel(&terminal->drawn);
  mp_signal_close(terminal->resize);
  mp_signal_close(terminal->resume);
  mp_signal_close(terminal->hangup);
  mp_signal_close(terminal->terminate);
  interrupt_close(terminal->interrupt);
  editor_close(terminal->editor);
  close(terminal->keyboard);
  mp_loop_release(terminal->loop);
  free(terminal->history);
  terminal->history = NULL;
  terminal->loop = NULL;
}

static void open_signals(struct terminal *terminal) {
  const struct {
    struct mp_signal **signal;
    int number;
    void (*fn)(void *data);
  } list[] = {{&terminal->resize, SIGWINCH, on_resize},
              {&terminal->resume, SIGCONT, on_resume},
              {&terminal->hangup, SIGHUP, on_hangup},
              {&terminal->terminate, SIGTERM, on_terminate}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    *list[i].signal = NULL;
    mp_signal_open(list[i].signal, terminal->loop, list[i].number, list[i].fn,
                   terminal);
  }
}

/* What is typed and shown is UTF-8 where the environment says nothing. */
static void set_locale(void) {
  if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
    setlocale(LC_CTYPE, "C.UTF-8");
}

static int open_keyboard(void) {
  const char *name = ttyname(STDIN_FILENO);
  int keyboard = name ? open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC) : -1;
  return keyboard >= 0 ? keyboard : dup(STDIN_FILENO);
}

static void open_all(struct terminal *terminal, const char *history) {
  terminal->keyboard = open_keyboard();
  mp_timer_init(&terminal->escape, on_escape, terminal);
  mp_later_init(&terminal->more, do_keys, terminal);
  mp_later_init(&terminal->drawn, on_drawn, terminal);
  open_signals(terminal);
  mp_loop_hold(terminal->loop);
  if (history) {
    terminal->history = strdup(history);
    history_load(history, remember, terminal->editor);
  }
  terminal->guard =
      (struct screen_guard){before_printing, after_printing, terminal};
  screen_set_guard(terminal->screen, &terminal->guard);
}

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
  struct mp_loop *loop = script_loop(L);
  set_locale();
  terminal->script = script_of(L);
  terminal->editor = editor_open(stdin, screen_terminal(terminal->screen));
  if (!terminal->editor)
    return 0;
  terminal->interrupt = interrupt_open(loop, on_interrupt, terminal);
  if (!terminal->interrupt) {
    editor_close(terminal->editor);
    return 0;
  }
  terminal->loop = loop;
  open_all(terminal, history);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &handlers_key);
  lua_pushboolean(L, true);
  return 1;
}

static int do_close(lua_State *L) {
  close_all(self(L));
  return 0;
}

/* ask(prompt): the next line. Keys that came before are its first. */
static int do_ask(lua_State *L) {
  struct terminal *terminal = live(L);
  const char *prompt = luaL_checkstring(L, 1);
  screen_end_line(terminal->screen);
  editor_ask(terminal->editor, prompt);
  listen_for_keys(terminal, true);
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
  close_all(terminal);
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
