/* io_uv_handle - wake-ups, signals and watched descriptors on libuv. */
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/io_uv.h"

/* One box for the three: what differs is the libuv handle. */
struct box {
  union {
    struct io_handle handle;
    struct mp_wakeup wakeup;
    struct mp_signal signal;
    struct mp_watch watch;
  };
  struct uv_thing thing;
  void (*fn)(void *data);
  void *data;
  int number;                /* of the signal */
  struct sigaction previous; /* its handler before ours */
  union {
    uv_handle_t any;
    uv_async_t async;
    uv_signal_t signal;
    uv_poll_t poll;
  } uv;
};

static struct box *box_of(void *handle) {
  return handle;
}

static struct box *box_of_thing(struct uv_thing *thing) {
  return (struct box *)(void *)((char *)thing - offsetof(struct box, thing));
}

static void call(uv_handle_t *handle) {
  struct box *box = box_of_thing(handle->data);
  if (!uv_is_closing(handle))
    box->fn(box->data);
}

static void closed_cb(uv_handle_t *handle) {
  struct box *box = box_of_thing(handle->data);
  uv_box_closed(box->handle.loop);
  free(box);
}

static void close_thing(struct uv_thing *thing) {
  struct box *box = box_of_thing(thing);
  if (uv_is_closing(&box->uv.any))
    return;
  if (box->number) {
    uv_signal_stop(&box->uv.signal);
    sigaction(box->number, &box->previous, NULL);
  }
  uv_close(&box->uv.any, closed_cb);
}

static struct box *box_new(struct mp_loop *loop, void (*fn)(void *),
                           void *data) {
  struct box *box = mem_new(sizeof *box);
  box->handle.loop = loop;
  box->thing.close = close_thing;
  box->fn = fn;
  box->data = data;
  return box;
}

static void opened(struct box *box) {
  box->uv.any.data = &box->thing;
  uv_unref(&box->uv.any);
  uv_box_opened(box->handle.loop);
}

static void async_cb(uv_async_t *uv) {
  call((uv_handle_t *)uv);
}

int io_uv_wakeup_open(struct mp_wakeup **wakeup, struct mp_loop *loop,
                      void (*fn)(void *), void *data) {
  struct box *box = box_new(loop, fn, data);
  if (uv_async_init(&uv_box_of(loop)->uv, &box->uv.async, async_cb) != 0) {
    free(box);
    return MP_EIO;
  }
  opened(box);
  *wakeup = &box->wakeup;
  return 0;
}

void io_uv_wakeup_send(struct mp_wakeup *wakeup) {
  uv_async_send(&box_of(wakeup)->uv.async);
}

void io_uv_wakeup_close(struct mp_wakeup *wakeup) {
  close_thing(&box_of(wakeup)->thing);
}

static void signal_cb(uv_signal_t *uv, int number) {
  (void)number;
  call((uv_handle_t *)uv);
}

/* libuv forgets the handler that was there before: kept here, put back on
 * close. */
int io_uv_signal_open(struct mp_signal **signal, struct mp_loop *loop,
                      int number, void (*fn)(void *), void *data) {
  struct box *box = box_new(loop, fn, data);
  sigaction(number, NULL, &box->previous);
  uv_signal_init(&uv_box_of(loop)->uv, &box->uv.signal);
  opened(box);
  if (uv_signal_start(&box->uv.signal, signal_cb, number) != 0) {
    close_thing(&box->thing);
    return MP_EIO;
  }
  box->number = number;
  *signal = &box->signal;
  return 0;
}

void io_uv_signal_close(struct mp_signal *signal) {
  close_thing(&box_of(signal)->thing);
}

static void poll_cb(uv_poll_t *uv, int status, int events) {
  (void)status, (void)events;
  call((uv_handle_t *)uv);
}

int io_uv_watch_open(struct mp_watch **watch, struct mp_loop *loop,
                     int descriptor, void (*fn)(void *), void *data) {
  struct box *box = box_new(loop, fn, data);
  if (uv_poll_init(&uv_box_of(loop)->uv, &box->uv.poll, descriptor) != 0) {
    free(box);
    return MP_EIO;
  }
  opened(box);
  uv_poll_start(&box->uv.poll, UV_READABLE | UV_DISCONNECT, poll_cb);
  *watch = &box->watch;
  return 0;
}

void io_uv_watch_close(struct mp_watch *watch) {
  close_thing(&box_of(watch)->thing);
}
