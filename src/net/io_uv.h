/* io_uv - what the files of the libuv implementation share. */
#ifndef NET_IO_UV_H
#define NET_IO_UV_H

#include <uv.h>

#include "net/io.h"

struct uv_names;

struct uv_box {
  struct mp_loop loop;
  struct timers timers;
  struct laters laters;
  struct hasher *hasher;
  struct lending lending;
  uv_loop_t uv;
  uv_timer_t alarm;
  uv_prepare_t prepare;   /* runs laters before each wait */
  uv_idle_t idle;         /* set while laters wait: the loop must not sleep */
  uv_async_t stay;        /* so that libuv waits though only we hold the loop */
  struct uv_names *names; /* NULL before the first look-up */
  size_t open;            /* handles whose closed callback has not come */
  size_t working;         /* work whose done has not been called */
  bool is_stopped, is_closing;
};

struct uv_box *uv_box_of(struct mp_loop *loop);

/* Every handle of ours is one of these, found through uv_handle_t.data. */
struct uv_thing {
  void (*close)(struct uv_thing *thing);
};

/* To be called once for each handle opened, and in its close callback. */
void uv_box_opened(struct mp_loop *loop);
void uv_box_closed(struct mp_loop *loop);

/* A libuv error as one of ours. */
int uv_error(int rc);

extern const struct io_handles io_uv_handles;
struct mp_stream *io_uv_connect(struct mp_loop *loop,
                                const struct mp_address *to, const char *path,
                                const struct mp_stream_events *events,
                                void *owner);
int io_uv_listen(struct mp_listener **listener, struct mp_loop *loop,
                 const struct mp_address *at, const char *path,
                 const struct mp_listener_events *events, void *owner,
                 struct mp_fault *fault);

/* io_uv_names.c */
int io_uv_resolve(struct mp_loop *loop, struct mp_resolve *resolve,
                  const char *name, uint16_t port);
void io_uv_resolve_cancel(struct mp_resolve *resolve);

/* io_uv_handle.c */
int io_uv_wakeup_open(struct mp_wakeup **wakeup, struct mp_loop *loop,
                      void (*fn)(void *), void *data);
void io_uv_wakeup_send(struct mp_wakeup *wakeup);
void io_uv_wakeup_close(struct mp_wakeup *wakeup);
int io_uv_signal_open(struct mp_signal **signal, struct mp_loop *loop,
                      int number, void (*fn)(void *), void *data);
void io_uv_signal_close(struct mp_signal *signal);
int io_uv_watch_open(struct mp_watch **watch, struct mp_loop *loop,
                     int descriptor, void (*fn)(void *), void *data);
void io_uv_watch_close(struct mp_watch *watch);

/* Between our addresses and the system's. */
void address_to_sockaddr(const struct mp_address *address,
                         struct sockaddr_storage *to);
bool address_from_sockaddr(struct mp_address *address,
                           const struct sockaddr *from);

#endif
