/* interrupt - Ctrl-C while a loop runs: stops the Lua code that is being run,
 * however long that takes, and tells the loop. */
#include "app/interrupt.h"

#include <signal.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "moonpeer/loop.h"

struct interrupt {
  struct mp_wakeup *wakeup;
  struct sigaction before;
  void (*fn)(void *data);
  void *data;
  lua_State *volatile thread;
  volatile sig_atomic_t pending; /* not told yet */
};

/* A signal handler is given nothing else to find it. */
static struct interrupt *volatile present;

static void stop(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

static void on_signal(int number) {
  struct interrupt *interrupt = present;
  if (!interrupt)
    return;
  if (++interrupt->pending > 1)
    signal(number, SIG_DFL);
  if (interrupt->thread)
    lua_sethook(interrupt->thread, stop,
                LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  mp_wakeup_send(interrupt->wakeup);
}

static void listen_for_it(struct sigaction *before) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, before);
}

static void on_wakeup(void *data) {
  struct interrupt *interrupt = data;
  if (!interrupt->pending)
    return;
  interrupt->pending = 0;
  listen_for_it(NULL);
  interrupt->fn(interrupt->data);
}

struct interrupt *interrupt_open(struct mp_loop *loop, void (*fn)(void *),
                                 void *data) {
  struct interrupt *interrupt = calloc(1, sizeof *interrupt);
  if (!interrupt)
    return NULL;
  interrupt->fn = fn;
  interrupt->data = data;
  if (present ||
      mp_wakeup_open(&interrupt->wakeup, loop, on_wakeup, interrupt) != 0) {
    free(interrupt);
    return NULL;
  }
  present = interrupt;
  listen_for_it(&interrupt->before);
  return interrupt;
}

void interrupt_close(struct interrupt *interrupt) {
  if (!interrupt)
    return;
  sigaction(SIGINT, &interrupt->before, NULL);
  present = NULL;
  mp_wakeup_close(interrupt->wakeup);
  free(interrupt);
}

void interrupt_watch(struct interrupt *interrupt, lua_State *thread) {
  lua_State *before = interrupt->thread;
  interrupt->thread = thread;
  if (before && lua_gethook(before) == stop)
    lua_sethook(before, NULL, 0, 0);
}
