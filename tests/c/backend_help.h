/* backend_help - what the tests of file backends share: each runs once per
 * backend. */
#ifndef TESTS_BACKEND_HELP_H
#define TESTS_BACKEND_HELP_H

#include "store_help.h"

static const char *scheme;
static char url[256], path[256];

/* Another file for every test. */
static inline void fresh(void) {
  static unsigned n;
  char name[32];
  snprintf(name, sizeof name, "store-%u", n++);
  snprintf(url, sizeof url, "%s", url_of(scheme, name));
  snprintf(path, sizeof path, "%s", path_of(name));
}

static inline struct mp_store *opened(void) {
  return store_at(url, (struct mp_store_options){0});
}

static inline struct mp_store *opened_to_read(void) {
  return store_at(url, (struct mp_store_options){.read_only = true});
}

static inline const char *beside(const char *suffix) {
  static char text[300];
  snprintf(text, sizeof text, "%s%s", path, suffix);
  return text;
}

static inline void save(struct mp_store *store) {
  struct mp_fault fault = {0};
  if (mp_store_save(store, &fault)) {
    fprintf(stderr, "%s\n", fault.text);
    CHECK(!"saved");
  }
}

/* A store with a bit of everything. */
static inline void fill(struct mp_store *store) {
  struct mp_peer_change all = {
      .fields = MP_PEER_STATUS | MP_PEER_SOURCE | MP_PEER_SERVICES |
                MP_PEER_PROTOCOL_VERSION | MP_PEER_START_HEIGHT |
                MP_PEER_LAST_SEEN | MP_PEER_LAST_TRIED |
                MP_PEER_FAILURES_COUNT | MP_PEER_RTT | MP_PEER_AGENT |
                MP_PEER_DATA_TEXT,
      .status = MP_STATUS_VALID,
      .source = {MP_SOURCE_PEER, at("5.6.7.8:9")},
      .services = 1234605616436508552,
      .protocol_version = 70016,
      .start_height = -7,
      .last_seen = T0 + MP_SECOND,
      .last_tried = T0 + 2 * MP_SECOND,
      .failures = 3,
      .rtt = 25000,
      .user_agent = "/\0\xff%\"\\\n/",
      .user_agent_size = 8,
      .data = "{\"big\":1234605616436508552,\"t\":\"}\\\"{\"}",
  };
  struct mp_address address = at("[2001:470::1]:18333");
  CHECK_INT(mp_store_create(
                store, NULL,
                &(struct mp_peer_new){.address = &address, .change = &all}, T0,
                NULL),
            0);
  add(store, "1.2.3.4:8333", T0);
  add(store, "1.2.3.5:8333", T0);
  CHECK_INT(set_status(store, "1.2.3.5:8333", MP_STATUS_BANNED, T0), 0);
  ban(store, "9.9.0.0/16", MP_BAN_FOREVER, T0);
  struct mp_ban more = {.prefix = prefix_at("2001:db8::/32"),
                        .reason = MP_REASON_MISBEHAVIOUR,
                        .origin = "policy \xc3\xa4",
                        .note = "sc\"an",
                        .expires = T0 + HOUR};
  CHECK_INT(mp_ban_add(store, &more, T0, NULL), 0);
  mp_store_set_value(store, "secret", "\0\1\2%", 4, NULL);
  mp_store_set_value(store, "empty", "", 0, NULL);
}

static inline void check_filled(struct mp_store *store) {
  struct mp_address address = at("[2001:470::1]:18333");
  const struct mp_peer *peer = mp_store_find(store, &address);
  struct mp_prefix prefix = prefix_at("2001:db8::/32");
  struct mp_source source;
  struct mp_ban found;
  size_t size;
  CHECK(peer != NULL);
  CHECK_INT(mp_peer_status(peer), MP_STATUS_VALID);
  CHECK_INT(mp_peer_status_time(peer), T0);
  mp_peer_source(peer, &source);
  CHECK_INT(source.kind, MP_SOURCE_PEER);
  CHECK_INT(source.address.port, 9);
  CHECK(mp_peer_services(peer) == 1234605616436508552);
  CHECK_INT(mp_peer_start_height(peer), -7);
  CHECK_INT(mp_peer_last_tried(peer), T0 + 2 * MP_SECOND);
  CHECK_INT(mp_peer_failures(peer), 3);
  CHECK_INT(mp_peer_rtt(peer), 25000);
  CHECK(memcmp(mp_peer_user_agent(peer, &size), "/\0\xff%\"\\\n/", 8) == 0);
  CHECK_INT(size, 8);
  CHECK_TEXT(mp_peer_data(peer),
             "{\"big\":1234605616436508552,\"t\":\"}\\\"{\"}");
  CHECK_INT(mp_store_count(store), 3);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 1);
  CHECK_INT(mp_peer_ban_reason(get(store, "1.2.3.5:8333")), MP_REASON_MANUAL);
  CHECK_INT(mp_ban_count(store), 2);
  CHECK(mp_ban_get(store, &prefix, &found));
  CHECK_TEXT(found.origin, "policy \xc3\xa4");
  CHECK_TEXT(found.note, "sc\"an");
  CHECK_INT(found.expires, T0 + HOUR);
  CHECK(memcmp(mp_store_value(store, "secret", &size), "\0\1\2%", 4) == 0);
  CHECK_INT(size, 4);
  CHECK(mp_store_value(store, "empty", &size) && size == 0);
}

/* A file with two saves, the first of which the good copy has. */
static inline void make(void) {
  fresh();
  struct mp_store *store = opened();
  fill(store);
  save(store);
  add(store, "7.7.7.7", T0);
  save(store); /* the good copy has what the first save had */
  mp_store_close(store);
}

/* Runs the tests of a list, `shared`, with each backend. */
#define BACKEND_MAIN                                                           \
  static void with_json(void) {                                                \
    run_shared("json", shared, sizeof shared / sizeof *shared);                \
  }                                                                            \
  static void with_sqlite(void) {                                              \
    run_shared("sqlite", shared, sizeof shared / sizeof *shared);              \
  }                                                                            \
  TEST_MAIN(TEST(with_json), TEST(with_sqlite))

static inline void run_shared(const char *with, const struct test *tests,
                              size_t n) {
  scheme = with;
  for (size_t i = 0; i < n; i++) {
    fprintf(stderr, "  - %s\n", tests[i].name);
    tests[i].run();
  }
}

#endif
