/* io_uv_names - looking names up. The system's call for it can hang for longer
 * than anybody wants to wait and cannot be stopped, so it runs on threads that
 * nobody waits for: not a loop that closes, and not a process that ends. */
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/io_uv.h"

enum {
  THREADS = 8, /* at once; other names wait for one */
  STACK = 512 * 1024,
};

struct lookup {
  struct lookup *next;
  struct mp_resolve *resolve; /* NULL once cancelled */
  uint16_t port;
  size_t n;
  struct mp_address *list; /* the answer */
  char name[];
};

struct queue {
  struct lookup *first, *last;
};

/* Shared by a loop and its threads; whoever leaves last frees it. */
struct uv_names {
  uv_mutex_t mutex;
  struct queue waiting, done;
  int threads, owners;
  bool is_open; /* the loop is there, and the async with it */
  struct uv_thing thing;
  uv_async_t async;
  struct mp_loop *loop;
};

static void push(struct queue *queue, struct lookup *lookup) {
  lookup->next = NULL;
  *(queue->last ? &queue->last->next : &queue->first) = lookup;
  queue->last = lookup;
}

static struct lookup *pop(struct queue *queue) {
  struct lookup *lookup = queue->first;
  if (lookup && !(queue->first = lookup->next))
    queue->last = NULL;
  return lookup;
}

static void lookup_free(struct lookup *lookup) {
  free(lookup->list);
  free(lookup);
}

static void queue_free(struct queue *queue) {
  struct lookup *lookup;
  while ((lookup = pop(queue)))
    lookup_free(lookup);
}

/* With the mutex held, which is given back. */
static void leave(struct uv_names *names) {
  bool is_last = --names->owners == 0;
  uv_mutex_unlock(&names->mutex);
  if (!is_last)
    return;
  queue_free(&names->waiting);
  queue_free(&names->done);
  uv_mutex_destroy(&names->mutex);
  free(names);
}

/* --- on a thread -----------------------------------------------------------
 */

static void take_answer(struct lookup *lookup, const struct addrinfo *info) {
  lookup->list = mem_new(MP_RESOLVE_MAX * sizeof *lookup->list);
  for (; info && lookup->n < MP_RESOLVE_MAX; info = info->ai_next) {
    struct mp_address *address = &lookup->list[lookup->n];
    if (!address_from_sockaddr(address, info->ai_addr))
      continue;
    address->port = lookup->port;
    lookup->n++;
  }
}

static void ask(struct lookup *lookup) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                 .ai_protocol = IPPROTO_TCP};
  struct addrinfo *info = NULL;
  if (getaddrinfo(lookup->name, NULL, &hints, &info) != 0)
    return;
  take_answer(lookup, info);
  freeaddrinfo(info);
}

static void *thread_main(void *data) {
  struct uv_names *names = data;
  struct lookup *lookup;
  uv_mutex_lock(&names->mutex);
  while (names->is_open && (lookup = pop(&names->waiting))) {
    bool is_wanted = lookup->resolve != NULL;
    uv_mutex_unlock(&names->mutex);
    if (is_wanted)
      ask(lookup);
    uv_mutex_lock(&names->mutex);
    push(&names->done, lookup);
    if (names->is_open)
      uv_async_send(&names->async);
  }
  names->threads--;
  leave(names);
  return NULL;
}

/* Signals are for the threads that run Lua. */
static int start_thread(struct uv_names *names) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&thread, &attributes, thread_main, names);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return rc;
}

/* --- on the loop -----------------------------------------------------------
 */

static void answered(struct lookup *lookup) {
  struct mp_resolve *resolve = lookup->resolve;
  if (!resolve)
    return;
  resolve->request = NULL;
  resolve->done(resolve->data, lookup->n ? 0 : MP_EDNS, lookup->list,
                lookup->n);
}

/* Who is told may cancel others: those stay in the list until their turn. */
static void done_cb(uv_async_t *async) {
  struct uv_names *names =
      (struct uv_names *)(void *)((char *)async->data -
                                  offsetof(struct uv_names, thing));
  struct lookup *lookup;
  for (;;) {
    uv_mutex_lock(&names->mutex);
    lookup = pop(&names->done);
    uv_mutex_unlock(&names->mutex);
    if (!lookup)
      return;
    answered(lookup);
    lookup_free(lookup);
  }
}

static void closed_cb(uv_handle_t *handle) {
  struct uv_names *names =
      (struct uv_names *)(void *)((char *)handle->data -
                                  offsetof(struct uv_names, thing));
  uv_box_closed(names->loop);
  uv_mutex_lock(&names->mutex);
  leave(names);
}

static void close_thing(struct uv_thing *thing) {
  struct uv_names *names =
      (struct uv_names *)(void *)((char *)thing -
                                  offsetof(struct uv_names, thing));
  uv_box_of(names->loop)->names = NULL;
  uv_mutex_lock(&names->mutex);
  names->is_open = false;
  uv_mutex_unlock(&names->mutex);
  uv_close((uv_handle_t *)&names->async, closed_cb);
}

static struct uv_names *names_of(struct mp_loop *loop) {
  struct uv_box *box = uv_box_of(loop);
  struct uv_names *names = box->names;
  if (names || box->is_closing)
    return names;
  names = mem_new(sizeof *names);
  if (uv_async_init(&box->uv, &names->async, done_cb) != 0) {
    free(names);
    return NULL;
  }
  uv_mutex_init(&names->mutex);
  names->loop = loop;
  names->owners = 1;
  names->is_open = true;
  names->thing.close = close_thing;
  names->async.data = &names->thing;
  uv_unref((uv_handle_t *)&names->async);
  uv_box_opened(loop);
  return box->names = names;
}

static struct lookup *lookup_new(struct mp_resolve *resolve, const char *name,
                                 uint16_t port) {
  size_t n = strlen(name) + 1;
  struct lookup *lookup = mem_new(sizeof *lookup + n);
  lookup->resolve = resolve;
  lookup->port = port;
  memcpy(lookup->name, name, n);
  return lookup;
}

/* Without a thread of its own a name waits for one that is there. */
static bool has_thread(struct uv_names *names) {
  if (names->threads < THREADS && start_thread(names) == 0) {
    names->threads++;
    names->owners++;
  }
  return names->threads > 0;
}

int io_uv_resolve(struct mp_loop *loop, struct mp_resolve *resolve,
                  const char *name, uint16_t port) {
  struct uv_names *names = names_of(loop);
  if (!names || strlen(name) >= NI_MAXHOST)
    return MP_EDNS;
  uv_mutex_lock(&names->mutex);
  bool is_fine = has_thread(names);
  if (is_fine) {
    struct lookup *lookup = lookup_new(resolve, name, port);
    push(&names->waiting, lookup);
    resolve->request = lookup;
  }
  uv_mutex_unlock(&names->mutex);
  return is_fine ? 0 : MP_EDNS;
}

/* One that a thread has begun cannot be stopped, only forgotten. */
void io_uv_resolve_cancel(struct mp_resolve *resolve) {
  struct lookup *lookup = resolve->request;
  struct uv_names *names = uv_box_of(resolve->loop)->names;
  resolve->request = NULL;
  if (!names) /* the loop closes */
    return;
  uv_mutex_lock(&names->mutex);
  lookup->resolve = NULL;
  uv_mutex_unlock(&names->mutex);
}
