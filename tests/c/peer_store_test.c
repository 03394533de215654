/* peer_store_test - peers in memory: what a store does with them. */
#include "store_help.h"

static void a_new_peer_is_unknown_and_has_an_id(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.2.3.4:8333", T0);
  char text[MP_UUID_TEXT];
  size_t size;
  CHECK_INT(mp_peer_status(peer), MP_STATUS_UNKNOWN);
  CHECK_INT(mp_peer_status_time(peer), T0);
  CHECK_INT(mp_peer_first_seen(peer), T0);
  CHECK_INT(mp_peer_last_seen(peer), 0);
  CHECK_INT(mp_peer_ban_reason(peer), MP_REASON_NONE);
  CHECK(!mp_peer_is_valid(peer) && !mp_peer_is_banned(peer));
  CHECK_TEXT(mp_peer_user_agent(peer, &size), "");
  CHECK_TEXT(mp_peer_data(peer), "");
  mp_uuid_format(mp_peer_id(peer), text);
  CHECK_INT(text[14], '4'); /* of version 4 */
  CHECK(mp_store_read(store, mp_peer_id(peer)) == peer);
  CHECK(get(store, "1.2.3.4:8333") == peer);
  CHECK(get(store, "1.2.3.4:8334") == NULL);
  mp_store_close(store);
}

static void a_given_id_is_kept(void) {
  struct mp_store *store = memory_store();
  struct mp_address address = at("[2001:db9::1]:1");
  const struct mp_peer *peer;
  uint8_t id[MP_UUID_SIZE], other[MP_UUID_SIZE] = {1};
  char text[MP_UUID_TEXT];
  const char *name = "00112233-4455-6677-8899-aabbccddeeff";
  CHECK(mp_uuid_parse(id, name));
  CHECK(!mp_uuid_parse(other, "00112233-4455-6677-8899-aabbccddeefg"));
  CHECK(!mp_uuid_parse(other, "0011223344556677-8899-aabbccddeeff"));
  CHECK_INT(mp_store_create(
                store, &peer,
                &(struct mp_peer_new){.id = id, .address = &address}, T0, NULL),
            0);
  CHECK_TEXT(mp_uuid_format(mp_peer_id(peer), text), name);
  CHECK(mp_store_read(store, other) == NULL);
  mp_store_close(store);
}

static void duplicates_by_id_and_by_address_are_refused(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *first = add(store, "1.2.3.4:8333", T0), *peer;
  struct mp_address same = at("1.2.3.4:8333"), other = at("1.2.3.4:8334");
  struct mp_fault fault = {0};
  CHECK_INT(mp_store_create(store, &peer,
                            &(struct mp_peer_new){.address = &same}, T0,
                            &fault),
            MP_EDUPLICATE);
  CHECK(peer == first);
  CHECK(strstr(fault.text, "1.2.3.4:8333") != NULL);
  CHECK_INT(mp_store_create(store, &peer,
                            &(struct mp_peer_new){.id = mp_peer_id(first),
                                                  .address = &other},
                            T0, &fault),
            MP_EDUPLICATE);
  CHECK(peer == NULL);
  CHECK_INT(mp_store_count(store), 1);
  mp_store_close(store);
}

static void every_field_can_be_set_and_read(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.2.3.4:8333", T0);
  struct mp_source source;
  size_t size;
  struct mp_peer_change change = {
      .fields = MP_PEER_SOURCE | MP_PEER_SERVICES | MP_PEER_PROTOCOL_VERSION |
                MP_PEER_START_HEIGHT | MP_PEER_LAST_SEEN | MP_PEER_LAST_TRIED |
                MP_PEER_FAILURES_COUNT | MP_PEER_RTT | MP_PEER_AGENT |
                MP_PEER_DATA_TEXT,
      .source = {MP_SOURCE_PEER, at("5.6.7.8:1")},
      .services = UINT64_MAX,
      .protocol_version = 70016,
      .start_height = -1,
      .last_seen = T0 + MP_SECOND,
      .last_tried = T0 + 2 * MP_SECOND,
      .failures = 3,
      .rtt = 1234567,
      .user_agent = "/a\0b/",
      .user_agent_size = 5,
      .data = "{\"score\":9007199254740993}",
  };
  CHECK_INT(mp_store_update(store, mp_peer_id(peer), &change, T0, NULL), 0);
  mp_peer_source(peer, &source);
  CHECK_INT(source.kind, MP_SOURCE_PEER);
  CHECK_INT(source.address.port, 1);
  CHECK(mp_peer_services(peer) == UINT64_MAX);
  CHECK_INT(mp_peer_protocol_version(peer), 70016);
  CHECK_INT(mp_peer_start_height(peer), -1);
  CHECK_INT(mp_peer_last_seen(peer), T0 + MP_SECOND);
  CHECK_INT(mp_peer_last_tried(peer), T0 + 2 * MP_SECOND);
  CHECK_INT(mp_peer_failures(peer), 3);
  CHECK_INT(mp_peer_rtt(peer), 1234000);
  CHECK(memcmp(mp_peer_user_agent(peer, &size), "/a\0b/", 5) == 0);
  CHECK_INT(size, 5);
  CHECK_TEXT(mp_peer_data(peer), "{\"score\":9007199254740993}");
  change = (struct mp_peer_change){.fields = MP_PEER_START_HEIGHT,
                                   .start_height = 7};
  CHECK_INT(mp_store_update(store, mp_peer_id(peer), &change, T0, NULL), 0);
  CHECK_TEXT(mp_peer_data(peer), "{\"score\":9007199254740993}");
  CHECK_INT(mp_peer_protocol_version(peer), 70016);
  mp_store_close(store);
}

static void status_time_is_set_when_the_status_changes_and_only_then(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.2.3.4:8333", T0);
  const char *who = "1.2.3.4:8333";
  CHECK_INT(set_status(store, who, MP_STATUS_VALID, T0 + HOUR), 0);
  CHECK(mp_peer_is_valid(peer));
  CHECK_INT(mp_peer_status_time(peer), T0 + HOUR);
  CHECK_INT(set_status(store, who, MP_STATUS_VALID, T0 + 2 * HOUR), 0);
  CHECK_INT(mp_peer_status_time(peer), T0 + HOUR);
  CHECK_INT(set_status(store, who, MP_STATUS_INACCESSIBLE, T0 + 3 * HOUR), 0);
  CHECK(mp_peer_is_inaccessible(peer));
  CHECK_INT(mp_peer_status_time(peer), T0 + 3 * HOUR);
  CHECK_INT(set_status(store, who, MP_STATUS_UNKNOWN, T0 + 4 * HOUR), 0);
  CHECK_INT(mp_peer_status_time(peer), T0 + 4 * HOUR);
  mp_store_close(store);
}

static void a_peer_is_banned_for_each_reason_and_cleared(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.2.3.4:8333", T0);
  for (int i = MP_REASON_NONE + 1; i < MP_REASON_COUNT; i++) {
    struct mp_peer_change change = {.fields =
                                        MP_PEER_STATUS | MP_PEER_BAN_REASON,
                                    .status = MP_STATUS_BANNED,
                                    .ban_reason = (enum mp_ban_reason)i};
    CHECK_INT(mp_store_update(store, mp_peer_id(peer), &change, T0, NULL), 0);
    CHECK(mp_peer_is_banned(peer));
    CHECK_INT(mp_peer_ban_reason(peer), i);
    CHECK_INT(set_status(store, "1.2.3.4:8333", MP_STATUS_UNKNOWN, T0), 0);
    CHECK(!mp_peer_is_banned(peer));
    CHECK_INT(mp_peer_ban_reason(peer), MP_REASON_NONE);
  }
  CHECK_INT(set_status(store, "1.2.3.4:8333", MP_STATUS_BANNED, T0), 0);
  CHECK_INT(mp_peer_ban_reason(peer), MP_REASON_MANUAL);
  mp_store_close(store);
}

static void names_lead_there_and_back(void) {
  for (int i = 0; i < MP_STATUS_COUNT; i++)
    CHECK_INT(mp_status_value(mp_status_name((enum mp_status)i)), i);
  for (int i = 0; i < MP_REASON_COUNT; i++)
    CHECK_INT(mp_ban_reason_value(mp_ban_reason_name((enum mp_ban_reason)i)),
              i);
  for (int i = 0; i < MP_SOURCE_COUNT; i++)
    CHECK_INT(mp_source_kind_value(mp_source_kind_name((enum mp_source_kind)i)),
              i);
  CHECK_INT(mp_status_value("bannd"), -1);
  CHECK_TEXT(mp_status_name((enum mp_status)9), "invalid");
  CHECK_INT(mp_ban_reason_of(MP_ENETWORK), MP_REASON_NETWORK_MISMATCH);
  CHECK_INT(mp_ban_reason_of(MP_EUSER_AGENT), MP_REASON_BANNED_USER_AGENT);
  CHECK_INT(mp_ban_reason_of(MP_EFLOOD), MP_REASON_MISBEHAVIOUR);
}

static void what_is_out_of_range_is_refused_and_changes_nothing(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.2.3.4:8333", T0);
  struct mp_address no_port = at("1.2.3.4:8333");
  const struct mp_peer_change bad[] = {
      {.fields = MP_PEER_STATUS, .status = (enum mp_status)4},
      {.fields = MP_PEER_BAN_REASON, .ban_reason = (enum mp_ban_reason)6},
      {.fields = MP_PEER_BAN_REASON, .ban_reason = MP_REASON_MANUAL},
      {.fields = MP_PEER_SOURCE, .source.kind = (enum mp_source_kind)9},
      {.fields = MP_PEER_LAST_SEEN, .last_seen = -1},
      {.fields = MP_PEER_FIRST_SEEN, .first_seen = INT64_MAX},
      {.fields = MP_PEER_RTT, .rtt = -5},
      {.fields = MP_PEER_DATA_TEXT, .data = "[1]"},
      {.fields = MP_PEER_DATA_TEXT, .data = "{\"a\":1} x"},
      {.fields = MP_PEER_DATA_TEXT | MP_PEER_SERVICES,
       .data = "{",
       .services = 5},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct mp_fault fault = {0};
    CHECK_INT(mp_store_update(store, mp_peer_id(peer), bad + i, T0, &fault),
              MP_ECONFIG);
    CHECK(fault.text[0] != '\0');
  }
  CHECK_INT(mp_peer_services(peer), 0);
  no_port.port = 0;
  CHECK_INT(mp_store_create(store, NULL,
                            &(struct mp_peer_new){.address = &no_port}, T0,
                            NULL),
            MP_ECONFIG);
  mp_store_close(store);
}

static void a_missing_id_is_not_found(void) {
  struct mp_store *store = memory_store();
  uint8_t id[MP_UUID_SIZE] = {9};
  struct mp_peer_change change = {0};
  CHECK(mp_store_read(store, id) == NULL);
  CHECK_INT(mp_store_update(store, id, &change, T0, NULL), MP_ENOT_FOUND);
  CHECK_INT(mp_store_delete(store, id, NULL), MP_ENOT_FOUND);
  mp_store_close(store);
}

static void a_deleted_peer_is_gone_everywhere(void) {
  struct mp_store *store = memory_store();
  uint8_t id[MP_UUID_SIZE];
  memcpy(id, mp_peer_id(add(store, "1.2.3.4:8333", T0)), sizeof id);
  add(store, "1.2.3.5:8333", T0);
  CHECK_INT(mp_store_delete(store, id, NULL), 0);
  CHECK_INT(mp_store_delete(store, id, NULL), MP_ENOT_FOUND);
  CHECK(get(store, "1.2.3.4:8333") == NULL);
  CHECK_INT(mp_store_count(store), 1);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_UNKNOWN), 1);
  add(store, "1.2.3.4:8333", T0); /* and may come again */
  mp_store_close(store);
}

static void counts_follow_every_change(void) {
  struct mp_store *store = memory_store();
  for (uint32_t i = 0; i < 1000; i++) {
    struct mp_address address = nth(i);
    const struct mp_peer *peer;
    struct mp_peer_change change = {.fields = MP_PEER_STATUS,
                                    .status = (enum mp_status)(i % 4)};
    CHECK_INT(mp_store_create(
                  store, &peer,
                  &(struct mp_peer_new){.address = &address, .change = &change},
                  T0, NULL),
              0);
    change.status = (enum mp_status)(i / 4 % 4);
    CHECK_INT(mp_store_update(store, mp_peer_id(peer), &change, T0, NULL), 0);
    if (i % 5 == 0)
      CHECK_INT(mp_store_delete(store, mp_peer_id(peer), NULL), 0);
  }
  uint32_t wanted[4] = {0}, sum = 0;
  for (uint32_t i = 0; i < 1000; i++)
    wanted[i / 4 % 4] += i % 5 != 0;
  for (int i = 0; i < 4; i++) {
    CHECK_INT(mp_store_count_by_status(store, (enum mp_status)i), wanted[i]);
    sum += wanted[i];
  }
  CHECK_INT(mp_store_count(store), sum);
  CHECK_INT(mp_store_count_by_status(store, (enum mp_status)7), 0);
  mp_store_close(store);
}

/* Against a plain array, so that growing tables lose nothing. */
static void many_peers_of_both_families_are_found(void) {
  enum { N = 20000 };
  struct mp_store *store = memory_store();
  static bool is_there[N];
  uint32_t seed = 1;
  for (int round = 0; round < 3 * N; round++) {
    seed = seed * 1664525 + 1013904223;
    uint32_t i = (seed >> 8) % N;
    struct mp_address address = nth(i / 2);
    if (i % 2)
      memcpy(address.ip, "\x24\x01\0\0\0\0\0\0\0\0\0\0", 12);
    const struct mp_peer *peer = mp_store_find(store, &address);
    CHECK((peer != NULL) == is_there[i]);
    if (peer)
      CHECK_INT(mp_store_delete(store, mp_peer_id(peer), NULL), 0);
    else
      CHECK_INT(mp_store_create(store, NULL,
                                &(struct mp_peer_new){.address = &address}, T0,
                                NULL),
                0);
    is_there[i] = !is_there[i];
  }
  mp_store_close(store);
}

TEST_MAIN(TEST(a_new_peer_is_unknown_and_has_an_id), TEST(a_given_id_is_kept),
          TEST(duplicates_by_id_and_by_address_are_refused),
          TEST(every_field_can_be_set_and_read),
          TEST(status_time_is_set_when_the_status_changes_and_only_then),
          TEST(a_peer_is_banned_for_each_reason_and_cleared),
          TEST(names_lead_there_and_back),
          TEST(what_is_out_of_range_is_refused_and_changes_nothing),
          TEST(a_missing_id_is_not_found),
          TEST(a_deleted_peer_is_gone_everywhere),
          TEST(counts_follow_every_change),
          TEST(many_peers_of_both_families_are_found))
