/* io - the one table through which time, network and threads come in. */
#ifndef NET_IO_H
#define NET_IO_H

#include "base/hash.h"
#include "moonpeer/loop.h"
#include "moonpeer/stream.h"
#include "net/lending.h"
#include "net/timers.h"

/* What an implementation gives. Each function does what its namesake mp_loop_x,
 * mp_stream_x ... in moonpeer/loop.h and moonpeer/stream.h promises; those
 * call it and do nothing else. Everything above net/ calls only those, so it
 * cannot tell the implementations apart. */
struct io {
  void (*close)(struct mp_loop *loop);
  int (*run)(struct mp_loop *loop);
  void (*stop)(struct mp_loop *loop);

  int64_t (*now)(struct mp_loop *loop);
  int64_t (*time)(struct mp_loop *loop);
  void (*random)(struct mp_loop *loop, void *bytes, size_t n);

  /* The earliest timer has changed, or is gone (MP_FOREVER): call timers_fire
   * at that time and not before. */
  void (*alarm)(struct mp_loop *loop, int64_t due);

  /* Something was posted with mp_later_post while nothing was: call
   * laters_run before waiting again. */
  void (*posted)(struct mp_loop *loop);

  int (*work)(struct mp_loop *loop, struct mp_work *work);
  int (*resolve)(struct mp_loop *loop, struct mp_resolve *resolve,
                 const char *name, uint16_t port);
  void (*resolve_cancel)(struct mp_resolve *resolve);

  int (*wakeup_open)(struct mp_wakeup **wakeup, struct mp_loop *loop,
                     void (*fn)(void *), void *data);
  int (*signal_open)(struct mp_signal **signal, struct mp_loop *loop,
                     int number, void (*fn)(void *), void *data);
  int (*watch_open)(struct mp_watch **watch, struct mp_loop *loop,
                    int descriptor, void (*fn)(void *), void *data);

  /* path is NULL for TCP; else `to` is, and path names a Unix socket. */
  struct mp_stream *(*connect)(struct mp_loop *loop,
                               const struct mp_address *to, const char *path,
                               const struct mp_stream_events *events,
                               void *owner);
  int (*listen)(struct mp_listener **listener, struct mp_loop *loop,
                const struct mp_address *at, const char *path,
                const struct mp_listener_events *events, void *owner,
                struct mp_fault *fault);

  const struct io_handles *handles;
};

/* The same for what a loop has opened. */
struct io_handles {
  void (*wakeup_send)(struct mp_wakeup *wakeup);
  void (*wakeup_close)(struct mp_wakeup *wakeup);
  void (*signal_close)(struct mp_signal *signal);
  void (*watch_close)(struct mp_watch *watch);
  void (*read)(struct mp_stream *stream, bool on);
  int (*write)(struct mp_stream *stream, const void *bytes, size_t n);
  void (*shutdown)(struct mp_stream *stream);
  void (*stream_close)(struct mp_stream *stream, bool reset);
  void (*local)(struct mp_stream *stream, struct mp_address *address);
  void (*remote)(struct mp_stream *stream, struct mp_address *address);
  void (*listener_address)(struct mp_listener *listener,
                           struct mp_address *address);
  void (*listener_close)(struct mp_listener *listener);
};

/* Posted functions in order. */
struct laters {
  struct mp_later *first, *last;
};

/* Every implementation's loop begins with this. What is pointed to can be
 * shared by the loops of one world. */
struct mp_loop {
  const struct io *io;
  struct timers *timers;
  struct laters *laters;
  struct hasher **hasher; /* made when first asked for: see loop_hasher */
  struct lending *lending;
  size_t holds;
  uint64_t connections; /* made on it so far: gives them their numbers */
  bool is_running;
};

/* Every implementation's handles begin with their loop ... */
struct io_handle {
  struct mp_loop *loop;
};
struct mp_wakeup {
  struct io_handle handle;
};
struct mp_signal {
  struct io_handle handle;
};
struct mp_watch {
  struct io_handle handle;
};
struct mp_listener {
  struct io_handle handle;
  const struct mp_listener_events *events;
  void *owner;
};
/* ... and streams with their owner, too. */
struct mp_stream {
  struct io_handle handle;
  const struct mp_stream_events *events;
  void *owner;
};

/* The hasher of whoever runs on this loop; owned by the implementation, which
 * frees it with the loop or world. */
struct hasher *loop_hasher(struct mp_loop *loop);

/* Calls everything that was posted before this call, once, in order. What
 * these post waits for the next call. True when something waits. */
bool laters_run(struct laters *laters);

#endif
