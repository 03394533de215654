/* store_save_bench - a store saved beside its user, and bans. */
#include <pthread.h>

#include "store_bench.h"

enum { SAVED = 100000, BANS = 100000 };

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
  bench_save("sqlite", 0.5);
  bench_save("json", 1);
  bench_bans();
  return sink == 12345;
}
