/* loop - what gives time, network and threads: the real one, or a simulated
 * world's. One thread owns a loop and everything on it. */
#ifndef MOONPEER_LOOP_H
#define MOONPEER_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"

struct mp_loop;

/* All times are nanoseconds in 64 bits. */
#define MP_MICROSECOND INT64_C(1000)
#define MP_MILLISECOND INT64_C(1000000)
#define MP_SECOND INT64_C(1000000000)
#define MP_FOREVER INT64_MAX

/* A loop on the operating system's clock and sockets. Ignores SIGPIPE in this
 * process when nobody handles it. 0 or MP_EIO; *loop is yours to close. */
int mp_loop_open(struct mp_loop **loop, struct mp_fault *fault);

/* Closes what is still open on it, without calling anybody but the `closed`
 * and `done` functions, and frees it. NULL is fine. From a callback only when
 * nothing will return to it, as before an exit. */
void mp_loop_close(struct mp_loop *loop);

/* Runs until nothing holds the loop, or it is stopped. 0, or MP_ELIMIT when
 * it runs already: runs do not nest. */
int mp_loop_run(struct mp_loop *loop);

/* Makes the present run return after this turn. */
void mp_loop_stop(struct mp_loop *loop);

bool mp_loop_is_running(const struct mp_loop *loop);

/* Each hold keeps mp_loop_run going until it is released. Timers, streams and
 * listeners alone do not. */
void mp_loop_hold(struct mp_loop *loop);
void mp_loop_release(struct mp_loop *loop);

/* Monotonic time; its zero means nothing. */
int64_t mp_loop_now(struct mp_loop *loop);

/* Wall time since 1970. */
int64_t mp_loop_time(struct mp_loop *loop);

/* How late the last timer was, and in *most the latest so far, nanoseconds:
 * what held the loop. A millisecond is the clock's grain. */
int64_t mp_loop_lag(const struct mp_loop *loop, int64_t *most);

/* n unpredictable bytes; in a world, the world's. */
void mp_loop_random(struct mp_loop *loop, void *bytes, size_t n);
uint64_t mp_loop_random_u64(struct mp_loop *loop);

/* --- timers ----------------------------------------------------------------
 * The storage is the caller's and must stay while the timer is set. Stopping
 * is immediate: fn is not called afterwards. Timers due at the same instant
 * fire in the order in which they were started. */
struct mp_timer {
  void (*fn)(void *data);
  void *data;
  /* private from here */
  struct mp_loop *loop;
  int64_t due;
  uint64_t order;
  size_t place;
  bool is_set;
};

void mp_timer_init(struct mp_timer *timer, void (*fn)(void *), void *data);

/* Calls fn once, delay from now (0 and less: as soon as possible). A set timer
 * is set anew. */
void mp_timer_start(struct mp_loop *loop, struct mp_timer *timer,
                    int64_t delay);
void mp_timer_stop(struct mp_timer *timer);

/* --- later -----------------------------------------------------------------
 * Calls fn at the end of this turn, before the loop waits: from the top, with
 * no other callback below it. Posting twice calls once. */
struct mp_later {
  void (*fn)(void *data);
  void *data;
  /* private from here */
  struct laters *queue;
  struct mp_later *next, *previous;
};

void mp_later_init(struct mp_later *later, void (*fn)(void *), void *data);
void mp_later_post(struct mp_loop *loop, struct mp_later *later);
void mp_later_cancel(struct mp_later *later);

/* --- work ------------------------------------------------------------------
 * Runs `run` on another thread, then `done` on the loop's. It cannot be
 * cancelled: the storage must stay until done. In a world, run is called at
 * once and done after the world's work time. */
struct mp_work {
  void (*run)(void *data);
  void (*done)(void *data);
  void *data;
};

/* 0, or MP_EIO when no thread can be had. */
int mp_work_start(struct mp_loop *loop, struct mp_work *work);

/* --- names -----------------------------------------------------------------
 */
enum { MP_RESOLVE_MAX = 256 }; /* addresses taken from one answer */

struct mp_resolve {
  /* rc is 0 or MP_EDNS; list is borrowed. */
  void (*done)(void *data, int rc, const struct mp_address *list, size_t n);
  void *data;
  /* private from here */
  struct mp_loop *loop;
  void *request;
};

/* Looks a name up; every address gets the port. 0 or MP_EDNS. */
int mp_resolve_start(struct mp_loop *loop, struct mp_resolve *resolve,
                     const char *name, uint16_t port);

/* done will not be called; the storage is free at once, even while the
 * operating system's look-up still hangs. */
void mp_resolve_cancel(struct mp_resolve *resolve);

/* --- from other threads, signals and descriptors ---------------------------
 */
struct mp_wakeup;

/* fn runs on the loop some time after each mp_wakeup_send; several sends may
 * be answered by one call. send is the one function here that any thread, and
 * a signal handler, may call. */
int mp_wakeup_open(struct mp_wakeup **wakeup, struct mp_loop *loop,
                   void (*fn)(void *), void *data);
void mp_wakeup_send(struct mp_wakeup *wakeup);
void mp_wakeup_close(struct mp_wakeup *wakeup);

struct mp_signal;

/* fn runs on the loop when the signal comes; close puts the handler that was
 * there before back. A world has no signals: fn is never called. */
int mp_signal_open(struct mp_signal **signal, struct mp_loop *loop, int number,
                   void (*fn)(void *), void *data);
void mp_signal_close(struct mp_signal *signal);

struct mp_watch;

/* fn runs whenever the descriptor can be read. MP_EIO in a world. */
int mp_watch_open(struct mp_watch **watch, struct mp_loop *loop, int descriptor,
                  void (*fn)(void *), void *data);
void mp_watch_close(struct mp_watch *watch);

#endif
