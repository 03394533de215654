/* sim_end - what is still open in a world, and closing it. */
#include "script/sim.h"
#include "script/task.h"

static bool is_ours(const struct sim *sim, const struct mp_loop *loop) {
  return mp_world_of(loop) == sim->world;
}

bool sim_is_used(struct script *script, const struct mp_loop *loop) {
  for (struct closable *c = script->open; c; c = c->next)
    if (c->loop == loop)
      return true;
  for (struct task *task = tasks_first(script); task; task = tasks_next(task))
    if (task_home(task) == loop)
      return true;
  return false;
}

/* Appends "kind at ip" to the list at the top. */
static void add(lua_State *L, const char *kind, const struct mp_loop *loop) {
  struct mp_address ip;
  char text[MP_ADDRESS_TEXT];
  mp_world_host_ip(loop, &ip);
  lua_pushfstring(L, "%s at %s", kind, mp_address_format_ip(&ip, text));
  lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

/* is_empty(): would leftovers() say nothing? Asked between any two events. */
int sim_is_empty(lua_State *L) {
  const struct sim *sim = sim_check(L);
  const struct script *script = sim->script;
  struct mp_world_count count;
  mp_world_count(sim->world, &count);
  bool is_empty =
      !(count.streams || count.listeners || count.lookups || count.works);
  for (struct closable *c = script->open; is_empty && c; c = c->next)
    is_empty = !is_ours(sim, c->loop);
  struct task *task = tasks_first(script);
  for (; is_empty && task; task = tasks_next(task))
    is_empty = !is_ours(sim, task_home(task));
  lua_pushboolean(L, is_empty);
  return 1;
}

/* leftovers(): a list of what is open, in words; what was opened last comes
 * first. */
int sim_leftovers(lua_State *L) {
  const struct sim *sim = sim_check(L);
  const struct script *script = sim->script;
  struct mp_world_count count;
  lua_newtable(L);
  for (struct closable *c = script->open; c; c = c->next)
    if (is_ours(sim, c->loop))
      add(L, c->kind, c->loop);
  for (struct task *task = tasks_first(script); task; task = tasks_next(task))
    if (is_ours(sim, task_home(task)))
      add(L, "task", task_home(task));
  mp_world_count(sim->world, &count);
  size_t open = count.streams + count.listeners + count.lookups + count.works;
  lua_pushinteger(L, (lua_Integer)open);
  return 2;
}

static void cancel_tasks(struct sim *sim) {
  struct script *script = sim->script;
  for (struct task *task = tasks_first(script); task; task = tasks_next(task))
    if (is_ours(sim, task_home(task)))
      task_cancel(task);
}

static bool is_meant(const void *data, const struct mp_loop *loop) {
  return is_ours(data, loop);
}

/* shut(): asks everything to end; some time must pass for it. With true, those
 * tasks that do not are left behind for good. */
int sim_shut(lua_State *L) {
  struct sim *sim = sim_check(L);
  struct script *script = sim->script;
  struct task *next;
  cancel_tasks(sim);
  script_close_those(script, is_meant, sim);
  if (!lua_toboolean(L, 2))
    return 0;
  for (struct task *task = tasks_first(script); task; task = next) {
    next = tasks_next(task);
    if (is_ours(sim, task_home(task)))
      task_abandon(L, task);
  }
  return 0;
}
