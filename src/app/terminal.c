/* terminal - a person at a terminal. */
#include "app/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lua.h>

#include "app/editor.h"
#include "app/history.h"
#include "app/interrupt.h"
#include "app/screen.h"
#include "script/script.h"

enum { KEYS_A_TURN = 64 };

static const char handlers_key = 0; /* registry: the functions of Lua */

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

void terminal_listen(struct terminal *terminal, bool on) {
  mp_watch_close(terminal->watch);
  terminal->watch = NULL;
  if (on)
    mp_watch_open(&terminal->watch, terminal->loop, terminal->keyboard,
                  on_readable, terminal);
}

static void leave(struct terminal *terminal) {
  terminal_listen(terminal, false);
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

static void on_interrupt(struct terminal *terminal) {
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

static void on_signal(void *data, int number) {
  struct terminal *terminal = data;
  if (number == SIGINT) {
    on_interrupt(terminal);
    return;
  }
  leave(terminal);
  tell(terminal, "finish", number == SIGHUP ? "hangup" : "terminated");
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

void terminal_close(struct terminal *terminal) {
  if (!terminal->loop)
    return;
  screen_set_guard(terminal->screen, NULL);
  leave(terminal);
  mp_later_cancel(&terminal->drawn);
  mp_signal_close(terminal->resize);
  mp_signal_close(terminal->resume);
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
              {&terminal->resume, SIGCONT, on_resume}};
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

bool terminal_open(struct terminal *terminal, lua_State *L, int handlers,
                   const char *history) {
  struct mp_loop *loop = script_loop(L);
  set_locale();
  terminal->script = script_of(L);
  terminal->editor = editor_open(stdin, screen_terminal(terminal->screen));
  if (!terminal->editor)
    return false;
  terminal->interrupt =
      interrupt_open(loop, terminal->script, on_signal, terminal);
  if (!terminal->interrupt) {
    editor_close(terminal->editor);
    return false;
  }
  terminal->loop = loop;
  open_all(terminal, history);
  lua_pushvalue(L, handlers);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &handlers_key);
  return true;
}
