/* pty_module - a program on a pseudo-terminal, for specs: pty.open(program,
 * arguments) gives an object with read, write, resize, hang_up and wait. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

static const char *const type_name = "pty";

struct pty {
  int descriptor; /* -1 when it was hung up */
  pid_t child;    /* 0 when it has been waited for */
  int code;
};

static struct pty *self(lua_State *L) {
  return luaL_checkudata(L, 1, type_name);
}

static void start(char **words) {
  for (int i = 0; i < 64; i++)
    signal(i, SIG_DFL);
  setenv("TERM", "xterm", 1);
  execv(words[0], words);
  _exit(127);
}

/* open(program, arguments, columns, rows) */
static int do_open(lua_State *L) {
  lua_settop(L, 4);
  lua_Integer n = luaL_len(L, 2);
  char **words = lua_newuserdatauv(L, sizeof *words * (size_t)(n + 2), 0);
  struct winsize size = {.ws_col = (unsigned short)luaL_optinteger(L, 3, 80),
                         .ws_row = (unsigned short)luaL_optinteger(L, 4, 24)};
  words[0] = strdup(luaL_checkstring(L, 1));
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, 2, i);
    words[i] = strdup(luaL_checkstring(L, -1));
    lua_pop(L, 1);
  }
  words[n + 1] = NULL;
  struct pty *pty = lua_newuserdatauv(L, sizeof *pty, 0);
  *pty = (struct pty){.descriptor = -1};
  luaL_setmetatable(L, type_name);
  pty->child = forkpty(&pty->descriptor, NULL, NULL, &size);
  if (pty->child == 0)
    start(words);
  for (lua_Integer i = 0; i <= n; i++)
    free(words[i]);
  return pty->child < 0 ? luaL_error(L, "forkpty failed") : 1;
}

/* read(seconds): what came; "" when nothing did in time; nil at the end. */
static int do_read(lua_State *L) {
  struct pty *pty = self(L);
  char bytes[65536];
  struct pollfd poll_one = {.fd = pty->descriptor, .events = POLLIN};
  int rc = poll(&poll_one, 1, (int)(luaL_checknumber(L, 2) * 1000));
  if (rc <= 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  ssize_t size = read(pty->descriptor, bytes, sizeof bytes);
  if (size <= 0)
    return 0;
  lua_pushlstring(L, bytes, (size_t)size);
  return 1;
}

/* write(bytes): how many were taken. */
static int do_write(lua_State *L) {
  struct pty *pty = self(L);
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  struct pollfd poll_one = {.fd = pty->descriptor, .events = POLLOUT};
  if (n > 1024)
    n = 1024;
  if (poll(&poll_one, 1, 100) <= 0) {
    lua_pushinteger(L, 0);
    return 1;
  }
  lua_pushinteger(L, write(pty->descriptor, bytes, n));
  return 1;
}

static int do_resize(lua_State *L) {
  struct pty *pty = self(L);
  struct winsize size = {.ws_col = (unsigned short)luaL_checkinteger(L, 2),
                         .ws_row = (unsigned short)luaL_checkinteger(L, 3)};
  ioctl(pty->descriptor, TIOCSWINSZ, &size);
  return 0;
}

/* is_raw(): does the terminal hand every key on? */
static int do_is_raw(lua_State *L) {
  struct termios mode;
  lua_pushboolean(L, tcgetattr(self(L)->descriptor, &mode) == 0 &&
                         !(mode.c_lflag & ICANON));
  return 1;
}

static int do_hang_up(lua_State *L) {
  struct pty *pty = self(L);
  if (pty->descriptor >= 0)
    close(pty->descriptor);
  pty->descriptor = -1;
  return 0;
}

static int do_kill(lua_State *L) {
  struct pty *pty = self(L);
  if (pty->child > 0)
    kill(pty->child, (int)luaL_checkinteger(L, 2));
  return 0;
}

/* wait(seconds): its exit code; 128 + n for a signal; nil when it runs on. */
static int do_wait(lua_State *L) {
  struct pty *pty = self(L);
  int left = (int)(luaL_checknumber(L, 2) * 100), status;
  for (; pty->child > 0 && left >= 0; left--) {
    if (waitpid(pty->child, &status, WNOHANG) == pty->child) {
      pty->child = 0;
      pty->code =
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else {
      usleep(10000);
    }
  }
  if (pty->child > 0)
    return 0;
  lua_pushinteger(L, pty->code);
  return 1;
}

static int do_gc(lua_State *L) {
  struct pty *pty = self(L);
  do_hang_up(L);
  if (pty->child > 0) {
    kill(pty->child, SIGKILL);
    waitpid(pty->child, NULL, 0);
  }
  pty->child = 0;
  return 0;
}

__attribute__((visibility("default"))) int luaopen_pty(lua_State *L);

int luaopen_pty(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"hang_up", do_hang_up}, {"is_raw", do_is_raw}, {"kill", do_kill},
      {"read", do_read},       {"resize", do_resize}, {"wait", do_wait},
      {"write", do_write},     {NULL, NULL}};
  luaL_newmetatable(L, type_name);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, do_gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  lua_pushcfunction(L, do_open);
  lua_setfield(L, -2, "open");
  return 1;
}
