/* meter - what consoles take of the loop: how long an evaluation may hold it,
 * and how much of it all of them may have while others wait. */
#include "script/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "script/convert.h"
#include "script/task.h"

enum {
  SHARE = 20,        /* one part in so many is theirs */
  LOOK_EVERY = 1000, /* instructions between two looks at the clock */
};

static const int64_t credit_most = 20 * MP_MILLISECOND;
static const int64_t pause_most = 2 * MP_MILLISECOND;

static const char limits_key = 0; /* registry: coroutine -> its limit */

/* --- their share -----------------------------------------------------------
 */

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * MP_SECOND + now.tv_nsec;
}

static int64_t meter_now(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void meter_begin(struct meter *meter) {
  meter->start = meter_now();
  meter->is_running = true;
}

void meter_end(struct meter *meter) {
  if (!meter->is_running)
    return;
  meter->is_running = false;
  meter->spent += meter_now() - meter->start;
}

/* How long this thread could have run and had to wait for a processor: that is
 * no idleness. 0 where the system does not say. */
static int64_t read_delay(void) {
  char line[100] = ""; /* nanoseconds run, waited, and times */
  FILE *file = fopen("/proc/thread-self/schedstat", "re");
  if (!file)
    return 0;
  const char *waited =
      fgets(line, sizeof line, file) ? strchr(line, ' ') : NULL;
  fclose(file);
  return waited ? strtoll(waited, NULL, 10) : 0;
}

bool meter_may(struct meter *meter) {
  int64_t delay = read_delay(), busy = meter_now();
  int64_t wall = read_clock(CLOCK_MONOTONIC) - delay;
  if (meter->wall == 0) {
    meter->credit = credit_most;
  } else {
    int64_t worked = busy - meter->busy;
    int64_t idle = wall - meter->wall - worked;
    int64_t others = worked - meter->spent;
    meter->credit += (idle > 0 ? idle : 0) - meter->spent;
    meter->credit += others > 0 ? others / (SHARE - 1) : 0;
  }
  if (meter->credit > credit_most)
    meter->credit = credit_most;
  meter->wall = wall;
  meter->busy = busy;
  meter->spent = 0;
  return meter->credit > 0;
}

/* At once when the loop has nothing else to do, 19 times as long when it has:
 * something between, for asking costs, too. */
int64_t meter_pause(const struct meter *meter) {
  int64_t pause = -2 * meter->credit;
  if (pause < MP_MILLISECOND)
    return MP_MILLISECOND;
  return pause < pause_most ? pause : pause_most;
}

static int ready_on(lua_State *L, int status, lua_KContext context) {
  struct task *task = task_check(L, "console_ready");
  (void)status, (void)context;
  struct meter *meter = &script_of(L)->consoles;
  if (meter_may(meter))
    return 0;
  task_deadline(task, meter_pause(meter));
  return task_wait(L, task, NULL, ready_on);
}

int meter_lua_ready(lua_State *L) {
  lua_settop(L, 0);
  return ready_on(L, LUA_OK, 0);
}

/* --- one evaluation --------------------------------------------------------
 */

/* A coroutine's: the evaluation's own counts all its time, that of others what
 * they take in one go. */
struct limit {
  int64_t most, used, last;
  uint64_t generation; /* of the entry into Lua that was last seen */
  bool is_whole;
};

static void look(lua_State *L, lua_Debug *event);

static void push_all(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &limits_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &limits_key);
}

static struct limit *add_limit(lua_State *L, int64_t most, bool is_whole) {
  push_all(L);
  lua_pushthread(L);
  struct limit *limit = lua_newuserdatauv(L, sizeof *limit, 0);
  *limit = (struct limit){.most = most, .is_whole = is_whole};
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return limit;
}

static struct limit *find_limit(lua_State *L) {
  push_all(L);
  lua_pushthread(L);
  lua_rawget(L, -2);
  struct limit *limit = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return limit ? limit : add_limit(L, MP_SECOND, false);
}

static void count(struct limit *limit, const struct script *script) {
  int64_t now = meter_now();
  if (limit->generation != script->generation) {
    limit->generation = script->generation;
    if (!limit->is_whole)
      limit->used = 0;
  } else {
    limit->used += now - limit->last;
  }
  limit->last = now;
}

static void look(lua_State *L, lua_Debug *event) {
  (void)event;
  luaL_checkstack(L, 4, NULL);
  struct limit *limit = find_limit(L);
  count(limit, script_of(L));
  if (limit->used <= limit->most)
    return;
  lua_sethook(L, look, LUA_MASKCOUNT, 1); /* no pcall keeps it going */
  luaL_error(L,
             "the evaluation held the engine for more than %f s of "
             "processor time",
             (lua_Number)limit->most / (lua_Number)MP_SECOND);
}

/* Limits how long the coroutine L, and those it makes, run in one go and, for
 * L, in all: then every instruction raises. */
static void hold_to(lua_State *L, int64_t most) {
  add_limit(L, most, true);
  lua_sethook(L, look, LUA_MASKCOUNT, LOOK_EVERY);
}

int meter_lua_share(lua_State *L) {
  struct task *task = task_check(L, "console_share");
  task->is_metered = true;
  meter_begin(&script_of(L)->consoles);
  return 0;
}

int meter_lua_task(lua_State *L) {
  meter_lua_share(L);
  struct task *task = task_check(L, "console_task");
  task->actor.budget = convert_duration(L, 1);
  task->actor.is_confined = true;
  hold_to(L, convert_duration(L, 1));
  return 0;
}
