/* gate - something tasks wait at until somebody opens it. */
#include "script/gate.h"

#include "script/convert.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.gate";

struct gate {
  struct waiters waiters;
  unsigned long opened; /* how often */
};

static struct gate *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

int gate_lua_new(lua_State *L) {
  struct gate *gate = lua_newuserdatauv(L, sizeof *gate, 0);
  *gate = (struct gate){0};
  luaL_setmetatable(L, type_name);
  return 1;
}

static int do_open(lua_State *L) {
  struct gate *gate = self(L);
  gate->opened++;
  waiters_wake(&gate->waiters);
  return 0;
}

/* Index 3 holds how often it had been opened when the wait began. */
static int wait_on(lua_State *L, int status, lua_KContext context) {
  struct gate *gate = self(L);
  struct task *task = task_check(L, "gate:wait");
  (void)status, (void)context;
  if (gate->opened != (unsigned long)lua_tointeger(L, 3)) {
    lua_pushboolean(L, true);
    return 1;
  }
  if (task_is_late(task))
    return task_push_late(L, task, "something to happen");
  return task_wait(L, task, &gate->waiters, wait_on);
}

static int do_wait(lua_State *L) {
  struct gate *gate = self(L);
  struct task *task = task_check(L, "gate:wait");
  lua_settop(L, 2);
  task_deadline(task, convert_duration_or(L, 2, MP_FOREVER));
  lua_pushinteger(L, (lua_Integer)gate->opened);
  return wait_on(L, LUA_OK, 0);
}

void gate_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"open", do_open}, {"wait", do_wait}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
