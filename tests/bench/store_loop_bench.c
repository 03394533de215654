/* store_loop_bench - how long a loop is held while an engine on it saves
 * 100,000 changed peers: seen by a timer on the same loop. */
#include "moonpeer/config.h"
#include "moonpeer/engine.h"
#include "moonpeer/hooks.h"
#include "moonpeer/network.h"
#include "store_bench.h"

enum { SAVED = 100000, IDLE_TICKS = 300 };

/* What the ticks saw. `late` is by the clock and has in it that others had the
 * processor; `busy` is what this thread itself did between two ticks. */
struct held {
  double late, busy;
};

struct watch {
  struct mp_loop *loop;
  struct mp_store *store;
  struct mp_engine *engine;
  struct mp_hooks hooks;
  struct mp_timer tick;
  struct held idle, saving;
  double clock, thread; /* at the last tick */
  double start, passed; /* of the save */
  int ticks;
  bool is_saving;
};

static void on_tick(void *data) {
  struct watch *watch = data;
  struct held *held = watch->is_saving ? &watch->saving : &watch->idle;
  double late = now() - watch->clock - 0.001;
  double busy = thread_time() - watch->thread;
  if (watch->ticks && late > held->late)
    held->late = late;
  if (watch->ticks && busy > held->busy)
    held->busy = busy;
  if (++watch->ticks == IDLE_TICKS) {
    watch->is_saving = true;
    watch->start = now();
    mp_engine_save(watch->engine);
  }
  watch->clock = now();
  watch->thread = thread_time();
  mp_timer_start(watch->loop, &watch->tick, MP_MILLISECOND);
}

static void on_event(void *data, const struct mp_event *event) {
  struct watch *watch = data;
  check(event->type == MP_STORE_SAVED ? 0 : event->code, "save");
  if (watch->passed > 0)
    return;
  watch->passed = now() - watch->start;
  on_tick(watch); /* what the end of it took, too */
  mp_timer_stop(&watch->tick);
  mp_engine_close(watch->engine, 0);
}

static void change_all(struct mp_store *store) {
  struct mp_iterator iterator;
  const struct mp_peer *peer;
  struct mp_peer_change change = {.fields = MP_PEER_SERVICES | MP_PEER_AGENT,
                                  .services = 9,
                                  .user_agent = "/Bitcoin SV:1.2.2/",
                                  .user_agent_size = 18};
  mp_iterator_begin(&iterator, store, NULL);
  while ((peer = mp_iterator_next(&iterator)))
    check(mp_store_update(store, mp_peer_id(peer), &change, T0, NULL),
          "update");
  mp_iterator_end(&iterator);
}

static void run(struct watch *watch) {
  struct mp_config config;
  mp_config_init(&config, mp_network_find("regtest"));
  config.is_fixed = true;
  watch->hooks = (struct mp_hooks){.wants = UINT64_C(1) << MP_STORE_SAVED |
                                            UINT64_C(1) << MP_STORE_FAILED,
                                   .event = on_event};
  check(mp_loop_open(&watch->loop, NULL), "loop");
  check(mp_engine_open(&watch->engine,
                       &(struct mp_engine_setup){.loop = watch->loop,
                                                 .config = &config,
                                                 .store = watch->store,
                                                 .hooks = &watch->hooks,
                                                 .data = watch},
                       NULL),
        "engine");
  check(mp_engine_start(watch->engine, NULL), "start");
  mp_timer_init(&watch->tick, on_tick, watch);
  mp_timer_start(watch->loop, &watch->tick, MP_MILLISECOND);
  check(mp_loop_run(watch->loop), "run");
  mp_loop_close(watch->loop);
}

static void report_held(const char *scheme, const char *what, double value,
                        double limit) {
  char text[96];
  snprintf(text, sizeof text, "%s, 100,000 changed peers: %s", scheme, what);
  report(text, value, "s", limit);
}

static void bench(const char *scheme, double limit) {
  char folder[] = "/tmp/moonpeer-bench-XXXXXX", url[64], text[64];
  struct mp_address *list = addresses(SAVED, false);
  struct watch watch = {0};
  if (!mkdtemp(folder))
    exit(1);
  snprintf(url, sizeof url, "%s:%s/store", scheme, folder);
  watch.store = open_store(url, SAVED);
  create_all(watch.store, list, SAVED);
  check(mp_store_save(watch.store, NULL), "first save");
  change_all(watch.store);
  run(&watch);
  mp_store_close(watch.store);
  free(list);
  report_held(scheme, "saved by an engine", watch.passed, limit);
  report_held(scheme, "loop held longest", watch.saving.busy, 0.005);
  report_held(scheme, "the same when idle", watch.idle.busy, 0);
  report_held(scheme, "timer late at most", watch.saving.late, 0.005);
  report_held(scheme, "timer late at most when idle", watch.idle.late, 0);
  snprintf(text, sizeof text, "rm -rf %s", folder);
  if (system(text))
    exit(1);
}

int main(void) {
  bench("sqlite", 0.5);
  bench("json", 1);
  return 0;
}
