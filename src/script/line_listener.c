/* line_listener - a Unix socket at which clients are waited for. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "moonpeer/stream.h"
#include "script/convert.h"
#include "script/line.h"
#include "script/task.h"

static const char *const type_name = "moonpeer.line_listener";

/* User value 1 is the function. Anchored in the registry while it listens. */
struct box {
  struct closable closable;
  struct script *script;
  struct mp_listener *listener; /* NULL when it is closed */
};

struct arrival {
  struct box *box;
  struct mp_stream *stream;
};

static int welcome(lua_State *L) {
  struct arrival *arrival = lua_touserdata(L, 1);
  struct mp_stream *stream = arrival->stream;
  struct mp_loop *loop = arrival->box->closable.loop;
  lua_settop(L, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, arrival->box);
  lua_getiuservalue(L, 1, 1);
  lua_replace(L, 1);
  arrival->stream = NULL;
  line_push(L, arrival->box->script, loop, stream);
  task_spawn(L, loop);
  return 0;
}

static void on_accepted(void *owner, struct mp_stream *stream) {
  struct arrival arrival = {owner, stream};
  script_enter(arrival.box->script, arrival.box->closable.loop, welcome,
               &arrival);
  if (arrival.stream)
    mp_stream_close(arrival.stream); /* nobody took it */
}

static void on_failed(void *owner, int rc) {
  (void)owner, (void)rc; /* no descriptor is left: the next may be taken */
}

static int forget(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  return 0;
}

static void on_closed(void *owner) {
  struct box *box = owner;
  script_closed(box->script, &box->closable);
  script_enter(box->script, box->closable.loop, forget, box);
}

static const struct mp_listener_events events = {
    .accepted = on_accepted, .failed = on_failed, .closed = on_closed};

static void close_box(struct closable *closable) {
  struct box *box = (struct box *)closable;
  if (box->listener)
    mp_listener_close(box->listener);
  box->listener = NULL;
}

static int do_close(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, type_name);
  close_box(&box->closable);
  return 0;
}

/* Is it a socket at which nobody answers: what a process that was killed has
 * left behind? */
static bool is_stale(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat about;
  if (strlen(path) >= sizeof address.sun_path || lstat(path, &about) != 0 ||
      !S_ISSOCK(about.st_mode))
    return false;
  memcpy(address.sun_path, path, strlen(path));
  int descriptor =
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0)
    return false;
  int rc = connect(descriptor, (struct sockaddr *)&address, sizeof address);
  bool is_refused = rc != 0 && errno == ECONNREFUSED;
  close(descriptor);
  return is_refused;
}

static const char *reason(const char *path) {
  struct stat about;
  struct sockaddr_un address;
  if (strlen(path) >= sizeof address.sun_path)
    return "the path is too long for a socket (107 bytes)";
  if (lstat(path, &about) == 0)
    return S_ISSOCK(about.st_mode) ? "somebody listens there already"
                                   : "a file is in the way";
  return "is its folder there, and may it be written to?";
}

int line_lua_listen(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  struct mp_fault fault;
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct box){
      .closable = {.close = close_box, .loop = task_loop(L), .kind = "console"},
      .script = script_of(L)};
  luaL_setmetatable(L, type_name);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 1);
  if (is_stale(path))
    unlink(path);
  if (mp_listener_open_path(&box->listener, box->closable.loop, path, &events,
                            box, &fault) != 0) {
    lua_pushnil(L);
    lua_pushfstring(L, "cannot listen at %s: %s", path, reason(path));
    lua_pushstring(L, mp_error_name(fault.code));
    return 3;
  }
  script_opened(box->script, &box->closable);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  return 1;
}

void line_open_listener(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", do_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", do_close}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
