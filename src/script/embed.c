/* embed - the Lua files that are compiled in, and how require finds them. */
#include "script/embed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

/* Its address is the registry's key for "the searcher is installed". */
static const char installed = 0;

static const struct embed *find(const char *module) {
  const struct embed *row = embed_list;
  while (row->module && strcmp(row->module, module) != 0)
    row++;
  return row->module ? row : NULL;
}

/* The folder to read instead, or NULL; lua's -E hides it like the rest of the
 * environment. */
static const char *folder(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  bool is_hidden = lua_toboolean(L, -1);
  lua_pop(L, 1);
  const char *name = is_hidden ? NULL : getenv("MOONPEER_LUA");
  return name && *name ? name : NULL;
}

/* Pushes the path of the module's file in the folder: true. Or nothing. */
static bool push_path(lua_State *L, const char *module) {
  static const char *const patterns[] = {"%s/%s.lua", "%s/%s/init.lua"};
  const char *root = folder(L);
  if (!root)
    return false;
  const char *stem = luaL_gsub(L, module, ".", "/");
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    if (access(lua_pushfstring(L, patterns[i], root, stem), R_OK) == 0) {
      lua_remove(L, -2);
      return true;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

bool embed_has(lua_State *L, const char *module) {
  if (push_path(L, module)) {
    lua_pop(L, 1);
    return true;
  }
  return find(module) != NULL;
}

/* Pushes chunk and origin: true. Or nothing, when there is no such module. */
static bool load(lua_State *L, const char *module) {
  int rc;
  if (push_path(L, module)) {
    rc = luaL_loadfilex(L, lua_tostring(L, -1), "t");
  } else {
    const struct embed *row = find(module);
    if (!row)
      return false;
    lua_pushfstring(L, ":embedded:/%s", row->chunk + 1);
    rc = luaL_loadbufferx(L, (const char *)row->text, row->size, row->chunk,
                          "t");
  }
  if (rc != LUA_OK)
    luaL_error(L, "error loading module '%s' from '%s':\n\t%s", module,
               lua_tostring(L, -2), lua_tostring(L, -1));
  lua_insert(L, -2);
  return true;
}

void embed_load(lua_State *L, const char *module) {
  if (!load(L, module))
    luaL_error(L, "no embedded module '%s'", module);
}

static int search(lua_State *L) {
  const char *module = luaL_checkstring(L, 1);
  if (load(L, module))
    return 2;
  lua_pushfstring(L, "no embedded module '%s'", module);
  return 1;
}

static void push_searchers(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "package") != LUA_TTABLE ||
      lua_getfield(L, -1, "searchers") != LUA_TTABLE)
    luaL_error(L, "moonpeer needs package.searchers");
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void embed_install(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &installed) == LUA_TNIL) {
    push_searchers(L);
    for (lua_Integer i = luaL_len(L, -1); i > 0; i--) {
      lua_geti(L, -1, i);
      lua_seti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search);
    lua_seti(L, -2, 1);
    lua_pop(L, 1);
    lua_pushboolean(L, true);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &installed);
  }
  lua_pop(L, 1);
}
