/* input - reading a file as its bytes come. */
#ifndef SCRIPT_INPUT_H
#define SCRIPT_INPUT_H

#include <lua.h>

/* read_some(file, n): what is there, 1 to n bytes, waiting for the first; nil
 * at the end, or nil, message, "io_error". n: 1 to 1 MiB. Nothing may have
 * been read from the file in another way. */
int input_lua_read_some(lua_State *L);

#endif
