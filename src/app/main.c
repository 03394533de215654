/* main - the executable: a Lua 5.4 interpreter with the engine inside. It takes
 * the arguments that lua5.4 takes. Where those name a script, they may name a
 * command instead, which is a file lua/moonpeer/cli/<command>.lua. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "app/arguments.h"
#include "app/chunk.h"
#include "app/prompt.h"
#include "app/screen.h"
#include "app/terminal_lua.h"
#include "script/embed.h"
#include "script/module.h"

static void print_version(void) {
  puts("moonpeer " MOONPEER_VERSION "  " LUA_COPYRIGHT);
  fflush(stdout);
}

/* The global arg: the script is [0], its arguments follow, what stood before
 * it goes below. */
static void push_arguments(lua_State *L, const struct arguments *arguments) {
  int origin = arguments->script < arguments->count ? arguments->script : 0;
  lua_createtable(L, arguments->count - origin, origin);
  for (int i = 0; i < arguments->count; i++) {
    lua_pushstring(L, arguments->words[i]);
    lua_rawseti(L, -2, i - origin);
  }
  lua_setglobal(L, "arg");
}

/* What the program is started with. */
struct setup {
  const struct arguments *arguments;
  struct screen *screen; /* NULL when nobody sits at a terminal */
};

static void open_state(lua_State *L, const struct setup *setup) {
  const struct arguments *arguments = setup->arguments;
  if (arguments->no_environment) {
    lua_pushboolean(L, true);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  module_preload(L);
  terminal_preload(L, setup->screen);
  push_arguments(L, arguments);
  lua_gc(L, LUA_GCGEN, 0, 0);
}

/* What the environment wants to be run first: a text, or "@file". */
static int run_init(lua_State *L) {
  static const char *const names[] = {"=LUA_INIT" LUA_VERSUFFIX, "=LUA_INIT"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *text = getenv(names[i] + 1);
    if (text && text[0] == '@')
      return chunk_run_file(L, text + 1);
    if (text)
      return chunk_run_text(L, text, names[i]);
  }
  return LUA_OK;
}

static int run_options(lua_State *L, const struct arguments *arguments) {
  struct option option;
  int place = 1;
  int rc = LUA_OK;
  while (rc == LUA_OK && arguments_next(arguments, &place, &option)) {
    if (option.letter == 'e')
      rc = chunk_run_text(L, option.value, "=(command line)");
    else if (option.letter == 'l')
      rc = chunk_require(L, option.value);
    else if (option.letter == 'W')
      lua_warning(L, "@on", 0);
  }
  return rc;
}

/* Lower case letters and dashes, the first one a letter. */
static bool is_word(const char *text) {
  if (!islower((unsigned char)*text))
    return false;
  while (islower((unsigned char)*text) || *text == '-')
    text++;
  return !*text;
}

/* A command, or a word that names neither a command nor a file: then the
 * command line says so, and what is near. */
static bool is_command(lua_State *L, const char *name) {
  if (!is_word(name) || strcmp(name, "init") == 0)
    return false;
  bool is_known = embed_has(L, lua_pushfstring(L, "moonpeer.cli.%s", name));
  lua_pop(L, 1);
  return is_known || access(name, F_OK) != 0;
}

/* What failed earlier may have left no reason, but another's. */
static bool is_of_writing(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EFBIG ||
         reason == EPIPE || reason == EBADF || reason == EIO;
}

/* Whether all that was printed has left: a full disk is a failure. */
static int check_printed(int code) {
  if (fflush(stdout) == 0 && !ferror(stdout))
    return code;
  bool is_known = is_of_writing(errno);
  fprintf(stderr, "moonpeer: cannot write the results%s%s\n",
          is_known ? ": " : "", is_known ? strerror(errno) : "");
  return code ? code : EXIT_FAILURE;
}

/* The exit code. */
static int run_command(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonpeer.cli");
  int rc = chunk_call(L, 1, 1);
  if (rc == LUA_OK) {
    lua_getfield(L, -1, "main");
    lua_getglobal(L, "arg");
    rc = chunk_call(L, 1, 1);
  }
  if (chunk_report(L, rc, 0) != LUA_OK)
    return EXIT_FAILURE;
  int code = (int)lua_tointeger(L, -1);
  lua_settop(L, 0);
  return check_printed(code);
}

/* The exit code. */
static int run_script(lua_State *L, const struct arguments *arguments) {
  const char *name = arguments->words[arguments->script];
  bool is_stdin = strcmp(name, "-") == 0 && !arguments->has_rest;
  int rc = luaL_loadfile(L, is_stdin ? NULL : name);
  if (rc == LUA_OK) {
    int n = arguments->count - arguments->script - 1;
    luaL_checkstack(L, n + LUA_MINSTACK, "too many arguments to script");
    for (int i = 1; i <= n; i++)
      lua_pushstring(L, arguments->words[arguments->script + i]);
    rc = chunk_call(L, n, 0);
  }
  return chunk_report(L, rc, 0) == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* No script was given. */
static void run_stdin(lua_State *L) {
  if (isatty(STDIN_FILENO)) {
    print_version();
    prompt_run(L);
  } else {
    chunk_run_file(L, NULL);
  }
}

static int run(lua_State *L, const struct arguments *arguments) {
  int code = EXIT_SUCCESS;
  if (!arguments->no_environment && run_init(L) != LUA_OK)
    return EXIT_FAILURE;
  if (run_options(L, arguments) != LUA_OK)
    return EXIT_FAILURE;
  bool has_script = arguments->script < arguments->count;
  if (has_script && is_command(L, arguments->words[arguments->script]))
    code = run_command(L);
  else if (has_script)
    code = run_script(L, arguments);
  if (code != EXIT_SUCCESS)
    return code;
  if (arguments->is_interactive)
    prompt_run(L);
  else if (!has_script && !arguments->has_code && !arguments->shows_version)
    run_stdin(L);
  return EXIT_SUCCESS;
}

/* All that may raise outside of a chunk is below this: memory, mostly. */
static int start(lua_State *L) {
  const struct setup *setup = lua_touserdata(L, 1);
  const struct arguments *arguments = setup->arguments;
  lua_settop(L, 0);
  luaL_checkversion(L);
  if (arguments->shows_version)
    print_version();
  open_state(L, setup);
  lua_pushinteger(L, run(L, arguments));
  return 1;
}

/* The exit code. */
static int run_state(struct setup *setup) {
  lua_State *L = luaL_newstate();
  if (!L) {
    fputs("moonpeer: not enough memory\n", stderr);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, start);
  lua_pushlightuserdata(L, setup);
  int rc = chunk_report(L, lua_pcall(L, 1, 1, 0), 0);
  int code = rc == LUA_OK ? (int)lua_tointeger(L, -1) : EXIT_FAILURE;
  lua_close(L);
  return code;
}

/* A standard stream that was closed would be the next file that is opened: a
 * store, or the loop's own. What is put in its place fails as it would. */
static void fill_streams(void) {
  for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
    if (fcntl(i, F_GETFD) < 0)
      open("/dev/null", i == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int count, char **words) {
  struct arguments arguments;
  fill_streams();
  if (arguments_parse(&arguments, count, words) < 0) {
    arguments_complain(&arguments);
    return EXIT_FAILURE;
  }
  if (arguments.shows_help) {
    arguments_print_help();
    return check_printed(EXIT_SUCCESS);
  }
  struct setup setup = {.arguments = &arguments};
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
    setup.screen = screen_open(); /* before Lua keeps the streams */
  int code = run_state(&setup);
  screen_close(setup.screen);
  return code;
}
