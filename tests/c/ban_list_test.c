/* ban_list_test - bans: prefixes, expiry, and what they do to peers. */
#include "store_help.h"

static bool is_banned(struct mp_store *store, const char *text, int64_t now) {
  struct mp_address address = at(text);
  return mp_ban_find(store, &address, now, NULL);
}

static const char *banned_by(struct mp_store *store, const char *text) {
  static char prefix[MP_PREFIX_TEXT];
  struct mp_address address = at(text);
  struct mp_ban found;
  if (!mp_ban_find(store, &address, T0, &found))
    return "";
  return mp_prefix_format(&found.prefix, prefix);
}

static void the_longest_prefix_wins_in_both_families(void) {
  struct mp_store *store = memory_store();
  ban(store, "1.2.0.0/16", 0, T0);
  ban(store, "1.2.3.0/24", 0, T0);
  ban(store, "1.2.3.4", 0, T0);
  ban(store, "2001:470::/32", 0, T0);
  ban(store, "2001:470:0:1::/64", 0, T0);
  CHECK_TEXT(banned_by(store, "1.2.3.4:9"), "1.2.3.4");
  CHECK_TEXT(banned_by(store, "1.2.3.5"), "1.2.3.0/24");
  CHECK_TEXT(banned_by(store, "1.2.4.4"), "1.2.0.0/16");
  CHECK_TEXT(banned_by(store, "1.3.4.4"), "");
  CHECK_TEXT(banned_by(store, "::ffff:1.2.3.4"), "1.2.3.4");
  CHECK_TEXT(banned_by(store, "2001:470:0:1::7"), "2001:470:0:1::/64");
  CHECK_TEXT(banned_by(store, "2001:470:1::7"), "2001:470::/32");
  CHECK_TEXT(banned_by(store, "2001:471::7"), "");
  mp_store_close(store);
}

static void the_whole_of_a_family_can_be_banned(void) {
  struct mp_store *store = memory_store();
  ban(store, "0.0.0.0/0", 0, T0);
  CHECK(is_banned(store, "9.9.9.9", T0));
  CHECK(!is_banned(store, "2001:471::7", T0));
  ban(store, "::/0", 0, T0);
  CHECK(is_banned(store, "2001:471::7", T0));
  CHECK_INT(mp_ban_count(store), 2);
  mp_store_close(store);
}

enum { RANDOM = 400 };

/* Prefixes that may be banned, and whether they are. */
static struct mp_prefix prefixes[RANDOM];
static bool is_listed[RANDOM];
static uint32_t seed = 5;

static uint32_t next_random(void) {
  seed = seed * 1664525 + 1013904223;
  return seed >> 4;
}

/* Of few distinct bits, so that they nest; each only once. */
static bool make_prefix(int i) {
  struct mp_address address = at("0.0.0.0");
  for (int j = 12; j < 16; j++)
    address.ip[j] = (uint8_t)(next_random() >> 26);
  prefixes[i] = mp_prefix_of(&address);
  prefixes[i].bits = (uint8_t)(96 + next_random() % 33);
  for (unsigned j = prefixes[i].bits; j < 128; j++)
    prefixes[i].ip[j / 8] &= (uint8_t) ~(0x80 >> j % 8);
  for (int j = 0; j < i; j++)
    if (memcmp(prefixes + i, prefixes + j, sizeof *prefixes) == 0)
      return false;
  return true;
}

static void toggle(struct mp_store *store, int i) {
  struct mp_ban made = {.prefix = prefixes[i]};
  if (is_listed[i])
    CHECK_INT(mp_ban_remove(store, prefixes + i, T0, NULL), 0);
  else
    CHECK_INT(mp_ban_add(store, &made, T0, NULL), 0);
  is_listed[i] = !is_listed[i];
}

static int longest(const struct mp_address *address) {
  int best = -1;
  for (int i = 0; i < RANDOM; i++)
    if (is_listed[i] && mp_prefix_contains(prefixes + i, address) &&
        (best < 0 || prefixes[i].bits > prefixes[best].bits))
      best = i;
  return best;
}

/* Random prefixes against a plain list of them, adding and removing. */
static void look_ups_agree_with_a_search_of_the_list(void) {
  struct mp_store *store = memory_store();
  for (int i = 0; i < RANDOM; i++)
    while (!make_prefix(i))
      continue;
  for (int round = 0; round < 5000; round++) {
    struct mp_address address = {{0}, 1};
    struct mp_ban found;
    toggle(store, (int)(next_random() % RANDOM));
    memcpy(address.ip, prefixes[next_random() % RANDOM].ip, 16);
    address.ip[15] ^= (uint8_t)(next_random() >> 25);
    int best = longest(&address);
    CHECK_INT(mp_ban_find(store, &address, T0, &found), best >= 0);
    if (best >= 0)
      CHECK(memcmp(&found.prefix, prefixes + best, sizeof *prefixes) == 0);
  }
  mp_store_close(store);
}

/* So many that look-ups begin at a table of the first 16 bits. */
static void a_long_list_is_looked_up_the_same(void) {
  struct mp_store *store = memory_store();
  for (uint32_t i = 0; i < 3000; i++) {
    struct mp_address address = nth(i);
    struct mp_ban made = {.prefix = mp_prefix_of(&address)};
    CHECK_INT(mp_ban_add(store, &made, T0, NULL), 0);
  }
  CHECK_TEXT(banned_by(store, "1.0.0.0"), "1.0.0.0");
  CHECK_TEXT(banned_by(store, "1.0.0.9"), "");
  ban(store, "1.0.0.0/8", 0, T0); /* shorter than the table's bits */
  CHECK_TEXT(banned_by(store, "1.0.0.9"), "1.0.0.0/8");
  ban(store, "1.0.0.0/16", 0, T0);
  CHECK_TEXT(banned_by(store, "1.0.0.9"), "1.0.0.0/16");
  ban(store, "1.0.0.0/28", 0, T0);
  CHECK_TEXT(banned_by(store, "1.0.0.9"), "1.0.0.0/28");
  CHECK_TEXT(banned_by(store, "1.0.0.0"), "1.0.0.0");
  struct mp_prefix prefix = prefix_at("1.0.0.0/16");
  mp_ban_remove(store, &prefix, T0, NULL);
  prefix = prefix_at("1.0.0.0/28");
  mp_ban_remove(store, &prefix, T0, NULL);
  CHECK_TEXT(banned_by(store, "1.0.0.9"), "1.0.0.0/8");
  prefix = prefix_at("1.0.0.0/8");
  mp_ban_remove(store, &prefix, T0, NULL);
  CHECK_TEXT(banned_by(store, "1.0.0.9"), "");
  for (uint32_t i = 0; i < 3000; i++) {
    struct mp_address address = nth(i);
    CHECK(mp_ban_find(store, &address, T0, NULL));
    CHECK_INT(mp_ban_lift(store, &address, T0), 1);
    CHECK(!mp_ban_find(store, &address, T0, NULL));
  }
  mp_store_close(store);
}

static void a_ban_has_defaults_and_ends_in_a_day(void) {
  struct mp_store *store = memory_store();
  struct mp_prefix prefix = prefix_at("1.2.3.4");
  struct mp_ban found;
  CHECK_INT(ban(store, "1.2.3.4", 0, T0), 0);
  CHECK(mp_ban_get(store, &prefix, &found));
  CHECK_INT(found.reason, MP_REASON_MANUAL);
  CHECK_INT(found.created, T0);
  CHECK_INT(found.expires, T0 + DAY);
  CHECK(is_banned(store, "1.2.3.4", T0 + DAY - MP_SECOND));
  CHECK(!is_banned(store, "1.2.3.4", T0 + DAY));
  mp_store_expire(store, T0 + DAY, 100);
  CHECK_INT(mp_ban_count(store), 0);
  mp_store_close(store);
}

static void behind_an_ended_ban_the_wider_one_shows(void) {
  struct mp_store *store = memory_store();
  ban(store, "1.2.3.4", T0 + HOUR, T0);
  ban(store, "1.2.0.0/16", MP_BAN_FOREVER, T0);
  CHECK(is_banned(store, "1.2.3.4", T0 + 2 * HOUR));
  CHECK(is_banned(store, "1.2.3.4", T0 + 3000 * DAY));
  mp_store_close(store);
}

static void what_is_said_of_a_ban_is_kept_and_replaced(void) {
  struct mp_store *store = memory_store();
  struct mp_ban made = {.prefix = prefix_at("1.2.3.0/24"),
                        .reason = MP_REASON_MISBEHAVIOUR,
                        .origin = "no-scanners",
                        .note = "scanner"},
                found;
  CHECK_INT(mp_ban_add(store, &made, T0, NULL), 0);
  CHECK(mp_ban_get(store, &made.prefix, &found));
  CHECK_TEXT(found.origin, "no-scanners");
  CHECK_TEXT(found.note, "scanner");
  made.note = NULL;
  made.expires = T0 + 9 * DAY;
  CHECK_INT(mp_ban_add(store, &made, T0, NULL), 0);
  CHECK(mp_ban_get(store, &made.prefix, &found));
  CHECK_TEXT(found.note, "");
  CHECK_INT(found.expires, T0 + 9 * DAY);
  CHECK_INT(mp_ban_count(store), 1);
  mp_store_close(store);
}

static void bans_that_make_no_sense_are_refused(void) {
  struct mp_store *store = memory_store();
  char text[MP_BAN_TEXT + 1];
  struct mp_fault fault = {0};
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  struct mp_ban made = {.prefix = prefix_at("1.2.3.4"), .note = text};
  CHECK_INT(mp_ban_add(store, &made, T0, &fault), MP_ECONFIG);
  CHECK_INT(ban(store, "1.2.3.4", T0, T0), MP_ECONFIG);
  made = (struct mp_ban){.prefix = prefix_at("1.2.3.4"),
                         .reason = (enum mp_ban_reason)77};
  CHECK_INT(mp_ban_add(store, &made, T0, &fault), MP_ECONFIG);
  CHECK_INT(mp_ban_remove(store, &made.prefix, T0, &fault), MP_ENOT_FOUND);
  CHECK_INT(mp_ban_count(store), 0);
  mp_store_close(store);
}

static void a_full_list_drops_the_ban_soonest_to_expire(void) {
  struct mp_store *store =
      store_at("memory:", (struct mp_store_options){.max_bans = 3});
  ban(store, "1.0.0.1", T0 + 3 * HOUR, T0);
  ban(store, "1.0.0.2", T0 + HOUR, T0);
  ban(store, "1.0.0.3", T0 + 2 * HOUR, T0);
  ban(store, "1.0.0.4", MP_BAN_FOREVER, T0);
  CHECK(!is_banned(store, "1.0.0.2", T0));
  ban(store, "1.0.0.5", MP_BAN_FOREVER, T0);
  ban(store, "1.0.0.6", MP_BAN_FOREVER, T0);
  CHECK_INT(mp_ban_count(store), 3);
  CHECK_INT(ban(store, "1.0.0.7", T0 + HOUR, T0), MP_ELIMIT);
  CHECK_INT(ban(store, "1.0.0.6", T0 + HOUR, T0), 0); /* one that is there */
  mp_store_close(store);
}

static void a_ban_reaches_the_peers_it_covers_on_every_port(void) {
  struct mp_store *store = memory_store();
  add(store, "1.2.3.4:1", T0);
  add(store, "1.2.3.4:2", T0);
  add(store, "1.2.3.5:1", T0);
  set_status(store, "1.2.3.4:2", MP_STATUS_VALID, T0);
  ban(store, "1.2.3.4", 0, T0 + HOUR);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 2);
  CHECK_INT(mp_peer_ban_reason(get(store, "1.2.3.4:1")), MP_REASON_MANUAL);
  CHECK_INT(mp_peer_status_time(get(store, "1.2.3.4:1")), T0 + HOUR);
  ban(store, "1.2.3.0/24", 0, T0 + HOUR);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 3);
  struct mp_prefix prefix = prefix_at("1.2.3.0/24");
  mp_ban_remove(store, &prefix, T0 + HOUR, NULL);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 2);
  CHECK_INT(mp_ban_lift(store, &(struct mp_address){{0}, 0}, T0), 0);
  struct mp_address address = at("1.2.3.4:77");
  CHECK_INT(mp_ban_lift(store, &address, T0 + 2 * HOUR), 1);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_UNKNOWN), 3);
  CHECK_INT(mp_peer_ban_reason(get(store, "1.2.3.4:1")), MP_REASON_NONE);
  mp_store_close(store);
}

static void a_newcomer_under_a_ban_is_banned_and_stays_so(void) {
  struct mp_store *store = memory_store();
  ban(store, "1.2.3.0/24", 0, T0);
  const struct mp_peer *peer = add(store, "1.2.3.4", T0);
  CHECK(mp_peer_is_banned(peer));
  CHECK_INT(set_status(store, "1.2.3.4", MP_STATUS_VALID, T0), MP_ECONFIG);
  mp_store_expire(store, T0 + DAY, 1000);
  CHECK_INT(mp_peer_status(peer), MP_STATUS_UNKNOWN);
  mp_store_close(store);
}

static void a_wide_ban_reaches_many_peers_in_slices(void) {
  struct mp_store *store = memory_store();
  for (uint32_t i = 0; i < 20000; i++) {
    struct mp_address address = nth(i);
    mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address}, T0,
                    NULL);
  }
  ban(store, "2.0.0.0/8", 0, T0);
  unsigned slices = 0;
  while (mp_store_expire(store, T0, 1000))
    slices++;
  CHECK(slices >= 19);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 20000 / 8);
  while (mp_store_expire(store, T0 + DAY, 1000))
    continue;
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 0);
  mp_store_close(store);
}

static void count_bans(void *data, const struct mp_store_event *event) {
  int *sum = data;
  if (event->kind == MP_STORE_BAN_ADDED)
    *sum += event->ban->prefix.bits;
  if (event->kind == MP_STORE_BAN_REMOVED)
    *sum -= event->ban->prefix.bits;
}

static void listeners_hear_of_bans(void) {
  struct mp_store *store = memory_store();
  int sum = 0;
  struct mp_store_listener listener = {.fn = count_bans, .data = &sum};
  mp_store_listen(store, &listener);
  ban(store, "1.2.3.4", T0 + HOUR, T0);
  ban(store, "1.2.0.0/16", T0 + 2 * HOUR, T0);
  CHECK_INT(sum, 128 + 112);
  mp_store_expire(store, T0 + HOUR, 100);
  CHECK_INT(sum, 112);
  mp_store_close(store);
}

static void the_discouraged_are_remembered_up_to_a_bound(void) {
  struct mp_store *store = memory_store();
  struct mp_address first = at("9.9.9.9:1"), port = at("9.9.9.9:2");
  CHECK(!mp_is_discouraged(store, &first));
  CHECK_INT(mp_discourage(store, &first), 0);
  CHECK(mp_is_discouraged(store, &port));
  mp_encourage(store, &port);
  CHECK(!mp_is_discouraged(store, &first));
  CHECK_INT(mp_discourage(store, &first), 0);
  for (uint32_t i = 0; i < 49999; i++) {
    struct mp_address address = nth(i);
    CHECK_INT(mp_discourage(store, &address), 0);
  }
  CHECK(mp_is_discouraged(store, &first));
  CHECK_INT(mp_discourage(store, &first), 0); /* now the youngest */
  struct mp_address oldest = nth(0), more = at("8.8.8.8");
  CHECK_INT(mp_discourage(store, &more), 0);
  CHECK(mp_is_discouraged(store, &first));
  CHECK(!mp_is_discouraged(store, &oldest));
  mp_store_close(store);
}

TEST_MAIN(TEST(the_longest_prefix_wins_in_both_families),
          TEST(the_whole_of_a_family_can_be_banned),
          TEST(look_ups_agree_with_a_search_of_the_list),
          TEST(a_long_list_is_looked_up_the_same),
          TEST(a_ban_has_defaults_and_ends_in_a_day),
          TEST(behind_an_ended_ban_the_wider_one_shows),
          TEST(what_is_said_of_a_ban_is_kept_and_replaced),
          TEST(bans_that_make_no_sense_are_refused),
          TEST(a_full_list_drops_the_ban_soonest_to_expire),
          TEST(a_ban_reaches_the_peers_it_covers_on_every_port),
          TEST(a_newcomer_under_a_ban_is_banned_and_stays_so),
          TEST(a_wide_ban_reaches_many_peers_in_slices),
          TEST(listeners_hear_of_bans),
          TEST(the_discouraged_are_remembered_up_to_a_bound))
