/* store_bench - peers in memory, beside the stand-in. */
#include <malloc.h>

#include "plain.h"

static size_t resident(void) {
  char text[128] = "", *end = text;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || !fgets(text, sizeof text, file))
    exit(1);
  fclose(file);
  strtol(text, &end, 10); /* the size comes first */
  return (size_t)strtol(end, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static double find_rate(struct mp_store *store, const struct mp_address *list,
                        uint32_t n) {
  double best = 0;
  for (int round = 0; round < 5; round++) {
    size_t found = 0;
    double start = thread_time();
    for (uint32_t i = 0; i < n; i++)
      found += mp_store_find(store, list + i) != NULL;
    double passed = thread_time() - start;
    check(found == n ? 0 : MP_ENOT_FOUND, "find");
    if (n / passed > best)
      best = n / passed;
  }
  return best;
}

/* The same, and something of every peer is looked at. */
static double read_rate(struct mp_store *store, const struct mp_address *list,
                        uint32_t n) {
  double best = 0;
  for (int round = 0; round < 5; round++) {
    uint64_t sum = 0;
    double start = thread_time();
    for (uint32_t i = 0; i < n; i++)
      sum += mp_peer_services(mp_store_find(store, list + i));
    double passed = thread_time() - start;
    check(sum == n ? 0 : MP_ENOT_FOUND, "find");
    if (n / passed > best)
      best = n / passed;
  }
  return best;
}

static double plain_find_rate(struct plain *plain,
                              const struct mp_address *list, uint32_t n) {
  double best = 0;
  for (int round = 0; round < 5; round++) {
    size_t found = 0;
    double start = thread_time();
    for (uint32_t i = 0; i < n; i++)
      found += plain_find(plain, list + i)->services;
    double passed = thread_time() - start;
    check(found == n ? 0 : MP_ENOT_FOUND, "find");
    if (n / passed > best)
      best = n / passed;
  }
  return best;
}

enum { ROUNDS = 3 };

/* What a store of either kind can do: the best of several rounds, by the
 * thread's own time, so that what else the machine does counts least. */
struct figures {
  double create, find, read, count, bytes;
};

static void better(struct figures *best, const struct figures *figures) {
  if (figures->create > best->create)
    best->create = figures->create;
  if (figures->find > best->find)
    best->find = figures->find;
  if (figures->read > best->read)
    best->read = figures->read;
  if (best->count == 0 || figures->count < best->count)
    best->count = figures->count;
  if (best->bytes == 0)
    best->bytes = figures->bytes; /* the first: later ones reuse memory */
}

static void run_plain(struct mp_address *list, uint32_t n,
                      struct figures *figures) {
  struct plain plain = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  struct rand rand;
  rand_init(&rand, 1);
  malloc_trim(0);
  size_t before = resident();
  double start = thread_time();
  for (uint32_t i = 0; i < n; i++)
    plain_create(&plain, list + i, &rand);
  figures->create = n / (thread_time() - start);
  figures->bytes = (double)(resident() - before) / n;
  shuffle(list, n, &rand);
  figures->find = figures->read = plain_find_rate(&plain, list, n);
  start = thread_time();
  sink += plain_count(&plain, 0);
  figures->count = thread_time() - start;
  plain_deinit(&plain);
}

static void run_ours(struct mp_address *list, uint32_t n,
                     struct figures *figures) {
  struct rand rand;
  rand_init(&rand, 1);
  malloc_trim(0);
  size_t before = resident();
  double start = thread_time();
  struct mp_store *store = open_store("memory:", n);
  create_all(store, list, n);
  figures->create = n / (thread_time() - start);
  figures->bytes = (double)(resident() - before) / n;
  shuffle(list, n, &rand);
  figures->find = find_rate(store, list, n);
  figures->read = read_rate(store, list, n);
  start = thread_time();
  for (int i = 0; i < MILLION; i++)
    sink += mp_store_count_by_status(store, (enum mp_status)(i & 3));
  figures->count = (thread_time() - start) / MILLION;
  mp_store_close(store);
}

static void bench_memory(uint32_t n, bool is_v6, const char *name) {
  char text[96];
  struct figures plain = {0}, ours = {0}, one;
  for (int i = 0; i < ROUNDS; i++) { /* in turns: the machine has moods */
    struct mp_address *list = addresses(n, is_v6);
    run_ours(list, n, &one);
    better(&ours, &one);
    free(list);
    list = addresses(n, is_v6);
    run_plain(list, n, &one);
    better(&plain, &one);
    free(list);
  }
  snprintf(text, sizeof text, "%s: create", name);
  report(text, ours.create, "peers/s", plain.create);
  snprintf(text, sizeof text, "%s: create beside the stand-in", name);
  report(text, ours.create / plain.create, "times", 0);
  snprintf(text, sizeof text, "%s: find_by_ip_port in random order", name);
  report(text, ours.find, "look-ups/s", plain.find);
  snprintf(text, sizeof text, "%s: find beside the stand-in", name);
  report(text, ours.find / plain.find, "times", n == MILLION ? 1.5 : 0);
  snprintf(text, sizeof text, "%s: the same, and a field read", name);
  report(text, ours.read, "look-ups/s", plain.read);
  snprintf(text, sizeof text, "%s: count_by_status", name);
  report(text, ours.count, "s", plain.count);
  snprintf(text, sizeof text, "%s: resident", name);
  report(text, ours.bytes, "bytes/peer", plain.bytes);
}

/* What one network address after another says, with what counts its source. */
static void bench_heard(bool is_v6, const char *name) {
  struct mp_address *list = addresses(MILLION, is_v6);
  struct mp_peer_change change = {.fields = MP_PEER_SOURCE | MP_PEER_SERVICES,
                                  .source.kind = MP_SOURCE_PEER,
                                  .services = 1};
  malloc_trim(0);
  size_t before = resident();
  struct mp_store *store = open_store("memory:", MILLION);
  double start = thread_time();
  for (uint32_t i = 0; i < MILLION; i++) {
    change.source.address = nth(i / 1000, is_v6);
    check(mp_store_create(
              store, NULL,
              &(struct mp_peer_new){.address = list + i, .change = &change}, T0,
              NULL),
          "create");
  }
  char text[96];
  snprintf(text, sizeof text, "%s, heard from 1,000 sources: create", name);
  report(text, MILLION / (thread_time() - start), "peers/s", 0);
  snprintf(text, sizeof text, "%s, heard from 1,000 sources: resident", name);
  report(text, (double)(resident() - before) / MILLION, "bytes/peer", 160);
  mp_store_close(store);
  free(list);
}

static void bench_holds(void) {
  struct mp_address *list = addresses(MILLION, false);
  struct mp_store *store = open_store("memory:", MP_STORE_CAPACITY_MAX);
  struct hold hold = {0};
  for (uint32_t i = 0; i < MILLION; i++) {
    hold_begin(&hold);
    check(mp_store_create(store, NULL,
                          &(struct mp_peer_new){.address = list + i}, T0, NULL),
          "create");
    hold_end(&hold);
  }
  report("1M peers: longest create while tables grow", hold.longest, "s",
         0.005);
  hold.longest = 0;
  struct mp_ban wide = {.expires = T0 + MP_SECOND};
  wide.prefix = mp_prefix_of(list);
  wide.prefix.bits = 104;
  memset(wide.prefix.ip + 13, 0, 3);
  hold_begin(&hold);
  check(mp_ban_add(store, &wide, T0, NULL), "ban");
  hold_end(&hold);
  for (bool more = true; more;) {
    hold_begin(&hold);
    more = mp_store_expire(store, T0, 4096);
    hold_end(&hold);
  }
  report("1M peers: longest slice of a wide ban", hold.longest, "s", 0.005);
  const struct mp_peer *picked[8];
  double start = thread_time();
  for (int i = 0; i < 10000; i++)
    sink += (unsigned)mp_store_pick(store, &(struct mp_filter){.now = T0},
                                    picked, 8);
  report("1M peers: pick 8 over groups", 10000 / (thread_time() - start),
         "picks/s", 0);
  mp_store_close(store);
  free(list);
}

int main(void) {
  bench_memory(SMALL, false, "65,536 peers");
  bench_memory(SMALL, true, "65,536 peers, IPv6");
  bench_memory(MILLION, false, "1M peers");
  bench_memory(MILLION, true, "1M peers, IPv6");
  bench_heard(false, "1M peers");
  bench_heard(true, "1M peers, IPv6");
  bench_holds();
  return sink == 12345;
}
