/* choice_test - picking peers at random over groups. */
#include "store_help.h"

enum { MANY = 64 };

static uint8_t net_of(const struct mp_peer *peer) {
  struct mp_address address;
  mp_peer_address(peer, &address);
  return address.ip[12];
}

static struct mp_store *seeded(uint8_t seed) {
  return store_at("memory:", (struct mp_store_options){.seed = {seed, 9}});
}

/* n peers in the group NET.1. */
static void add_many(struct mp_store *store, int net, int n) {
  for (int i = 0; i < n; i++) {
    struct mp_address address = {.port = 8333};
    memcpy(address.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    address.ip[12] = (uint8_t)net;
    address.ip[13] = 1;
    address.ip[14] = (uint8_t)(i >> 8);
    address.ip[15] = (uint8_t)i;
    CHECK_INT(mp_store_create(store, NULL,
                              &(struct mp_peer_new){.address = &address}, T0,
                              NULL),
              0);
  }
}

static void a_large_group_is_no_likelier_than_a_small_one(void) {
  struct mp_store *store = seeded(1);
  unsigned large = 0;
  add_many(store, 20, 5000);
  for (int net = 21; net < 40; net++)
    add_many(store, net, 3);
  for (int i = 0; i < 4000; i++) {
    const struct mp_peer *peer;
    CHECK_INT(mp_store_pick(store, &(struct mp_filter){.now = T0}, &peer, 1),
              1);
    large += net_of(peer) == 20;
  }
  CHECK(large > 120 && large < 280); /* 200 of 4,000 is a twentieth */
  mp_store_close(store);
}

static void a_group_of_two_statuses_is_no_likelier(void) {
  struct mp_store *store = seeded(7);
  unsigned both = 0;
  add(store, "20.1.1.1", T0);
  add(store, "20.1.1.2", T0);
  add(store, "21.1.1.1", T0);
  set_status(store, "20.1.1.1", MP_STATUS_VALID, T0);
  for (int i = 0; i < 4000; i++) {
    const struct mp_peer *peer;
    CHECK_INT(mp_store_pick(store, &(struct mp_filter){.now = T0}, &peer, 1),
              1);
    both += net_of(peer) == 20;
  }
  CHECK(both > 1850 && both < 2150); /* a half, not two thirds */
  mp_store_close(store);
}

static void several_are_of_as_many_groups(void) {
  struct mp_store *store = seeded(2);
  const struct mp_peer *peers[MANY];
  for (int net = 20; net < 30; net++)
    add_many(store, net, 50);
  for (int round = 0; round < 200; round++) {
    bool seen[256] = {false};
    CHECK_INT(mp_store_pick(store, &(struct mp_filter){.now = T0}, peers, 10),
              10);
    for (int i = 0; i < 10; i++) {
      CHECK(!seen[net_of(peers[i])]);
      seen[net_of(peers[i])] = true;
    }
  }
  /* and when groups run out, nobody twice */
  CHECK_INT(mp_store_pick(store, &(struct mp_filter){.now = T0}, peers, MANY),
            MANY);
  for (int i = 0; i < MANY; i++)
    for (int j = 0; j < i; j++)
      CHECK(peers[i] != peers[j]);
  mp_store_close(store);
}

static void all_that_match_are_found_however_few(void) {
  struct mp_store *store = seeded(3);
  const struct mp_peer *peers[MANY];
  for (int net = 20; net < 60; net++)
    add_many(store, net, 100);
  set_status(store, "25.1.0.7", MP_STATUS_VALID, T0);
  set_status(store, "25.1.0.8", MP_STATUS_VALID, T0);
  set_status(store, "26.1.0.8", MP_STATUS_INACCESSIBLE, T0);
  struct mp_filter filter = {.statuses = 1 << MP_STATUS_VALID, .now = T0};
  CHECK_INT(mp_store_pick(store, &filter, peers, MANY), 2);
  filter.statuses |= 1 << MP_STATUS_INACCESSIBLE;
  CHECK_INT(mp_store_pick(store, &filter, peers, MANY), 3);
  filter.statuses = 1 << MP_STATUS_BANNED;
  CHECK_INT(mp_store_pick(store, &filter, peers, MANY), 0);
  mp_store_close(store);
}

static void failures_and_recent_tries_make_it_unlikely(void) {
  struct mp_store *store = seeded(4);
  unsigned failed = 0, recent = 0, fine = 0;
  struct mp_peer_change change = {.fields = MP_PEER_FAILURES_COUNT,
                                  .failures = 4};
  add(store, "20.1.1.1", T0);
  add(store, "21.1.1.1", T0);
  add(store, "22.1.1.1", T0);
  mp_store_update(store, mp_peer_id(get(store, "20.1.1.1")), &change, T0, NULL);
  change =
      (struct mp_peer_change){.fields = MP_PEER_LAST_TRIED, .last_tried = T0};
  mp_store_update(store, mp_peer_id(get(store, "21.1.1.1")), &change, T0, NULL);
  for (int i = 0; i < 4000; i++) {
    const struct mp_peer *peer;
    mp_store_pick(store, &(struct mp_filter){.now = T0 + MP_SECOND}, &peer, 1);
    failed += net_of(peer) == 20;
    recent += net_of(peer) == 21;
    fine += net_of(peer) == 22;
  }
  CHECK(fine > 3000);
  CHECK(failed > 400 && failed < 900); /* 0.66^4 = 0.19 */
  CHECK(recent > 5 && recent < 100);
  const struct mp_peer *peers[3];
  struct mp_filter filter = {.now = T0 + HOUR, .untried_for = 2 * HOUR};
  CHECK_INT(mp_store_pick(store, &filter, peers, 3), 2);
  filter.untried_for = HOUR;
  CHECK_INT(mp_store_pick(store, &filter, peers, 3), 3);
  mp_store_close(store);
}

/* Attackers in 8 groups with thousands of peers, 250 honest groups: how many
 * of 100 draws of 8 they hold over a quarter of. */
static void attackers_in_few_groups_win_few_slots(void) {
  unsigned lost = 0;
  for (int seed = 0; seed < 100; seed++) {
    struct mp_store *store = seeded((uint8_t)(seed + 1));
    const struct mp_peer *peers[8];
    unsigned bad = 0;
    for (int net = 1; net <= 8; net++)
      add_many(store, 200 + net, 500);
    for (int i = 0; i < 250; i++) {
      struct mp_address address = nth(0);
      address.ip[12] = 60;
      address.ip[13] = (uint8_t)i;
      mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address},
                      T0, NULL);
    }
    CHECK_INT(mp_store_pick(store, &(struct mp_filter){.now = T0}, peers, 8),
              8);
    for (int i = 0; i < 8; i++)
      bad += net_of(peers[i]) != 60;
    lost += bad > 2;
    mp_store_close(store);
  }
  CHECK(lost <= 3);
}

static void an_empty_store_has_nobody(void) {
  struct mp_store *store = seeded(5);
  const struct mp_peer *peer;
  CHECK_INT(mp_store_pick(store, NULL, &peer, 1), 0);
  add(store, "1.2.3.4", T0);
  CHECK_INT(mp_store_pick(store, NULL, &peer, 1), 1);
  mp_store_close(store);
}

static void the_same_seed_picks_the_same(void) {
  uint8_t nets[2][20];
  for (int round = 0; round < 2; round++) {
    struct mp_store *store = seeded(6);
    for (int net = 20; net < 60; net++)
      add_many(store, net, 5);
    for (int i = 0; i < 20; i++) {
      const struct mp_peer *peer;
      mp_store_pick(store, NULL, &peer, 1);
      nets[round][i] = net_of(peer);
    }
    mp_store_close(store);
  }
  CHECK(memcmp(nets[0], nets[1], sizeof *nets) == 0);
}

TEST_MAIN(TEST(a_large_group_is_no_likelier_than_a_small_one),
          TEST(a_group_of_two_statuses_is_no_likelier),
          TEST(several_are_of_as_many_groups),
          TEST(all_that_match_are_found_however_few),
          TEST(failures_and_recent_tries_make_it_unlikely),
          TEST(attackers_in_few_groups_win_few_slots),
          TEST(an_empty_store_has_nobody), TEST(the_same_seed_picks_the_same))
