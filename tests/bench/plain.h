/* plain - a small stand-in of a plainer store: a mutex around two chained hash
 * maps. */
#ifndef TESTS_PLAIN_H
#define TESTS_PLAIN_H

#include <pthread.h>

#include "base/hash.h"
#include "store_bench.h"

struct plain_peer {
  uint8_t id[16];
  struct mp_address address;
  uint8_t status;
  int64_t status_time;
  uint64_t services;
  struct plain_peer *next_id, *next_address;
};

struct plain {
  pthread_mutex_t mutex;
  struct plain_peer **ids, **addresses;
  size_t size, count;
};

static const uint64_t plain_key[2] = {1, 2};

static inline size_t plain_hash(const void *bytes, size_t n, size_t size) {
  return hash_sip(plain_key, bytes, n) & (size - 1);
}

static inline void plain_link(struct plain *plain, struct plain_peer *peer) {
  struct plain_peer **id = plain->ids + plain_hash(peer->id, 16, plain->size);
  struct plain_peer **address =
      plain->addresses +
      plain_hash(&peer->address, sizeof peer->address, plain->size);
  peer->next_id = *id;
  peer->next_address = *address;
  *id = peer;
  *address = peer;
}

static inline void plain_grow(struct plain *plain) {
  size_t old = plain->size;
  struct plain_peer **ids = plain->ids;
  plain->size = old ? 2 * old : 16;
  free(plain->addresses);
  plain->ids = calloc(plain->size, sizeof *ids);
  plain->addresses = calloc(plain->size, sizeof *ids);
  for (size_t i = 0; i < old; i++)
    for (struct plain_peer *peer = ids[i], *next; peer; peer = next) {
      next = peer->next_id;
      plain_link(plain, peer);
    }
  free(ids);
}

static inline struct plain_peer *plain_find(struct plain *plain,
                                            const struct mp_address *address) {
  struct plain_peer *peer = NULL;
  pthread_mutex_lock(&plain->mutex);
  if (plain->size)
    peer = plain->addresses[plain_hash(address, sizeof *address, plain->size)];
  while (peer && memcmp(&peer->address, address, sizeof *address) != 0)
    peer = peer->next_address;
  pthread_mutex_unlock(&plain->mutex);
  return peer;
}

static inline void plain_create(struct plain *plain,
                                const struct mp_address *address,
                                struct rand *rand) {
  struct plain_peer *peer = calloc(1, sizeof *peer);
  if (plain_find(plain, address) || !peer)
    exit(1);
  pthread_mutex_lock(&plain->mutex);
  rand_bytes(rand, peer->id, sizeof peer->id);
  peer->address = *address;
  peer->status_time = T0;
  peer->services = 1;
  if (plain->count++ >= plain->size)
    plain_grow(plain);
  plain_link(plain, peer);
  pthread_mutex_unlock(&plain->mutex);
}

static inline unsigned plain_count(struct plain *plain, uint8_t status) {
  unsigned n = 0;
  pthread_mutex_lock(&plain->mutex);
  for (size_t i = 0; i < plain->size; i++)
    for (struct plain_peer *peer = plain->ids[i]; peer; peer = peer->next_id)
      n += peer->status == status;
  pthread_mutex_unlock(&plain->mutex);
  return n;
}

static inline void plain_deinit(struct plain *plain) {
  for (size_t i = 0; i < plain->size; i++)
    for (struct plain_peer *peer = plain->ids[i], *next; peer; peer = next) {
      next = peer->next_id;
      free(peer);
    }
  free(plain->ids);
  free(plain->addresses);
}

#endif
