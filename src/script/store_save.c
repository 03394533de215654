/* store_save - saving a store without holding the loop. */
#include "script/store_save.h"

#include <stdio.h>

#include "base/fault.h"
#include "script/convert.h"
#include "script/store.h"

static const char *const type_name = "moonpeer.store.save";

enum { SLICE = 2048 }; /* rows copied in a turn */

static const int64_t look_again = 10 * MP_MILLISECOND;

/* --- tickets ---------------------------------------------------------------
 */

static void unlink_ticket(struct ticket *ticket) {
  if (!ticket->place)
    return;
  *ticket->place = ticket->next;
  if (ticket->next)
    ticket->next->place = ticket->place;
  ticket->place = NULL;
}

static void link_ticket(struct store_saver *saver, struct ticket *ticket) {
  ticket->next = saver->tickets;
  ticket->place = &saver->tickets;
  if (ticket->next)
    ticket->next->place = &ticket->next;
  saver->tickets = ticket;
}

static struct ticket *push_ticket(lua_State *L) {
  struct ticket *ticket = lua_newuserdatauv(L, sizeof *ticket, 0);
  *ticket = (struct ticket){0};
  luaL_setmetatable(L, type_name);
  return ticket;
}

static int on_gc(lua_State *L) {
  unlink_ticket(luaL_checkudata(L, 1, type_name));
  return 0;
}

static void tell_one(struct store_saver *saver, struct ticket *ticket) {
  unlink_ticket(ticket);
  ticket->is_done = true;
  ticket->rc = saver->rc;
  ticket->fault = saver->fault;
  if (ticket->number > saver->started)
    ticket->rc = fault_set(&ticket->fault, MP_ECANCELLED,
                           "the loop was closed before the save began");
  waiters_wake(&ticket->waiters);
}

/* Tells those who wait for this save; or all, when it is the last. */
static void tell(struct store_saver *saver) {
  for (struct ticket *ticket = saver->tickets, *next; ticket; ticket = next) {
    next = ticket->next;
    if (ticket->number <= saver->started || !saver->is_wanted)
      tell_one(saver, ticket);
  }
}

/* --- one save after the other ----------------------------------------------
 */

static void start(struct store_saver *saver);

static void stop(struct store_saver *saver) {
  mp_later_cancel(&saver->slice);
  mp_timer_stop(&saver->again);
  saver->state = SAVER_IDLE;
}

/* May free the store, and the saver in it. */
static void end(struct store_saver *saver) {
  struct mp_loop *loop = saver->loop;
  stop(saver);
  if (saver->save)
    mp_save_finish(saver->save, saver->rc);
  saver->save = NULL;
  tell(saver);
  if (saver->is_wanted) {
    start(saver);
    return;
  }
  script_closed(saver->store->script, &saver->closable);
  saver->loop = saver->closable.loop = NULL;
  store_settle(saver->store);
  mp_loop_release(loop);
}

static void fail(struct store_saver *saver, int rc, const char *text) {
  saver->rc = fault_set(&saver->fault, rc, "%s", text);
  end(saver);
}

/* The backend has done it on the loop. */
static void on_applied(void *data, int rc, const struct mp_fault *fault) {
  struct store_saver *saver = data;
  saver->rc = rc;
  if (rc)
    saver->fault = *fault;
  end(saver);
}

static void on_work(void *data) {
  struct store_saver *saver = data;
  saver->rc = mp_save_run(saver->save, &saver->fault);
}

static void on_done(void *data) {
  end(data);
}

static void run(struct store_saver *saver) {
  saver->state = SAVER_WORKING;
  if (mp_save_begin(saver->save, on_applied, saver))
    return;
  if (mp_work_start(saver->loop, &saver->work) != 0)
    fail(saver, MP_EIO, "no thread can be had to save in");
}

static void on_slice(void *data) {
  struct store_saver *saver = data;
  if (!saver->save) /* it could not be started */
    end(saver);
  else if (mp_save_gather(saver->save, SLICE))
    mp_later_post(saver->loop, &saver->slice);
  else
    run(saver);
}

/* Begins to gather, or will look again when somebody else saves. */
static void begin(struct store_saver *saver) {
  int rc = mp_store_save_start(saver->store->core, &saver->save, &saver->fault);
  if (rc == MP_EWOULD_BLOCK) {
    saver->state = SAVER_BLOCKED;
    mp_timer_start(saver->loop, &saver->again, look_again);
    return;
  }
  saver->rc = rc;
  saver->state = SAVER_GATHERING;
  mp_later_post(saver->loop, &saver->slice);
}

static void on_again(void *data) {
  begin(data);
}

static void start(struct store_saver *saver) {
  saver->is_wanted = false;
  saver->started++;
  saver->rc = 0;
  begin(saver);
}

/* A signal lets a save come to its end; the end of the loop does not. What
 * another thread, or a backend, does comes to its end in any case. */
static void close_saver(struct closable *closable) {
  struct store_saver *saver = (struct store_saver *)closable;
  const struct script *script = saver->store->script;
  if (saver->state == SAVER_WORKING)
    saver->is_wanted = false;
  if (!script->is_closing && saver->loop == script->loop)
    return;
  saver->is_wanted = false;
  if (saver->state != SAVER_WORKING && saver->state != SAVER_IDLE)
    fail(saver, MP_ECANCELLED, "the loop is closed");
}

void store_saver_init(struct store_saver *saver, struct store *store) {
  saver->store = store;
  saver->closable.close = close_saver;
  saver->closable.kind = "save";
  saver->work = (struct mp_work){on_work, on_done, saver};
  mp_later_init(&saver->slice, on_slice, saver);
  mp_timer_init(&saver->again, on_again, saver);
}

bool store_saver_is_busy(const struct store_saver *saver) {
  return saver->state != SAVER_IDLE;
}

/* Asks for a save on a loop that holds all there is now; pushes the ticket. */
static struct ticket *ask(lua_State *L, struct store_saver *saver,
                          struct mp_loop *loop) {
  struct ticket *ticket = push_ticket(L);
  link_ticket(saver, ticket);
  if (store_saver_is_busy(saver)) {
    saver->is_wanted = true;
    ticket->number = saver->started + 1;
    return ticket;
  }
  saver->loop = saver->closable.loop = loop;
  mp_loop_hold(loop);
  script_opened(saver->store->script, &saver->closable);
  ticket->number = saver->started + 1;
  start(saver);
  return ticket;
}

/* --- Lua -------------------------------------------------------------------
 */

static int push_outcome(lua_State *L, const struct ticket *ticket) {
  return push_result(L, ticket->rc, &ticket->fault);
}

/* Waits for the ticket at the top of the stack, until the task is late: the
 * save goes on then. */
static int wait_on(lua_State *L, int status, lua_KContext context) {
  struct ticket *ticket = luaL_checkudata(L, -1, type_name);
  (void)status, (void)context;
  if (ticket->is_done)
    return push_outcome(L, ticket);
  struct task *task = task_check(L, "save");
  if (task_is_late(task))
    return task_push_late(L, task, "the save to end");
  return task_wait(L, task, &ticket->waiters, wait_on);
}

static int wait_for(lua_State *L, int64_t time) {
  if (task_is_here(L))
    task_deadline(task_check(L, "save"), time);
  return wait_on(L, LUA_OK, 0);
}

static int do_wait(lua_State *L) {
  luaL_checkudata(L, 1, type_name);
  lua_settop(L, 1);
  return wait_for(L, MP_FOREVER);
}

static int save_at_once(lua_State *L, struct store *store) {
  struct mp_fault fault;
  return push_result(L, mp_store_save(store->core, &fault), &fault);
}

/* save(timeout): where nothing can wait it is done when the call returns. */
int save_lua_save(lua_State *L) {
  struct store *store = store_check(L, 1)->store;
  int64_t time = convert_duration_or(L, 2, MP_FOREVER);
  lua_settop(L, 1);
  if (!task_is_here(L) && store->script->depth == 0 && !store->has_backend)
    return save_at_once(L, store);
  task_check(L, "save");
  ask(L, &store->saver, task_loop(L));
  return wait_for(L, time);
}

/* Whether there is something to lose. */
static bool must_save(const struct store *store) {
  return !store->options.read_only && (mp_store_is_changed(store->core) ||
                                       store_saver_is_busy(&store->saver));
}

/* Starts the task that ends a backend in Lua: it waits for the ticket at index
 * 2, or nil. */
static void end_backend(lua_State *L, const struct store *store) {
  lua_pushcfunction(L, task_lua_spawn);
  if (store_push_backend(L, store, "close") == LUA_TFUNCTION) {
    lua_pushvalue(L, 2);
    lua_call(L, 2, 0);
  } else {
    lua_pop(L, 2);
  }
}

/* Saves what there is to save at once, or pushes the ticket of a save; the
 * store is closed when that has come to its end. */
static int save_last(lua_State *L, struct store *store, bool can_wait,
                     struct mp_fault *fault) {
  bool is_hook = store->script->depth > 0 && !task_is_here(L);
  if (!must_save(store)) {
    lua_pushnil(L);
    return 0;
  }
  if (!can_wait && !is_hook && !store->has_backend &&
      !store_saver_is_busy(&store->saver)) {
    lua_pushnil(L);
    return mp_store_save(store->core, fault);
  }
  ask(L, &store->saver, task_loop(L));
  if (can_wait || is_hook || !store->has_backend)
    return 0;
  return fault_set(fault, MP_EWOULD_BLOCK,
                   "expected a task: the backend is written in Lua; what has "
                   "changed is saved when the loop runs");
}

static int close_store(lua_State *L, bool saves, bool may_wait) {
  struct store_box *box = luaL_checkudata(L, 1, "moonpeer.store");
  struct store *store = box->store;
  struct mp_fault fault;
  int rc = 0;
  lua_settop(L, 1);
  if (!saves)
    lua_pushnil(L);
  if (store) {
    bool can_wait = may_wait && task_is_here(L) && lua_isyieldable(L);
    if (saves)
      rc = save_last(L, store, can_wait, &fault);
    if (store->has_backend)
      end_backend(L, store);
    store_let_go(box);
    if (can_wait && !lua_isnil(L, -1))
      return wait_for(L, MP_FOREVER);
  }
  return push_result(L, rc, &fault);
}

/* close{ save = false }: true, or the failure of the save; closed it is in any
 * case. */
int save_lua_close(lua_State *L) {
  static const char *const names[] = {"save", NULL};
  bool saves = true;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) {
    convert_known(L, 2, "option of close", names);
    saves = lua_getfield(L, 2, "save") == LUA_TNIL || lua_toboolean(L, -1);
  }
  return close_store(L, saves, true);
}

/* The end of its scope. With an error on its way nothing can wait. */
int save_lua_on_close(lua_State *L) {
  return close_store(L, true, lua_isnoneornil(L, 2));
}

void save_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"wait", do_wait}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", on_gc}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
