/* uuid - the 16 bytes of a UUID and their text. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum { UUID_SIZE = 16, UUID_TEXT = 37 };

/* Makes 16 random bytes a UUID of version 4. */
void uuid_of_random(uint8_t id[UUID_SIZE]);

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in lower case; returns text. */
char *uuid_format(const uint8_t id[UUID_SIZE], char text[UUID_TEXT]);

/* Reads exactly that form, in either case. */
bool uuid_parse(uint8_t id[UUID_SIZE], const char *text);

#endif
