/* Walking through a store: filters, and iteration that its body meddles with.
 */
#include "store_help.h"

static unsigned count(struct mp_store *store, const struct mp_filter *filter) {
  struct mp_iterator iterator;
  unsigned n = 0;
  mp_iterator_begin(&iterator, store, filter);
  while (mp_iterator_next(&iterator))
    n++;
  mp_iterator_end(&iterator);
  mp_iterator_end(&iterator);
  return n;
}

static bool has_odd_port(void *data, const struct mp_peer *peer) {
  struct mp_address address;
  (void)data;
  mp_peer_address(peer, &address);
  return address.port % 2;
}

static void filters_let_through_what_matches(void) {
  struct mp_store *store = memory_store();
  struct mp_group group;
  struct mp_address address = at("1.2.9.9");
  struct mp_source source = {MP_SOURCE_DNS, {{0}, 0}};
  struct mp_peer_change change = {.fields = MP_PEER_SOURCE | MP_PEER_STATUS,
                                  .status = MP_STATUS_VALID,
                                  .source = source};
  add(store, "1.2.3.4:1", T0);
  add(store, "1.2.3.4:2", T0 + HOUR);
  add(store, "1.3.3.4:3", T0 + 2 * HOUR);
  CHECK_INT(mp_store_create(
                store, NULL,
                &(struct mp_peer_new){.address = &address, .change = &change},
                T0, NULL),
            0);
  mp_group_of(&address, &group);
  CHECK_INT(count(store, NULL), 4);
  CHECK_INT(count(store, &(struct mp_filter){.group = &group}), 3);
  CHECK_INT(count(store, &(struct mp_filter){.source = &source}), 1);
  CHECK_INT(count(store, &(struct mp_filter){.statuses = 1 << MP_STATUS_VALID}),
            1);
  CHECK_INT(count(store, &(struct mp_filter){.statuses = 1}), 3);
  CHECK_INT(count(store, &(struct mp_filter){.statuses = 3}), 4);
  CHECK_INT(count(store, &(struct mp_filter){.older_than = HOUR,
                                             .now = T0 + 2 * HOUR}),
            3);
  CHECK_INT(count(store, &(struct mp_filter){.newer_than = HOUR,
                                             .now = T0 + 2 * HOUR}),
            1);
  CHECK_INT(count(store, &(struct mp_filter){.accept = has_odd_port}), 3);
  mp_store_close(store);
}

enum { ITERATED = 1000 };

/* Which of the peers, told apart by their ports, were seen and deleted. */
static bool seen[ITERATED + 1], is_gone[ITERATED + 1];

static struct mp_address iterated(unsigned i) {
  struct mp_address address = nth(i);
  address.port = (uint16_t)(i + 1);
  return address;
}

/* Every third goes, and the one after it, which was not seen yet. */
static void delete_two(struct mp_store *store, unsigned i) {
  for (unsigned j = i; j < i + 2; j++) {
    struct mp_address address = iterated(j);
    const struct mp_peer *peer = mp_store_find(store, &address);
    is_gone[j] = j > i && peer;
    if (peer)
      CHECK_INT(mp_store_delete(store, mp_peer_id(peer), NULL), 0);
  }
}

/* Others go to another status and back: they must not be seen twice. */
static void go_and_return(struct mp_store *store, const struct mp_peer *peer) {
  struct mp_peer_change change = {.fields = MP_PEER_STATUS,
                                  .status = MP_STATUS_VALID};
  mp_store_update(store, mp_peer_id(peer), &change, T0, NULL);
  change.status = MP_STATUS_UNKNOWN;
  mp_store_update(store, mp_peer_id(peer), &change, T0, NULL);
}

static void iterate_and_meddle(unsigned statuses) {
  struct mp_store *store = memory_store();
  struct mp_filter filter = {.statuses = statuses};
  struct mp_iterator iterator;
  const struct mp_peer *peer;
  memset(seen, 0, sizeof seen);
  memset(is_gone, 0, sizeof is_gone);
  for (unsigned i = 0; i < ITERATED; i++) {
    struct mp_address address = iterated(i);
    mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address}, T0,
                    NULL);
  }
  mp_iterator_begin(&iterator, store, &filter);
  while ((peer = mp_iterator_next(&iterator))) {
    struct mp_address address;
    mp_peer_address(peer, &address);
    unsigned i = address.port - 1u;
    CHECK(i < ITERATED && !seen[i] && !is_gone[i]);
    seen[i] = true;
    if (i % 3 == 0)
      delete_two(store, i);
    else
      go_and_return(store, peer);
  }
  mp_iterator_end(&iterator);
  for (unsigned i = 0; i < ITERATED; i++)
    CHECK(seen[i] != is_gone[i]);
  mp_store_close(store);
}

static void iteration_survives_what_its_body_does(void) {
  iterate_and_meddle(0);
  iterate_and_meddle(1 << MP_STATUS_UNKNOWN);
}

static void an_iterator_outlives_its_store(void) {
  struct mp_store *store = memory_store();
  struct mp_iterator iterator;
  add(store, "1.2.3.4:1", T0);
  mp_iterator_begin(&iterator, store, NULL);
  mp_store_close(store);
  CHECK(mp_iterator_next(&iterator) == NULL);
  mp_iterator_end(&iterator);
}

TEST_MAIN(TEST(filters_let_through_what_matches),
          TEST(iteration_survives_what_its_body_does),
          TEST(an_iterator_outlives_its_store))
