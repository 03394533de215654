/* talk - two connections after their handshake, that note what they are told.
 */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include "bed.h"
#include "moonpeer/connection.h"
#include "moonpeer/message.h"

struct side {
  struct bed *bed;
  struct mp_connection *connection;
  struct mp_session_options options;
  struct mp_hooks hooks;
  /* The test's own part of an event; may be NULL. */
  void (*on)(struct side *side, const struct mp_event *event);
  int messages, chunks, offences, code; /* code: why it ended */
  bool is_complete, is_over;
  char commands[256]; /* of messages and of chunks, in order */
  uint64_t got, sum;  /* bytes of chunks, and each times its place */
  int chunk_code;
  bool has_last;
};

struct talk {
  struct bed *bed;
  struct side near, far;
  struct mp_listener *listener;
  bool is_listener_closed;
};

static inline void side_note(struct side *side, const char *command) {
  size_t n = strlen(side->commands);
  snprintf(side->commands + n, sizeof side->commands - n, "%s ", command);
}

static inline void side_chunk(struct side *side, const struct mp_chunk *chunk) {
  CHECK_INT(chunk->offset, side->got);
  CHECK(!side->has_last && chunk->size > 0);
  for (size_t i = 0; i < chunk->size; i++)
    side->sum += chunk->bytes[i] * (uint64_t)++side->got;
  if (!side->chunks++)
    side_note(side, chunk->command);
  side->has_last = chunk->is_last;
  side->chunk_code = chunk->code;
  CHECK_INT(chunk->is_last, side->got == chunk->total);
}

static inline void side_event(void *data, const struct mp_event *event) {
  struct side *side = data;
  switch (event->type) {
  case MP_HANDSHAKE_COMPLETE: side->is_complete = true; break;
  case MP_CHUNK: side_chunk(side, event->chunk); break;
  case MP_PEER_MISBEHAVED: side->offences++; break;
  case MP_CONNECTION_FAILED:
  case MP_CONNECTION_LOST:
    side->is_over = true;
    side->code = event->code;
    break;
  case MP_MESSAGE:
    side->messages++;
    side_note(side, event->message->command);
    break;
  default: break;
  }
  if (side->on)
    side->on(side, event);
  bed_check(side->bed);
}

static inline void side_closed(void *data, struct mp_connection *connection) {
  struct side *side = data;
  CHECK(side->connection == connection);
  side->connection = NULL;
  side->is_over = true;
  bed_check(side->bed);
}

/* Wants messages and chunks of "block" and "x". */
static inline void side_init(struct side *side, struct bed *bed) {
  *side = (struct side){.bed = bed};
  mp_session_options_init(&side->options, mp_network_find("regtest"));
  side->options.ping_interval = 0;
  side->hooks = (struct mp_hooks){.wants = UINT64_MAX,
                                  .commands = mp_command_bit("block") |
                                              mp_command_bit("x"),
                                  .chunks = mp_command_bit("block"),
                                  .event = side_event,
                                  .closed = side_closed};
}

static inline struct mp_connection_setup side_setup(struct side *side,
                                                    struct mp_loop *loop) {
  return (struct mp_connection_setup){.loop = loop,
                                      .options = &side->options,
                                      .hooks = &side->hooks,
                                      .data = side};
}

static inline void talk_accepted(void *owner, struct mp_stream *stream) {
  struct talk *talk = owner;
  struct mp_connection_setup setup = side_setup(&talk->far, talk->bed->far);
  talk->far.connection = mp_connection_accept(&setup, stream);
}

static inline void talk_failed(void *owner, int rc) {
  (void)owner;
  CHECK_INT(rc, 0);
}

static inline void talk_listener_closed(void *owner) {
  struct talk *talk = owner;
  talk->is_listener_closed = true;
  bed_check(talk->bed);
}

static inline void talk_init(struct talk *talk, struct bed *bed) {
  *talk = (struct talk){.bed = bed};
  bed->data = talk;
  side_init(&talk->near, bed);
  side_init(&talk->far, bed);
}

static inline bool talk_is_open(struct bed *bed) {
  struct talk *talk = bed->data;
  return talk->near.is_complete && talk->far.is_complete;
}

static inline void talk_open(struct talk *talk) {
  static const struct mp_listener_events events = {
      .accepted = talk_accepted,
      .failed = talk_failed,
      .closed = talk_listener_closed,
  };
  struct bed *bed = talk->bed;
  struct mp_fault fault = {.text = ""};
  mp_listener_open(&talk->listener, bed->far, &bed->at, &events, talk, &fault);
  CHECK_TEXT(fault.text, "");
  mp_listener_address(talk->listener, &bed->at);
  struct mp_connection_setup setup = side_setup(&talk->near, bed->near);
  talk->near.connection = mp_connection_dial(&setup, &bed->at);
  bed_run(bed, talk_is_open);
}

static inline bool talk_is_closed(struct bed *bed) {
  struct talk *talk = bed->data;
  return !talk->near.connection && !talk->far.connection &&
         talk->is_listener_closed;
}

static inline void talk_close(struct talk *talk) {
  if (talk->near.connection)
    mp_connection_close(talk->near.connection, 0, NULL);
  if (talk->far.connection)
    mp_connection_close(talk->far.connection, 0, NULL);
  mp_listener_close(talk->listener);
  bed_run(talk->bed, talk_is_closed);
}

static inline void side_send(struct side *side, const char *command,
                             const void *payload, size_t n) {
  struct mp_fault fault = {.text = ""};
  mp_connection_send(side->connection, command, payload, n, &fault);
  CHECK_TEXT(fault.text, "");
}

#endif
