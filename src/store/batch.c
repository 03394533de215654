/* batch - reading what a save holds. */
#include "store/save.h"

const struct mp_batch *mp_save_batch(const struct mp_save *save) {
  return &save->batch;
}

bool mp_batch_has_all(const struct mp_batch *batch) {
  return batch->has_all;
}

uint32_t mp_batch_peer_count(const struct mp_batch *batch) {
  return batch->peer_count;
}

const struct mp_peer *mp_batch_peer(const struct mp_batch *batch, uint32_t i,
                                    uint32_t *row) {
  const struct batch_peer *chunk = batch->peers[i / SAVE_CHUNK];
  const struct batch_peer *at = chunk + i % SAVE_CHUNK;
  *row = at->row;
  return at->is_there ? &at->peer : NULL;
}

uint32_t mp_batch_ban_count(const struct mp_batch *batch) {
  return batch->ban_count;
}

bool mp_batch_ban(const struct mp_batch *batch, uint32_t i, uint32_t *row,
                  struct mp_ban *ban) {
  const struct batch_ban *chunk = batch->bans[i / SAVE_CHUNK];
  const struct batch_ban *at = chunk + i % SAVE_CHUNK;
  *row = at->row;
  if (at->is_there)
    ban_describe(&at->ban, ban);
  return at->is_there;
}

uint32_t mp_batch_value_count(const struct mp_batch *batch) {
  return batch->value_count;
}

const char *mp_batch_value(const struct mp_batch *batch, uint32_t i,
                           const void **bytes, size_t *size) {
  *bytes = batch->values[i].bytes;
  *size = batch->values[i].size;
  return batch->values[i].name;
}
