/* sim_listener - who listens at a host of a world. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "net/sim_stream.h"

static struct sim_listener *listener_of(struct mp_listener *listener) {
  return (struct sim_listener *)listener;
}

static struct sim_host *host_of(const struct sim_listener *listener) {
  return sim_host_of(listener->listener.handle.loop);
}

/* 0.0.0.0 is every IPv4 address, [::] every address. */
static bool covers(const struct mp_address *bound,
                   const struct mp_address *address) {
  static const uint8_t zero[16];
  if (bound->port != address->port)
    return false;
  if (memcmp(bound->ip, zero, sizeof zero) == 0)
    return true;
  if (mp_address_is_ipv4(bound) && memcmp(bound->ip + 12, zero, 4) == 0)
    return mp_address_is_ipv4(address);
  return mp_address_equal(bound, address);
}

static bool is_same(const struct sim_listener *listener,
                    const struct mp_address *at, const char *path) {
  if (path || listener->path)
    return path && listener->path && strcmp(path, listener->path) == 0;
  return covers(&listener->address, at);
}

struct sim_listener *sim_listener_find(const struct sim_host *host,
                                       const struct mp_address *at,
                                       const char *path) {
  struct sim_listener *listener = host->listeners;
  while (listener && !is_same(listener, at, path))
    listener = listener->next;
  return listener;
}

/* --- opening and closing ---------------------------------------------------
 */

/* Somebody who would hear what the new one hears. */
static bool is_taken(const struct sim_host *host, const struct mp_address *at,
                     const char *path) {
  if (sim_listener_find(host, at, path))
    return true;
  for (const struct sim_listener *listener = host->listeners; listener && !path;
       listener = listener->next)
    if (!listener->path && covers(at, &listener->address))
      return true;
  return false;
}

static bool is_own(const struct sim_host *host, struct mp_address at) {
  struct mp_address own = host->ip;
  own.port = at.port;
  if (mp_address_is_loopback(&at) || mp_address_equal(&at, &own))
    return true;
  static const uint8_t zero[16];
  memset(own.ip, 0, sizeof own.ip);
  return mp_address_is_ipv4(&at) ? memcmp(at.ip + 12, zero, 4) == 0
                                 : mp_address_equal(&at, &own);
}

static int check(const struct sim_host *host, const struct mp_address *at,
                 const char *path, struct mp_fault *fault) {
  char text[MP_ADDRESS_TEXT], own[MP_ADDRESS_TEXT];
  const char *where = path ? path : mp_address_format(at, text);
  if (!path && !is_own(host, *at))
    return fault_set(fault, MP_ELISTEN, "cannot listen at %s: this host is %s",
                     where, mp_address_format_ip(&host->ip, own));
  if (is_taken(host, at, path))
    return fault_set(fault, MP_ELISTEN,
                     "cannot listen at %s: address already in use", where);
  if (host->descriptors >= host->limits.descriptors)
    return fault_set(fault, MP_ELISTEN,
                     "cannot listen at %s: too many open files (%zu)", where,
                     host->descriptors);
  return 0;
}

/* What happens to a listener: at, what. */
static void trace(const struct sim_listener *listener, const char *what) {
  struct sim_host *host = host_of(listener);
  struct sim_trace *lines = &host->world->trace;
  char text[MP_ADDRESS_TEXT];
  if (!sim_trace_is_on(lines))
    return;
  sim_trace_start(lines, sim_elapsed(host->world));
  if (listener->path) {
    sim_trace_string(lines, "at", mp_address_format_ip(&host->ip, text));
    sim_trace_string(lines, "path", listener->path);
  } else {
    struct mp_address at = host->ip;
    at.port = listener->address.port;
    sim_trace_string(lines, "at", mp_address_format(&at, text));
  }
  sim_trace_string(lines, "what", what);
  sim_trace_end(lines);
}

/* At the end, so that the order of opening is kept. */
static void put_on(struct sim_listener *listener) {
  struct sim_host *host = host_of(listener);
  struct sim_listener **end = &host->listeners;
  while (*end) {
    listener->previous = *end;
    end = &(*end)->next;
  }
  *end = listener;
  host->descriptors++;
  host->world->count.listeners++;
}

/* NOLINTNEXTLINE(readability-function-size): io's shape */
int sim_listen(struct mp_listener **result, struct mp_loop *loop,
               const struct mp_address *at, const char *path,
               const struct mp_listener_events *events, void *owner,
               struct mp_fault *fault) {
  struct sim_host *host = sim_host_of(loop);
  struct mp_address address = {.port = 0};
  *result = NULL;
  if (at) {
    address = *at;
    if (address.port == 0)
      address.port = sim_port(host);
  }
  if (check(host, &address, path, fault) != 0)
    return MP_ELISTEN;
  struct sim_listener *listener = mem_new(sizeof *listener);
  listener->listener.handle.loop = loop;
  listener->listener.events = events;
  listener->listener.owner = owner;
  listener->address = address;
  if (path)
    listener->path = mem_text(path);
  put_on(listener);
  trace(listener, "listen");
  *result = &listener->listener;
  return 0;
}

void sim_listener_address(struct mp_listener *listener,
                          struct mp_address *address) {
  *address = listener_of(listener)->address;
}

static void finish(struct sim_closing *closing) {
  struct sim_listener *listener =
      (void *)((char *)closing - offsetof(struct sim_listener, closing));
  listener->listener.events->closed(listener->listener.owner);
  free(listener->path);
  free(listener);
}

void sim_listener_close(struct mp_listener *base) {
  struct sim_listener *listener = listener_of(base);
  struct sim_host *host = host_of(listener);
  if (listener->is_closed)
    return;
  listener->is_closed = true;
  trace(listener, "unlisten");
  if (listener->previous)
    listener->previous->next = listener->next;
  else
    host->listeners = listener->next;
  if (listener->next)
    listener->next->previous = listener->previous;
  host->descriptors--;
  host->world->count.listeners--;
  listener->closing.finish = finish;
  sim_world_closing(host->world, &listener->closing);
}

/* --- accepting -------------------------------------------------------------
 */

/* Without a descriptor the system's end is closed, so that the remote hears
 * of it: as libuv does. */
static void refuse(struct sim_listener *listener, struct sim_stream *stream) {
  sim_stream_close(&stream->stream, false);
  trace(listener, "accept failed");
  listener->listener.events->failed(listener->listener.owner, MP_EACCEPT);
}

void sim_listener_accept(struct sim_stream *stream) {
  struct sim_host *host = sim_stream_host(stream);
  struct sim_listener *listener =
      sim_listener_find(host, &stream->local, stream->path);
  stream->wake = 0;
  if (!listener) {
    sim_stream_close(&stream->stream, true);
    return;
  }
  if (host->descriptors >= host->limits.descriptors) {
    refuse(listener, stream);
    return;
  }
  sim_stream_name(stream);
  stream->phase = SIM_OPEN;
  stream->is_counted = true;
  host->descriptors++;
  host->world->count.streams++;
  if (sim_stream_trace(stream, "accept", false))
    sim_trace_end(&host->world->trace);
  listener->listener.events->accepted(listener->listener.owner,
                                      &stream->stream);
  if (!stream->stream.events)
    sim_stream_close(&stream->stream, false);
}
