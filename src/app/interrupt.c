/* interrupt - Ctrl-C while a loop runs, and the signals that ask for the end.
 */
#include "app/interrupt.h"

#include <signal.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "moonpeer/loop.h"
#include "script/script.h"

enum { KINDS = 3 };

static const int numbers[KINDS] = {SIGINT, SIGHUP, SIGTERM};

struct interrupt {
  struct mp_wakeup *wakeup;
  const struct script *script;
  struct sigaction before[KINDS];
  void (*fn)(void *data, int number);
  void *data;
  lua_State *volatile thread;
  volatile sig_atomic_t pending[KINDS]; /* not told yet */
};

/* A signal handler is given nothing else to find it. */
static struct interrupt *volatile present;

/* --- stopping --------------------------------------------------------------
 */

static void stop(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* No pcall keeps it going. */
static void stop_for_good(lua_State *L, lua_Debug *event) {
  (void)event;
  luaL_error(L, "interrupted!");
}

static void arm(lua_State *thread, lua_Hook hook) {
  if (thread)
    lua_sethook(thread, hook,
                LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void disarm(lua_State *thread) {
  lua_Hook hook = thread ? lua_gethook(thread) : NULL;
  if (hook == stop || hook == stop_for_good)
    lua_sethook(thread, NULL, 0, 0);
}

static void on_signal(int number) {
  struct interrupt *interrupt = present;
  int kind = number == SIGINT ? 0 : number == SIGHUP ? 1 : 2; /* of numbers */
  if (!interrupt)
    return;
  bool is_stuck = ++interrupt->pending[kind] > 1;
  if (is_stuck && number == SIGINT)
    signal(number, SIG_DFL);
  arm(interrupt->thread, stop);
  if (is_stuck || number != SIGINT)
    arm(interrupt->script->computing, stop_for_good);
  mp_wakeup_send(interrupt->wakeup);
}

/* --- telling ---------------------------------------------------------------
 */

static void listen_for_it(int number, struct sigaction *before) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, before);
}

static void on_wakeup(void *data) {
  struct interrupt *interrupt = data;
  for (int i = 0; i < KINDS && present == interrupt; i++) {
    if (!interrupt->pending[i])
      continue;
    interrupt->pending[i] = 0;
    listen_for_it(numbers[i], NULL);
    interrupt->fn(interrupt->data, numbers[i]);
  }
}

struct interrupt *interrupt_open(struct mp_loop *loop,
                                 const struct script *script,
                                 void (*fn)(void *data, int number),
                                 void *data) {
  struct interrupt *interrupt = calloc(1, sizeof *interrupt);
  if (!interrupt)
    return NULL;
  interrupt->script = script;
  interrupt->fn = fn;
  interrupt->data = data;
  if (present ||
      mp_wakeup_open(&interrupt->wakeup, loop, on_wakeup, interrupt) != 0) {
    free(interrupt);
    return NULL;
  }
  present = interrupt;
  for (int i = 0; i < KINDS; i++)
    listen_for_it(numbers[i], &interrupt->before[i]);
  return interrupt;
}

void interrupt_close(struct interrupt *interrupt) {
  if (!interrupt)
    return;
  for (int i = 0; i < KINDS; i++)
    sigaction(numbers[i], &interrupt->before[i], NULL);
  present = NULL;
  mp_wakeup_close(interrupt->wakeup);
  free(interrupt);
}

void interrupt_watch(struct interrupt *interrupt, lua_State *thread) {
  lua_State *before = interrupt->thread;
  interrupt->thread = thread;
  disarm(before);
}
