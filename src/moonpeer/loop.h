/* loop - what gives time, network and threads: the real one, or a simulated
 * world's. One thread owns a loop and everything on it, and calls all functions
 * but mp_wakeup_send; all callbacks come on it, too, with the `data` that was
 * given. */
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
 * process when nobody handles it. 0 or MP_EIO; *loop is owned: mp_loop_close
 * frees it. A world's are made by mp_world_host. */
int mp_loop_open(struct mp_loop **loop, struct mp_fault *fault);

/* Closes what is still open on it, without calling anybody but the `closed`
 * and `done` functions, and frees it. NULL is fine. From a callback only when
 * nothing will return to it, as before an exit. */
void mp_loop_close(struct mp_loop *loop);

/* Runs until nothing holds the loop, or it is stopped. 0, or MP_ELIMIT when
 * it runs already: runs do not nest. In a world also MP_ETIMEOUT: it is held,
 * but nothing is left that could happen, or time does not pass any more. */
int mp_loop_run(struct mp_loop *loop);

/* Makes the present run return after this turn. */
void mp_loop_stop(struct mp_loop *loop);

/* Whether mp_loop_run has not returned (in a world: some run of it). */
bool mp_loop_is_running(const struct mp_loop *loop);

/* Each hold keeps mp_loop_run going until it is released, once. Timers, streams
 * and listeners alone do not. */
void mp_loop_hold(struct mp_loop *loop);
void mp_loop_release(struct mp_loop *loop);

/* Monotonic time, nanoseconds; its zero means nothing. */
int64_t mp_loop_now(struct mp_loop *loop);

/* Wall time, nanoseconds since 1970. */
int64_t mp_loop_time(struct mp_loop *loop);

/* How late the last timer was, and in *most (not NULL) the latest so far,
 * nanoseconds: what held the loop. A millisecond is the clock's grain. */
int64_t mp_loop_lag(const struct mp_loop *loop, int64_t *most);

/* n unpredictable bytes; in a world, the world's. Ends the process when the
 * system has none. */
void mp_loop_random(struct mp_loop *loop, void *bytes, size_t n);
uint64_t mp_loop_random_u64(struct mp_loop *loop);

/* --- timers ----------------------------------------------------------------
 * The storage is the caller's and must stay while the timer is set. Stopping
 * is immediate: fn is not called afterwards. Timers due at the same instant
 * fire in the order in which they were started. On the real loop a timer fires
 * at its instant or up to a millisecond later, or when what holds the loop has
 * ended; never earlier. */
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

/* A timer that is not set; {0} may be stopped, too. */
void mp_timer_init(struct mp_timer *timer, void (*fn)(void *), void *data);

/* Calls fn once, delay nanoseconds from now (0 and less: as soon as possible,
 * but not from within this call). A set timer is set anew. */
void mp_timer_start(struct mp_loop *loop, struct mp_timer *timer,
                    int64_t delay);

/* Fine for one that is not set. */
void mp_timer_stop(struct mp_timer *timer);

/* --- later -----------------------------------------------------------------
 * Calls fn at the end of this turn, before the loop waits: from the top, with
 * no other callback below it. Posting twice calls once. The storage is the
 * caller's and must stay until fn is called or the post cancelled, which is
 * immediate, and fine when nothing was posted. */
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

/* 0, or MP_EIO when no thread can be had: then neither is called. Does not hold
 * the loop; mp_loop_close waits for it. */
int mp_work_start(struct mp_loop *loop, struct mp_work *work);

/* --- names -----------------------------------------------------------------
 */
enum { MP_RESOLVE_MAX = 256 }; /* addresses taken from one answer */

/* A look-up. The storage is the caller's and must stay until done is called or
 * it is cancelled. {0} may be cancelled, too. */
struct mp_resolve {
  /* rc is 0 or MP_EDNS; list has n addresses (1 .. MP_RESOLVE_MAX, or none with
   * MP_EDNS) and is borrowed until done returns. */
  void (*done)(void *data, int rc, const struct mp_address *list, size_t n);
  void *data;
  /* private from here */
  struct mp_loop *loop;
  void *request;
};

/* Looks a name up (copied); every address gets the port. 0, and done is called
 * on a later turn; or MP_EDNS, and it is not: a name too long, no thread. Does
 * not hold the loop. */
int mp_resolve_start(struct mp_loop *loop, struct mp_resolve *resolve,
                     const char *name, uint16_t port);

/* done will not be called; the storage is free at once, even while the
 * operating system's look-up still hangs. Fine after done. */
void mp_resolve_cancel(struct mp_resolve *resolve);

/* --- from other threads, signals and descriptors ---------------------------
 * What is opened is owned: its close (NULL is fine; once) frees it, and fn is
 * not called afterwards. None of them holds the loop. */
struct mp_wakeup;

/* fn runs on the loop some time after each mp_wakeup_send; several sends may
 * be answered by one call. send is the one function here that any thread, and
 * a signal handler, may call, as long as it is open. 0 or MP_EIO. */
int mp_wakeup_open(struct mp_wakeup **wakeup, struct mp_loop *loop,
                   void (*fn)(void *), void *data);
void mp_wakeup_send(struct mp_wakeup *wakeup);
void mp_wakeup_close(struct mp_wakeup *wakeup);

struct mp_signal;

/* fn runs on the loop when the signal `number` comes; close puts the handler
 * that was there before back. A world has no signals: fn is never called. 0, or
 * MP_EIO for one that cannot be caught. */
int mp_signal_open(struct mp_signal **signal, struct mp_loop *loop, int number,
                   void (*fn)(void *), void *data);
void mp_signal_close(struct mp_signal *signal);

struct mp_watch;

/* fn runs whenever the descriptor, which stays the caller's and becomes
 * non-blocking, can be read or its other end is gone. 0, or MP_EIO for one that
 * cannot be watched (a file), and in a world. */
int mp_watch_open(struct mp_watch **watch, struct mp_loop *loop, int descriptor,
                  void (*fn)(void *), void *data);
void mp_watch_close(struct mp_watch *watch);

#endif
