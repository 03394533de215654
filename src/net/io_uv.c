/* io_uv - a loop on libuv: time, random bytes and threads. */
#include "net/io_uv.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/mem.h"

struct uv_box *uv_box_of(struct mp_loop *loop) {
  return (struct uv_box *)loop;
}

void uv_box_opened(struct mp_loop *loop) {
  uv_box_of(loop)->open++;
}

void uv_box_closed(struct mp_loop *loop) {
  uv_box_of(loop)->open--;
}

int uv_error(int rc) {
  switch (rc) {
  case UV_ECONNREFUSED: return MP_EREFUSED;
  case UV_ETIMEDOUT: return MP_ECONNECT_TIMEOUT;
  case UV_ECONNRESET:
  case UV_EPIPE: return MP_ERESET;
  case UV_EOF: return MP_ECLOSED;
  default: return MP_EIO;
  }
}

static int64_t now(struct mp_loop *loop) {
  (void)loop;
  return (int64_t)uv_hrtime();
}

static int64_t wall_time(struct mp_loop *loop) {
  struct timespec t;
  (void)loop;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * MP_SECOND + t.tv_nsec;
}

static void random_bytes(struct mp_loop *loop, void *bytes, size_t n) {
  (void)loop;
  if (uv_random(NULL, NULL, bytes, n, 0, NULL) != 0)
    abort(); /* nonces that can be guessed are worse than no engine */
}

/* --- addresses -------------------------------------------------------------
 */

void address_to_sockaddr(const struct mp_address *address,
                         struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (mp_address_is_ipv4(address)) {
    struct sockaddr_in *in = (struct sockaddr_in *)to;
    in->sin_family = AF_INET;
    in->sin_port = htons(address->port);
    memcpy(&in->sin_addr, address->ip + 12, 4);
    return;
  }
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(address->port);
  memcpy(&in6->sin6_addr, address->ip, 16);
}

bool address_from_sockaddr(struct mp_address *address,
                           const struct sockaddr *from) {
  struct sockaddr_storage copy = {0}; /* from may not be aligned for either */
  memset(address, 0, sizeof *address);
  if (from->sa_family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)&copy;
    memcpy(in, from, sizeof *in);
    address->ip[10] = address->ip[11] = 0xff;
    memcpy(address->ip + 12, &in->sin_addr, 4);
    address->port = ntohs(in->sin_port);
    return true;
  }
  if (from->sa_family != AF_INET6)
    return false;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&copy;
  memcpy(in6, from, sizeof *in6);
  memcpy(address->ip, &in6->sin6_addr, 16);
  address->port = ntohs(in6->sin6_port);
  return true;
}

/* --- timers and laters -----------------------------------------------------
 */

static void alarm_cb(uv_timer_t *timer);

static void set_alarm(struct mp_loop *loop, int64_t due) {
  struct uv_box *box = uv_box_of(loop);
  if (due == MP_FOREVER || box->is_closing) {
    uv_timer_stop(&box->alarm);
    return;
  }
  int64_t wait = due - now(loop);
  uint64_t ms = wait <= 0 ? 0 : (uint64_t)((wait + 999999) / 1000000);
  uv_timer_start(&box->alarm, alarm_cb, ms, 0);
}

static void alarm_cb(uv_timer_t *timer) {
  struct mp_loop *loop = timer->data;
  timers_fire(loop->timers, now(loop));
  struct mp_timer *first = timers_first(loop->timers);
  set_alarm(loop, first ? first->due : MP_FOREVER);
}

/* Nothing to start: the loop passes prepare_cb before it waits. */
static void posted(struct mp_loop *loop) {
  (void)loop;
}

static void idle_cb(uv_idle_t *idle) {
  (void)idle;
}

static void prepare_cb(uv_prepare_t *prepare) {
  struct uv_box *box = prepare->data;
  if (laters_run(&box->laters) || box->loop.holds == 0) /* do not wait */
    uv_idle_start(&box->idle, idle_cb);
  else
    uv_idle_stop(&box->idle);
}

/* --- work ------------------------------------------------------------------
 */

struct work_request {
  uv_work_t uv;
  struct mp_work *work;
};

static void work_cb(uv_work_t *uv) {
  struct mp_work *work = ((struct work_request *)uv)->work;
  work->run(work->data);
}

static void after_work_cb(uv_work_t *uv, int status) {
  struct work_request *request = (struct work_request *)uv;
  struct mp_work *work = request->work;
  struct uv_box *box = uv->data;
  (void)status; /* nobody cancels work */
  box->working--;
  free(request);
  work->done(work->data);
}

static int start_work(struct mp_loop *loop, struct mp_work *work) {
  struct uv_box *box = uv_box_of(loop);
  struct work_request *request = mem_new(sizeof *request);
  request->work = work;
  request->uv.data = box;
  if (uv_queue_work(&box->uv, &request->uv, work_cb, after_work_cb) != 0) {
    free(request);
    return MP_EIO;
  }
  box->working++;
  return 0;
}

/* --- running and closing ---------------------------------------------------
 */

static int run(struct mp_loop *loop) {
  struct uv_box *box = uv_box_of(loop);
  box->is_stopped = false;
  while (loop->holds > 0 && !box->is_stopped)
    uv_run(&box->uv, UV_RUN_ONCE);
  return 0;
}

static void stop(struct mp_loop *loop) {
  struct uv_box *box = uv_box_of(loop);
  box->is_stopped = true;
  uv_stop(&box->uv);
}

static void close_cb(uv_handle_t *handle, void *data) {
  struct uv_thing *thing = handle->data;
  (void)data;
  if (!uv_is_closing(handle) && thing)
    thing->close(thing);
}

static void close_loop(struct mp_loop *loop) {
  struct uv_box *box = uv_box_of(loop);
  uv_handle_t *own[] = {(uv_handle_t *)&box->alarm,
                        (uv_handle_t *)&box->prepare, (uv_handle_t *)&box->idle,
                        (uv_handle_t *)&box->stay};
  box->is_closing = true;
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    own[i]->data = NULL;
  uv_timer_stop(&box->alarm); /* their callbacks look at data */
  uv_prepare_stop(&box->prepare);
  uv_walk(&box->uv, close_cb, NULL);
  bool waits;
  while ((waits = laters_run(&box->laters)) || box->open || box->working)
    uv_run(&box->uv, waits ? UV_RUN_NOWAIT : UV_RUN_ONCE);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    uv_close(own[i], NULL);
  uv_run(&box->uv, UV_RUN_NOWAIT);
  hasher_free(box->hasher);
  lending_deinit(&box->lending);
  timers_deinit(&box->timers);
  if (uv_loop_close(&box->uv) == 0) /* else something still is to be told */
    free(box);
}

static const struct io io_uv = {
    .close = close_loop,
    .run = run,
    .stop = stop,
    .now = now,
    .time = wall_time,
    .random = random_bytes,
    .alarm = set_alarm,
    .posted = posted,
    .work = start_work,
    .resolve = io_uv_resolve,
    .resolve_cancel = io_uv_resolve_cancel,
    .wakeup_open = io_uv_wakeup_open,
    .signal_open = io_uv_signal_open,
    .watch_open = io_uv_watch_open,
    .connect = io_uv_connect,
    .listen = io_uv_listen,
    .handles = &io_uv_handles,
};

/* Writing to a socket that the remote has closed must be an error, not the
 * end of the process; a handler that somebody set stays. */
static void ignore_sigpipe(void) {
  struct sigaction action;
  if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
  }
}

static void ignore_cb(uv_async_t *async) {
  (void)async;
}

int mp_loop_open(struct mp_loop **loop, struct mp_fault *fault) {
  struct uv_box *box = mem_new(sizeof *box);
  int rc = uv_loop_init(&box->uv);
  if (rc == 0 && (rc = uv_async_init(&box->uv, &box->stay, ignore_cb)) != 0)
    uv_loop_close(&box->uv);
  if (rc != 0) {
    free(box);
    return fault_set(fault, MP_EIO, "cannot make a loop: %s", uv_strerror(rc));
  }
  uv_timer_init(&box->uv, &box->alarm);
  uv_prepare_init(&box->uv, &box->prepare);
  uv_idle_init(&box->uv, &box->idle);
  uv_prepare_start(&box->prepare, prepare_cb);
  box->alarm.data = &box->loop;
  box->prepare.data = box;
  box->loop = (struct mp_loop){.io = &io_uv,
                               .timers = &box->timers,
                               .laters = &box->laters,
                               .hasher = &box->hasher,
                               .lending = &box->lending};
  ignore_sigpipe();
  *loop = &box->loop;
  return 0;
}
