/* store_bench - peers in memory and on disk, and bans, beside a small stand-in
 * of a plainer design: a mutex around two chained hash maps. */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/rand.h"
#include "bench.h"
#include "moonpeer/ban.h"
#include "moonpeer/loop.h"
#include "moonpeer/store.h"

#define T0 (INT64_C(1800000000) * MP_SECOND)

enum { MILLION = 1000000, SMALL = 65536, SAVED = 100000, BANS = 100000 };

static void check(int rc, const char *what) {
  if (rc == 0)
    return;
  fprintf(stderr, "store_bench: %s: %s\n", what, mp_error_name(rc));
  exit(1);
}

/* --- the stand-in */

struct plain_peer {
  uint8_t id[16];
  struct mp_address address;
  uint8_t status;
  int64_t status_time;
  uint64_t services;
  struct plain_peer *next_id, *next_address;
};

struct plain {
  pthread_mutex_t mutex;
  struct plain_peer **ids, **addresses;
  size_t size, count;
};

static const uint64_t plain_key[2] = {1, 2};

static size_t plain_hash(const void *bytes, size_t n, size_t size) {
  return hash_sip(plain_key, bytes, n) & (size - 1);
}

static void plain_link(struct plain *plain, struct plain_peer *peer) {
  struct plain_peer **id = plain->ids + plain_hash(peer->id, 16, plain->size);
  struct plain_peer **address =
      plain->addresses +
      plain_hash(&peer->address, sizeof peer->address, plain->size);
  peer->next_id = *id;
  peer->next_address = *address;
  *id = peer;
  *address = peer;
}

static void plain_grow(struct plain *plain) {
  size_t old = plain->size;
  struct plain_peer **ids = plain->ids;
  plain->size = old ? 2 * old : 16;
  free(plain->addresses);
  plain->ids = calloc(plain->size, sizeof *ids);
  plain->addresses = calloc(plain->size, sizeof *ids);
  for (size_t i = 0; i < old; i++)
    for (struct plain_peer *peer = ids[i], *next; peer; peer = next) {
      next = peer->next_id;
      plain_link(plain, peer);
    }
  free(ids);
}

static struct plain_peer *plain_find(struct plain *plain,
                                     const struct mp_address *address) {
  struct plain_peer *peer = NULL;
  pthread_mutex_lock(&plain->mutex);
  if (plain->size)
    peer = plain->addresses[plain_hash(address, sizeof *address, plain->size)];
  while (peer && memcmp(&peer->address, address, sizeof *address) != 0)
    peer = peer->next_address;
  pthread_mutex_unlock(&plain->mutex);
  return peer;
}

static void plain_create(struct plain *plain, const struct mp_address *address,
                         struct rand *rand) {
  struct plain_peer *peer = calloc(1, sizeof *peer);
  if (plain_find(plain, address) || !peer)
    exit(1);
  pthread_mutex_lock(&plain->mutex);
  rand_bytes(rand, peer->id, sizeof peer->id);
  peer->address = *address;
  peer->status_time = T0;
  if (plain->count++ >= plain->size)
    plain_grow(plain);
  plain_link(plain, peer);
  pthread_mutex_unlock(&plain->mutex);
}

static unsigned plain_count(struct plain *plain, uint8_t status) {
  unsigned n = 0;
  pthread_mutex_lock(&plain->mutex);
  for (size_t i = 0; i < plain->size; i++)
    for (struct plain_peer *peer = plain->ids[i]; peer; peer = peer->next_id)
      n += peer->status == status;
  pthread_mutex_unlock(&plain->mutex);
  return n;
}

static void plain_deinit(struct plain *plain) {
  for (size_t i = 0; i < plain->size; i++)
    for (struct plain_peer *peer = plain->ids[i], *next; peer; peer = next) {
      next = peer->next_id;
      free(peer);
    }
  free(plain->ids);
  free(plain->addresses);
}

/* --- measuring */

static size_t resident(void) {
  long pages = 0, skipped;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &skipped, &pages) != 2)
    exit(1);
  fclose(file);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static double thread_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The longest of some calls, by the thread's own time: what else runs on the
 * machine is not the store's. */
struct hold {
  double start, longest;
};

static void hold_begin(struct hold *hold) {
  hold->start = thread_time();
}

static void hold_end(struct hold *hold) {
  double passed = thread_time() - hold->start;
  if (passed > hold->longest)
    hold->longest = passed;
}

/* The i-th of many addresses, spread over groups as the Internet's are. */
static struct mp_address nth(uint32_t i, bool is_v6) {
  struct mp_address address = {.port = 8333};
  uint32_t mixed = i * 2654435761u;
  if (is_v6) {
    memcpy(address.ip, "\x24\x01", 2);
    memcpy(address.ip + 3, &mixed, 1); /* 64 K groups */
    address.ip[2] = (uint8_t)(mixed >> 8);
    memcpy(address.ip + 12, &mixed, 4);
  } else {
    memset(address.ip + 10, 0xff, 2);
    address.ip[12] = (uint8_t)(11 + (mixed & 127) % 89);
    memcpy(address.ip + 13, (uint8_t *)&mixed + 1, 3);
    address.port = (uint16_t)(8333 + (mixed & 127) / 89);
  }
  return address;
}

static struct mp_address *addresses(uint32_t n, bool is_v6) {
  struct mp_address *list = calloc(n, sizeof *list);
  for (uint32_t i = 0; i < n; i++)
    list[i] = nth(i, is_v6);
  return list;
}

static void shuffle(struct mp_address *list, uint32_t n, struct rand *rand) {
  for (uint32_t i = n - 1; i; i--) {
    uint32_t j = (uint32_t)rand_below(rand, i + 1);
    struct mp_address one = list[i];
    list[i] = list[j];
    list[j] = one;
  }
}

static struct mp_store *open_store(const char *url, uint32_t capacity) {
  struct mp_store_options options = {.capacity = capacity, .seed = {1, 2, 3}};
  struct mp_store *store;
  struct mp_fault fault = {0};
  if (mp_store_open(&store, url, &options, &fault)) {
    fprintf(stderr, "store_bench: %s\n", fault.text);
    exit(1);
  }
  return store;
}

static void create_all(struct mp_store *store, const struct mp_address *list,
                       uint32_t n) {
  struct mp_peer_change change = {.fields = MP_PEER_SERVICES | MP_PEER_SOURCE,
                                  .services = 1};
  for (uint32_t i = 0; i < n; i++) {
    change.source.kind = MP_SOURCE_DNS;
    check(mp_store_create(store, NULL, NULL, list + i, &change, T0, NULL),
          "create");
  }
}

/* Sums something of every peer, so that nothing is left out. */
static double find_rate(struct mp_store *store, const struct mp_address *list,
                        uint32_t n) {
  double start = now(), passed = 0, best = 0;
  for (int round = 0; round < 5; round++) {
    size_t found = 0;
    start = now();
    for (uint32_t i = 0; i < n; i++)
      found += mp_store_find(store, list + i) != NULL;
    passed = now() - start;
    check(found == n ? 0 : MP_ENOT_FOUND, "find");
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
    double start = now();
    for (uint32_t i = 0; i < n; i++)
      found += plain_find(plain, list + i) != NULL;
    double passed = now() - start;
    check(found == n ? 0 : MP_ENOT_FOUND, "find");
    if (n / passed > best)
      best = n / passed;
  }
  return best;
}

/* --- peers in memory */

static volatile unsigned sink;

static void bench_plain(uint32_t n, double *create, double *find, double *count,
                        double *bytes) {
  struct plain plain = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  struct mp_address *list = addresses(n, false);
  struct rand rand;
  rand_init(&rand, 1);
  malloc_trim(0);
  size_t before = resident();
  double start = now();
  for (uint32_t i = 0; i < n; i++)
    plain_create(&plain, list + i, &rand);
  *create = n / (now() - start);
  *bytes = (double)(resident() - before) / n;
  shuffle(list, n, &rand);
  *find = plain_find_rate(&plain, list, n);
  start = now();
  sink += plain_count(&plain, 0);
  *count = now() - start;
  plain_deinit(&plain);
  free(list);
}

static void bench_memory(uint32_t n, bool is_v6, const char *name,
                         const char *url) {
  char text[96];
  double create_limit = 0, find_limit = 0, count_limit = 0, bytes_limit = 0;
  if (!is_v6)
    bench_plain(n, &create_limit, &find_limit, &count_limit, &bytes_limit);
  struct mp_address *list = addresses(n, is_v6);
  struct rand rand;
  rand_init(&rand, 1);
  malloc_trim(0);
  size_t before = resident();
  double start = now();
  struct mp_store *store = open_store(url, n);
  create_all(store, list, n);
  double create = n / (now() - start);
  double bytes = (double)(resident() - before) / n;
  shuffle(list, n, &rand);
  double find = find_rate(store, list, n);
  start = now();
  for (int i = 0; i < MILLION; i++)
    sink += mp_store_count_by_status(store, (enum mp_status)(i & 3));
  double count = (now() - start) / MILLION;
  snprintf(text, sizeof text, "%s: create", name);
  report(text, create, "peers/s", create_limit);
  snprintf(text, sizeof text, "%s: find_by_ip_port in random order", name);
  report(text, find, "look-ups/s", find_limit);
  if (find_limit > 0) {
    snprintf(text, sizeof text, "%s: find beside the stand-in", name);
    report(text, find / find_limit, "times", 0);
  }
  snprintf(text, sizeof text, "%s: count_by_status", name);
  report(text, count, "s", count_limit);
  snprintf(text, sizeof text, "%s: resident", name);
  report(text, bytes, "bytes/peer", bytes_limit);
  mp_store_close(store);
  free(list);
}

/* What one network address after another says, with what counts its source. */
static void bench_heard(void) {
  struct mp_address *list = addresses(MILLION, false);
  struct mp_peer_change change = {.fields = MP_PEER_SOURCE | MP_PEER_SERVICES,
                                  .source.kind = MP_SOURCE_PEER,
                                  .services = 1};
  malloc_trim(0);
  size_t before = resident();
  struct mp_store *store = open_store("memory:", MILLION);
  for (uint32_t i = 0; i < MILLION; i++) {
    change.source.address = nth(i / 1000, false);
    check(mp_store_create(store, NULL, NULL, list + i, &change, T0, NULL),
          "create");
  }
  report("1M peers, heard from 1,000 sources: resident",
         (double)(resident() - before) / MILLION, "bytes/peer", 0);
  mp_store_close(store);
  free(list);
}

static void bench_holds(void) {
  struct mp_address *list = addresses(MILLION, false);
  struct mp_store *store = open_store("memory:", MP_STORE_CAPACITY_MAX);
  struct hold hold = {0};
  for (uint32_t i = 0; i < MILLION; i++) {
    hold_begin(&hold);
    check(mp_store_create(store, NULL, NULL, list + i, NULL, T0, NULL),
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
  double start = now();
  for (int i = 0; i < 10000; i++)
    sink += (unsigned)mp_store_pick(store, &(struct mp_filter){.now = T0},
                                    picked, 8);
  report("1M peers: pick 8 over groups", 10000 / (now() - start), "picks/s", 0);
  mp_store_close(store);
  free(list);
}

/* --- saving */

struct saving {
  struct mp_save *save;
  double passed;
  int rc;
  volatile bool is_done;
};

static void *run_save(void *data) {
  struct saving *saving = data;
  saving->rc = mp_save_run(saving->save, NULL);
  __atomic_store_n(&saving->is_done, true, __ATOMIC_RELEASE);
  return NULL;
}

static void change_all(struct mp_store *store, uint64_t services) {
  struct mp_iterator iterator;
  const struct mp_peer *peer;
  struct mp_peer_change change = {.fields = MP_PEER_SERVICES | MP_PEER_AGENT,
                                  .services = services,
                                  .user_agent = "/Bitcoin SV:1.2.2/",
                                  .user_agent_size = 18};
  mp_iterator_begin(&iterator, store, NULL);
  while ((peer = mp_iterator_next(&iterator)))
    check(mp_store_update(store, mp_peer_id(peer), &change, T0, NULL),
          "update");
  mp_iterator_end(&iterator);
}

/* One save of everything changed, beside a thread that goes on changing. */
static double save_once(struct mp_store *store, struct hold *hold) {
  struct saving saving = {0};
  pthread_t thread;
  struct mp_address other = nth(5, false);
  struct mp_peer_change change = {.fields = MP_PEER_LAST_TRIED,
                                  .last_tried = T0};
  const struct mp_peer *peer = mp_store_find(store, &other);
  double start = now();
  hold_begin(hold);
  check(mp_store_save_start(store, &saving.save, NULL), "start");
  hold_end(hold);
  for (bool more = true; more;) {
    hold_begin(hold);
    more = mp_save_gather(saving.save, 2048);
    hold_end(hold);
  }
  pthread_create(&thread, NULL, run_save, &saving);
  while (!__atomic_load_n(&saving.is_done, __ATOMIC_ACQUIRE)) {
    hold_begin(hold);
    mp_store_update(store, mp_peer_id(peer), &change, T0, NULL);
    hold_end(hold);
    usleep(1000);
  }
  pthread_join(thread, NULL);
  check(saving.rc, "save");
  double passed = now() - start;
  hold_begin(hold);
  mp_save_finish(saving.save, saving.rc);
  hold_end(hold);
  return passed;
}

static void bench_save(const char *scheme, double limit) {
  char folder[] = "/tmp/moonpeer-bench-XXXXXX", url[64], text[96];
  struct mp_address *list = addresses(SAVED, false);
  struct hold hold = {0};
  if (!mkdtemp(folder))
    exit(1);
  snprintf(url, sizeof url, "%s:%s/store", scheme, folder);
  struct mp_store *store = open_store(url, SAVED);
  create_all(store, list, SAVED);
  double first = save_once(store, &hold), best = 1e9;
  for (uint64_t i = 2; i < 5; i++) {
    change_all(store, i);
    double passed = save_once(store, &hold);
    best = passed < best ? passed : best;
  }
  snprintf(text, sizeof text, "%s: 100,000 new peers saved", scheme);
  report(text, first, "s", limit);
  snprintf(text, sizeof text, "%s: 100,000 changed peers saved", scheme);
  report(text, best, "s", limit);
  snprintf(text, sizeof text, "%s: longest hold while saving", scheme);
  report(text, hold.longest, "s", 0.005);
  mp_store_close(store);
  double start = now();
  store = open_store(url, SAVED);
  snprintf(text, sizeof text, "%s: 100,000 peers loaded", scheme);
  report(text, now() - start, "s", 0);
  mp_store_close(store);
  free(list);
  snprintf(text, sizeof text, "rm -rf %s", folder);
  if (system(text))
    exit(1);
}

/* --- bans */

static void bench_bans(void) {
  struct mp_store *store = open_store("memory:", SMALL);
  struct rand rand;
  rand_init(&rand, 3);
  double start = now();
  while (mp_ban_count(store) < BANS) {
    struct mp_ban ban = {.expires = MP_BAN_FOREVER};
    struct mp_address address = nth((uint32_t)rand_u64(&rand), false);
    ban.prefix = mp_prefix_of(&address);
    if (rand_below(&rand, 4) == 0) { /* a quarter are prefixes */
      ban.prefix.bits = (uint8_t)(128 - rand_below(&rand, 9));
      unsigned kept = ban.prefix.bits - 120;
      ban.prefix.ip[15] &= (uint8_t)(kept ? 0xff << (8 - kept) : 0);
    }
    check(mp_ban_add(store, &ban, T0, NULL), "ban");
  }
  report("100,000 bans: add", BANS / (now() - start), "bans/s", 0);
  struct mp_address *list = addresses(MILLION, false);
  shuffle(list, MILLION, &rand);
  double best = 0;
  for (int round = 0; round < 5; round++) {
    start = now();
    for (int i = 0; i < MILLION; i++)
      sink += mp_ban_find(store, list + i, T0, NULL);
    double rate = MILLION / (now() - start);
    best = rate > best ? rate : best;
  }
  report("100,000 bans: look-up of random addresses", best, "look-ups/s", 5e6);
  free(list);
  mp_store_close(store);
}

int main(void) {
  bench_memory(SMALL, false, "65,536 peers", "memory:");
  bench_memory(SMALL, true, "65,536 peers, IPv6", "memory:");
  bench_memory(MILLION, false, "1M peers", "memory:");
  bench_memory(MILLION, true, "1M peers, IPv6", "memory:");
  bench_heard();
  bench_holds();
  bench_save("sqlite", 0.5);
  bench_save("json", 1);
  bench_bans();
  return sink == 12345;
}
