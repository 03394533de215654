/* message - views on messages in Lua, and payloads from Lua tables. */
#ifndef SCRIPT_MESSAGE_H
#define SCRIPT_MESSAGE_H

#include <lua.h>

#include "moonpeer/message.h"
#include "script/value.h"

struct hashes;
struct script;

void message_open(lua_State *L);

/* The type of messages: its metatable. */
void message_push_type(lua_State *L);

/* Pushes a view on a borrowed message. It is stale, and raises when it is
 * used, when the present entry into Lua is over. type is where the type lies.
 */
void message_push_view(lua_State *L, int type, const struct script *script,
                       const struct mp_message *message);

/* Pushes a message that owns a copy of the payload, checked against what the
 * script has declared or what is built in. 0, or MP_EPROTOCOL and nothing
 * pushed: then *wrong_at says where in the payload. */
int message_push_checked(lua_State *L, const struct mp_cut *cut,
                         uint64_t *wrong_at, struct mp_fault *fault);

/* The same, raising. */
void message_push_copy(lua_State *L, const char *command, const void *payload,
                       size_t n);

/* The message at index; raises for what is none, or stale. */
const struct mp_message *message_check(lua_State *L, int index);

/* The list that a name means; NULL: the first. False when there is none. */
bool message_list(const struct mp_record *record, const char *name,
                  struct mp_value *list);

/* Makes the payload of a command from the value at index: a table of fields,
 * a string as it is, or nil for an empty table. Pushes a string; raises what
 * does not fit. The one without a form takes VALUE_RAW. */
void message_encode(lua_State *L, const char *command, int index);
void message_encode_as(lua_State *L, const char *command, int index,
                       enum value_form form);

/* message_write.c: methods that write a message down: json, text. */
int message_lua_json(lua_State *L);
int message_lua_text(lua_State *L);

/* message_bulk.c: methods over whole lists. */
int message_lua_count_known(lua_State *L);
int message_lua_check_chain(lua_State *L);
int message_import_hashes(lua_State *L, struct hashes *set);

/* message_import.c */
int message_lua_import(lua_State *L);

/* declare.c: message types of this state's scripts: the newest of a command,
 * or NULL. */
const struct mp_message_type *declared_find(const struct script *script,
                                            const char *command);

/* define{ command, fields, limit } */
int declare_lua_define(lua_State *L);

/* codec.c: encode(command, fields, options), decode(bytes, options), types().
 */
int codec_lua_encode(lua_State *L);
int codec_lua_decode(lua_State *L);
int codec_lua_types(lua_State *L);

#endif
