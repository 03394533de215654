/* listener - taking inbound connections in, as long as there is room. */
#include <string.h>

#include "base/fault.h"
#include "engine/engine.h"
#include "moonpeer/ban.h"
#include "moonpeer/store.h"

enum {
  HALF_OPEN_PER_GROUP = 4,
  ARRIVALS_PER_GROUP = 4, /* a second, at least */
  POLITE = 16,            /* told that we are full, at once */
  POLITE_SECONDS = 5,     /* and no longer than this */
};

/* --- the checks, in their order --------------------------------------------
 */

struct arrival {
  struct mp_engine *engine;
  struct mp_address address;
  struct mp_group group;
  bool is_exempt; /* from limits by address and group */
};

/* Slots of outbound connections that are missing: whoever dials us leaves them
 * free, or nobody whom we chose would ever be reached. */
static int64_t reserved(const struct mp_engine *engine) {
  const struct mp_config *config = &engine->config;
  int64_t wanted = config->target_connections;
  if (config->is_fixed && (int64_t)config->peer_count < wanted)
    wanted = (int64_t)config->peer_count;
  int64_t missing = wanted - engine->slots.outbound;
  return missing > 0 ? missing : 0;
}

static int64_t claimed(const struct mp_engine *engine) {
  return engine->slots.taken + reserved(engine);
}

static bool is_full(const struct mp_engine *engine) {
  return claimed(engine) >= engine->config.max_connections;
}

/* After max_connections was lowered evicting one makes no room. */
static bool make_room(struct mp_engine *engine,
                      const struct mp_address *newcomer) {
  return claimed(engine) <= engine->config.max_connections &&
         engine_evict(engine, newcomer);
}

static int64_t group_limit(const struct mp_engine *engine) {
  const struct mp_config *config = &engine->config;
  int64_t inbound = config->max_connections - config->target_connections;
  int64_t quarter = inbound / 4 > 1 ? inbound / 4 : 1;
  return config->per_group ? config->per_group : quarter;
}

static bool is_crowded(const struct arrival *a) {
  const struct mp_engine *engine = a->engine;
  return crowd_count(&engine->by_ip, a->address.ip, sizeof a->address.ip) >=
             engine->config.per_address ||
         crowd_count(&engine->by_group, &a->group, sizeof a->group) >=
             group_limit(engine);
}

static bool has_many_half_open(const struct arrival *a) {
  const struct mp_engine *engine = a->engine;
  return engine->slots.half_open >= engine->config.half_open ||
         (!a->is_exempt && crowd_count(&engine->half_open_group, &a->group,
                                       sizeof a->group) >= HALF_OPEN_PER_GROUP);
}

/* In a second a group comes as often as it may stay: whoever connects, leaves
 * and connects again costs others their slots, and us an eviction each time. */
static bool comes_too_often(const struct arrival *a) {
  struct mp_engine *engine = a->engine;
  int64_t limit = group_limit(engine);
  return !pace_take(&engine->arrivals, engine->by_group.secret, &a->group,
                    sizeof a->group, mp_loop_now(engine->loop),
                    limit > ARRIVALS_PER_GROUP ? limit : ARRIVALS_PER_GROUP);
}

/* NULL to go on, or why not. */
static const char *refuse(const struct arrival *a) {
  struct mp_engine *engine = a->engine;
  if (engine_is_banned(engine, &a->address))
    return "the address is banned";
  if (is_full(engine) && mp_is_discouraged(engine->store, &a->address))
    return "the address is discouraged and slots are few";
  if (has_many_half_open(a))
    return "too many handshakes are under way";
  if (!a->is_exempt && is_crowded(a))
    return "too many connections from there";
  if (!a->is_exempt && comes_too_often(a))
    return "connections from there come too often";
  return NULL;
}

/* --- over capacity ---------------------------------------------------------
 */

static void turn_away(const struct arrival *a, struct mp_stream *stream,
                      enum mp_event_type type, const char *text) {
  struct mp_event event = {
      .type = type, .address = a->address, .code = MP_ELIMIT, .text = text};
  a->engine->counts.rejected++;
  mp_stream_close(stream);
  engine_tell(a->engine, &event);
}

/* Who is closed here may be one whom we dial ourselves, who closes our dial for
 * the same reason: without a version nobody can tell. Both dial again after
 * waits that chance makes different, and one comes first. */
static bool has_polite_lane(const struct arrival *a) {
  return a->engine->slots.polite < POLITE &&
         !crowd_count(&a->engine->polite_group, &a->group, sizeof a->group);
}

static struct mp_connection *
take(const struct arrival *a, struct mp_stream *stream, enum purpose purpose) {
  const struct mp_connection_setup setup = engine_setup(a->engine);
  struct mp_connection *c = mp_connection_accept(&setup, stream);
  c->role = (struct role){.purpose = purpose, .group = a->group};
  engine_add(a->engine, c);
  return c;
}

/* "reject" for a version, code 0x44 (too busy). */
static void say_full(struct mp_connection *c) {
  static const char payload[] = "\x07version\x44\x0c"
                                "no free slot";
  connection_say(c, "reject", payload, sizeof payload - 1);
  mp_connection_close(c, MP_ELIMIT, "there is no free slot");
}

static void take_politely(const struct arrival *a, struct mp_stream *stream) {
  struct mp_engine *engine = a->engine;
  struct mp_event event = {.type = MP_REJECTED_FOR_CAPACITY,
                           .address = a->address,
                           .code = MP_ELIMIT,
                           .text = "max_connections are there"};
  if (!has_polite_lane(a)) {
    turn_away(a, stream, MP_REJECTED_FOR_CAPACITY, event.text);
    return;
  }
  struct mp_connection *c = take(a, stream, PURPOSE_POLITE);
  connection_limit(c, POLITE_SECONDS * MP_SECOND);
  engine->counts.rejected++;
  event.connection = c;
  engine_tell(engine, &event);
}

/* --- the listener ----------------------------------------------------------
 */

static void on_accepted(void *owner, struct mp_stream *stream) {
  struct arrival a = {.engine = owner};
  mp_stream_remote(stream, &a.address);
  outage_heard(a.engine, &a.address);
  mp_store_group(a.engine->store, &a.address, &a.group);
  a.is_exempt = mp_address_is_loopback(&a.address) ||
                engine_is_trusted(a.engine, &a.address);
  const char *why = refuse(&a);
  if (!why && !engine_ask_accept(a.engine, &a.address))
    why = "a policy refused it";
  if (why) {
    turn_away(&a, stream, MP_INBOUND_REJECTED, why);
    return;
  }
  bool has_room = a.engine->is_closing || !is_full(a.engine) ||
                  make_room(a.engine, &a.address);
  if (a.engine->is_closing) { /* by who was asked */
    mp_stream_close(stream);
    return;
  }
  if (!has_room) {
    take_politely(&a, stream);
    return;
  }
  a.engine->counts.accepted++;
  struct mp_event event = {.type = MP_INBOUND_ACCEPTED, .address = a.address};
  event.connection = take(&a, stream, PURPOSE_INBOUND);
  engine_tell(a.engine, &event);
}

void engine_inbound_gone(struct mp_engine *engine, struct mp_connection *c) {
  if (!c->role.is_half_open)
    return;
  c->role.is_half_open = false;
  engine->slots.half_open--;
  crowd_remove(&engine->half_open_group, &c->role.group, sizeof c->role.group);
}

/* Who does not come from there may be anybody. */
bool connection_has_name(const struct mp_connection *c) {
  const struct mp_address *name = &c->version->addr_from;
  return name->port && memcmp(name->ip, c->address.ip, sizeof name->ip) == 0;
}

/* Where it says it listens counts as connected: it need not be dialled, and is
 * there once. One that was there before gives way to nobody: its end comes with
 * the next ping, if it is a ghost. */
int engine_take_name(struct mp_engine *engine, struct mp_connection *c,
                     struct mp_fault *fault) {
  const struct mp_address *name = &c->version->addr_from;
  if (!c->session.is_inbound || !connection_has_name(c))
    return 0;
  if (crowd_count(&engine->named, name, sizeof *name))
    return fault_set(fault, MP_EDUPLICATE,
                     "this peer has dialled us before, and is here");
  if (c->role.purpose == PURPOSE_POLITE || c->role.is_released ||
      !crowd_add(&engine->named, name, sizeof *name))
    return 0;
  c->role.name = *name;
  c->role.has_name = crowd_add(&engine->dialled, name, sizeof *name);
  if (!c->role.has_name)
    crowd_remove(&engine->named, name, sizeof *name);
  return 0;
}

void engine_release_name(struct mp_engine *engine, struct mp_connection *c) {
  if (!c->role.has_name)
    return;
  crowd_remove(&engine->named, &c->role.name, sizeof c->role.name);
  crowd_remove(&engine->dialled, &c->role.name, sizeof c->role.name);
}

void engine_inbound_complete(struct mp_engine *engine,
                             struct mp_connection *c) {
  engine_inbound_gone(engine, c);
  if (c->role.purpose == PURPOSE_POLITE)
    say_full(c);
}

static void on_failed(void *owner, int rc) {
  struct mp_engine *engine = owner;
  struct mp_event event = {.type = MP_LISTENER_FAILED,
                           .address = engine->config.listen,
                           .code = rc,
                           .text = "a connection could not be accepted, or no "
                                   "descriptor is left for the next"};
  engine_tell(engine, &event);
}

static void on_closed(void *owner) {
  struct mp_engine *engine = owner;
  engine->listener = NULL;
  engine->is_listening = false;
  if (engine->is_closing)
    mp_later_post(engine->loop, &engine->turn);
  else
    engine_listen(engine); /* somewhere else, as was configured */
}

static const struct mp_listener_events events = {
    .accepted = on_accepted,
    .failed = on_failed,
    .closed = on_closed,
};

static void on_relisten(void *data) {
  engine_listen(data);
}

static void listening(struct mp_engine *engine, struct mp_event *event) {
  engine->is_listening = true;
  mp_listener_address(engine->listener, &event->address);
  engine->config.session.listening = event->address;
}

/* Without a listener the engine goes on, and tries again. */
static void try_again(struct mp_engine *engine) {
  if (!engine->relisten.is_set)
    mp_timer_init(&engine->relisten, on_relisten, engine);
  mp_timer_start(engine->loop, &engine->relisten, engine->config.listen_retry);
}

void engine_listen_soon(struct mp_engine *engine) {
  mp_timer_init(&engine->relisten, on_relisten, engine);
  mp_timer_start(engine->loop, &engine->relisten, 0);
}

void engine_listen(struct mp_engine *engine) {
  struct mp_fault fault;
  struct mp_event event = {.type = MP_LISTENER_STARTED};
  if (!engine->config.has_listen || engine->listener || engine->is_closing)
    return;
  event.address = engine->config.listen;
  event.code =
      mp_listener_open(&engine->listener, engine->loop, &engine->config.listen,
                       &events, engine, &fault);
  if (event.code == 0) {
    listening(engine, &event);
  } else {
    event.type = MP_LISTENER_FAILED;
    event.text = fault.text;
    try_again(engine);
  }
  engine_tell(engine, &event);
}
