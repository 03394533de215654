/* json_row - peers and bans as JSON objects, and back. */
#ifndef STORE_JSON_ROW_H
#define STORE_JSON_ROW_H

#include "moonpeer/ban.h"
#include "moonpeer/store.h"

enum {
  /* The longest line: every byte of the texts escaped, and all the rest. */
  JSON_ROW = 6 * (MP_PEER_DATA + MP_PEER_USER_AGENT) + 4096,
};

/* Writes an object into a text of so many bytes. 0 or MP_ESTORE. */
int json_put_peer(char *text, size_t room, const struct mp_peer *peer);
int json_put_ban(char *text, size_t room, const struct mp_ban *ban);

/* Reads an object and gives it to the loader. 0 or MP_ESTORE: what is wrong. */
int json_load_peer(const char *text, struct mp_loader *loader,
                   struct mp_fault *fault);
int json_load_ban(const char *text, struct mp_loader *loader,
                  struct mp_fault *fault);

#endif
