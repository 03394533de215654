/* connection - connections in Lua: those of engines, and those that scripts
 * hold a conversation on. */
#ifndef SCRIPT_CONNECTION_H
#define SCRIPT_CONNECTION_H

#include <lua.h>

#include "moonpeer/config.h"
#include "moonpeer/connection.h"
#include "script/script.h"

struct conversation;
struct letter;

extern const char connection_type[];

/* The object of a connection. User value 1: what the remote said. */
struct connection_box {
  struct mp_connection *connection; /* NULL when it is gone */
  struct conversation *talk;        /* NULL for an engine's */
  struct mp_address address;        /* what outlives it */
  bool is_inbound;
  int64_t rtt;
};

void connection_open_type(lua_State *L);

/* Pushes the object of a connection, making it when there is none. */
void connection_push(lua_State *L, struct mp_connection *connection);

/* The same for a conversation's, whose object it becomes. */
void connection_push_talk(lua_State *L, struct conversation *talk);

/* The connection is gone: its object, if there is one, is stale. */
void connection_gone(struct script *script, struct mp_loop *loop,
                     struct mp_connection *connection);

/* nil, and why the connection is over. */
int connection_push_closed(lua_State *L, const struct connection_box *box);

/* The table of what the remote said, or nil. */
int connection_push_version(lua_State *L, const struct connection_box *box);

/* The conversation on the connection at index 1; raises for an engine's. */
struct conversation *connection_talk(lua_State *L, const char *what);

/* connection_talk.c: the methods of conversations. */
extern const luaL_Reg connection_talk_methods[];

/* Whether the command is the one, or one of those, at index 2. */
bool connection_is_awaited(lua_State *L, const char *command);

/* Pushes what push(L), given the letter, makes of it; the letter is freed
 * whatever happens on the way. */
int connection_give(lua_State *L, struct letter *letter, lua_CFunction push);

/* connection_chunk.c: the methods of conversations for large payloads; and
 * send_from, which every connection has. */
extern const luaL_Reg connection_chunk_methods[];
int connection_lua_send_from(lua_State *L);

/* Reads the options of connect and listen: the table, or nothing, at index. */
void connection_options(lua_State *L, int index, struct mp_config *config);

/* The live connection at index; raises for what is none, NULL when it is gone.
 */
struct mp_connection *connection_check(lua_State *L, int index);

/* moonpeer.connect and moonpeer.listen. */
int connection_lua_connect(lua_State *L);
int listener_lua_listen(lua_State *L);
void listener_open_type(lua_State *L);

#endif
