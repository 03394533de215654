/* connection - connections in Lua: those of engines, and those that scripts
 * hold a conversation on. */
#ifndef SCRIPT_CONNECTION_H
#define SCRIPT_CONNECTION_H

#include <lua.h>

#include "moonpeer/config.h"
#include "moonpeer/connection.h"
#include "script/script.h"

void connection_open_type(lua_State *L);

/* Pushes the object of a connection, making it when there is none. */
void connection_push(lua_State *L, struct mp_connection *connection);

struct conversation;

/* The same for a conversation's, whose object it becomes. */
void connection_push_talk(lua_State *L, struct conversation *talk);

/* The connection is gone: its object, if there is one, is stale. */
void connection_gone(struct script *script, struct mp_loop *loop,
                     struct mp_connection *connection);

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
