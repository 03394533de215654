/* listener - taking inbound connections in, as long as there is room. */
#include "base/fault.h"
#include "engine/engine.h"

static void turn_away(struct mp_engine *engine, struct mp_stream *stream,
                      enum mp_event_type type, const char *text) {
  struct mp_event event = {.type = type, .code = MP_ELIMIT, .text = text};
  mp_stream_remote(stream, &event.address);
  mp_stream_close(stream);
  engine_tell(engine, &event);
}

static void on_accepted(void *owner, struct mp_stream *stream) {
  struct mp_engine *engine = owner;
  struct mp_address address;
  mp_stream_remote(stream, &address);
  if (engine_is_banned(engine, &address)) {
    turn_away(engine, stream, MP_INBOUND_REJECTED, "the address is banned");
    return;
  }
  if (engine->connections >= engine->config.max_connections) {
    turn_away(engine, stream, MP_REJECTED_FOR_CAPACITY,
              "max_connections are there");
    return;
  }
  struct mp_connection_setup setup = engine_setup(engine);
  struct mp_connection *c = mp_connection_accept(&setup, stream);
  engine_add(engine, c);
  struct mp_event event = {.type = MP_INBOUND_ACCEPTED,
                           .connection = c,
                           .address = *mp_connection_address(c)};
  engine_tell(engine, &event);
}

static void on_failed(void *owner, int rc) {
  struct mp_engine *engine = owner;
  struct mp_event event = {.type = MP_LISTENER_FAILED,
                           .code = rc,
                           .text = "a connection could not be accepted"};
  engine_tell(engine, &event);
}

static void on_closed(void *owner) {
  struct mp_engine *engine = owner;
  engine->listener = NULL;
  engine->is_listening = false;
  if (engine->is_closing)
    mp_later_post(engine->loop, &engine->turn);
}

static const struct mp_listener_events events = {
    .accepted = on_accepted,
    .failed = on_failed,
    .closed = on_closed,
};

void engine_listen(struct mp_engine *engine) {
  struct mp_fault fault;
  struct mp_event event = {.type = MP_LISTENER_STARTED};
  if (!engine->config.has_listen)
    return;
  event.address = engine->config.listen;
  event.code =
      mp_listener_open(&engine->listener, engine->loop, &engine->config.listen,
                       &events, engine, &fault);
  if (event.code == 0) {
    engine->is_listening = true;
    mp_listener_address(engine->listener, &event.address);
    engine->config.session.listening = event.address;
  } else {
    event.type = MP_LISTENER_FAILED;
    event.text = fault.text;
  }
  engine_tell(engine, &event);
}
