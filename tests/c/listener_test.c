/* listener_test - listeners, Unix paths and many streams: the same on sockets
 * and in a world. */
#include <sys/resource.h>
#include <unistd.h>

#include "ends.h"

static bool near_has_failed(struct bed *bed) {
  return ((struct pair *)bed->data)->near.connected < 0;
}

static bool listener_is_closed(struct bed *bed) {
  return ((struct pair *)bed->data)->listener_closed;
}

static bool far_has_four(struct bed *bed) {
  return ((struct pair *)bed->data)->far.n >= 4;
}

BOTH(two_listeners_on_a_port_are_refused_with_words) {
  struct pair pair;
  struct mp_listener *second;
  struct mp_fault fault = {.text = ""};
  pair_listen(&pair, bed);
  CHECK_INT(mp_listener_open(&second, bed->far, &bed->at, &pair_events, &pair,
                             &fault),
            MP_ELISTEN);
  CHECK(second == NULL);
  CHECK_INT(fault.code, MP_ELISTEN);
  CHECK(strstr(fault.text, "already in use") != NULL);
  pair_close(&pair);
}

BOTH(any_address_is_taken_when_one_is) {
  static const char *const any[] = {"0.0.0.0", "::"};
  struct pair pair;
  struct mp_listener *second;
  struct mp_address at;
  pair_listen(&pair, bed);
  for (size_t i = 0; i < 2; i++) {
    CHECK_INT(mp_address_parse(&at, any[i], bed->at.port, NULL), 0);
    CHECK_INT(
        mp_listener_open(&second, bed->far, &at, &pair_events, &pair, NULL),
        MP_ELISTEN);
  }
  pair_close(&pair);
}

BOTH(a_foreign_address_cannot_be_listened_at) {
  struct pair pair = {.bed = bed};
  struct mp_fault fault = {.text = ""};
  struct mp_address at;
  CHECK_INT(mp_address_parse(&at, "192.0.2.1:1", 0, NULL), 0);
  CHECK_INT(mp_listener_open(&pair.listener, bed->far, &at, &pair_events, &pair,
                             &fault),
            MP_ELISTEN);
  CHECK(strstr(fault.text, "192.0.2.1:1") != NULL);
}

BOTH(a_closed_listener_leaves_its_streams_alone) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_listener_close(pair.listener);
  bed_run(bed, listener_is_closed);
  pair.listener = NULL;
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  bed_run(bed, far_has_four);
  pair_close(&pair);
}

static const char *path_of(struct bed *bed, char path[64]) {
  snprintf(path, 64, "/tmp/moonpeer-io-test-%d-%d", (int)getpid(),
           bed->world != NULL);
  return path;
}

static bool far_has_path_bytes(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->far.n == 4 && pair->near.connected == 0;
}

BOTH(a_unix_path_is_listened_at_and_dialed) {
  struct pair pair = {.bed = bed, .far_reads = true};
  struct mp_fault fault = {.text = ""};
  char path[64];
  path_of(bed, path);
  bed->data = &pair;
  end_init(&pair.near, bed);
  end_init(&pair.far, bed);
  CHECK_INT(mp_listener_open_path(&pair.listener, bed->near, path, &pair_events,
                                  &pair, &fault),
            0);
  pair.near.stream =
      mp_stream_connect_path(bed->near, path, &end_events, &pair.near);
  bed_run(bed, pair_is_open);
  struct mp_address none;
  mp_stream_remote(pair.near.stream, &none);
  CHECK_INT(none.port, 0);
  end_write(&pair.near, "ping");
  bed_run(bed, far_has_path_bytes);
  pair_close(&pair);
  pair.near.connected = NOT_YET;
  pair.near.closed = 0;
  pair.near.stream =
      mp_stream_connect_path(bed->near, path, &end_events, &pair.near);
  bed_run(bed, near_has_failed); /* the path is gone with its listener */
  CHECK_INT(pair.near.connected, MP_ECONNECT);
  pair_close(&pair);
}

/* --- many ------------------------------------------------------------------
 */
enum { MANY = 1000 };

struct crowd {
  struct bed *bed;
  struct mp_listener *listener;
  struct end *ends; /* the dialing ones, then the accepted ones */
  size_t accepted, answered, closed;
};

static struct crowd crowd;

static void echo(struct end *end, enum what what) {
  if (what == RECEIVED)
    CHECK_INT(mp_stream_write(end->stream, "echo", 4), 1);
  if (what == ENDED)
    mp_stream_close(end->stream);
  crowd.closed += what == CLOSED;
}

static void ask(struct end *end, enum what what) {
  if (what == CONNECTED) {
    CHECK_INT(end->connected, 0);
    mp_stream_read(end->stream, true);
    CHECK_INT(mp_stream_write(end->stream, "ping", 4), 1);
  }
  if (what == RECEIVED && end->n == 4) {
    crowd.answered++;
    mp_stream_close(end->stream);
  }
  crowd.closed += what == CLOSED;
}

static void crowd_accepted(void *owner, struct mp_stream *stream) {
  (void)owner;
  struct end *end = &crowd.ends[MANY + crowd.accepted++];
  end->on = echo;
  end->stream = stream;
  mp_stream_own(stream, &end_events, end);
  mp_stream_read(stream, true);
}

static void crowd_listener_closed(void *owner) {
  (void)owner;
}

static bool crowd_is_gone(struct bed *bed) {
  (void)bed;
  return crowd.answered == MANY && crowd.closed == (size_t)2 * MANY;
}

static const struct mp_listener_events crowd_events = {
    .accepted = crowd_accepted,
    .failed = pair_failed,
    .closed = crowd_listener_closed,
};

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

BOTH(a_thousand_streams_at_once) {
  raise_descriptor_limit();
  crowd = (struct crowd){.bed = bed};
  crowd.ends = calloc((size_t)2 * MANY, sizeof *crowd.ends);
  CHECK(crowd.ends);
  CHECK_INT(mp_listener_open(&crowd.listener, bed->far, &bed->at, &crowd_events,
                             NULL, NULL),
            0);
  mp_listener_address(crowd.listener, &bed->at);
  for (size_t i = 0; i < (size_t)2 * MANY; i++)
    end_init(&crowd.ends[i], bed);
  for (size_t i = 0; i < MANY; i++) {
    crowd.ends[i].on = ask;
    crowd.ends[i].stream =
        mp_stream_connect(bed->near, &bed->at, &end_events, &crowd.ends[i]);
  }
  bed_run(bed, crowd_is_gone);
  CHECK_INT(crowd.accepted, MANY);
  mp_listener_close(crowd.listener);
  bed_wait(bed, MP_MILLISECOND);
  free(crowd.ends);
}

TEST_MAIN(TESTS(two_listeners_on_a_port_are_refused_with_words),
          TESTS(any_address_is_taken_when_one_is),
          TESTS(a_foreign_address_cannot_be_listened_at),
          TESTS(a_closed_listener_leaves_its_streams_alone),
          TESTS(a_unix_path_is_listened_at_and_dialed),
          TESTS(a_thousand_streams_at_once))
