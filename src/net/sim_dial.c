/* sim_dial - how a stream in a world comes about: as TCP does it, with a SYN
 * that is repeated, its answer, and the listener's end a way later. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/sim_stream.h"

enum {
  SYN_MAX = 7, /* attempts, each waiting twice as long as the one before */
  PORT_FIRST = 32768,
  PORT_LAST = 60999,
};

static struct mp_world *world_of(const struct sim_stream *stream) {
  return sim_stream_host(stream)->world;
}

/* Zero but for the mapped prefix. */
static bool is_any(const struct mp_address *address) {
  static const uint8_t zero[16];
  return memcmp(address->ip + 12, zero, 4) == 0 &&
         (mp_address_is_ipv4(address) ||
          memcmp(address->ip, zero, sizeof zero) == 0);
}

static void loopback(struct mp_address *address) {
  if (mp_address_is_ipv4(address))
    address->ip[12] = 127;
  address->ip[15] = 1;
}

uint16_t sim_port(struct sim_host *host) {
  struct mp_address at = host->ip;
  do {
    if (host->next_port < PORT_FIRST || host->next_port > PORT_LAST)
      host->next_port = PORT_FIRST;
    at.port = host->next_port++;
  } while (sim_listener_find(host, &at, NULL));
  return at.port;
}

/* Where the dial goes: to a host, itself included, or nowhere. */
static struct sim_host *target_of(struct sim_stream *stream) {
  struct sim_host *self = sim_stream_host(stream);
  if (stream->path || mp_address_is_loopback(&stream->remote))
    return self;
  return sim_world_host_at(self->world, &stream->remote);
}

static void wait_for_retry(struct sim_stream *stream) {
  stream->phase = SIM_WAITING;
  stream->wake =
      stream->dialed_at + ((INT64_C(1) << stream->attempts) - 1) * MP_SECOND;
  if (stream->wake <= world_of(stream)->now) /* the way is that long */
    stream->wake = world_of(stream)->now + 1;
}

/* A dial has one link for good, known when there is somebody to dial. */
static bool find_link(struct sim_stream *stream) {
  struct sim_host *self = sim_stream_host(stream), *target = target_of(stream);
  if (stream->link || !target)
    return stream->link != NULL;
  stream->link = sim_link_between(self->world, self, target);
  stream->side = stream->link->host[0] == self ? 0 : 1;
  const struct mp_weather *weather = stream->link->lane[stream->side].weather;
  stream->is_silent = sim_chance(self->world, weather->silence);
  stream->is_refused = sim_chance(self->world, weather->refuse);
  return true;
}

static void send_syn(struct sim_stream *stream) {
  stream->attempts++;
  if (!find_link(stream)) {
    wait_for_retry(stream);
    return;
  }
  stream->phase = SIM_DIALING;
  stream->wake = sim_link_signal(world_of(stream), stream->link, stream->side);
}

static void fail(struct sim_stream *stream, int rc) {
  stream->phase = SIM_FAILED;
  stream->wake = 0;
  if (sim_stream_trace(stream, "failed", false)) {
    sim_trace_string(&world_of(stream)->trace, "why", mp_error_name(rc));
    sim_trace_end(&world_of(stream)->trace);
  }
  stream->stream.events->connected(stream->stream.owner, rc);
}

/* Lost like the answer would be, when a partition is in between. */
static bool is_lost(struct sim_stream *stream) {
  sim_link_refresh(world_of(stream), stream->link);
  if (stream->link->is_cut)
    wait_for_retry(stream);
  return stream->link->is_cut;
}

static void reach(struct sim_stream *stream) {
  struct sim_host *target = stream->link->host[!stream->side];
  if (is_lost(stream))
    return;
  if (stream->is_silent) {
    wait_for_retry(stream);
    return;
  }
  bool is_heard =
      sim_listener_find(target, &stream->remote, stream->path) != NULL;
  stream->rc = is_heard && !stream->is_refused ? 0
               : stream->path                  ? MP_ECONNECT
                                               : MP_EREFUSED;
  stream->phase = SIM_ANSWERED;
  stream->wake = sim_link_signal(world_of(stream), stream->link, !stream->side);
}

/* Twice the mean at most, as far as that can be told. */
static int64_t choose_end(struct mp_world *world, int64_t lifetime) {
  if (lifetime == MP_FOREVER)
    return 0;
  int64_t most = MP_FOREVER / 4 - world->now;
  if (lifetime < most / 2)
    most = lifetime * 2;
  return world->now + 1 + (int64_t)rand_below(&world->rand, (uint64_t)most);
}

/* The listener's end: it hears of it when the last word of the handshake is
 * there, before which nothing else arrives. */
static void make_other(struct sim_stream *stream) {
  struct mp_world *world = world_of(stream);
  struct sim_host *host = stream->link->host[!stream->side];
  struct sim_stream *other = sim_stream_new(host, SIM_UNACCEPTED);
  sim_stream_join(stream, other, stream->link, stream->side);
  other->local = stream->remote;
  other->remote = stream->local;
  if (stream->path)
    other->path = mem_text(stream->path);
  other->wake = sim_link_signal(world, stream->link, stream->side);
  sim_stream_schedule(other);
}

static void establish(struct sim_stream *stream) {
  struct mp_world *world = world_of(stream);
  if (is_lost(stream))
    return;
  if (stream->rc) {
    fail(stream, stream->rc);
    return;
  }
  stream->phase = SIM_OPEN;
  stream->wake = 0;
  make_other(stream);
  stream->breaks_at =
      choose_end(world, stream->link->lane[stream->side].weather->lifetime);
  stream->stream.events->connected(stream->stream.owner, 0);
  if (stream->borrowed_n && !stream->is_closed && stream->other)
    sim_send_more(stream->other);
}

void sim_dial_step(struct sim_stream *stream) {
  switch (stream->phase) {
  case SIM_DIALING: reach(stream); break;
  case SIM_ANSWERED: establish(stream); break;
  case SIM_UNACCEPTED: sim_listener_accept(stream); break;
  case SIM_WAITING:
    if (stream->attempts < SYN_MAX)
      send_syn(stream);
    else
      fail(stream, MP_ECONNECT_TIMEOUT);
    break;
  case SIM_FAILED: /* for want of a descriptor */
    fail(stream, stream->rc);
    break;
  case SIM_OPEN: break;
  }
}

static void name_ends(struct sim_stream *stream, const struct mp_address *to,
                      const char *path) {
  struct sim_host *host = sim_stream_host(stream);
  if (path) {
    stream->path = mem_text(path);
    return;
  }
  stream->remote = *to;
  if (is_any(to)) /* as Linux does */
    loopback(&stream->remote);
  stream->local = host->ip;
  if (mp_address_is_loopback(&stream->remote)) {
    stream->local = stream->remote;
    if (mp_address_is_ipv4(to))
      memcpy(stream->local.ip + 12, (uint8_t[]){127, 0, 0, 1}, 4);
  }
  stream->local.port = sim_port(host);
}

struct mp_stream *sim_dial(struct mp_loop *loop, const struct mp_address *to,
                           const char *path,
                           const struct mp_stream_events *events, void *owner) {
  struct sim_host *host = sim_host_of(loop);
  struct sim_stream *stream = sim_stream_new(host, SIM_DIALING);
  stream->stream.events = events;
  stream->stream.owner = owner;
  stream->dialed_at = host->world->now;
  stream->is_counted = true;
  host->world->count.streams++;
  name_ends(stream, to, path);
  sim_stream_name(stream);
  if (sim_stream_trace(stream, "dial", true))
    sim_trace_end(&host->world->trace);
  if (++host->descriptors > host->limits.descriptors) {
    stream->phase = SIM_FAILED;
    stream->rc = MP_ECONNECT;
    stream->wake = host->world->now;
  } else {
    send_syn(stream);
  }
  sim_stream_schedule(stream);
  return &stream->stream;
}
