/* group_test - network groups, asmap, and what one source may place. */
#include "store_help.h"

static const struct {
  const char *ip, *reference;
} vectors[] = {
    /* from the reference implementation's tests and rules */
    {"250.1.1.1", "01fa01"},
    {"8.8.8.8", "010808"},
    {"127.0.0.1", "00"},
    {"10.1.2.3", "00"},
    {"203.0.113.7", "00"},
    {"100.64.0.1", "00"},
    {"::1", "00"},
    {"2001:4860:4860::8888", "0220014860"},
    {"2001:470:1f0b:4::1", "02200104701f"},
    {"2001:0:1:2:3:4:fefd:fcfb", "010102"},
    {"fc00::1", "00"},
    {"2001:db8::1", "00"},
    /* by the same rules */
    {"172.31.255.255", "00"},
    {"172.32.0.0", "01ac20"},
    {"100.128.0.1", "016480"},
    {"198.19.0.1", "00"},
    {"255.255.255.255", "00"},
    {"2002:0102:0304::1", "010102"},
    {"64:ff9b::102:304", "010102"},
    {"::ffff:0:102:304", "010102"},
    {"2001:10::1", "00"},
    {"fe80::1", "00"},
    {"fe80:0:0:1::1", "02fe800000"},
};

static const char *hex(const struct mp_group *group) {
  static char text[2 * MP_GROUP_SIZE + 1];
  for (int i = 0; i < group->size; i++)
    sprintf(text + 2 * i, "%02x", group->bytes[i]);
  return text;
}

static void groups_are_those_of_the_reference(void) {
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    struct mp_address address = at(vectors[i].ip);
    struct mp_group group;
    mp_group_reference(&address, &group);
    if (strcmp(hex(&group), vectors[i].reference) != 0)
      fprintf(stderr, "%s\n", vectors[i].ip);
    CHECK_TEXT(hex(&group), vectors[i].reference);
    CHECK_INT(mp_address_is_routable(&address),
              strcmp(vectors[i].reference, "00") != 0);
    mp_group_of(&address, &group);
    if (mp_address_is_routable(&address))
      CHECK_TEXT(hex(&group), vectors[i].reference);
    else
      CHECK_INT(group.size, 17);
  }
}

static void what_is_not_routable_is_a_group_each(void) {
  struct mp_group one, other;
  struct mp_address a = at("127.0.0.1"), b = at("127.0.0.2");
  mp_group_of(&a, &one);
  mp_group_of(&b, &other);
  CHECK(memcmp(&one, &other, sizeof one) != 0);
  a.port++;
  mp_group_of(&a, &other);
  CHECK(memcmp(&one, &other, sizeof one) == 0);
}

static struct mp_store *store_with_asmap(const char *text) {
  spit(path_of("asmap"), text, strlen(text));
  return store_at("memory:",
                  (struct mp_store_options){.asmap = path_of("asmap")});
}

static void an_asmap_makes_one_group_of_a_systems_prefixes(void) {
  struct mp_store *store =
      store_with_asmap("# map\n1.2.0.0/16 AS7\n5.0.0.0/8 7 # too\n5.6.0.0/16 "
                       "8\n2001:470::/32 7");
  struct mp_address a = at("1.2.3.4"), b = at("5.9.9.9"), c = at("5.6.1.1"),
                    d = at("2001:470::1"), e = at("9.9.9.9");
  struct mp_group one, other;
  mp_store_group(store, &a, &one);
  mp_store_group(store, &b, &other);
  CHECK(memcmp(&one, &other, sizeof one) == 0);
  mp_store_group(store, &d, &other);
  CHECK(memcmp(&one, &other, sizeof one) == 0);
  mp_store_group(store, &c, &other);
  CHECK(memcmp(&one, &other, sizeof one) != 0);
  mp_store_group(store, &e, &other);
  CHECK_TEXT(hex(&other), "010909");
  mp_store_close(store);
}

static void a_bad_asmap_says_where(void) {
  const char *const bad[] = {"1.2.0.0/16 AS7\n1.2.0.0/16\n", "\n1.2.0.0/16 x",
                             "\n1.2.0.0/99 1", "\n1.2.0.0/16 1 2",
                             "\n1.2.0.0/16 0"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct mp_store_options options = {.asmap = path_of("asmap")};
    struct mp_store *store;
    struct mp_fault fault = {0};
    spit(path_of("asmap"), bad[i], strlen(bad[i]));
    CHECK_INT(mp_store_open(&store, "memory:", &options, &fault), MP_ECONFIG);
    CHECK(strstr(fault.text, "line 2"));
  }
}

/* --- sources */

static const struct mp_source *from(const char *text) {
  static struct mp_source source;
  source = (struct mp_source){MP_SOURCE_PEER, at(text)};
  return &source;
}

static int hear(struct mp_store *store, uint32_t i,
                const struct mp_source *source, int64_t now) {
  struct mp_address address = nth(i);
  return mp_store_hear(store, NULL,
                       &(struct mp_hearsay){.address = &address,
                                            .source = source,
                                            .services = 1},
                       now, NULL);
}

static void a_source_may_name_one_address_in_ten_seconds(void) {
  struct mp_store *store = memory_store();
  const struct mp_source *source = from("60.1.1.1:5");
  CHECK_INT(hear(store, 0, source, T0), 0);
  CHECK_INT(hear(store, 1, source, T0), MP_ELIMIT);
  CHECK_INT(hear(store, 1, source, T0 + 9 * MP_SECOND), MP_ELIMIT);
  CHECK_INT(hear(store, 1, from("60.1.1.1:6"), T0 + 10 * MP_SECOND), 0);
  CHECK_INT(hear(store, 2, from("60.1.1.2:5"), T0 + 10 * MP_SECOND), 0);
  CHECK_INT(hear(store, 2, from("61.1.1.2:5"), T0), MP_EDUPLICATE);
  mp_store_close(store);
}

static void what_we_asked_for_may_come_at_once(void) {
  struct mp_store *store = memory_store();
  const struct mp_source *source = from("60.1.1.1:5");
  unsigned taken = 0;
  mp_store_expect(store, source, 5000, T0);
  for (uint32_t i = 0; i < 2000; i++)
    taken += hear(store, i, source, T0) == 0;
  CHECK_INT(taken, 1000);
  mp_store_close(store);
}

static void a_source_group_places_so_many_and_no_more(void) {
  struct mp_store *store = memory_store();
  unsigned taken = 0;
  for (uint32_t i = 0; i < 3000; i++) {
    struct mp_source source = *from("60.1.0.0:5");
    source.address.ip[14] = (uint8_t)i; /* other hosts of one group */
    source.address.ip[15] = (uint8_t)(i >> 8);
    taken += hear(store, i, &source, T0) == 0;
  }
  CHECK_INT(taken, MP_STORE_PER_SOURCE);
  CHECK_INT(hear(store, 3001, from("61.1.1.1:5"), T0), 0);
  CHECK_INT(hear(store, 3002, from("60.1.250.250:5"), T0), MP_ELIMIT);
  struct mp_address first = nth(0); /* one that goes makes room */
  mp_store_delete(store, mp_peer_id(mp_store_find(store, &first)), NULL);
  CHECK_INT(hear(store, 3002, from("60.1.250.251:5"), T0), 0);
  mp_store_close(store);
}

/* The i-th of a group of many, as this source has it. */
static struct mp_address neighbour(int i) {
  struct mp_address address = at("70.1.1.0:8333");
  address.ip[15] = (uint8_t)i;
  return address;
}

static int hear_neighbour(struct mp_store *store, int i,
                          const struct mp_source *source) {
  struct mp_address address = neighbour(i);
  return mp_store_hear(store, NULL,
                       &(struct mp_hearsay){.address = &address,
                                            .source = source,
                                            .services = 0},
                       T0, NULL);
}

static void a_source_group_places_few_into_one_group(void) {
  struct mp_store *store = memory_store();
  const struct mp_source *source = from("60.1.1.1:5");
  int taken = 0;
  mp_store_expect(store, source, 1000, T0);
  for (int i = 0; i < 200; i++)
    taken += hear_neighbour(store, i, source) == 0;
  CHECK_INT(taken, MP_STORE_PER_BUCKET);
  struct mp_address address = neighbour(0); /* one that goes makes room */
  mp_store_delete(store, mp_peer_id(mp_store_find(store, &address)), NULL);
  CHECK_INT(hear_neighbour(store, 201, source), 0);
  CHECK_INT(hear_neighbour(store, 202, source), MP_ELIMIT);
  address = neighbour(1); /* and so does one that somebody else vouches for */
  struct mp_peer_change change = {.fields = MP_PEER_SOURCE,
                                  .source = {.kind = MP_SOURCE_MANUAL}};
  mp_store_update(store, mp_peer_id(mp_store_find(store, &address)), &change,
                  T0, NULL);
  CHECK_INT(hear_neighbour(store, 202, source), 0);
  CHECK_INT(hear_neighbour(store, 203, source), MP_ELIMIT);
  mp_store_close(store);
}

static void hearsay_does_not_displace_what_worked(void) {
  struct mp_store *store =
      store_at("memory:", (struct mp_store_options){.capacity = 1});
  add(store, "1.0.0.1", T0);
  CHECK_INT(hear(store, 1, from("60.1.1.1:5"), T0), 0);
  struct mp_address address = nth(1);
  struct mp_peer_change change = {.fields = MP_PEER_LAST_SEEN, .last_seen = T0};
  mp_store_update(store, mp_peer_id(mp_store_find(store, &address)), &change,
                  T0, NULL);
  CHECK_INT(hear(store, 2, from("61.1.1.1:5"), T0), MP_ELIMIT);
  mp_store_close(store);
}

static void seeds_and_operators_are_not_limited(void) {
  struct mp_store *store = memory_store();
  struct mp_source source = {.kind = MP_SOURCE_DNS};
  for (uint32_t i = 0; i < 2000; i++)
    CHECK_INT(hear(store, i, &source, T0), 0);
  mp_store_close(store);
}

TEST_MAIN(TEST(groups_are_those_of_the_reference),
          TEST(what_is_not_routable_is_a_group_each),
          TEST(an_asmap_makes_one_group_of_a_systems_prefixes),
          TEST(a_bad_asmap_says_where),
          TEST(a_source_may_name_one_address_in_ten_seconds),
          TEST(what_we_asked_for_may_come_at_once),
          TEST(a_source_group_places_so_many_and_no_more),
          TEST(a_source_group_places_few_into_one_group),
          TEST(hearsay_does_not_displace_what_worked),
          TEST(seeds_and_operators_are_not_limited))
