/* keys - whole keys out of the bytes of a terminal: libedit waits in the
 * middle of a sequence for the rest of it, and a loop must not. */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

enum {
  KEYS_MAX = 16 * 1024, /* bytes that wait */
  KEY_MAX = 16,         /* characters of one key */
};

/* {0} is empty. */
struct keys {
  unsigned char bytes[KEYS_MAX];
  size_t first, count;
};

/* How many bytes may come, and the place for them. */
size_t keys_room(struct keys *keys, void **place);
void keys_came(struct keys *keys, size_t n);

/* The next key, as up to KEY_MAX characters; 0 when none is whole. Keys that
 * no editor knows, and bytes that are no UTF-8, are dropped. */
int keys_next(struct keys *keys, wchar_t *key);

/* Does the beginning of a key wait for its rest? When that does not come, it
 * is to be dropped: an Escape pressed alone. */
bool keys_wait(const struct keys *keys);
void keys_drop(struct keys *keys);

#endif
