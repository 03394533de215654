/* timers - set timers in order of time: a pairing heap without storage. */
#include "net/timers.h"

#include <stddef.h>

static bool is_before(const struct mp_timer *a, const struct mp_timer *b) {
  return a->due != b->due ? a->due < b->due : a->order < b->order;
}

/* A node's children are a list; previous is the sibling before, or the parent
 * of the first child. Both heaps are roots: no siblings. */
static struct mp_timer *meld(struct mp_timer *a, struct mp_timer *b) {
  if (!a || !b)
    return a ? a : b;
  if (is_before(b, a)) {
    struct mp_timer *swap = a;
    a = b;
    b = swap;
  }
  b->next = a->child;
  if (b->next)
    b->next->previous = b;
  b->previous = a;
  a->child = b;
  return a;
}

/* Melds a list of siblings, first in pairs from the left, then those from the
 * right: what makes removal cheap on average. */
static struct mp_timer *meld_list(struct mp_timer *list) {
  struct mp_timer *pairs = NULL, *result = NULL;
  while (list) {
    struct mp_timer *a = list, *b = a->next;
    list = b ? b->next : NULL;
    a->next = a->previous = NULL;
    if (b)
      b->next = b->previous = NULL;
    a = meld(a, b);
    a->next = pairs;
    pairs = a;
  }
  while (pairs) {
    struct mp_timer *next = pairs->next;
    pairs->next = NULL;
    result = meld(result, pairs);
    pairs = next;
  }
  return result;
}

struct mp_timer *timers_first(const struct timers *timers) {
  return timers->root;
}

void timers_add(struct timers *timers, struct mp_timer *timer, int64_t due) {
  timer->due = due;
  timer->order = timers->started++;
  timer->is_set = true;
  timer->child = timer->next = timer->previous = NULL;
  timers->root = meld(timers->root, timer);
}

static void unlink_node(struct mp_timer *timer) {
  struct mp_timer *previous = timer->previous;
  if (previous->child == timer)
    previous->child = timer->next;
  else
    previous->next = timer->next;
  if (timer->next)
    timer->next->previous = previous;
  timer->next = timer->previous = NULL;
}

void timers_remove(struct timers *timers, struct mp_timer *timer) {
  struct mp_timer *children = meld_list(timer->child);
  timer->child = NULL;
  timer->is_set = false;
  if (timers->root == timer) {
    timers->root = children;
    return;
  }
  unlink_node(timer);
  timers->root = meld(timers->root, children);
}

void timers_fire(struct timers *timers, int64_t now) {
  uint64_t before = timers->started;
  struct mp_timer *timer = timers->root;
  if (timer && timer->due <= now) {
    timers->lag = now - timer->due;
    if (timers->lag > timers->most_lag)
      timers->most_lag = timers->lag;
  }
  while (timer && timer->due <= now && timer->order < before) {
    timers_remove(timers, timer);
    timer->fn(timer->data);
    timer = timers->root;
  }
}
