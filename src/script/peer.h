/* peer - peers in Lua: objects with read-only fields. */
#ifndef SCRIPT_PEER_H
#define SCRIPT_PEER_H

#include <lua.h>

#include "moonpeer/peer.h"
#include "moonpeer/store.h"
#include "script/store.h"

void peer_open_type(lua_State *L);

/* Pushes the one object of a peer, of a store whose object lives. */
void peer_push(lua_State *L, struct store_box *home,
               const struct mp_peer *peer);

/* Whether there is the object of a peer at index; and the peer, NULL when it
 * was deleted. */
bool peer_is(lua_State *L, int index);
const struct mp_peer *peer_get(lua_State *L, int index);

/* The id of the peer at index, an object or a text; MP_ENOT_FOUND for a text
 * that is no id. Raises other types. */
int peer_take_id(lua_State *L, int index, uint8_t id[MP_UUID_SIZE],
                 struct mp_fault *fault);

/* Pushes a table with every field that the peer has. */
void peer_push_table(lua_State *L, const struct mp_peer *peer);

/* --- peer_change.c ---------------------------------------------------------
 */

enum peer_use { PEER_NEW, PEER_CHANGE, PEER_ROW };

/* A peer, or what to change of one, from a table. Texts live as long as the
 * table and what is left on the stack. */
struct peer_form {
  bool has_id, has_ip, has_port;
  uint8_t id[MP_UUID_SIZE];
  struct mp_address address;
  struct mp_peer_change change;
  /* while reading */
  bool has_whole;
  struct mp_address whole; /* the field `address` */
  int slot;                /* of the stack, for the text of data */
};

/* Reads the table at index; may leave values on the stack. 0, or MP_ECONFIG for
 * a text or number that does not make sense. Raises wrong types and names. */
int peer_form_read(lua_State *L, int index, enum peer_use use,
                   struct peer_form *form, struct mp_fault *fault);

/* An address at index as text, or the one of a peer. The port as given when
 * there is none. 0 or MP_ECONFIG; raises other types. */
int peer_take_address(lua_State *L, int index, uint16_t port,
                      struct mp_address *address, struct mp_fault *fault);

/* The value of a name at index, raising the nearest for one nobody has. */
enum mp_status peer_take_status(lua_State *L, int index);
enum mp_ban_reason peer_take_reason(lua_State *L, int index);
enum mp_source_kind peer_take_source(lua_State *L, int index);

#endif
