/* terminal - a person at a terminal. What is typed comes from the loop, line by
 * line; nothing waits for a key. */
#ifndef APP_TERMINAL_H
#define APP_TERMINAL_H

#include <stdbool.h>

#include <lua.h>

#include "app/screen.h"
#include "moonpeer/loop.h"

struct editor;
struct interrupt;
struct script;
struct status;

struct terminal {
  struct screen *screen;
  struct script *script;
  struct mp_loop *loop; /* NULL while it is closed */
  struct editor *editor;
  struct interrupt *interrupt;
  struct mp_watch *watch;
  struct mp_signal *resize, *resume;
  struct mp_timer escape;      /* the rest of a key is waited for */
  struct mp_later more, drawn; /* keys to be done; the line to be drawn */
  struct screen_guard guard;
  char *history; /* its path, or NULL */
  int keyboard;  /* the terminal, opened once more: being watched makes it
                    non-blocking, which stdin and stdout must not become */
  struct status *status;
};

/* Shows what comes on its screen, which it has. handlers is the place of a
 * table of functions: line, complete, interrupt, finish. history is a path or
 * NULL, borrowed. False without memory or a terminal. */
bool terminal_open(struct terminal *terminal, lua_State *L, int handlers,
                   const char *history);

/* Gives the terminal back as it was found; twice is fine. */
void terminal_close(struct terminal *terminal);

/* Whether keys are read. */
void terminal_listen(struct terminal *terminal, bool on);

#endif
