/* line - lines of text over Unix sockets, for tasks: what consoles speak. */
#ifndef SCRIPT_LINE_H
#define SCRIPT_LINE_H

#include <lua.h>

/* Makes the two types. */
void line_open_type(lua_State *L);
void line_open_listener(lua_State *L);

/* line_connect(path): a connection, or nil, message, code. Waits. */
int line_lua_connect(lua_State *L);

/* line_listen(path, fn): a listener that calls fn(connection) as a task for
 * each client; or nil, message, code. A socket that nobody listens at any more
 * is replaced; nothing else is ever removed. */
int line_lua_listen(lua_State *L);

struct script;
struct mp_loop;
struct mp_stream;

/* Pushes the connection of a stream that was accepted, which it takes. */
void line_push(lua_State *L, struct script *script, struct mp_loop *loop,
               struct mp_stream *stream);

#endif
