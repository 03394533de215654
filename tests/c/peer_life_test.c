/* peer_life_test - who goes when a store is full, what ends with time, who is
 * told. */
#include "store_help.h"

static struct mp_store *small_store(uint32_t capacity) {
  return store_at("memory:", (struct mp_store_options){.capacity = capacity});
}

static void worked(struct mp_store *store, const char *text, int64_t now) {
  struct mp_peer_change change = {.fields = MP_PEER_LAST_SEEN | MP_PEER_STATUS,
                                  .last_seen = now,
                                  .status = MP_STATUS_VALID};
  CHECK_INT(
      mp_store_update(store, mp_peer_id(get(store, text)), &change, now, NULL),
      0);
}

static void seen(struct mp_store *store, const char *text, int64_t now) {
  struct mp_peer_change change = {.fields = MP_PEER_LAST_SEEN,
                                  .last_seen = now};
  CHECK_INT(
      mp_store_update(store, mp_peer_id(get(store, text)), &change, now, NULL),
      0);
}

static void a_full_store_lets_the_worst_go_first(void) {
  struct mp_store *store = small_store(5);
  add(store, "1.0.0.1", T0);
  add(store, "1.0.0.2", T0);
  add(store, "1.0.0.3", T0);
  add(store, "1.0.0.4", T0);
  add(store, "1.0.0.5", T0);
  worked(store, "1.0.0.1", T0);
  CHECK_INT(set_status(store, "1.0.0.2", MP_STATUS_BANNED, T0), 0);
  CHECK_INT(set_status(store, "1.0.0.5", MP_STATUS_INACCESSIBLE, T0), 0);
  add(store, "2.0.0.1", T0 + HOUR);
  CHECK(!get(store, "1.0.0.5")); /* inaccessible, never worked */
  add(store, "2.0.0.2", T0 + HOUR);
  CHECK(!get(store, "1.0.0.3")); /* never worked, the oldest */
  worked(store, "1.0.0.4", T0 + HOUR);
  worked(store, "2.0.0.1", T0 + HOUR);
  worked(store, "2.0.0.2", T0 + HOUR);
  add(store, "2.0.0.3", T0 + 2 * HOUR);
  CHECK(!get(store, "1.0.0.1")); /* worked, the longest ago */
  CHECK(get(store, "1.0.0.2"));  /* banned */
  CHECK_INT(mp_store_count(store), 5);
  mp_store_close(store);
}

/* Peers of every kind, in the order they go; what is said of the status here
 * it has at last. */
static void who_goes_follows_from_status_and_success(void) {
  static const struct {
    const char *address;
    enum mp_status status;
    bool has_worked;
  } kinds[] = {
      {"1.0.0.1", MP_STATUS_INACCESSIBLE, false},
      {"1.0.0.2", MP_STATUS_UNKNOWN, false},
      {"1.0.0.3", MP_STATUS_VALID, false},
      {"1.0.0.4", MP_STATUS_INACCESSIBLE, true},
      {"1.0.0.5", MP_STATUS_UNKNOWN, true},
      {"1.0.0.6", MP_STATUS_VALID, true},
      {"1.0.0.7", MP_STATUS_BANNED, true},
  };
  enum { KINDS = sizeof kinds / sizeof *kinds };
  for (int late = 0; late < 2;
       late++) { /* success before the status, or after */
    struct mp_store *store = small_store(KINDS);
    for (int i = KINDS - 1; i >= 0; i--) {
      add(store, kinds[i].address, T0);
      if (kinds[i].has_worked && !late)
        worked(store, kinds[i].address, T0);
      set_status(store, kinds[i].address, kinds[i].status, T0);
      if (kinds[i].has_worked && late)
        seen(store, kinds[i].address, T0);
    }
    for (uint32_t i = 0; i + 1 < KINDS; i++) {
      struct mp_address address = nth(i);
      char text[MP_ADDRESS_TEXT];
      mp_address_format(&address, text);
      CHECK(get(store, kinds[i].address));
      add(store, text, T0 + HOUR);
      worked(store, text, T0 + HOUR);
      CHECK(!get(store, kinds[i].address));
    }
    CHECK(get(store, "1.0.0.7"));
    mp_store_close(store);
  }
}

static void the_newcomer_is_not_the_one_to_go(void) {
  struct mp_store *store = small_store(2);
  add(store, "1.0.0.1", T0);
  add(store, "1.0.0.2", T0);
  worked(store, "1.0.0.1", T0);
  worked(store, "1.0.0.2", T0);
  add(store, "1.0.0.3", T0);
  CHECK(get(store, "1.0.0.3") && !get(store, "1.0.0.1"));
  mp_store_close(store);
}

static void a_smaller_capacity_evicts_with_time(void) {
  struct mp_store *store = small_store(100);
  struct mp_fault fault;
  for (uint32_t i = 0; i < 100; i++) {
    struct mp_address address = nth(i);
    mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address}, T0,
                    NULL);
  }
  struct mp_store_options options = {.capacity = 10};
  CHECK_INT(mp_store_configure(store, &options, &fault), 0);
  CHECK(mp_store_expire(store, T0, 50));
  while (mp_store_expire(store, T0, 50))
    continue;
  CHECK_INT(mp_store_count(store), 10);
  options.capacity = UINT32_MAX;
  CHECK_INT(mp_store_configure(store, &options, &fault), MP_ECONFIG);
  mp_store_close(store);
}

static void expire_all(struct mp_store *store, int64_t now) {
  while (mp_store_expire(store, now, 7))
    continue;
}

static void inaccessible_peers_become_unknown_again(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.0.0.1", T0);
  set_status(store, "1.0.0.1", MP_STATUS_INACCESSIBLE, T0);
  expire_all(store, T0 + DAY - MP_SECOND);
  CHECK(mp_peer_is_inaccessible(peer));
  expire_all(store, T0 + DAY);
  CHECK_INT(mp_peer_status(peer), MP_STATUS_UNKNOWN);
  CHECK_INT(mp_peer_status_time(peer), T0 + DAY);
  mp_store_close(store);
}

static void a_peers_own_ban_ends_and_clears_its_reason(void) {
  struct mp_store *store = memory_store();
  const struct mp_peer *peer = add(store, "1.0.0.1", T0);
  set_status(store, "1.0.0.1", MP_STATUS_BANNED, T0);
  expire_all(store, T0 + DAY - MP_SECOND);
  CHECK(mp_peer_is_banned(peer));
  expire_all(store, T0 + DAY);
  CHECK_INT(mp_peer_status(peer), MP_STATUS_UNKNOWN);
  CHECK_INT(mp_peer_ban_reason(peer), MP_REASON_NONE);
  mp_store_close(store);
}

static void stale_peers_are_deleted_by_status(void) {
  struct mp_store *store = memory_store();
  add(store, "1.0.0.1", T0);
  add(store, "1.0.0.2", T0);
  add(store, "1.0.0.3", T0);
  worked(store, "1.0.0.2", T0);
  set_status(store, "1.0.0.3", MP_STATUS_BANNED, T0 + 29 * DAY);
  expire_all(store, T0 + 7 * DAY - MP_SECOND);
  CHECK_INT(mp_store_count(store), 3);
  expire_all(store, T0 + 8 * DAY);
  CHECK(!get(store, "1.0.0.1"));
  expire_all(store, T0 + 29 * DAY);
  CHECK(get(store, "1.0.0.2"));
  expire_all(store, T0 + 30 * DAY);
  CHECK(!get(store, "1.0.0.2"));
  CHECK(!get(store, "1.0.0.3")); /* unknown again, and never worked */
  mp_store_close(store);
}

struct told {
  unsigned created, updated, deleted, banned, unbanned;
  enum mp_status before, after;
  enum mp_store_cause cause;
};

static void hear_of(void *data, const struct mp_store_event *event) {
  struct told *told = data;
  told->created += event->kind == MP_STORE_PEER_CREATED;
  told->updated += event->kind == MP_STORE_PEER_UPDATED;
  told->deleted += event->kind == MP_STORE_PEER_DELETED;
  told->banned += event->kind == MP_STORE_BAN_ADDED;
  told->unbanned += event->kind == MP_STORE_BAN_REMOVED;
  told->before = event->before;
  if (event->kind == MP_STORE_PEER_DELETED)
    told->cause = event->cause;
  if (event->peer)
    told->after = mp_peer_status(event->peer);
}

static void listeners_are_told_of_every_change(void) {
  struct mp_store *store = small_store(2);
  struct told told = {0}, other = {0};
  struct mp_store_listener one = {.fn = hear_of, .data = &told};
  struct mp_store_listener two = {.fn = hear_of, .data = &other};
  mp_store_listen(store, &one);
  mp_store_listen(store, &two);
  add(store, "1.0.0.1", T0);
  set_status(store, "1.0.0.1", MP_STATUS_VALID, T0);
  CHECK_INT(told.before, MP_STATUS_UNKNOWN);
  CHECK_INT(told.after, MP_STATUS_VALID);
  add(store, "1.0.0.2", T0);
  mp_store_unlisten(&two);
  mp_store_unlisten(&two);
  add(store, "1.0.0.3", T0);
  CHECK_INT(told.cause, MP_STORE_EVICTED);
  CHECK_INT(told.created, 3);
  CHECK_INT(told.updated, 1);
  CHECK_INT(told.deleted, 1);
  CHECK_INT(other.created, 2);
  mp_store_close(store);
  mp_store_unlisten(&one);
}

static void values_are_kept_by_name(void) {
  struct mp_store *store = memory_store();
  size_t size;
  CHECK_INT(mp_store_set_value(store, "b", "12\0", 3, NULL), 0);
  CHECK_INT(mp_store_set_value(store, "a", "", 0, NULL), 0);
  CHECK(memcmp(mp_store_value(store, "b", &size), "12\0", 3) == 0);
  CHECK_INT(size, 3);
  CHECK(mp_store_value(store, "a", &size) != NULL && size == 0);
  CHECK(mp_store_value(store, "c", &size) == NULL);
  CHECK_TEXT(mp_store_next_value(store, NULL), "a");
  CHECK_TEXT(mp_store_next_value(store, "a"), "b");
  CHECK(mp_store_next_value(store, "b") == NULL);
  CHECK_INT(mp_store_set_value(store, "a", NULL, 0, NULL), 0);
  CHECK_TEXT(mp_store_next_value(store, NULL), "b");
  CHECK_INT(mp_store_set_value(store, "", "x", 1, NULL), MP_ECONFIG);
  CHECK_INT(mp_store_set_value(store, "\n", "x", 1, NULL), MP_ECONFIG);
  static char big[MP_STORE_VALUE_SIZE + 1];
  CHECK_INT(mp_store_set_value(store, "c", big, sizeof big, NULL), MP_ELIMIT);
  mp_store_close(store);
}

static void urls_that_nobody_knows_are_refused(void) {
  const char *const urls[] = {"",        "memory", "memory:x",
                              "mongo:x", "json:",  "sqlite:"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    struct mp_store *store;
    struct mp_fault fault = {0};
    CHECK_INT(mp_store_open(&store, urls[i], NULL, &fault), MP_ECONFIG);
    CHECK(store == NULL && fault.text[0]);
  }
}

TEST_MAIN(TEST(a_full_store_lets_the_worst_go_first),
          TEST(who_goes_follows_from_status_and_success),
          TEST(the_newcomer_is_not_the_one_to_go),
          TEST(a_smaller_capacity_evicts_with_time),
          TEST(inaccessible_peers_become_unknown_again),
          TEST(a_peers_own_ban_ends_and_clears_its_reason),
          TEST(stale_peers_are_deleted_by_status),
          TEST(listeners_are_told_of_every_change),
          TEST(values_are_kept_by_name),
          TEST(urls_that_nobody_knows_are_refused))
