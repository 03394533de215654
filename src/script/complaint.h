/* complaint - what an error of a script says, as a text for people. */
#ifndef SCRIPT_COMPLAINT_H
#define SCRIPT_COMPLAINT_H

#include <lua.h>

/* A message handler: the error's text, cut, and a traceback; or what an error
 * that is no text says of itself. */
int complaint_explain(lua_State *L);

/* Makes the error at the top a text for people: what came from a remote may be
 * in it, and does nothing to their terminals. */
void complaint_make_plain(lua_State *L);

#endif
