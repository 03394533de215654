/* loop - the public loop and stream functions, on whatever implements them. */
#include "moonpeer/loop.h"

#include "net/io.h"

void mp_loop_close(struct mp_loop *loop) {
  if (loop)
    loop->io->close(loop);
}

int mp_loop_run(struct mp_loop *loop) {
  if (loop->is_running)
    return MP_ELIMIT;
  loop->is_running = true;
  int rc = loop->io->run(loop);
  loop->is_running = false;
  return rc;
}

void mp_loop_stop(struct mp_loop *loop) {
  loop->io->stop(loop);
}

bool mp_loop_is_running(const struct mp_loop *loop) {
  return loop->is_running;
}

void mp_loop_hold(struct mp_loop *loop) {
  loop->holds++;
}

void mp_loop_release(struct mp_loop *loop) {
  loop->holds--;
}

int64_t mp_loop_now(struct mp_loop *loop) {
  return loop->io->now(loop);
}

int64_t mp_loop_time(struct mp_loop *loop) {
  return loop->io->time(loop);
}

void mp_loop_random(struct mp_loop *loop, void *bytes, size_t n) {
  loop->io->random(loop, bytes, n);
}

uint64_t mp_loop_random_u64(struct mp_loop *loop) {
  uint64_t value;
  loop->io->random(loop, &value, sizeof value);
  return value;
}

int64_t mp_loop_lag(const struct mp_loop *loop, int64_t *most) {
  *most = loop->timers->most_lag;
  return loop->timers->lag;
}

void mp_timer_init(struct mp_timer *timer, void (*fn)(void *), void *data) {
  *timer = (struct mp_timer){.fn = fn, .data = data};
}

static void set_alarm(struct mp_loop *loop) {
  struct mp_timer *first = timers_first(loop->timers);
  loop->io->alarm(loop, first ? first->due : MP_FOREVER);
}

void mp_timer_start(struct mp_loop *loop, struct mp_timer *timer,
                    int64_t delay) {
  int64_t now = loop->io->now(loop);
  if (delay < 0)
    delay = 0;
  if (timer->is_set)
    timers_remove(timer->loop->timers, timer);
  timer->loop = loop;
  timers_add(loop->timers, timer,
             delay > MP_FOREVER - now ? MP_FOREVER : now + delay);
  if (timers_first(loop->timers) == timer)
    set_alarm(loop);
}

/* An alarm for a timer that is gone rings in vain once; that is cheaper than
 * setting it anew each time. */
void mp_timer_stop(struct mp_timer *timer) {
  if (timer->is_set)
    timers_remove(timer->loop->timers, timer);
}

void mp_later_init(struct mp_later *later, void (*fn)(void *), void *data) {
  *later = (struct mp_later){.fn = fn, .data = data};
}

void mp_later_post(struct mp_loop *loop, struct mp_later *later) {
  struct laters *queue = loop->laters;
  if (later->queue)
    return;
  later->queue = queue;
  later->next = NULL;
  later->previous = queue->last;
  if (queue->last)
    queue->last->next = later;
  else
    queue->first = later;
  queue->last = later;
  if (queue->first == later)
    loop->io->posted(loop);
}

void mp_later_cancel(struct mp_later *later) {
  struct laters *queue = later->queue;
  if (!queue)
    return;
  if (later->previous)
    later->previous->next = later->next;
  else
    queue->first = later->next;
  if (later->next)
    later->next->previous = later->previous;
  else
    queue->last = later->previous;
  later->queue = NULL;
}

/* What is posted meanwhile goes behind the mark, which is taken out when it
 * comes to the front. A loop that is closed from within finds the mark of the
 * call that it interrupts, which calls nobody. */
bool laters_run(struct laters *laters) {
  struct mp_later mark = {.queue = laters, .previous = laters->last};
  if (!laters->first)
    return false;
  laters->last->next = &mark;
  laters->last = &mark;
  while (laters->first != &mark) {
    struct mp_later *later = laters->first;
    mp_later_cancel(later);
    if (later->fn)
      later->fn(later->data);
  }
  mp_later_cancel(&mark);
  return laters->first != NULL;
}

struct hasher *loop_hasher(struct mp_loop *loop) {
  if (!*loop->hasher)
    *loop->hasher = hasher_new();
  return *loop->hasher;
}

int mp_work_start(struct mp_loop *loop, struct mp_work *work) {
  return loop->io->work(loop, work);
}

int mp_resolve_start(struct mp_loop *loop, struct mp_resolve *resolve,
                     const char *name, uint16_t port) {
  resolve->loop = loop;
  resolve->request = NULL;
  return loop->io->resolve(loop, resolve, name, port);
}

void mp_resolve_cancel(struct mp_resolve *resolve) {
  if (resolve->request)
    resolve->loop->io->resolve_cancel(resolve);
}

int mp_wakeup_open(struct mp_wakeup **wakeup, struct mp_loop *loop,
                   void (*fn)(void *), void *data) {
  return loop->io->wakeup_open(wakeup, loop, fn, data);
}

void mp_wakeup_send(struct mp_wakeup *wakeup) {
  wakeup->handle.loop->io->handles->wakeup_send(wakeup);
}

void mp_wakeup_close(struct mp_wakeup *wakeup) {
  if (wakeup)
    wakeup->handle.loop->io->handles->wakeup_close(wakeup);
}

int mp_signal_open(struct mp_signal **signal, struct mp_loop *loop, int number,
                   void (*fn)(void *), void *data) {
  return loop->io->signal_open(signal, loop, number, fn, data);
}

void mp_signal_close(struct mp_signal *signal) {
  if (signal)
    signal->handle.loop->io->handles->signal_close(signal);
}

int mp_watch_open(struct mp_watch **watch, struct mp_loop *loop, int descriptor,
                  void (*fn)(void *), void *data) {
  return loop->io->watch_open(watch, loop, descriptor, fn, data);
}

void mp_watch_close(struct mp_watch *watch) {
  if (watch)
    watch->handle.loop->io->handles->watch_close(watch);
}
