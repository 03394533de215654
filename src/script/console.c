/* console - what the console and the commands need of the process. */
#include "script/console.h"

#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moonpeer/store.h"
#include "script/convert.h"
#include "script/line.h"
#include "script/meter.h"
#include "script/run.h"
#include "script/store.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.ticker";

/* User value 1 is the function. It is called as long as the object lives. */
struct ticker {
  struct mp_timer timer;
  struct script *script;
  struct mp_loop *loop;
  int64_t period;
};

static int call(lua_State *L) {
  if (!object_find(L, lua_touserdata(L, 1)))
    return 0;
  lua_getiuservalue(L, -1, 1);
  lua_call(L, 0, 0);
  return 0;
}

static void on_tick(void *data) {
  struct ticker *ticker = data;
  mp_timer_start(ticker->loop, &ticker->timer, ticker->period);
  script_enter(ticker->script, ticker->loop, call, ticker);
}

/* ticker(period, fn): calls fn every so often while the loop runs, and does
 * not keep it running; an object with close(). */
static int do_ticker(lua_State *L) {
  int64_t period = convert_duration(L, 1);
  luaL_argcheck(L, period > 0, 1, "expected more than 0");
  luaL_checktype(L, 2, LUA_TFUNCTION);
  struct ticker *ticker = lua_newuserdatauv(L, sizeof *ticker, 1);
  *ticker = (struct ticker){
      .script = script_of(L), .loop = script_loop(L), .period = period};
  mp_timer_init(&ticker->timer, on_tick, ticker);
  luaL_setmetatable(L, type_name);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 1);
  object_remember(L, ticker);
  mp_timer_start(ticker->loop, &ticker->timer, period);
  return 1;
}

/* The loop may be closed already: then its timers are gone. */
static int do_close(lua_State *L) {
  struct ticker *ticker = luaL_checkudata(L, 1, type_name);
  if (ticker->script->loop)
    mp_timer_stop(&ticker->timer);
  return 0;
}

/* background(): the task that calls it no longer keeps the loop running. */
static int do_background(lua_State *L) {
  struct task *task = task_check(L, "background");
  if (!task->is_background)
    mp_loop_release(task->loop);
  task->is_background = true;
  return 0;
}

/* process(): its id, and the folder where sockets are put. */
static int do_process(lua_State *L) {
  const char *folder = getenv("XDG_RUNTIME_DIR");
  lua_pushinteger(L, getpid());
  lua_pushstring(L, folder && *folder ? folder : "/tmp");
  return 2;
}

static bool is_ours(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0 && S_ISSOCK(about.st_mode) &&
         about.st_uid == getuid();
}

/* sockets(pattern): paths of this user's sockets that match a shell's pattern.
 */
static int do_sockets(lua_State *L) {
  glob_t found;
  lua_Integer n = 0;
  lua_newtable(L);
  if (glob(luaL_checkstring(L, 1), 0, NULL, &found) != 0)
    return 1;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    if (!is_ours(found.gl_pathv[i]))
      continue;
    lua_pushstring(L, found.gl_pathv[i]);
    lua_rawseti(L, -2, ++n);
  }
  globfree(&found);
  return 1;
}

/* is_plain(path): a file, a folder, or nothing yet: opening it waits for
 * nobody, as a pipe's other end. */
static int do_is_plain(lua_State *L) {
  struct stat about;
  bool is_there = stat(luaL_checkstring(L, 1), &about) == 0;
  lua_pushboolean(L, !is_there || S_ISREG(about.st_mode) ||
                         S_ISDIR(about.st_mode));
  return 1;
}

/* is_terminal(descriptor) */
static int do_is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

static int push_is_ready(lua_State *L, short events) {
  struct pollfd one = {.fd = (int)luaL_checkinteger(L, 1), .events = events};
  lua_pushboolean(L, poll(&one, 1, 0) > 0);
  return 1;
}

/* is_readable(descriptor): is there something, or the end? */
static int do_is_readable(lua_State *L) {
  return push_is_ready(L, POLLIN);
}

/* is_writable(descriptor): does it take a line at once? A pipe that nobody
 * reads, or a terminal that was stopped, would hold the loop. */
static int do_is_writable(lua_State *L) {
  return push_is_ready(L, POLLOUT);
}

/* set_logged(write): somebody writes down what engines tell, and is handed
 * what failed where nobody could be told: write(what, trace). */
static int do_set_logged(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  script_set_log(L);
  return 0;
}

/* engines(): all that are open. */
static int do_engines(lua_State *L) {
  const struct script *script = script_of(L);
  lua_Integer n = 0;
  lua_newtable(L);
  for (struct closable *c = script->open; c; c = c->next) {
    if (strcmp(c->kind, "engine") == 0 && object_find(L, c))
      lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* addresses(store, prefix, most): those of its peers that begin so. */
static int do_addresses(lua_State *L) {
  struct mp_iterator walk;
  const struct mp_peer *peer;
  size_t size;
  const struct mp_filter filter = {0};
  struct mp_store *store = store_check(L, 1)->store->core;
  const char *prefix = luaL_checklstring(L, 2, &size);
  lua_Integer most = luaL_checkinteger(L, 3), n = 0;
  lua_createtable(L, (int)most, 0);
  mp_iterator_begin(&walk, store, &filter);
  while (n < most && (peer = mp_iterator_next(&walk))) {
    struct mp_address address;
    char text[MP_ADDRESS_TEXT];
    mp_peer_address(peer, &address);
    if (strncmp(mp_address_format(&address, text), prefix, size) != 0)
      continue;
    lua_pushstring(L, text);
    lua_rawseti(L, -2, ++n);
  }
  mp_iterator_end(&walk);
  return 1;
}

void console_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"addresses", do_addresses},
                                       {"background", do_background},
                                       {"console_ready", meter_lua_ready},
                                       {"console_share", meter_lua_share},
                                       {"console_task", meter_lua_task},
                                       {"engines", do_engines},
                                       {"finish", run_lua_finish},
                                       {"is_plain", do_is_plain},
                                       {"is_readable", do_is_readable},
                                       {"is_terminal", do_is_terminal},
                                       {"is_writable", do_is_writable},
                                       {"line_connect", line_lua_connect},
                                       {"line_listen", line_lua_listen},
                                       {"process", do_process},
                                       {"set_logged", do_set_logged},
                                       {"sockets", do_sockets},
                                       {"ticker", do_ticker},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {{"close", do_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__close", do_close}, {"__gc", do_close}, {NULL, NULL}};
  line_open_type(L);
  line_open_listener(L);
  object_type(L, type_name, methods, metamethods, NULL);
  luaL_setfuncs(L, functions, 0);
}
