/* hooked - two ends of a connection, each with hooks that note what they are
 * told and check the order in which they are. */
#ifndef TESTS_HOOKED_H
#define TESTS_HOOKED_H

#include "bed.h"
#include "engine/connection.h"
#include "moonpeer/message.h"
#include "wire/frame.h"
#include "wire/version.h"

struct side {
  struct bed *bed;
  struct mp_connection *c; /* NULL when it is gone */
  struct mp_hooks hooks;
  struct mp_session_options options;
  uint64_t seen; /* bits of event types */
  int events[MP_EVENT_TYPES];
  int code;    /* of its end */
  int offence; /* the last */
  int validated, judged, closed;
  bool is_inside; /* a hook of this side runs */
  enum mp_answer answer;
  char last[64];       /* the last message's command */
  size_t bytes;        /* of all messages' payloads */
  enum mp_state state; /* at its end */
  /* What a test does in a hook: `type` is an event's, or one of these. */
  void (*act)(struct side *side, struct mp_connection *c, int type);
};

enum { ON_VALIDATE = MP_EVENT_TYPES, ON_JUDGE, HOOK_TYPES };

struct talk {
  struct bed *bed;
  struct side near, far;
  struct mp_listener *listener;
};

static inline void side_enter(struct side *side, struct mp_connection *c,
                              int type) {
  CHECK(!side->is_inside); /* one way up */
  CHECK(!side->closed);
  side->is_inside = true;
  if (side->act)
    side->act(side, c, type);
  side->is_inside = false;
  bed_check(side->bed);
}

static inline void side_event(void *data, const struct mp_event *event) {
  struct side *side = data;
  side->events[event->type]++;
  side->seen |= UINT64_C(1) << event->type;
  CHECK(event->connection == side->c || !side->c);
  if (event->type == MP_MESSAGE) {
    snprintf(side->last, sizeof side->last, "%s", event->message->command);
    side->bytes += (size_t)event->message->size;
  } else if (event->type == MP_CONNECTION_FAILED ||
             event->type == MP_CONNECTION_LOST) {
    side->code = event->code;
    side->state = mp_connection_state(event->connection);
    CHECK(event->text[0]);
  } else if (event->type == MP_PEER_MISBEHAVED) {
    side->offence = event->code;
  }
  side_enter(side, event->connection, event->type);
}

static inline int side_validate(void *data, struct mp_connection *c,
                                struct mp_fault *fault) {
  struct side *side = data;
  (void)fault;
  side->validated++;
  side_enter(side, c, ON_VALIDATE);
  return 0;
}

static inline void side_judge(void *data, struct mp_connection *c,
                              const struct mp_offence *offence,
                              struct mp_verdict *verdict) {
  struct side *side = data;
  CHECK(offence->count > 0 && offence->text[0]);
  side->judged++;
  verdict->answer = side->answer;
  side_enter(side, c, ON_JUDGE);
}

static inline void side_closed(void *data, struct mp_connection *c) {
  struct side *side = data;
  CHECK(!side->is_inside && side->closed == 0);
  CHECK(side->events[MP_CONNECTION_FAILED] + side->events[MP_CONNECTION_LOST] ==
        1);
  CHECK_INT(mp_connection_state(c), MP_DISCONNECTED);
  side->closed++;
  side->c = NULL;
  bed_check(side->bed);
}

static inline void side_init(struct side *side, struct bed *bed) {
  *side = (struct side){.bed = bed, .answer = MP_DISCONNECT};
  side->hooks = (struct mp_hooks){.wants = UINT64_MAX,
                                  .commands = UINT64_MAX,
                                  .event = side_event,
                                  .validate = side_validate,
                                  .judge = side_judge,
                                  .closed = side_closed};
  mp_session_options_init(&side->options, mp_network_find("regtest"));
}

static inline struct mp_connection_setup
side_setup(struct side *side, struct mp_loop *loop, bool is_manual) {
  return (struct mp_connection_setup){.loop = loop,
                                      .options = &side->options,
                                      .hooks = &side->hooks,
                                      .data = side,
                                      .is_manual = is_manual};
}

static inline void talk_accepted(void *owner, struct mp_stream *stream) {
  struct talk *talk = owner;
  struct mp_connection_setup setup =
      side_setup(&talk->far, talk->bed->far, true);
  CHECK(!talk->far.c);
  talk->far.c = mp_connection_accept(&setup, stream);
  bed_check(talk->bed);
}

static inline void talk_failed(void *owner, int rc) {
  (void)owner, (void)rc;
}

static inline void talk_listener_closed(void *owner) {
  ((struct talk *)owner)->listener = NULL;
}

static const struct mp_listener_events talk_events = {.accepted = talk_accepted,
                                                      .failed = talk_failed,
                                                      .closed =
                                                          talk_listener_closed};

/* near will dial far; far is played by hand. */
static inline void talk_init(struct talk *talk, struct bed *bed) {
  *talk = (struct talk){.bed = bed};
  side_init(&talk->near, bed);
  side_init(&talk->far, bed);
  talk->near.options.ping_interval = 0;
  CHECK_INT(mp_listener_open(&talk->listener, bed->far, &bed->at, &talk_events,
                             talk, NULL),
            0);
  mp_listener_address(talk->listener, &bed->at);
  bed->data = talk;
}

static inline struct talk *talk_of(struct bed *bed) {
  return bed->data;
}

static inline bool talk_is_accepted(struct bed *bed) {
  return talk_of(bed)->far.c != NULL;
}

/* And far has read all of it: what is unread at a close makes it a reset. */
static inline bool talk_is_complete(struct bed *bed) {
  return talk_of(bed)->near.events[MP_HANDSHAKE_COMPLETE] > 0 &&
         talk_of(bed)->far.events[MP_MESSAGE] >= 4;
}

static inline bool talk_near_is_gone(struct bed *bed) {
  return talk_of(bed)->near.closed > 0;
}

static inline bool talk_is_over(struct bed *bed) {
  const struct talk *talk = talk_of(bed);
  return !talk->near.c && !talk->far.c;
}

static inline void talk_dial(struct talk *talk) {
  struct mp_connection_setup setup =
      side_setup(&talk->near, talk->bed->near, false);
  talk->near.c = mp_connection_dial(&setup, &talk->bed->at);
}

/* A frame with a payload, from far. */
static inline void talk_say(struct talk *talk, const char *command,
                            const void *payload, size_t n) {
  CHECK_INT(mp_connection_send(talk->far.c, command, payload, n, NULL), 0);
}

static inline void talk_hello(struct talk *talk) {
  struct mp_version version;
  mp_connection_own_version(talk->far.c, &version);
  struct buf payload = {0};
  CHECK_INT(version_put(&payload, &version), 0);
  talk_say(talk, "version", buf_head(&payload), buf_length(&payload));
  talk_say(talk, "verack", NULL, 0);
  buf_deinit(&payload);
}

/* Up to the complete handshake. */
static inline void talk_begin(struct talk *talk, struct bed *bed) {
  talk_init(talk, bed);
  talk_dial(talk);
  bed_run(bed, talk_is_accepted);
  mp_connection_pause(talk->far.c, false);
  talk_hello(talk);
  bed_run(bed, talk_is_complete);
}

static inline void talk_end(struct talk *talk) {
  if (talk->near.c)
    mp_connection_close(talk->near.c, 0, NULL);
  if (talk->far.c)
    mp_connection_close(talk->far.c, 0, NULL);
  bed_run(talk->bed, talk_is_over);
  mp_listener_close(talk->listener);
  bed_wait(talk->bed, MP_MILLISECOND);
  CHECK(talk->listener == NULL);
}

#endif
