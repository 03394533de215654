/* save - holding what has changed, copying it in slices, giving it away. */
#include "store/save.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"

/* --- tracking */

static int reserve(struct track *track, uint32_t slot) {
  uint32_t n = slot + 1;
  if (bits_reserve(&track->changed, n) || bits_reserve(&track->held, n))
    return MP_ELIMIT;
  return bits_reserve(&track->pending, n);
}

int store_reserve_peer(void *owner, uint32_t slot) {
  struct mp_store *store = owner;
  return store->is_tracked ? reserve(&store->peer_track, slot) : 0;
}

int store_reserve_ban(void *owner, uint32_t slot) {
  struct mp_store *store = owner;
  return store->is_tracked ? reserve(&store->ban_track, slot) : 0;
}

/* What has changed becomes what is held; all that is used, if all is wanted,
 * or what is held, is still to be copied. */
static void hold(struct track *track, const struct bits *used, bool all) {
  bits_add_all(&track->held, &track->changed);
  bits_add_all(&track->pending, all ? used : &track->changed);
  bits_clear(&track->changed);
}

static void release(struct track *track, bool is_saved) {
  if (!is_saved)
    bits_add_all(&track->changed, &track->held);
  bits_clear(&track->held);
  bits_clear(&track->pending);
}

/* --- copying */

/* Room for the row after n in a list of chunks; the list grows by doubling. */
static void *row_at(struct mp_save *save, void ***chunks, uint32_t *room,
                    uint32_t n, size_t size) {
  const struct mp_memory *memory = &save->arena.memory;
  uint32_t chunk = n / SAVE_CHUNK;
  if (chunk >= *room) {
    uint32_t more = *room * 2 + 16;
    void **list = memory_resize(memory, *chunks, *room * sizeof *list,
                                more * sizeof *list);
    if (!list)
      return NULL;
    *chunks = list;
    *room = more;
  }
  if (!(*chunks)[chunk])
    (*chunks)[chunk] = memory_get(memory, SAVE_CHUNK * size);
  char *rows = (*chunks)[chunk];
  return rows ? rows + n % SAVE_CHUNK * size : NULL;
}

/* Copies a row, as it is now, that the save holds and has not copied. */
static void copy_peer(struct mp_save *save, uint32_t slot) {
  struct mp_batch *batch = &save->batch;
  const struct peer_store *peers = &save->store->peers;
  struct batch_peer *row = row_at(save, &batch->peers, &batch->peer_room,
                                  batch->peer_count, sizeof *row);
  bits_remove(&save->store->peer_track.pending, slot);
  if (row) {
    row->row = slot;
    row->is_there = peer_is_used(peers, slot);
  }
  if (!row || (row->is_there && record_copy(&row->peer, peer_at(peers, slot),
                                            &save->arena.memory)))
    save->has_failed = true;
  else
    batch->peer_count++;
}

static void copy_ban(struct mp_save *save, uint32_t slot) {
  struct mp_batch *batch = &save->batch;
  const struct ban_list *bans = &save->store->bans;
  struct batch_ban *row = row_at(save, &batch->bans, &batch->ban_room,
                                 batch->ban_count, sizeof *row);
  bits_remove(&save->store->ban_track.pending, slot);
  if (row) {
    row->row = slot;
    row->is_there = ban_is_used(bans, slot);
  }
  if (!row || (row->is_there &&
               ban_copy(&row->ban, ban_at(bans, slot), &save->arena.memory)))
    save->has_failed = true;
  else
    batch->ban_count++;
}

void store_touch_peer(void *owner, uint32_t slot) {
  struct mp_store *store = owner;
  if (!store->is_tracked || store->is_loading)
    return;
  if (bits_has(&store->peer_track.pending, slot))
    copy_peer(store->save, slot);
  bits_add(&store->peer_track.changed, slot);
}

void store_touch_ban(void *owner, uint32_t slot) {
  struct mp_store *store = owner;
  if (!store->is_tracked || store->is_loading)
    return;
  if (bits_has(&store->ban_track.pending, slot))
    copy_ban(store->save, slot);
  bits_add(&store->ban_track.changed, slot);
}

static void *copy(struct mp_save *save, const void *bytes, size_t n) {
  void *made = memory_get(&save->arena.memory, n + 1);
  if (made && n)
    memcpy(made, bytes, n);
  save->has_failed = save->has_failed || !made;
  return made;
}

/* Values are few and small: all at once. */
static void save_values(struct mp_save *save) {
  const struct values *values = &save->store->values;
  struct mp_batch *batch = &save->batch;
  batch->values =
      memory_get(&save->arena.memory, (values->n + 1) * sizeof *batch->values);
  if (!batch->values) {
    save->has_failed = true;
    return;
  }
  for (uint32_t i = 0; i < values->n; i++) {
    const struct value *value = values->list + i;
    if (batch->has_all ? !value->bytes : !value->is_held)
      continue;
    batch->values[batch->value_count++] = (struct batch_value){
        .name = copy(save, value->name, strlen(value->name)),
        .bytes = value->bytes ? copy(save, value->bytes, value->size) : NULL,
        .size = value->size,
    };
  }
}

/* --- the public face */

int mp_store_save_start(struct mp_store *store, struct mp_save **save,
                        struct mp_fault *fault) {
  *save = NULL;
  if (store->save)
    return fault_set(fault, MP_EWOULD_BLOCK, "%s: a save is under way",
                     store->url);
  if (store->read_only)
    return fault_set(fault, MP_ESTORE, "%s: opened for reading only",
                     store->url);
  struct mp_save *made = mem_new(sizeof *made);
  made->store = store;
  made->batch.has_all = store->backend.wants_all;
  arena_init(&made->arena, store->memory);
  store->save = made;
  if (store->is_tracked) {
    hold(&store->peer_track, &store->peers.used, made->batch.has_all);
    hold(&store->ban_track, &store->bans.used, made->batch.has_all);
    values_hold(&store->values);
    save_values(made);
  }
  *save = made;
  return 0;
}

bool mp_save_gather(struct mp_save *save, unsigned n) {
  struct track *peers = &save->store->peer_track;
  struct track *bans = &save->store->ban_track;
  uint32_t slot = 0;
  for (; n && peers->pending.count && !save->has_failed; n--)
    copy_peer(save, slot = bits_next(&peers->pending, slot));
  if (!peers->pending.count)
    slot = 0;
  for (; n && bans->pending.count && !save->has_failed; n--)
    copy_ban(save, slot = bits_next(&bans->pending, slot));
  return !save->has_failed && (peers->pending.count || bans->pending.count);
}

static bool is_empty(const struct mp_batch *batch) {
  return !batch->has_all && !batch->peer_count && !batch->ban_count &&
         !batch->value_count;
}

static int no_memory(const struct mp_store *store, struct mp_fault *fault) {
  return fault_set(fault, MP_ESTORE, "%s: no memory to save", store->url);
}

bool mp_save_begin(struct mp_save *save,
                   void (*done)(void *data, int rc,
                                const struct mp_fault *fault),
                   void *data) {
  const struct mp_store *store = save->store;
  struct mp_fault fault = {0};
  if (!store->backend.begin)
    return false;
  save->done = done;
  save->data = data;
  if (save->has_failed)
    mp_save_done(save, no_memory(store, &fault), &fault);
  else if (is_empty(&save->batch))
    mp_save_done(save, 0, &fault);
  else
    store->backend.begin(store->backend_data, save);
  return true;
}

void mp_save_done(struct mp_save *save, int rc, const struct mp_fault *fault) {
  save->done(save->data, rc, fault);
}

int mp_save_run(struct mp_save *save, struct mp_fault *fault) {
  const struct mp_store *store = save->store; /* only what never changes */
  const struct mp_batch *batch = &save->batch;
  if (save->has_failed)
    return no_memory(store, fault);
  if (is_empty(batch))
    return 0;
  if (!store->backend.apply)
    return 0;
  return store->backend.apply(store->backend_data, batch, fault);
}

void mp_save_finish(struct mp_save *save, int rc) {
  struct mp_store *store = save->store;
  bool is_saved = rc == 0 && !save->has_failed;
  release(&store->peer_track, is_saved);
  release(&store->ban_track, is_saved);
  values_release(&store->values, is_saved);
  store->save = NULL;
  arena_take(&store->waste, &save->arena);
  free(save);
  if (store->is_closed)
    mp_store_close(store);
}

int mp_store_save(struct mp_store *store, struct mp_fault *fault) {
  struct mp_save *save = NULL;
  int rc = mp_store_save_start(store, &save, fault);
  if (!save)
    return rc;
  while (mp_save_gather(save, 65536))
    continue;
  rc = mp_save_run(save, fault);
  mp_save_finish(save, rc);
  return rc;
}

bool mp_store_is_changed(const struct mp_store *store) {
  return store->peer_track.changed.count || store->ban_track.changed.count ||
         values_is_changed(&store->values);
}
