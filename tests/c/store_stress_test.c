/* store_stress_test - allocators that fail, and many threads at once. */
#include <pthread.h>

#include "store_help.h"

/* An allocator whose n-th call fails, and that counts what is out. */
struct failing {
  unsigned calls, fail_at;
  long long out;
};

static void *failing_get(void *data, size_t n) {
  struct failing *failing = data;
  if (++failing->calls == failing->fail_at)
    return NULL;
  failing->out += (long long)n;
  return calloc(1, n);
}

static void failing_put(void *data, void *block, size_t n) {
  struct failing *failing = data;
  failing->out -= (long long)n;
  free(block);
}

/* A bit of everything; whatever fails, the store stays whole. */
static void use(struct mp_store *store) {
  struct mp_peer_change change = {.fields = MP_PEER_AGENT | MP_PEER_DATA_TEXT |
                                            MP_PEER_STATUS | MP_PEER_SOURCE,
                                  .user_agent = "/x/",
                                  .user_agent_size = 3,
                                  .data = "{}",
                                  .status = MP_STATUS_VALID,
                                  .source = {MP_SOURCE_PEER, at("9.9.9.9:1")}};
  unsigned created = 0;
  for (uint32_t i = 0; i < 60; i++) {
    struct mp_address address = nth(i);
    const struct mp_peer *peer;
    if (i % 2)
      memcpy(address.ip, "\x24\0\0\0\0\0\0\0\0\0\0\0", 12);
    if (mp_store_create(store, &peer,
                        &(struct mp_peer_new){.address = &address}, T0, NULL))
      continue;
    created++;
    if (i % 3 == 0)
      mp_store_update(store, mp_peer_id(peer), &change, T0, NULL);
    if (i % 7 == 0 && mp_store_delete(store, mp_peer_id(peer), NULL) == 0)
      created--;
  }
  ban(store, "1.0.0.0/8", 0, T0);
  ban(store, "2.1.0.0", 0, T0);
  struct mp_source source = {MP_SOURCE_PEER, at("8.8.8.8:1")};
  struct mp_address heard = at("77.7.7.7:7");
  created +=
      mp_store_hear(store, NULL,
                    &(struct mp_hearsay){
                        .address = &heard, .source = &source, .services = 0},
                    T0, NULL) == 0;
  mp_discourage(store, &heard);
  mp_store_set_value(store, "a", "b", 1, NULL);
  const struct mp_peer *picked[8];
  size_t n = mp_store_pick(store, NULL, picked, 8);
  CHECK(n <= 8);
  mp_store_save(store, NULL);
  while (mp_store_expire(store, T0 + HOUR, 10))
    continue;
  CHECK_INT(mp_store_count(store), created);
  struct mp_iterator iterator;
  const struct mp_peer *peer;
  mp_iterator_begin(&iterator, store, NULL);
  while ((peer = mp_iterator_next(&iterator))) {
    struct mp_address address;
    mp_peer_address(peer, &address);
    CHECK(mp_store_find(store, &address) == peer);
    CHECK(mp_store_read(store, mp_peer_id(peer)) == peer);
    CHECK(mp_peer_is_banned(peer) ==
          mp_ban_find(store, &address, T0 + HOUR, NULL));
    created--;
  }
  mp_iterator_end(&iterator);
  CHECK_INT(created, 0);
  uint32_t sum = 0;
  for (int i = 0; i < MP_STATUS_COUNT; i++)
    sum += mp_store_count_by_status(store, (enum mp_status)i);
  CHECK_INT(sum, mp_store_count(store));
}

/* What a save that does not fail leaves is all there is. */
static void check_saved(struct mp_store *store, const char *url) {
  uint32_t n = mp_store_count(store), bans = mp_ban_count(store);
  CHECK_INT(mp_store_save(store, NULL), 0);
  mp_store_close(store);
  store = store_at(url, (struct mp_store_options){0});
  CHECK_INT(mp_store_count(store), n);
  CHECK_INT(mp_ban_count(store), bans);
  mp_store_close(store);
}

/* One try with the n-th call failing; false when there were not so many. */
static bool try_with(const char *url, unsigned n, bool lasts) {
  struct failing failing = {.fail_at = n};
  struct mp_memory memory = {failing_get, failing_put, &failing};
  struct mp_store_options options = {.memory = &memory, .seed = {1}};
  struct mp_store *store;
  struct mp_fault fault = {0};
  int rc = mp_store_open(&store, url, &options, &fault);
  if (rc) {
    CHECK_INT(rc, MP_ESTORE);
    CHECK(fault.text[0]);
  } else if (mp_store_count(store)) {
    mp_store_close(store); /* it was for loading */
  } else {
    use(store);
    bool has_failed = failing.calls >= n;
    failing.fail_at = 0;
    if (lasts)
      check_saved(store, url);
    else
      mp_store_close(store);
    CHECK_INT(failing.out, 0);
    return has_failed;
  }
  CHECK_INT(failing.out, 0);
  return failing.calls >= n;
}

static void remove_file(const char *name) {
  static const char *const ends[] = {"", ".good", "-wal", "-shm"};
  char path[320];
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(path, sizeof path, "%s%s", path_of(name), ends[i]);
    unlink(path);
  }
}

/* Filling and saving a new file, each time; then loading the last. */
static void fail_every_call(const char *scheme, const char *name) {
  char url[256];
  unsigned n = 0, loading = 0;
  snprintf(url, sizeof url, "%s", url_of(scheme, name));
  do
    remove_file(name);
  while (try_with(url, ++n, true));
  CHECK(n > 60);
  while (try_with(url, ++loading, true))
    continue;
  CHECK(loading > 10);
}

static void the_nth_allocation_may_fail_in_memory(void) {
  unsigned n = 0;
  while (try_with("memory:", ++n, false))
    continue;
  CHECK(n > 50);
}

static void the_nth_allocation_may_fail_with_sqlite(void) {
  fail_every_call("sqlite", "db");
}

static void the_nth_allocation_may_fail_with_json(void) {
  fail_every_call("json", "file");
}

/* --- coming and going */

static void come_and_go(struct mp_store *store, uint32_t from, uint32_t n) {
  for (uint32_t i = from; i < from + n; i++) {
    struct mp_address address = nth(i);
    struct mp_peer_change change = {
        .fields = MP_PEER_SOURCE | MP_PEER_AGENT,
        .source = {MP_SOURCE_PEER, nth(i * 7)},
        .user_agent = "/x/",
        .user_agent_size = 3,
    };
    const struct mp_peer *peer;
    if (i % 2)
      memcpy(address.ip, "\x24\0\0\0\0\0\0\0\0\0\0\0", 12);
    CHECK_INT(mp_store_create(
                  store, &peer,
                  &(struct mp_peer_new){.address = &address, .change = &change},
                  T0, NULL),
              0);
    CHECK_INT(mp_store_delete(store, mp_peer_id(peer), NULL), 0);
  }
}

/* Every index forgets those that are gone. */
static void a_store_does_not_grow_with_those_who_were_there(void) {
  struct failing failing = {0};
  struct mp_memory memory = {failing_get, failing_put, &failing};
  struct mp_store_options options = {.memory = &memory, .capacity = 100};
  struct mp_store *store = store_at("memory:", options);
  come_and_go(store, 0, 1000);
  long long before = failing.out;
  come_and_go(store, 1000, 20000);
  CHECK_INT(failing.out, before);
  mp_store_close(store);
  CHECK_INT(failing.out, 0);
}

/* --- threads */

enum { THREADS = 4, ROUNDS = 20 };

struct worker {
  pthread_t thread;
  char url[256];
};

struct saving {
  struct mp_save *save;
  int rc;
};

static void *run_save(void *data) {
  struct saving *saving = data;
  saving->rc = mp_save_run(saving->save, NULL);
  return NULL;
}

/* A store whose saves run on yet another thread while it changes. */
static void *work(void *data) {
  struct worker *worker = data;
  struct mp_store *store =
      store_at(worker->url, (struct mp_store_options){.capacity = 500});
  for (uint32_t round = 0; round < ROUNDS; round++) {
    struct saving saving;
    pthread_t saver;
    for (uint32_t i = 0; i < 100; i++) {
      struct mp_address address = nth(round * 50 + i);
      mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address},
                      T0, NULL);
    }
    CHECK_INT(mp_store_save_start(store, &saving.save, NULL), 0);
    while (mp_save_gather(saving.save, 64))
      continue;
    CHECK_INT(pthread_create(&saver, NULL, run_save, &saving), 0);
    for (uint32_t i = 0; i < 50; i++) {
      struct mp_address address = nth(round * 50 + i);
      const struct mp_peer *peer = mp_store_find(store, &address);
      struct mp_peer_change change = {
          .fields = MP_PEER_AGENT, .user_agent = "/y/", .user_agent_size = 3};
      if (peer && i % 2)
        mp_store_update(store, mp_peer_id(peer), &change, T0, NULL);
      else if (peer)
        mp_store_delete(store, mp_peer_id(peer), NULL);
    }
    ban(store, round % 2 ? "3.0.0.0/9" : "4.4.4.4", 0, T0);
    CHECK_INT(pthread_join(saver, NULL), 0);
    mp_save_finish(saving.save, saving.rc);
    CHECK_INT(saving.rc, 0);
  }
  CHECK_INT(mp_store_save(store, NULL), 0);
  uint32_t n = mp_store_count(store);
  mp_store_close(store);
  store = store_at(worker->url, (struct mp_store_options){.capacity = 500});
  CHECK_INT(mp_store_count(store), n);
  mp_store_close(store);
  return NULL;
}

static void stores_on_several_threads_do_not_meet(void) {
  static struct worker workers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    char name[32];
    snprintf(name, sizeof name, "thread-%d", i);
    snprintf(workers[i].url, sizeof workers[i].url, "%s",
             url_of(i % 2 ? "json" : "sqlite", name));
  }
  for (int i = 0; i < THREADS; i++)
    CHECK_INT(pthread_create(&workers[i].thread, NULL, work, workers + i), 0);
  for (int i = 0; i < THREADS; i++)
    CHECK_INT(pthread_join(workers[i].thread, NULL), 0);
}

TEST_MAIN(TEST(the_nth_allocation_may_fail_in_memory),
          TEST(the_nth_allocation_may_fail_with_sqlite),
          TEST(the_nth_allocation_may_fail_with_json),
          TEST(a_store_does_not_grow_with_those_who_were_there),
          TEST(stores_on_several_threads_do_not_meet))
