/* store - opening, closing and setting up a store. */
#include "store/store.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/backend.h"
#include "store/file.h"
#include "store/loader.h"

static const int64_t day = INT64_C(24) * 3600 * 1000000000;

const char *mp_store_url(const struct mp_store *store) {
  return store->url;
}

const char *mp_store_warning(const struct mp_store *store) {
  return store->warning;
}

/* --- listeners */

void store_tell(struct mp_store *store, const struct mp_store_event *event) {
  struct mp_store_listener *listener = store->listeners;
  assert(!store->is_telling); /* a listener has changed the store */
  store->is_telling = true;
  while (listener) {
    struct mp_store_listener *next = listener->next;
    listener->fn(listener->data, event);
    listener = next;
  }
  store->is_telling = false;
}

void mp_store_listen(struct mp_store *store,
                     struct mp_store_listener *listener) {
  struct mp_store_listener **place = &store->listeners;
  while (*place)
    place = &(*place)->next;
  listener->next = NULL;
  listener->place = place;
  *place = listener;
}

void mp_store_unlisten(struct mp_store_listener *listener) {
  if (!listener->place)
    return;
  *listener->place = listener->next;
  if (listener->next)
    listener->next->place = listener->place;
  listener->place = NULL;
}

/* --- named values */

int mp_store_set_value(struct mp_store *store, const char *name,
                       const void *bytes, size_t size, struct mp_fault *fault) {
  return values_set(&store->values, name, bytes, size, fault);
}

const void *mp_store_value(struct mp_store *store, const char *name,
                           size_t *size) {
  const struct value *value = values_find(&store->values, name);
  if (size)
    *size = value ? value->size : 0;
  return value ? value->bytes : NULL;
}

const char *mp_store_next_value(struct mp_store *store, const char *name) {
  const struct value *value = values_after(&store->values, name);
  return value ? value->name : NULL;
}

/* --- coming and going */

static void track_init(struct track *track, const struct mp_memory *memory) {
  track->changed.memory = track->held.memory = track->pending.memory = memory;
}

static void track_deinit(struct track *track) {
  bits_deinit(&track->changed);
  bits_deinit(&track->held);
  bits_deinit(&track->pending);
}

static void init_content(struct mp_store *store) {
  struct peer_store *peers = &store->peers;
  peer_store_init(peers, store->memory, store->seed, store->capacity);
  peers->asmap = store->has_asmap ? &store->asmap : NULL;
  peers->touch = store_touch_peer;
  peers->reserve = store_reserve_peer;
  peers->owner = store;
  ban_list_init(&store->bans, store->memory, store->max_bans);
  store->bans.touch = store_touch_ban;
  store->bans.reserve = store_reserve_ban;
  store->bans.owner = store;
  store->values = (struct values){.memory = store->memory};
}

static void deinit_content(struct mp_store *store) {
  while (store->peers.iterators)
    peer_iterator_end(&store->peers, store->peers.iterators);
  peer_store_deinit(&store->peers);
  ban_list_deinit(&store->bans);
  values_deinit(&store->values);
}

void store_reset(struct mp_store *store) {
  deinit_content(store);
  init_content(store);
}

/* --- settings */

static int64_t or_else(int64_t value, int64_t otherwise) {
  return value ? value : otherwise;
}

static int check_options(const struct mp_store_options *options,
                         struct mp_fault *fault) {
  if (options->capacity > MP_STORE_CAPACITY_MAX ||
      options->max_bans > MP_STORE_CAPACITY_MAX)
    return fault_set(fault, MP_ECONFIG, "capacity: expected %d at most",
                     MP_STORE_CAPACITY_MAX);
  int64_t least = options->inaccessible_time < options->ban_time
                      ? options->inaccessible_time
                      : options->ban_time;
  for (int i = 0; i < MP_STATUS_COUNT; i++)
    least = options->ttl[i] < least ? options->ttl[i] : least;
  if (least < 0)
    return fault_set(fault, MP_ECONFIG, "expected no time below 0, got %lld ns",
                     (long long)least);
  return 0;
}

static void set_options(struct mp_store *store,
                        const struct mp_store_options *options) {
  static const int64_t ttl[MP_STATUS_COUNT] = {
      [MP_STATUS_UNKNOWN] = 7,
      [MP_STATUS_VALID] = 30,
      [MP_STATUS_INACCESSIBLE] = 7,
  };
  for (int i = 0; i < MP_STATUS_COUNT; i++)
    store->ttl[i] = or_else(options->ttl[i], ttl[i] * day);
  store->inaccessible_time = or_else(options->inaccessible_time, day);
  store->ban_time = or_else(options->ban_time, day);
  store->capacity = options->capacity ? options->capacity : MP_STORE_CAPACITY;
  store->max_bans = options->max_bans ? options->max_bans : MP_STORE_BANS;
}

int mp_store_configure(struct mp_store *store,
                       const struct mp_store_options *options,
                       struct mp_fault *fault) {
  int rc = check_options(options, fault);
  if (rc == 0)
    set_options(store, options);
  if (rc == 0)
    store->peers.capacity = store->capacity;
  return rc;
}

/* --- opening */

static int open_asmap(struct mp_store *store, const char *path,
                      struct mp_fault *fault) {
  struct mp_fault inner = {0};
  char *text = NULL;
  size_t size = 0;
  int rc = file_read(path, &text, &size, fault);
  if (rc)
    return fault_set(fault, MP_ECONFIG, "%s: cannot read the asmap", path);
  rc = asmap_init(&store->asmap, store->memory, text, size, &inner);
  free(text);
  if (rc)
    return fault_set(fault, rc, "%.60s: %.160s", path, inner.text);
  store->has_asmap = true;
  return 0;
}

static int open_backend(struct mp_store *store, const char *url,
                        const struct mp_store_options *options,
                        struct mp_fault *fault) {
  const char *rest;
  if (options->backend) {
    store->backend = *options->backend;
    store->backend_data = options->backend_data;
    store->is_tracked = !options->read_only;
    return 0;
  }
  const struct backend_row *row = backend_find(url, &rest);
  if (!row)
    return fault_set(fault, MP_ECONFIG,
                     "%.60s: expected memory:, json:FILE or sqlite:FILE", url);
  int rc = row->open(&store->backend_data, rest, options->read_only, fault);
  if (rc)
    return rc;
  store->backend = row->functions;
  store->is_tracked = row->functions.apply && !options->read_only;
  return 0;
}

/* Peers of the file that a ban covers, and those banned for themselves. */
static void cover_loaded(struct mp_store *store) {
  struct peer_store *peers = &store->peers;
  for (uint32_t slot = peers->lists[peer_list_of(MP_STATUS_BANNED, 0)].head;
       slot;) {
    struct mp_peer *peer = peer_at(peers, slot);
    uint32_t next = peer->next;
    struct mp_peer_change change = {.fields = MP_PEER_STATUS,
                                    .status = MP_STATUS_BANNED};
    if (ban_find(&store->bans, peer->address.ip, 0))
      peer_change(peers, slot, &change, true);
    slot = next;
  }
  store->sweep_left = store->bans.count ? peers->high : 0;
}

static int load(struct mp_store *store, struct mp_fault *fault) {
  struct mp_loader loader = {.store = store};
  int rc = 0;
  store->is_loading = true;
  if (store->backend.load)
    rc = store->backend.load(store->backend_data, &loader, fault);
  if (rc)
    return rc;
  cover_loaded(store);
  ban_list_settle(&store->bans);
  if (peer_store_settle(&store->peers))
    return fault_set(fault, MP_ESTORE, "%s: no memory to load it", store->url);
  values_hold(&store->values);
  values_release(&store->values, true);
  store->is_loading = false;
  return 0;
}

int mp_store_open(struct mp_store **store, const char *url,
                  const struct mp_store_options *options,
                  struct mp_fault *fault) {
  struct mp_store_options none = {0};
  struct mp_store *made = mem_new(sizeof *made);
  if (!options)
    options = &none;
  *store = NULL;
  made->memory = options->memory ? options->memory : &memory_default;
  made->url = mem_text(url);
  made->read_only = options->read_only;
  memcpy(made->seed, options->seed, sizeof made->seed);
  set_options(made, options);
  arena_init(&made->waste, made->memory);
  track_init(&made->peer_track, made->memory);
  track_init(&made->ban_track, made->memory);
  init_content(made);
  discouraged_init(&made->discouraged, made->memory, made->peers.secret);
  source_rates_init(&made->rates, made->memory);
  int rc = open_backend(made, url, options, fault);
  if (rc == 0)
    rc = check_options(options, fault);
  if (rc == 0 && options->asmap)
    rc = open_asmap(made, options->asmap, fault);
  made->peers.asmap = made->has_asmap ? &made->asmap : NULL;
  if (rc == 0)
    rc = load(made, fault);
  if (rc)
    mp_store_close(made);
  else
    *store = made;
  return rc;
}

void mp_store_close(struct mp_store *store) {
  if (!store)
    return;
  while (store->listeners)
    mp_store_unlisten(store->listeners);
  store->is_closed = true;
  if (store->save)
    return;
  deinit_content(store);
  arena_shrink(&store->waste, UINT_MAX);
  discouraged_deinit(&store->discouraged);
  source_rates_deinit(&store->rates);
  track_deinit(&store->peer_track);
  track_deinit(&store->ban_track);
  if (store->has_asmap)
    asmap_deinit(&store->asmap);
  if (store->backend.close)
    store->backend.close(store->backend_data);
  free(store->url);
  free(store);
}
