/* script - one Lua state's share of the engine: its loop, and the one way into
 * Lua. */
#include "script/script.h"

#include <stdio.h>

#include "script/memory_cap.h"
#include "script/task.h"
#include "script/watchdog.h"

/* Addresses that are keys in the registry. */
static const char script_key = 0, objects_key = 0, methods_key = 0,
                  overrun_key = 0, log_key = 0;

/* --- what is open ----------------------------------------------------------
 */

void script_opened(struct script *script, struct closable *closable) {
  closable->previous = NULL;
  closable->next = script->open;
  if (script->open)
    script->open->previous = closable;
  script->open = closable;
}

void script_closed(struct script *script, struct closable *closable) {
  for (struct cursor *cursor = script->cursors; cursor; cursor = cursor->outer)
    if (cursor->next == closable)
      cursor->next = closable->next;
  if (closable->previous)
    closable->previous->next = closable->next;
  else
    script->open = closable->next;
  if (closable->next)
    closable->next->previous = closable->previous;
}

void script_close_those(struct script *script,
                        bool (*is_meant)(const void *data,
                                         const struct mp_loop *loop),
                        const void *data) {
  struct cursor cursor = {script->open, script->cursors};
  script->cursors = &cursor;
  while (cursor.next) {
    struct closable *closable = cursor.next;
    cursor.next = closable->next;
    if (is_meant(data, closable->loop))
      closable->close(closable);
  }
  script->cursors = cursor.outer;
}

static bool is_it(const void *data, const struct mp_loop *loop) {
  return !data || data == loop;
}

void script_close_all(struct script *script, struct mp_loop *loop) {
  script_close_those(script, is_it, loop);
}

/* --- life ------------------------------------------------------------------
 */

static int on_gc(lua_State *L) {
  struct script *script = lua_touserdata(L, 1);
  script->is_closing = true;
  tasks_abandon(script);
  script_close_all(script, NULL);
  mp_loop_close(script->loop); /* os.exit in a task: from within its run */
  script->loop = script->here = NULL;
  mp_hasher_free(script->hasher);
  mp_encoder_free(script->encoder);
  watchdog_free(script->watchdog);
  script->watchdog = NULL;
  script->hasher = NULL;
  script->encoder = NULL;
  return 0;
}

static struct script *script_new(lua_State *L) {
  struct script *script = lua_newuserdatauv(L, sizeof *script, 1);
  *script = (struct script){0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, on_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  script->hooks = lua_newthread(L);
  lua_pushcfunction(script->hooks, script_traceback);
  lua_settop(script->hooks, HOOK_BOTTOM);
  lua_setiuservalue(L, -2, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &script_key);
  return script;
}

struct script *script_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &script_key);
  struct script *script = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return script ? script : script_new(L);
}

void script_protect(lua_State *L) {
  struct script *script = script_of(L);
  if (!script->cap)
    script->cap = memory_cap_new(L);
  if (!script->watchdog)
    script->watchdog = watchdog_new();
}

/* Finalizers of others may come after ours. */
static struct script *live(lua_State *L) {
  struct script *script = script_of(L);
  if (script->is_closing)
    luaL_error(L, "the state is being closed");
  return script;
}

struct mp_loop *script_loop(lua_State *L) {
  struct script *script = live(L);
  struct mp_fault fault;
  if (!script->loop && mp_loop_open(&script->loop, &fault) != 0)
    luaL_error(L, "%s", fault.text);
  return script->loop;
}

struct mp_hasher *script_hasher(lua_State *L) {
  struct script *script = live(L);
  if (!script->hasher && !(script->hasher = mp_hasher_new()))
    luaL_error(L, "OpenSSL has no sha256");
  return script->hasher;
}

struct mp_encoder *script_encoder(lua_State *L) {
  struct script *script = live(L);
  if (!script->encoder && !(script->encoder = mp_encoder_new()))
    luaL_error(L, "out of memory");
  return script->encoder;
}

/* --- into Lua --------------------------------------------------------------
 */

int script_traceback(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING)
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
  else
    luaL_tolstring(L, 1, NULL);
  return 1;
}

void script_set_log(lua_State *L) {
  script_of(L)->is_logged = lua_toboolean(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &log_key);
}

/* (what, message): to who keeps the log. */
static int write_log(lua_State *L) {
  const char *const *what = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &log_key);
  lua_pushstring(L, *what);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 0);
  return 0;
}

/* False when nobody keeps a log, or that fails, too. */
static bool is_in_log(lua_State *L, const char *what) {
  if (!script_of(L)->is_logged || !lua_isstring(L, -1))
    return false;
  lua_pushcfunction(L, write_log);
  lua_pushlightuserdata(L, &what);
  lua_pushvalue(L, -3);
  bool is_written = lua_pcall(L, 2, 0, 0) == LUA_OK;
  if (!is_written)
    lua_pop(L, 1);
  return is_written;
}

void script_report(lua_State *L, const char *what) {
  const char *message = lua_tostring(L, -1);
  /* an overrun is told by who set the limit */
  if (!script_of(L)->is_overrun && !is_in_log(L, what))
    fprintf(stderr, "moonpeer: %s failed: %s\n", what,
            message ? message : "(no message)");
  lua_pop(L, 1);
}

/* Once it has run too long every further instruction raises, so that no pcall
 * of the script keeps it going. */
static void overrun(lua_State *L, lua_Debug *event) {
  struct script *script = script_of(L);
  (void)event;
  lua_sethook(L, overrun, LUA_MASKCOUNT, 1);
  lua_pushfstring(L,
                  "the script ran for %d instructions without an end or a wait",
                  script->instructions);
  if (!script->is_overrun) {
    luaL_traceback(L, L, lua_tostring(L, -1), 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &overrun_key);
  }
  script->is_overrun = true;
  lua_error(L);
}

void script_keep_overrun(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &overrun_key) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &overrun_key);
  }
  lua_pop(L, 1);
}

void script_push_overrun(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &overrun_key) == LUA_TNIL)
    lua_pushliteral(L, "a script ran for ten seconds of real time");
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &overrun_key);
}

void script_watch(struct script *script, lua_State *L) {
  lua_Hook hook = lua_gethook(L);
  if (script->instructions && (!hook || hook == overrun))
    lua_sethook(L, overrun, LUA_MASKCOUNT, script->instructions);
}

void script_unwatch(lua_State *L) {
  if (lua_gethook(L) == overrun)
    lua_sethook(L, NULL, 0, 0);
}

bool script_begin(struct script *script, struct mp_loop *loop,
                  struct mp_loop **before) {
  if (script->is_closing)
    return false;
  *before = script->here;
  script->here = loop;
  script->depth++;
  script->generation++;
  if (script->collects)
    lua_gc(script->hooks, LUA_GCCOLLECT);
  script_watch(script, script->hooks);
  return true;
}

void script_end(struct script *script, struct mp_loop *before) {
  if (script->instructions)
    script_unwatch(script->hooks);
  if (script->collects)
    lua_gc(script->hooks, LUA_GCCOLLECT);
  script->depth--;
  script->generation++;
  script->here = before;
}

int script_enter(struct script *script, struct mp_loop *loop,
                 lua_CFunction body, void *data) {
  lua_State *L = script->hooks;
  struct mp_loop *before;
  if (!script_begin(script, loop, &before))
    return LUA_ERRRUN;
  lua_pushcfunction(L, body);
  lua_pushlightuserdata(L, data);
  int rc = lua_pcall(L, 1, 0, HOOK_TRACEBACK);
  script_end(script, before);
  if (rc != LUA_OK)
    script_report(L, "a hook");
  return rc;
}

/* --- results ---------------------------------------------------------------
 */

int push_failure(lua_State *L, int code, const char *text) {
  lua_pushnil(L);
  lua_pushstring(L, text);
  lua_pushstring(L, mp_error_name(code));
  return 3;
}

int push_fault(lua_State *L, const struct mp_fault *fault) {
  return push_failure(L, fault->code, fault->text);
}

int push_result(lua_State *L, int rc, const struct mp_fault *fault) {
  if (rc != 0)
    return push_failure(L, rc, fault->text);
  lua_pushboolean(L, true);
  return 1;
}

/* --- objects ---------------------------------------------------------------
 */

int object_method(lua_State *L) {
  lua_getmetatable(L, 1);
  lua_rawgetp(L, -1, &methods_key);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

void object_type(lua_State *L, const char *name, const luaL_Reg *methods,
                 const luaL_Reg *metamethods, lua_CFunction index) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, metamethods, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, -3, &methods_key);
  if (index) {
    lua_pop(L, 1);
    lua_pushcfunction(L, index);
  }
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "protected");
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, name);
}

void *object_check(lua_State *L, int index, const char *name) {
  void *object = lua_touserdata(L, index);
  if (!object || !lua_getmetatable(L, index))
    return luaL_checkudata(L, index, name);
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  bool is = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is ? object : luaL_checkudata(L, index, name);
}

void *object_self(lua_State *L, const char *name, size_t size) {
  struct object *object = lua_touserdata(L, 1);
  if (object && lua_rawlen(L, 1) == size && object->type == name)
    return object;
  return object_check(L, 1, name);
}

void object_mark(lua_State *L, const char *name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
}

void object_methods(lua_State *L, const char *name) {
  luaL_getmetatable(L, name);
  lua_rawgetp(L, -1, &methods_key);
  lua_remove(L, -2);
}

static void push_objects(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &objects_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &objects_key);
}

bool object_find(lua_State *L, const void *pointer) {
  push_objects(L);
  bool found = lua_rawgetp(L, -1, pointer) == LUA_TUSERDATA;
  lua_remove(L, -2);
  if (!found)
    lua_pop(L, 1);
  return found;
}

void object_remember(lua_State *L, const void *pointer) {
  push_objects(L);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, pointer);
  lua_pop(L, 1);
}

void object_forget(lua_State *L, const void *pointer) {
  push_objects(L);
  lua_pushnil(L);
  lua_rawsetp(L, -2, pointer);
  lua_pop(L, 1);
}
