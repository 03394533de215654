/* timers - set timers in order of time: a heap of four children each, whose
 * entries bear the times, so that ordering them touches no timer. */
#include "net/timers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { WAYS = 4, ROOM = 16 };

static bool is_before(const struct timers_entry *a,
                      const struct timers_entry *b) {
  return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct timers *timers, size_t at, struct timers_entry entry) {
  timers->heap[at] = entry;
  entry.timer->place = at;
}

/* Puts an entry at this place or nearer to the root. */
static void rise(struct timers *timers, size_t at, struct timers_entry entry) {
  while (at > 0) {
    size_t parent = (at - 1) / WAYS;
    if (!is_before(&entry, &timers->heap[parent]))
      break;
    put(timers, at, timers->heap[parent]);
    at = parent;
  }
  put(timers, at, entry);
}

/* The earliest of a place's children, or its own number when it has none. */
static size_t earliest(const struct timers *timers, size_t at) {
  size_t first = at * WAYS + 1, last = first + WAYS;
  if (first >= timers->n)
    return at;
  size_t best = first;
  for (size_t i = first + 1; i < last && i < timers->n; i++)
    if (is_before(&timers->heap[i], &timers->heap[best]))
      best = i;
  return best;
}

/* Puts an entry at this place or further from the root. */
static void sink(struct timers *timers, size_t at, struct timers_entry entry) {
  for (;;) {
    size_t child = earliest(timers, at);
    if (child == at || !is_before(&timers->heap[child], &entry))
      break;
    put(timers, at, timers->heap[child]);
    at = child;
  }
  put(timers, at, entry);
}

struct mp_timer *timers_first(const struct timers *timers) {
  return timers->n ? timers->heap[0].timer : NULL;
}

/* To twice as many, or to half. */
static void resize(struct timers *timers, size_t room) {
  struct timers_entry *heap = mem_new(room * sizeof *heap);
  if (timers->n)
    memcpy(heap, timers->heap, timers->n * sizeof *heap);
  free(timers->heap);
  timers->heap = heap;
  timers->room = room;
}

void timers_add(struct timers *timers, struct mp_timer *timer, int64_t due) {
  timer->due = due;
  timer->order = timers->started++;
  timer->is_set = true;
  if (timers->n == timers->room)
    resize(timers, timers->room ? 2 * timers->room : ROOM);
  struct timers_entry entry = {due, timer->order, timer};
  rise(timers, timers->n++, entry);
}

void timers_remove(struct timers *timers, struct mp_timer *timer) {
  size_t at = timer->place;
  struct timers_entry last = timers->heap[--timers->n];
  timer->is_set = false;
  if (at < timers->n) {
    if (at > 0 && is_before(&last, &timers->heap[(at - 1) / WAYS]))
      rise(timers, at, last);
    else
      sink(timers, at, last);
  }
  if (timers->room > ROOM && timers->n < timers->room / 8)
    resize(timers, timers->room / 2);
}

void timers_deinit(struct timers *timers) {
  free(timers->heap);
  *timers = (struct timers){0};
}

void timers_fire(struct timers *timers, int64_t now) {
  uint64_t before = timers->started;
  struct mp_timer *timer = timers_first(timers);
  if (timer && timer->due <= now) {
    timers->lag = now - timer->due;
    if (timers->lag > timers->most_lag)
      timers->most_lag = timers->lag;
  }
  while (timer && timer->due <= now && timer->order < before) {
    timers_remove(timers, timer);
    timer->fn(timer->data);
    timer = timers_first(timers);
  }
}
