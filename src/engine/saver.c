/* saver - making an engine's store last without holding the loop: gathered in
 * slices, written on another thread; after whoever saves the same store. */
#include "engine/saver.h"

#include <stdlib.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "moonpeer/store.h"

enum { SLICE = 2048 }; /* records gathered in one turn */

static const int64_t look_again = 10 * MP_MILLISECOND;

struct saver {
  struct mp_engine *engine; /* NULL when it is gone */
  struct mp_store *store;   /* to be closed by us then */
  bool closes_store;
  struct mp_save *save; /* under way, or NULL */
  struct mp_later gather;
  struct mp_timer again; /* set while somebody else saves the store */
  struct mp_work work;
  struct mp_fault fault;
  int rc;
  bool is_working, is_wanted, is_abandoned, has_tried;
};

static void on_gather(void *data);
static void on_run(void *data);
static void on_done(void *data);
static void on_again(void *data);

struct saver *saver_new(struct mp_engine *engine) {
  struct saver *saver = mem_new(sizeof *saver);
  saver->engine = engine;
  saver->store = engine->store;
  mp_later_init(&saver->gather, on_gather, saver);
  mp_timer_init(&saver->again, on_again, saver);
  saver->work = (struct mp_work){on_run, on_done, saver};
  return saver;
}

static void tell(struct saver *saver, int rc) {
  struct mp_event event = {.type = rc ? MP_STORE_FAILED : MP_STORE_SAVED,
                           .code = rc,
                           .text = rc ? saver->fault.text : ""};
  engine_tell(saver->engine, &event);
}

static void settle(struct saver *saver) {
  mp_save_finish(saver->save, saver->rc);
  saver->save = NULL;
  if (!saver->engine) {
    if (saver->closes_store)
      mp_store_close(saver->store);
    free(saver);
    return;
  }
  tell(saver, saver->rc);
  if (saver->engine->is_closing)
    mp_later_post(saver->engine->loop, &saver->engine->turn);
  else if (saver->is_wanted)
    saver_start(saver);
}

/* The backend has done it on the loop. */
static void on_applied(void *data, int rc, const struct mp_fault *fault) {
  struct saver *saver = data;
  saver->rc = rc;
  if (rc)
    saver->fault = *fault;
  saver->is_working = false;
  settle(saver);
}

static void on_gather(void *data) {
  struct saver *saver = data;
  struct mp_loop *loop = saver->engine->loop;
  if (mp_save_gather(saver->save, SLICE)) {
    mp_later_post(loop, &saver->gather);
    return;
  }
  saver->is_working = true;
  if (mp_save_begin(saver->save, on_applied, saver))
    return;
  saver->is_working = mp_work_start(loop, &saver->work) == 0;
  if (!saver->is_working) {
    saver->rc = MP_EIO;
    settle(saver);
  }
}

static void on_run(void *data) {
  struct saver *saver = data;
  saver->rc = mp_save_run(saver->save, &saver->fault);
}

static void on_done(void *data) {
  struct saver *saver = data;
  saver->is_working = false;
  settle(saver);
}

static void begin(struct saver *saver) {
  struct mp_loop *loop = saver->engine->loop;
  int rc = mp_store_save_start(saver->store, &saver->save, &saver->fault);
  if (rc == MP_EWOULD_BLOCK) {
    mp_timer_start(loop, &saver->again, look_again);
  } else if (rc != 0) {
    const struct mp_event event = {
        .type = MP_STORE_FAILED, .code = MP_ESTORE, .text = saver->fault.text};
    news_put(saver->engine, &event); /* a script may have called */
  } else {
    mp_later_post(loop, &saver->gather);
  }
}

static void on_again(void *data) {
  struct saver *saver = data;
  begin(saver);
  if (saver->engine->is_closing)
    mp_later_post(saver->engine->loop, &saver->engine->turn);
}

unsigned saver_start(struct saver *saver) {
  saver->is_wanted = saver->save != NULL;
  if (saver->save)
    return 2;
  if (!saver->again.is_set)
    begin(saver);
  return 1;
}

static bool is_busy(const struct saver *saver) {
  return saver->save || saver->again.is_set;
}

bool saver_finish(struct saver *saver) {
  if (saver->is_abandoned)
    return true;
  if (!is_busy(saver) && !saver->has_tried &&
      mp_store_is_changed(saver->store)) {
    saver->has_tried = true;
    saver_start(saver);
  }
  return !is_busy(saver);
}

void saver_abandon(struct saver *saver) {
  saver->is_abandoned = true;
}

void saver_free(struct saver *saver) {
  struct mp_engine *engine = saver->engine;
  mp_later_cancel(&saver->gather);
  mp_timer_stop(&saver->again);
  if (saver->is_working) {
    saver->closes_store = engine->owns_store;
    engine->owns_store = false;
    saver->engine = NULL;
    return;
  }
  if (saver->save)
    mp_save_finish(saver->save, MP_ECANCELLED);
  free(saver);
}
