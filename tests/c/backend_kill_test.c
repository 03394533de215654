/* backend_kill_test - a process that saves is killed at random moments: what
 * the last finished save had is always there. MOONPEER_KILLS is how often
 * (200). */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "store_help.h"

enum { PEERS = 300 };

/* What the child tells by shared memory: saves begun and finished. */
static volatile unsigned *begun, *finished;

/* Every save changes every peer and the value, so that a mixture of two saves
 * would show. */
static void save_for_ever(const char *url) {
  struct mp_store *store = store_at(url, (struct mp_store_options){0});
  size_t size;
  const unsigned *before = mp_store_value(store, "round", &size);
  unsigned round = before ? *before : 0;
  for (;;) {
    round++;
    for (uint32_t i = 0; i < PEERS; i++) {
      struct mp_address address = nth(i);
      struct mp_peer_change change = {.fields = MP_PEER_SERVICES,
                                      .services = round};
      const struct mp_peer *peer = mp_store_find(store, &address);
      if (peer && (i + round) % 7 == 0) /* rows come and go */
        mp_store_delete(store, mp_peer_id(peer), NULL);
      else if (peer)
        mp_store_update(store, mp_peer_id(peer), &change, T0, NULL);
      else
        mp_store_create(
            store, NULL,
            &(struct mp_peer_new){.address = &address, .change = &change}, T0,
            NULL);
    }
    mp_store_set_value(store, "round", &round, sizeof round, NULL);
    *begun = round;
    if (mp_store_save(store, NULL))
      _exit(1);
    *finished = round;
  }
}

/* Loads and checks; the round it holds. */
static unsigned check(const char *url) {
  struct mp_store *store = store_at(url, (struct mp_store_options){0});
  struct mp_iterator iterator;
  const struct mp_peer *peer;
  size_t size;
  const unsigned *value = mp_store_value(store, "round", &size);
  unsigned round = value ? *value : 0;
  CHECK_TEXT(mp_store_warning(store), "");
  CHECK(round == 0 || mp_store_count(store) > PEERS / 2);
  mp_iterator_begin(&iterator, store, NULL);
  while ((peer = mp_iterator_next(&iterator)))
    CHECK_INT(mp_peer_services(peer), round);
  mp_iterator_end(&iterator);
  mp_store_close(store);
  return round;
}

static void kill_while_saving(const char *scheme) {
  const char *wanted = getenv("MOONPEER_KILLS");
  int kills = wanted ? (int)strtol(wanted, NULL, 10) : 200, in_a_save = 0;
  char url[256];
  snprintf(url, sizeof url, "%s", url_of(scheme, scheme));
  uint32_t seed = (uint32_t)getpid();
  *begun = *finished = 0;
  for (int i = 0; i < kills; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
      save_for_ever(url);
    unsigned before = *finished;
    while (i % 4 && *finished == before) /* else: while it opens, even */
      usleep(100);
    seed = seed * 1664525 + 1013904223;
    nanosleep(&(struct timespec){0, (long)(seed >> 8) % 15000000}, NULL);
    kill(child, SIGKILL);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    in_a_save += *begun != *finished;
    unsigned round = check(url);
    CHECK(round == *finished || round == *begun);
    CHECK(round >= *finished);
    *begun = *finished = round;
  }
  fprintf(stderr, "  %s: %d kills, %d in the middle of a save\n", scheme, kills,
          in_a_save);
}

static void share(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  begun = page;
  finished = begun + 1;
}

static void a_killed_json_writer_leaves_its_last_save(void) {
  share();
  kill_while_saving("json");
}

static void a_killed_sqlite_writer_leaves_its_last_save(void) {
  share();
  kill_while_saving("sqlite");
}

TEST_MAIN(TEST(a_killed_json_writer_leaves_its_last_save),
          TEST(a_killed_sqlite_writer_leaves_its_last_save))
