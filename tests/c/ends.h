/* ends - streams and listeners that note what they are told. */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H

#include "bed.h"

enum what { CONNECTED, ROOM, RECEIVED, ENDED, DRAINED, CLOSED, ACCEPTED };

enum { ROOM_SIZE = 65536, NOT_YET = 1 };

struct end {
  struct bed *bed;
  struct mp_stream *stream;
  /* The test's own part of a callback; may be NULL. */
  void (*on)(struct end *end, enum what what);
  char room[ROOM_SIZE];
  size_t room_size;     /* 0: reading goes off */
  char first[64];       /* what was received, as text, cut */
  size_t n;             /* all that was received */
  uint64_t sum;         /* of its bytes, each times its place */
  int connected, ended; /* NOT_YET, or what came */
  int drained, closed, calls;
  bool is_reading;
};

struct pair {
  struct bed *bed;
  struct end near, far;
  struct mp_listener *listener;
  int accepted, failed, listener_closed;
  /* What the accepted end is like. */
  void (*on_far)(struct end *end, enum what what);
  bool far_reads;
};

static inline void end_tell(struct end *end, enum what what) {
  CHECK(!end->closed || what == CLOSED);
  end->calls++;
  if (end->on)
    end->on(end, what);
  bed_check(end->bed);
}

static inline void end_connected(void *owner, int rc) {
  struct end *end = owner;
  CHECK_INT(end->connected, NOT_YET);
  end->connected = rc;
  end_tell(end, CONNECTED);
}

static inline struct mp_room end_room(void *owner) {
  struct end *end = owner;
  end_tell(end, ROOM);
  return (struct mp_room){.bytes = end->room, .size = end->room_size};
}

static inline void end_received(void *owner, size_t n) {
  struct end *end = owner;
  CHECK(n > 0 && n <= end->room_size);
  for (size_t i = 0; i < n; i++) {
    if (end->n < sizeof end->first - 1)
      end->first[end->n] = end->room[i];
    end->sum += (uint8_t)end->room[i] * (uint64_t)++end->n;
  }
  end_tell(end, RECEIVED);
}

static inline void end_ended(void *owner, int rc) {
  struct end *end = owner;
  CHECK(rc < 0);
  end->ended = rc;
  end_tell(end, ENDED);
}

static inline void end_drained(void *owner) {
  struct end *end = owner;
  end->drained++;
  end_tell(end, DRAINED);
}

static inline void end_closed(void *owner) {
  struct end *end = owner;
  end->closed++;
  CHECK_INT(end->closed, 1);
  end->stream = NULL;
  end_tell(end, CLOSED);
}

static const struct mp_stream_events end_events = {
    .connected = end_connected,
    .room = end_room,
    .received = end_received,
    .ended = end_ended,
    .drained = end_drained,
    .closed = end_closed,
};

static inline void end_init(struct end *end, struct bed *bed) {
  *end = (struct end){.bed = bed,
                      .room_size = ROOM_SIZE,
                      .connected = NOT_YET,
                      .ended = NOT_YET};
}

static inline void pair_accepted(void *owner, struct mp_stream *stream) {
  struct pair *pair = owner;
  pair->accepted++;
  CHECK_INT(pair->accepted, 1);
  pair->far.stream = stream;
  pair->far.on = pair->on_far;
  mp_stream_own(stream, &end_events, &pair->far);
  if (pair->far_reads)
    mp_stream_read(stream, true);
  end_tell(&pair->far, ACCEPTED);
}

static inline void pair_failed(void *owner, int rc) {
  struct pair *pair = owner;
  CHECK_INT(rc, MP_EACCEPT);
  pair->failed++;
  bed_check(pair->bed);
}

static inline void pair_listener_closed(void *owner) {
  struct pair *pair = owner;
  pair->listener_closed++;
  bed_check(pair->bed);
}

static const struct mp_listener_events pair_events = {
    .accepted = pair_accepted,
    .failed = pair_failed,
    .closed = pair_listener_closed,
};

/* A listener at far; nobody dials yet. */
static inline void pair_listen(struct pair *pair, struct bed *bed) {
  struct mp_fault fault = {.text = ""};
  *pair = (struct pair){.bed = bed};
  bed->data = pair;
  end_init(&pair->near, bed);
  end_init(&pair->far, bed);
  int rc = mp_listener_open(&pair->listener, bed->far, &bed->at, &pair_events,
                            pair, &fault);
  CHECK_TEXT(fault.text, "");
  CHECK_INT(rc, 0);
  mp_listener_address(pair->listener, &bed->at);
}

static inline void pair_dial(struct pair *pair) {
  pair->near.stream = mp_stream_connect(pair->bed->near, &pair->bed->at,
                                        &end_events, &pair->near);
}

static inline bool pair_is_open(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->accepted && pair->near.connected == 0;
}

static inline void pair_open(struct pair *pair, struct bed *bed) {
  pair_listen(pair, bed);
  pair_dial(pair);
  bed_run(bed, pair_is_open);
}

static inline bool pair_is_closed(struct bed *bed) {
  struct pair *pair = bed->data;
  return !pair->near.stream && !pair->far.stream &&
         (pair->listener_closed || !pair->listener);
}

/* Closes what is left, and waits for it. */
static inline void pair_close(struct pair *pair) {
  mp_stream_close(pair->near.stream);
  mp_stream_close(pair->far.stream);
  mp_listener_close(pair->listener);
  bed_run(pair->bed, pair_is_closed);
  pair->listener = NULL;
}

/* Writes a string that fits into any socket. */
static inline void end_write(struct end *end, const char *text) {
  CHECK_INT(mp_stream_write(end->stream, text, strlen(text)), 1);
}

#endif
