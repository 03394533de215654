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

/* Random prefixes against a plain list of them, adding and removing. */
static void look_ups_agree_with_a_search_of_the_list(void) {
  enum { N = 400 };
  struct mp_store *store = memory_store();
  struct mp_prefix prefixes[N];
  bool is_there[N] = {false};
  uint32_t seed = 5;
  for (int i = 0; i < N; i++) { /* few distinct bits: much nesting */
    struct mp_address address = at("0.0.0.0");
    seed = seed * 1664525 + 1013904223;
    unsigned bits = 96 + (seed >> 9) % 33;
    for (int j = 12; j < 16; j++) {
      seed = seed * 1664525 + 1013904223;
      address.ip[j] = (uint8_t)(seed >> 30);
    }
    prefixes[i] = mp_prefix_of(&address);
    prefixes[i].bits = (uint8_t)bits;
    for (unsigned j = bits; j < 128; j++)
      prefixes[i].ip[j / 8] &= (uint8_t) ~(0x80 >> j % 8);
  }
  for (int round = 0; round < 5000; round++) {
    seed = seed * 1664525 + 1013904223;
    int i = (int)(seed >> 10) % N, same = 0;
    for (int j = 0; j < N; j++)
      if (j != i && is_there[j] &&
          memcmp(prefixes + i, prefixes + j, sizeof *prefixes) == 0)
        same = 1;
    if (same)
      continue;
    struct mp_ban made = {.prefix = prefixes[i]};
    if (is_there[i])
      CHECK_INT(mp_ban_remove(store, prefixes + i, T0, NULL), 0);
    else
      CHECK_INT(mp_ban_add(store, &made, T0, NULL), 0);
    is_there[i] = !is_there[i];
    struct mp_address address = {{0}, 1};
    memcpy(address.ip, prefixes[(seed >> 3) % N].ip, 16);
    address.ip[15] ^= (uint8_t)(seed >> 29);
    int best = -1;
    for (int j = 0; j < N; j++)
      if (is_there[j] && mp_prefix_contains(prefixes + j, &address) &&
          (best < 0 || prefixes[j].bits > prefixes[best].bits))
        best = j;
    struct mp_ban found;
    CHECK_INT(mp_ban_find(store, &address, T0, &found), best >= 0);
    if (best >= 0)
      CHECK(memcmp(&found.prefix, prefixes + best, sizeof *prefixes) == 0);
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
    mp_store_create(store, NULL, NULL, &address, NULL, T0, NULL);
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

static const char bitcoin[] =
    "{\"banned_nets\": [\n"
    "{\"version\": 1, \"ban_created\": 1799999000, \"banned_until\": "
    "1800003600, \"address\": \"1.2.3.0/24\"},\n"
    "{\"version\": 1, \"ban_created\": 1799999000, \"banned_until\": "
    "1799999999, \"address\": \"9.9.9.9/32\"},\n"
    "{\"version\": 1, \"ban_created\": 1799999000, \"banned_until\": "
    "253402300799, \"address\": \"2001:470::/32\"}]}";

static void bitcoins_banlist_is_read_and_written(void) {
  struct mp_store *store = memory_store(), *other = memory_store();
  struct mp_ban_import options = {.name = "banlist.json"};
  char *text;
  size_t size;
  CHECK_INT(mp_ban_import(store, MP_BAN_JSON, bitcoin, strlen(bitcoin),
                          &options, T0, NULL),
            0);
  CHECK_INT(options.added, 2);
  CHECK_INT(options.expired, 1);
  CHECK_TEXT(banned_by(store, "1.2.3.4"), "1.2.3.0/24");
  CHECK(!is_banned(store, "1.2.3.4", T0 + HOUR));
  CHECK(is_banned(store, "2001:470::9", T0 + 9000 * DAY));
  CHECK_INT(mp_ban_export(store, MP_BAN_JSON, &text, &size), 0);
  CHECK(strstr(text, "\"banned_until\": 253402300799"));
  CHECK(strstr(text, "\"ban_created\": 1799999000"));
  CHECK_INT(mp_ban_import(other, MP_BAN_JSON, text, size, &options, T0, NULL),
            0);
  CHECK_INT(mp_ban_count(other), 2);
  free(text);
  mp_store_close(store);
  mp_store_close(other);
}

static void an_end_beyond_all_clocks_is_for_ever(void) {
  struct mp_store *store = memory_store();
  struct mp_ban_import options = {0};
  struct mp_prefix prefix = prefix_at("1.2.3.4");
  struct mp_ban found;
  const char *list = "{\"banned_nets\":[{\"address\":\"1.2.3.4\","
                     "\"ban_created\":1,\"banned_until\":12900000000}]}";
  CHECK_INT(
      mp_ban_import(store, MP_BAN_JSON, list, strlen(list), &options, T0, NULL),
      0);
  CHECK(mp_ban_get(store, &prefix, &found));
  CHECK(found.expires == MP_BAN_FOREVER);
  mp_store_close(store);
}

static void plain_text_is_read_and_written(void) {
  struct mp_store *store = memory_store();
  struct mp_ban_import options = {.expires = MP_BAN_FOREVER};
  const char *list = "# bad ones\n\n 1.2.3.0/24 # all\r\n2001:470::\n9.9.9.9";
  char *text;
  size_t size;
  CHECK_INT(mp_ban_import(store, MP_BAN_PLAIN, list, strlen(list), &options, T0,
                          NULL),
            0);
  CHECK_INT(options.added, 3);
  CHECK(is_banned(store, "9.9.9.9", T0 + 9000 * DAY));
  CHECK_INT(mp_ban_export(store, MP_BAN_PLAIN, &text, &size), 0);
  CHECK_TEXT(text, "1.2.3.0/24\n2001:470::\n9.9.9.9\n");
  CHECK_INT(size, strlen(text));
  free(text);
  mp_store_close(store);
}

static void a_bad_list_is_refused_whole_and_says_where(void) {
  const struct {
    enum mp_ban_format format;
    const char *text, *where;
  } bad[] = {
      {MP_BAN_PLAIN, "1.2.3.4\n1.2.3.4/33\n", "f: line 2"},
      {MP_BAN_PLAIN, "1.2.3.4 5.6.7.8\n", "f: line 1"},
      {MP_BAN_PLAIN, "\n\n1.2.3.4/8\n", "f: line 3"},
      {MP_BAN_JSON, "", "f: expected"},
      {MP_BAN_JSON, "[]", "f: expected"},
      {MP_BAN_JSON, "{\"banned_nets\":{}}", "f: expected"},
      {MP_BAN_JSON, "{\"banned_nets\":[7]}", "f: entry 1: address"},
      {MP_BAN_JSON,
       "{\"banned_nets\":[{\"address\":\"1.2.3.4\",\"ban_created\":\"x\"}]}",
       "f: entry 1: ban_created"},
      {MP_BAN_JSON,
       "{\"banned_nets\":[{\"address\":\"1.2.3.4\",\"ban_created\":1,"
       "\"banned_until\":1900000000},{\"address\":\"1.2.3.400\","
       "\"ban_created\":1,\"banned_until\":1900000000}]}",
       "f: entry 2:"},
  };
  struct mp_store *store = memory_store();
  struct mp_ban_import options = {.name = "f"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct mp_fault fault = {0};
    CHECK_INT(mp_ban_import(store, bad[i].format, bad[i].text,
                            strlen(bad[i].text), &options, T0, &fault),
              MP_ECONFIG);
    if (strncmp(fault.text, bad[i].where, strlen(bad[i].where)) != 0)
      CHECK_TEXT(fault.text, bad[i].where);
  }
  CHECK_INT(mp_ban_count(store), 0);
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
          TEST(a_ban_has_defaults_and_ends_in_a_day),
          TEST(behind_an_ended_ban_the_wider_one_shows),
          TEST(what_is_said_of_a_ban_is_kept_and_replaced),
          TEST(bans_that_make_no_sense_are_refused),
          TEST(a_full_list_drops_the_ban_soonest_to_expire),
          TEST(a_ban_reaches_the_peers_it_covers_on_every_port),
          TEST(a_newcomer_under_a_ban_is_banned_and_stays_so),
          TEST(a_wide_ban_reaches_many_peers_in_slices),
          TEST(listeners_hear_of_bans),
          TEST(bitcoins_banlist_is_read_and_written),
          TEST(an_end_beyond_all_clocks_is_for_ever),
          TEST(plain_text_is_read_and_written),
          TEST(a_bad_list_is_refused_whole_and_says_where),
          TEST(the_discouraged_are_remembered_up_to_a_bound))
