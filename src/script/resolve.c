/* resolve - moonpeer.resolve: names to addresses. */
#include "script/resolve.h"

#include "script/convert.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.resolve";

/* One look-up, kept on the stack of the task that waits for it. */
struct lookup {
  struct mp_resolve resolve;
  struct waiters waiters;
  bool is_done;
  size_t n;
  struct mp_address list[MP_RESOLVE_MAX];
};

static void on_done(void *data, int rc, const struct mp_address *list,
                    size_t n) {
  struct lookup *lookup = data;
  lookup->is_done = true;
  lookup->n = rc == 0 ? n : 0;
  for (size_t i = 0; i < lookup->n; i++)
    lookup->list[i] = list[i];
  waiters_wake(&lookup->waiters);
}

static int do_gc(lua_State *L) {
  struct lookup *lookup = luaL_checkudata(L, 1, type_name);
  mp_resolve_cancel(&lookup->resolve);
  return 0;
}

static int push_answer(lua_State *L, const struct lookup *lookup) {
  char text[MP_ADDRESS_TEXT];
  if (lookup->n == 0) {
    lua_pushnil(L);
    lua_pushfstring(L, "expected addresses of %s, got none",
                    lua_tostring(L, 1));
    lua_pushstring(L, mp_error_name(MP_EDNS));
    return 3;
  }
  lua_createtable(L, (int)lookup->n, 0);
  for (size_t i = 0; i < lookup->n; i++) {
    lua_pushstring(L, mp_address_format_ip(&lookup->list[i], text));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int resolve_on(lua_State *L, int status, lua_KContext context) {
  struct lookup *lookup = luaL_checkudata(L, 3, type_name);
  struct task *task = task_check(L, "resolve");
  (void)status, (void)context;
  if (lookup->is_done)
    return push_answer(L, lookup);
  if (task_is_cancelled(task)) /* not when the garbage is collected */
    mp_resolve_cancel(&lookup->resolve);
  if (!task_is_late(task))
    return task_wait(L, task, &lookup->waiters, resolve_on);
  mp_resolve_cancel(&lookup->resolve);
  return task_push_late(L, task, "an answer");
}

/* resolve(name, timeout): a list of IPs as texts. */
int resolve_lua_resolve(lua_State *L) {
  struct task *task = task_check(L, "resolve");
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 2);
  int64_t limit = convert_duration_or(L, 2, 30 * MP_SECOND);
  struct lookup *lookup = lua_newuserdatauv(L, sizeof *lookup, 0);
  *lookup = (struct lookup){.resolve = {.done = on_done, .data = lookup}};
  luaL_setmetatable(L, type_name);
  if (mp_resolve_start(task_loop(L), &lookup->resolve, name, 0) != 0)
    lookup->is_done = true;
  task_deadline(task, limit);
  return resolve_on(L, LUA_OK, 0);
}

void resolve_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", do_gc}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
