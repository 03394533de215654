/* store_engines_test - engines on several loops and threads, each saving its
 * store through the pool of threads that they all share. */
#include <pthread.h>

#include "moonpeer/config.h"
#include "moonpeer/engine.h"
#include "moonpeer/hooks.h"
#include "moonpeer/network.h"
#include "store_help.h"

enum { LOOPS = 3, ENGINES = 4, SAVES = 6, PEERS = 100 };

/* One of a loop's engines: adds and deletes peers, bans and saves; when that
 * is told, the next time. */
struct user {
  struct mp_store *store;
  struct mp_engine *engine;
  struct mp_hooks hooks;
  uint32_t created;
  int saved;
  bool is_gone;
  char url[256];
};

struct machine {
  pthread_t thread;
  struct mp_loop *loop;
  struct user users[ENGINES];
};

static void change(struct user *user) {
  for (uint32_t i = 0; i < PEERS; i++) {
    struct mp_address address = nth(user->created++);
    CHECK_INT(mp_store_create(user->store, NULL,
                              &(struct mp_peer_new){.address = &address}, T0,
                              NULL),
              0);
  }
  struct mp_address first = nth(user->created - PEERS);
  const struct mp_peer *peer = mp_store_find(user->store, &first);
  CHECK_INT(mp_store_delete(user->store, mp_peer_id(peer), NULL), 0);
  ban(user->store, user->saved % 2 ? "9.9.9.9" : "9.9.0.0/16", 0, T0);
}

static void on_event(void *data, const struct mp_event *event) {
  struct user *user = data;
  CHECK_INT(event->type, MP_STORE_SAVED);
  if (++user->saved >= SAVES) {
    mp_engine_close(user->engine, MP_SECOND);
    return;
  }
  mp_engine_save(user->engine);
  change(user); /* while it is gathered and written */
}

static void on_gone(void *data) {
  struct user *user = data;
  user->is_gone = true;
}

static void open_user(struct machine *machine, int number, int i) {
  struct user *user = machine->users + i;
  struct mp_config config;
  char name[32];
  snprintf(name, sizeof name, "engine-%d-%d", number, i);
  snprintf(user->url, sizeof user->url, "%s",
           url_of(i % 2 ? "json" : "sqlite", name));
  user->store = store_at(user->url, (struct mp_store_options){0});
  user->hooks = (struct mp_hooks){.wants = UINT64_C(1) << MP_STORE_SAVED |
                                           UINT64_C(1) << MP_STORE_FAILED,
                                  .event = on_event};
  mp_config_init(&config, mp_network_find("regtest"));
  config.is_fixed = true;
  struct mp_engine_setup setup = {.loop = machine->loop,
                                  .config = &config,
                                  .store = user->store,
                                  .hooks = &user->hooks,
                                  .data = user,
                                  .gone = on_gone};
  CHECK_INT(mp_engine_open(&user->engine, &setup, NULL), 0);
  CHECK_INT(mp_engine_start(user->engine, NULL), 0);
  change(user);
  mp_engine_save(user->engine);
}

static void *run(void *data) {
  struct machine *machine = data;
  CHECK_INT(mp_loop_run(machine->loop), 0);
  return NULL;
}

static void close_user(struct user *user) {
  CHECK(user->is_gone);
  CHECK(user->saved >= SAVES);
  CHECK(!mp_store_is_changed(user->store)); /* closing saves the rest */
  uint32_t n = mp_store_count(user->store);
  mp_store_close(user->store);
  struct mp_store *store = store_at(user->url, (struct mp_store_options){0});
  CHECK_INT(mp_store_count(store), n);
  CHECK_INT(n, SAVES * (PEERS - 1));
  CHECK_INT(mp_ban_count(store), 2);
  mp_store_close(store);
}

static void engines_on_several_threads_save_at_once(void) {
  static struct machine machines[LOOPS];
  for (int i = 0; i < LOOPS; i++) {
    CHECK_INT(mp_loop_open(&machines[i].loop, NULL), 0);
    for (int j = 0; j < ENGINES; j++)
      open_user(machines + i, i, j);
  }
  for (int i = 0; i < LOOPS; i++)
    CHECK_INT(pthread_create(&machines[i].thread, NULL, run, machines + i), 0);
  for (int i = 0; i < LOOPS; i++)
    CHECK_INT(pthread_join(machines[i].thread, NULL), 0);
  for (int i = 0; i < LOOPS; i++) {
    for (int j = 0; j < ENGINES; j++)
      close_user(machines[i].users + j);
    mp_loop_close(machines[i].loop);
  }
}

TEST_MAIN(TEST(engines_on_several_threads_save_at_once))
