/* watchdog - stops Lua that runs for longer than it may. */
#include "script/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "script/script.h"

enum {
  TICK = 3000000,     /* nanoseconds between two looks while there is work */
  IDLE_TICKS = 100,   /* without work, then it sleeps */
  SLEEP = 1000000000, /* at most: a wake-up that got lost is made good */
};

struct watchdog {
  _Atomic uint64_t call;   /* that runs now; 0: none */
  _Atomic uint64_t serial; /* of the last */
  _Atomic int64_t budget;
  _Atomic bool is_sleeping;
  _Atomic uint64_t wanted;  /* the call that must end */
  _Atomic uint64_t stopped; /* that was told to, last */
  lua_State *_Atomic running;
  struct {
    lua_Hook hook;
    int mask, count;
  } before; /* the hook of somebody else that was in the way */
  pthread_t loop, thread;
  clockid_t clock; /* of what the loop's thread computes */
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool is_ending; /* under the lock */
  int signal;
};

/* --- on the loop's thread --------------------------------------------------
 */

static void on_stop(lua_State *L, lua_Debug *event) {
  const struct watchdog *dog = script_of(L)->watchdog;
  uint64_t call = dog ? atomic_load(&dog->call) : 0;
  (void)event;
  if (!call || atomic_load(&dog->stopped) != call) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  luaL_where(L, 0); /* a hook is no level */
  lua_pushfstring(L, "stopped: it has run for more than %d ms",
                  (int)(atomic_load(&dog->budget) / MP_MILLISECOND));
  lua_concat(L, 2);
  lua_error(L);
}

/* Only what may be called in a signal handler. */
static void arm(struct watchdog *dog, lua_State *L) {
  lua_Hook hook = lua_gethook(L);
  if (hook == on_stop)
    return;
  dog->before.hook = hook;
  dog->before.mask = lua_gethookmask(L);
  dog->before.count = lua_gethookcount(L);
  lua_sethook(L, on_stop, LUA_MASKCOUNT, 1);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  struct watchdog *dog = info->si_value.sival_ptr;
  if (info->si_code != SI_QUEUE || !dog)
    return;
  uint64_t call = atomic_load(&dog->call);
  if (!call || call != atomic_load(&dog->wanted))
    return;
  atomic_store(&dog->stopped, call);
  arm(dog, atomic_load(&dog->running));
}

static void wake(struct watchdog *dog) {
  pthread_mutex_lock(&dog->lock);
  pthread_cond_signal(&dog->wake);
  pthread_mutex_unlock(&dog->lock);
}

static void store(_Atomic uint64_t *place, uint64_t value) {
  atomic_store_explicit(place, value, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *place) {
  return atomic_load_explicit(place, memory_order_relaxed);
}

void watchdog_enter(struct watchdog *dog, struct watch *outer, lua_State *L,
                    int64_t budget) {
  if (!dog)
    return;
  outer->call = load(&dog->call);
  outer->budget = atomic_load_explicit(&dog->budget, memory_order_relaxed);
  outer->running = atomic_load_explicit(&dog->running, memory_order_relaxed);
  uint64_t serial = load(&dog->serial) + 1;
  store(&dog->serial, serial);
  atomic_store_explicit(&dog->running, L, memory_order_relaxed);
  atomic_store_explicit(&dog->budget, budget, memory_order_relaxed);
  atomic_store_explicit(&dog->call, serial, memory_order_release);
  if (atomic_load_explicit(&dog->is_sleeping, memory_order_relaxed))
    wake(dog);
}

bool watchdog_leave(struct watchdog *dog, lua_State *L,
                    const struct watch *outer) {
  if (!dog)
    return false;
  uint64_t call = load(&dog->call);
  atomic_store_explicit(&dog->call, outer->call, memory_order_relaxed);
  atomic_store_explicit(&dog->running, outer->running, memory_order_relaxed);
  atomic_store_explicit(&dog->budget, outer->budget, memory_order_release);
  if (load(&dog->stopped) != call)
    return false;
  if (lua_gethook(L) == on_stop)
    lua_sethook(L, dog->before.hook == on_stop ? NULL : dog->before.hook,
                dog->before.mask, dog->before.count);
  return true;
}

lua_State *watchdog_switch(struct watchdog *dog, lua_State *to) {
  if (!dog)
    return NULL;
  lua_State *from =
      atomic_exchange_explicit(&dog->running, to, memory_order_relaxed);
  uint64_t call = load(&dog->call);
  if (call && to && load(&dog->stopped) == call)
    arm(dog, to); /* who was told to stop was the other one */
  return from;
}

/* --- the thread ------------------------------------------------------------
 */

static int64_t read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * MP_SECOND + time.tv_nsec;
}

/* What the loop's thread has computed: on a busy machine nobody is stopped for
 * what others did meanwhile. */
static int64_t spent(const struct watchdog *dog) {
  return read_clock(dog->clock);
}

/* With the lock held. */
static void rest(struct watchdog *dog, int64_t span) {
  int64_t until = read_clock(CLOCK_MONOTONIC) + span;
  const struct timespec time = {until / MP_SECOND, until % MP_SECOND};
  if (!dog->is_ending)
    pthread_cond_timedwait(&dog->wake, &dog->lock, &time);
}

static void stop(struct watchdog *dog, uint64_t call) {
  atomic_store(&dog->wanted, call);
  pthread_sigqueue(dog->loop, dog->signal, (union sigval){.sival_ptr = dog});
}

/* One look: how many in a row have found nothing. */
static int look(struct watchdog *dog, uint64_t *seen, int64_t *since,
                int idle) {
  uint64_t call = atomic_load_explicit(&dog->call, memory_order_acquire);
  uint64_t serial = load(&dog->serial);
  if (call && call == *seen) {
    if (spent(dog) - *since >= atomic_load(&dog->budget))
      stop(dog, call);
    return 0;
  }
  bool is_new = call || serial != *seen;
  *seen = call ? call : serial;
  *since = spent(dog);
  return is_new ? 0 : idle + 1;
}

static void *watch(void *data) {
  struct watchdog *dog = data;
  uint64_t seen = 0;
  int64_t since = 0;
  int idle = 0;
  pthread_mutex_lock(&dog->lock);
  while (!dog->is_ending) {
    bool sleeps = idle > IDLE_TICKS;
    atomic_store(&dog->is_sleeping, sleeps);
    rest(dog, sleeps ? SLEEP : TICK);
    idle = look(dog, &seen, &since, idle);
  }
  pthread_mutex_unlock(&dog->lock);
  return NULL;
}

/* --- life ------------------------------------------------------------------
 */

/* The first real-time signal that nobody uses, or is ours already; 0. */
static int find_signal(void) {
  for (int number = SIGRTMIN + 3; number < SIGRTMAX; number++) {
    struct sigaction there;
    if (sigaction(number, NULL, &there) != 0)
      continue;
    if ((there.sa_flags & SA_SIGINFO) ? there.sa_sigaction == on_signal
                                      : there.sa_handler == SIG_DFL)
      return number;
  }
  return 0;
}

/* Puts the handler into the kernel's own struct, whose first word it is: a
 * sanitizer of threads would hold the signal back until the thread calls the
 * system, which an endless loop never does. */
static void bypass(int number) {
  unsigned char raw[256] = {0};
  void (*handler)(int, siginfo_t *, void *) = on_signal;
  if (syscall(SYS_rt_sigaction, number, NULL, raw, 8) != 0)
    return;
  memcpy(raw, &handler, sizeof handler);
  syscall(SYS_rt_sigaction, number, raw, NULL, 8);
}

static bool take_signal(struct watchdog *dog) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
  sigset_t set;
  dog->signal = find_signal();
  if (!dog->signal)
    return false;
  action.sa_sigaction = on_signal;
  sigemptyset(&action.sa_mask);
  if (sigaction(dog->signal, &action, NULL) != 0)
    return false;
  bypass(dog->signal);
  sigemptyset(&set);
  sigaddset(&set, dog->signal);
  return pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0;
}

static bool start(struct watchdog *dog) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are not its */
  int rc = pthread_create(&dog->thread, NULL, watch, dog);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc == 0;
}

struct watchdog *watchdog_new(void) {
  struct watchdog *dog = calloc(1, sizeof *dog);
  pthread_condattr_t attributes;
  if (!dog || !take_signal(dog)) {
    free(dog);
    return NULL;
  }
  dog->loop = pthread_self();
  if (pthread_getcpuclockid(dog->loop, &dog->clock) != 0)
    dog->clock = CLOCK_MONOTONIC;
  pthread_mutex_init(&dog->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&dog->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  if (start(dog))
    return dog;
  pthread_cond_destroy(&dog->wake);
  pthread_mutex_destroy(&dog->lock);
  free(dog);
  return NULL;
}

void watchdog_free(struct watchdog *dog) {
  if (!dog)
    return;
  pthread_mutex_lock(&dog->lock);
  dog->is_ending = true;
  pthread_cond_signal(&dog->wake);
  pthread_mutex_unlock(&dog->lock);
  pthread_join(dog->thread, NULL);
  pthread_cond_destroy(&dog->wake);
  pthread_mutex_destroy(&dog->lock);
  free(dog);
}
