/* save - one save: what it holds. */
#ifndef STORE_SAVE_H
#define STORE_SAVE_H

#include "store/store.h"

enum { SAVE_CHUNK = 512 };

struct batch_peer {
  uint32_t row;
  bool is_there;
  struct mp_peer peer;
};

struct batch_ban {
  uint32_t row;
  bool is_there;
  struct ban ban;
};

struct batch_value {
  const char *name;
  const uint8_t *bytes; /* NULL: removed */
  size_t size;
};

/* Rows in chunks of SAVE_CHUNK, in memory of the arena. */
struct mp_batch {
  bool has_all;
  void **peers; /* of struct batch_peer */
  void **bans;  /* of struct batch_ban */
  struct batch_value *values;
  uint32_t peer_count, ban_count, value_count;
  uint32_t peer_room, ban_room; /* chunks there is room for */
};

struct mp_save {
  struct mp_store *store;
  struct arena arena;
  struct mp_batch batch;
  void (*done)(void *data, int rc, const struct mp_fault *fault);
  void *data;      /* for done */
  bool has_failed; /* no memory for all of it */
};

#endif
