/* sim_stream - one end of a stream in a world: what arrives, and closing. */
#include "net/sim_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Linux's tcp_retries2 of 15 adds up to this. */
#define GIVE_UP (924 * MP_SECOND)

enum { HEAD = 16, SUM = 4 }; /* bytes shown in the trace */

struct sim_stream *sim_stream_of(struct mp_stream *stream) {
  return (struct sim_stream *)stream;
}

struct sim_host *sim_stream_host(const struct sim_stream *stream) {
  return sim_host_of(stream->stream.handle.loop);
}

static struct mp_world *world_of(const struct sim_stream *stream) {
  return sim_stream_host(stream)->world;
}

static void earlier(int64_t *at, int64_t other) {
  if (other && other < *at)
    *at = other;
}

void sim_stream_schedule(struct sim_stream *stream) {
  struct sim_mark *mark = sim_pipe_next(&stream->in);
  int64_t at = MP_FOREVER;
  if (stream->is_closed)
    return;
  earlier(&at, stream->wake);
  if (stream->phase == SIM_OPEN) {
    earlier(&at, stream->breaks_at);
    earlier(&at, stream->giveup_at);
  }
  if (stream->phase == SIM_OPEN && !stream->is_stalled) {
    earlier(&at, stream->credit_at);
    earlier(&at, mark ? mark->at : 0);
  }
  if (at != MP_FOREVER)
    sim_world_arm(world_of(stream), sim_stream_host(stream), &stream->timer,
                  at);
}

/* Calls the timer's function as soon as possible. */
static void poke(struct sim_stream *stream) {
  sim_world_arm(world_of(stream), sim_stream_host(stream), &stream->timer,
                world_of(stream)->now);
}

bool sim_stream_trace(struct sim_stream *stream, const char *what, bool out) {
  struct mp_world *world = world_of(stream);
  if (!stream->label)
    return false;
  size_t half = stream->label_n / 2;
  sim_trace_start(&world->trace, sim_elapsed(world));
  sim_trace_raw(&world->trace, stream->label + (out ? 0 : half), half);
  sim_trace_string(&world->trace, "what", what);
  return true;
}

static void trace_received(struct sim_stream *stream, const void *bytes,
                           size_t n) {
  static const uint64_t key[2] = {0, 0};
  struct sim_trace *trace = &world_of(stream)->trace;
  if (!sim_stream_trace(stream, "bytes", false))
    return;
  uint64_t sum = hash_sip(key, bytes, n);
  sim_trace_number(trace, "n", n);
  sim_trace_hex(trace, "head", bytes, n < HEAD ? n : HEAD);
  sim_trace_hex(trace, "sum", &sum, SUM);
  sim_trace_end(trace);
}

/* --- what arrives ----------------------------------------------------------
 */

/* Parts from the other end: neither hears of the other again. */
static void part(struct sim_stream *stream) {
  if (!stream->other)
    return;
  sim_pipe_drop(&stream->other->in, &world_of(stream)->pool, false);
  stream->other->other = NULL;
  stream->other = NULL;
}

static void take(struct sim_stream *stream, struct sim_mark mark) {
  if (mark.kind == SIM_END)
    stream->has_end = true;
  if (mark.kind != SIM_RESET)
    return;
  stream->rc = MP_ERESET;
  sim_pipe_drop(&stream->in, &world_of(stream)->pool, true);
  part(stream);
}

static void stall(struct sim_stream *stream) {
  stream->is_stalled = true;
  stream->giveup_at = world_of(stream)->now + GIVE_UP;
}

static bool is_held(struct sim_stream *stream) {
  sim_link_refresh(world_of(stream), stream->link);
  if (stream->link->is_cut && !stream->is_stalled)
    stall(stream);
  return stream->is_stalled;
}

static void arrive(struct sim_stream *stream) {
  struct mp_world *world = world_of(stream);
  struct sim_mark *mark;
  while ((mark = sim_pipe_next(&stream->in)) && mark->at <= world->now &&
         !is_held(stream))
    take(stream, sim_pipe_arrive(&stream->in, &world->pool));
}

/* Who sent what does not pass gives up: the sender, or who waits for a reset
 * because of it. */
static void give_up(struct sim_stream *stream) {
  struct sim_stream *sender = stream->is_doomed ? stream : stream->other;
  stream->is_stalled = false;
  stream->giveup_at = 0;
  sim_pipe_drop(&stream->in, &world_of(stream)->pool, true);
  part(stream);
  if (!sender)
    return;
  sim_pipe_drop(&sender->in, &world_of(sender)->pool, true);
  sender->rc = MP_EIO;
  poke(sender);
}

/* Tells the sender of free room, which takes its time, if it waits for it. */
static void acknowledge(struct sim_stream *stream) {
  if (!stream->in.queued || !stream->in.freed || stream->credit_at)
    return;
  stream->credit_at =
      sim_link_signal(world_of(stream), stream->link, stream->side);
}

/* False when the owner wants no more, or is gone. */
static bool find_room(struct sim_stream *stream, struct mp_room *room) {
  *room = stream->stream.events->room(stream->stream.owner);
  if (room->size == 0)
    stream->is_reading = false;
  return stream->is_reading;
}

static void deliver(struct sim_stream *stream) {
  struct mp_world *world = world_of(stream);
  struct mp_room room;
  while (stream->is_reading && stream->in.arrived && find_room(stream, &room)) {
    size_t n = stream->in.arrived;
    if (n > room.size)
      n = room.size;
    sim_pipe_get(&stream->in, &world->pool, room.bytes, n);
    acknowledge(stream);
    trace_received(stream, room.bytes, n);
    world->count.messages++;
    stream->stream.events->received(stream->stream.owner, n);
  }
}

/* The end is read like bytes are; a write that cannot go on says so, too. */
static void report_end(struct sim_stream *stream) {
  struct mp_room room;
  int rc = stream->rc ? stream->rc : stream->has_end ? MP_ECLOSED : 0;
  bool has_failed = stream->rc && stream->borrowed_n;
  if (!rc || stream->is_closed)
    return;
  if (!has_failed &&
      (!stream->is_reading || stream->in.arrived || !find_room(stream, &room)))
    return;
  stream->has_ended = true;
  stream->is_reading = false;
  stream->borrowed_n = 0;
  if (sim_stream_trace(stream, "ended", false)) {
    struct sim_trace *trace = &world_of(stream)->trace;
    sim_trace_string(trace, "why", mp_error_name(rc));
    sim_trace_end(trace);
  }
  stream->stream.events->ended(stream->stream.owner, rc);
}

static bool is_due(const struct sim_stream *stream, int64_t at) {
  return at && at <= world_of(stream)->now && !stream->is_closed;
}

static void on_timer(void *data) {
  struct sim_stream *stream = data;
  if (is_due(stream, stream->wake))
    sim_dial_step(stream);
  if (stream->is_closed || stream->phase != SIM_OPEN) {
    sim_stream_schedule(stream);
    return;
  }
  if (is_due(stream, stream->breaks_at))
    sim_stream_break(stream);
  if (is_due(stream, stream->giveup_at))
    give_up(stream);
  arrive(stream);
  if (is_due(stream, stream->credit_at) && !is_held(stream))
    sim_send_more(stream);
  if (stream->is_closed) /* by the other end's owner, in `drained` */
    return;
  deliver(stream);
  report_end(stream);
  sim_stream_schedule(stream);
}

void sim_stream_read(struct mp_stream *base, bool on) {
  struct sim_stream *stream = sim_stream_of(base);
  if (stream->is_closed || stream->has_ended || stream->is_reading == on)
    return;
  stream->is_reading = on;
  if (on && (stream->in.arrived || stream->has_end || stream->rc) &&
      stream->phase == SIM_OPEN)
    poke(stream);
}

/* --- making and closing ----------------------------------------------------
 */
struct sim_stream *sim_stream_new(struct sim_host *host, enum sim_phase phase) {
  struct sim_stream *stream = mem_new(sizeof *stream);
  stream->stream.handle.loop = &host->loop;
  stream->phase = phase;
  mp_timer_init(&stream->timer, on_timer, stream);
  stream->next = host->streams;
  if (stream->next)
    stream->next->previous = stream;
  host->streams = stream;
  return stream;
}

void sim_stream_join(struct sim_stream *a, struct sim_stream *b,
                     struct sim_link *link, int side) {
  const struct mp_host_limits *of_a = &sim_stream_host(a)->limits;
  const struct mp_host_limits *of_b = &sim_stream_host(b)->limits;
  a->other = b;
  b->other = a;
  a->link = b->link = link;
  a->side = (uint8_t)side;
  b->side = (uint8_t)!side;
  sim_pipe_init(&a->in, of_a->window, of_b->send_buffer);
  sim_pipe_init(&b->in, of_b->window, of_a->send_buffer);
}

void sim_stream_name(struct sim_stream *stream) {
  struct sim_trace *trace = &world_of(stream)->trace;
  char local[MP_ADDRESS_TEXT], remote[MP_ADDRESS_TEXT];
  const char *a = mp_address_format(&stream->local, local);
  const char *b = mp_address_format(&stream->remote, remote);
  if (!sim_trace_is_on(trace) || stream->label)
    return;
  if (stream->path) {
    bool dials = stream->phase != SIM_UNACCEPTED;
    const char *host =
        mp_address_format_ip(&sim_stream_host(stream)->ip, local);
    a = dials ? host : stream->path;
    b = dials ? stream->path : host;
  }
  stream->label =
      sim_trace_label(trace, &world_of(stream)->pool, a, b, &stream->label_n);
}

static void take_off(struct sim_stream *stream) {
  struct sim_host *host = sim_stream_host(stream);
  if (stream->previous)
    stream->previous->next = stream->next;
  else
    host->streams = stream->next;
  if (stream->next)
    stream->next->previous = stream->previous;
  mp_timer_stop(&stream->timer);
  if (stream->is_counted) {
    host->descriptors--;
    host->world->count.streams--;
  }
}

static void finish(struct sim_closing *closing) {
  struct sim_stream *stream =
      (void *)((char *)closing - offsetof(struct sim_stream, closing));
  struct sim_pool *pool = &world_of(stream)->pool;
  if (stream->stream.events)
    stream->stream.events->closed(stream->stream.owner);
  sim_pipe_deinit(&stream->in, pool);
  sim_pool_give(pool, stream->label, stream->label_n);
  free(stream->path);
  free(stream);
}

/* Bytes that come when nobody is there any more are answered with a reset. */
static void tell_other(struct sim_stream *stream, struct sim_stream *other,
                       bool reset) {
  struct mp_world *world = world_of(stream);
  struct sim_mark *next = sim_pipe_next(&stream->in);
  int64_t at = sim_link_signal(world, stream->link, stream->side);
  other->is_doomed |= reset;
  if (reset) {
    sim_pipe_drop(&other->in, &world->pool, false);
    sim_send_mark(other, SIM_RESET, at);
    return;
  }
  if (!stream->is_shut) {
    other->is_end_wanted = true;
    sim_send(other);
  }
  if (next && next->kind == SIM_BYTES) {
    other->is_doomed = true;
    sim_send_mark(other, SIM_RESET, next->at + (at - world->now));
  }
}

void sim_stream_close(struct mp_stream *base, bool reset) {
  struct sim_stream *stream = sim_stream_of(base), *other = stream->other;
  if (stream->is_closed)
    return;
  take_off(stream);
  stream->is_closed = true;
  stream->is_reading = false;
  stream->borrowed_n = 0;
  sim_world_closing(world_of(stream), &stream->closing);
  stream->closing.finish = finish;
  if (sim_stream_trace(stream, reset ? "reset" : "close", true))
    sim_trace_end(&world_of(stream)->trace);
  if (!other)
    return;
  stream->other = other->other = NULL;
  reset = (reset && !stream->path) || stream->in.arrived > 0;
  tell_other(stream, other, reset);
}

/* --- weather ---------------------------------------------------------------
 */
static void break_end(struct sim_stream *stream) {
  struct mp_world *world = world_of(stream);
  stream->breaks_at = 0;
  stream->is_doomed = true;
  sim_pipe_drop(&stream->in, &world->pool, true);
  stream->in.last_at = world->now;
  sim_send_mark(stream, SIM_RESET, world->now);
}

void sim_stream_break(struct sim_stream *stream) {
  struct sim_stream *other = stream->other;
  break_end(stream);
  if (other)
    break_end(other);
}

void sim_streams_resume(struct sim_host *host) {
  for (struct sim_stream *stream = host->streams; stream;
       stream = stream->next) {
    if (!stream->is_stalled)
      continue;
    sim_link_refresh(host->world, stream->link);
    if (stream->link->is_cut)
      continue;
    stream->is_stalled = false;
    stream->giveup_at = 0;
    int64_t at = sim_link_signal(host->world, stream->link, !stream->side);
    sim_pipe_delay(&stream->in, at);
    if (stream->credit_at && stream->credit_at < at)
      stream->credit_at = at;
    sim_stream_schedule(stream);
  }
}

/* --- the two ends ----------------------------------------------------------
 */
void sim_stream_local(struct mp_stream *stream, struct mp_address *address) {
  *address = sim_stream_of(stream)->local;
}

void sim_stream_remote(struct mp_stream *stream, struct mp_address *address) {
  static const struct mp_address none;
  bool is_open = sim_stream_of(stream)->phase == SIM_OPEN;
  *address = is_open ? sim_stream_of(stream)->remote : none;
}
