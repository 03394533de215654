/* candidates - peers that could be dialled now, for the policy that chooses. */
#include <string.h>

#include "engine/engine.h"
#include "moonpeer/store.h"

struct search {
  struct mp_engine *engine;
  bool is_choosy; /* only groups that we have nobody of */
};

static bool has_group(const struct mp_engine *engine,
                      const struct mp_address *address) {
  struct mp_group group;
  mp_store_group(engine->store, address, &group);
  return crowd_count(&engine->dialled_group, &group, sizeof group) > 0;
}

static bool is_free(void *data, const struct mp_peer *peer) {
  const struct search *search = data;
  struct mp_engine *engine = search->engine;
  struct mp_address address;
  mp_peer_address(peer, &address);
  return !crowd_count(&engine->dialled, &address, sizeof address) &&
         !target_waits(engine, &address) && !engine_is_own(engine, &address) &&
         !(search->is_choosy && has_group(engine, &address));
}

/* The second pass would find those of the first again. */
static size_t add(const struct mp_peer **peers, size_t found,
                  const struct mp_peer *const *more, size_t n, size_t most) {
  size_t first = found;
  for (size_t i = 0; i < n && found < most; i++) {
    size_t j = 0;
    while (j < first && peers[j] != more[i])
      j++;
    if (j == first)
      peers[found++] = more[i];
  }
  return found;
}

size_t mp_engine_pick(struct mp_engine *engine, enum mp_status status,
                      const struct mp_peer **peers, size_t n) {
  enum { MOST = MP_ENGINE_PICK };
  const struct mp_peer *more[MOST];
  struct search search = {.engine = engine, .is_choosy = true};
  const struct mp_filter filter = {.statuses = 1u << status,
                                   .now = mp_loop_time(engine->loop),
                                   .accept = is_free,
                                   .data = &search};
  if (n > MOST)
    n = MOST;
  size_t found = mp_store_pick(engine->store, &filter, peers, n);
  if (found == n)
    return n;
  search.is_choosy = false;
  size_t others = mp_store_pick(engine->store, &filter, more, n);
  return add(peers, found, more, others, n);
}
