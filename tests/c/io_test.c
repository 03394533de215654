/* io_test - streams and listeners: the same on sockets and in a world. */
#include <sys/resource.h>
#include <unistd.h>

#include "ends.h"

static bool both_are_told(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->near.n >= 4 && pair->far.n >= 4;
}

BOTH(bytes_go_both_ways) {
  struct pair pair;
  pair_open(&pair, bed);
  CHECK_INT(pair.near.ended, NOT_YET);
  mp_stream_read(pair.near.stream, true);
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  end_write(&pair.far, "pong");
  bed_run(bed, both_are_told);
  CHECK_TEXT(pair.near.first, "pong");
  CHECK_TEXT(pair.far.first, "ping");
  pair_close(&pair);
}

BOTH(the_two_ends_know_their_addresses) {
  struct pair pair;
  struct mp_address local, remote;
  pair_open(&pair, bed);
  CHECK(bed->at.port != 0);
  mp_stream_remote(pair.near.stream, &remote);
  CHECK(mp_address_equal(&remote, &bed->at));
  mp_stream_local(pair.far.stream, &local);
  CHECK(mp_address_equal(&local, &bed->at));
  mp_stream_local(pair.near.stream, &local);
  mp_stream_remote(pair.far.stream, &remote);
  CHECK(mp_address_equal(&local, &remote));
  CHECK(local.port != 0);
  pair_close(&pair);
}

static bool near_has_failed(struct bed *bed) {
  return ((struct pair *)bed->data)->near.connected < 0;
}

static bool listener_is_closed(struct bed *bed) {
  return ((struct pair *)bed->data)->listener_closed;
}

BOTH(a_dial_to_a_port_without_listener_is_refused) {
  struct pair pair;
  pair_listen(&pair, bed);
  mp_listener_close(pair.listener);
  mp_listener_close(pair.listener); /* twice is fine */
  bed_run(bed, listener_is_closed);
  pair.listener = NULL;
  pair_dial(&pair);
  CHECK_INT(pair.near.connected, NOT_YET);
  bed_run(bed, near_has_failed);
  CHECK_INT(pair.near.connected, MP_EREFUSED);
  pair_close(&pair);
}

static bool far_has_ended(struct bed *bed) {
  return ((struct pair *)bed->data)->far.ended != NOT_YET;
}

static bool near_has_ended(struct bed *bed) {
  return ((struct pair *)bed->data)->near.ended != NOT_YET;
}

BOTH(after_a_half_close_the_other_way_stays_open) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_stream_read(pair.near.stream, true);
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "question");
  mp_stream_shutdown(pair.near.stream);
  bed_run(bed, far_has_ended);
  CHECK_TEXT(pair.far.first, "question");
  CHECK_INT(pair.far.ended, MP_ECLOSED);
  CHECK_INT(mp_stream_write(pair.near.stream, "x", 1), MP_ERESET);
  end_write(&pair.far, "answer");
  mp_stream_close(pair.far.stream);
  bed_run(bed, near_has_ended);
  CHECK_TEXT(pair.near.first, "answer");
  CHECK_INT(pair.near.ended, MP_ECLOSED);
  pair_close(&pair);
}

BOTH(bytes_sent_before_a_close_arrive_before_it) {
  struct pair pair;
  pair_open(&pair, bed);
  end_write(&pair.near, "last words");
  mp_stream_close(pair.near.stream);
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_ended);
  CHECK_TEXT(pair.far.first, "last words");
  CHECK_INT(pair.far.ended, MP_ECLOSED);
  pair_close(&pair);
}

BOTH(a_reset_is_told_after_what_had_arrived) {
  struct pair pair;
  pair_open(&pair, bed);
  end_write(&pair.near, "sent");
  mp_stream_reset(pair.near.stream);
  mp_stream_reset(pair.near.stream); /* twice is fine */
  mp_stream_close(pair.near.stream);
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_ended);
  CHECK_TEXT(pair.far.first, "sent");
  CHECK_INT(pair.far.ended, MP_ERESET);
  CHECK_INT(mp_stream_write(pair.far.stream, "x", 1), MP_ERESET);
  pair_close(&pair);
}

BOTH(a_close_with_unread_bytes_resets_the_other_end) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.far, "unread");
  bed_wait(bed, 50 * MP_MILLISECOND);
  mp_stream_close(pair.near.stream);
  bed_run(bed, far_has_ended);
  CHECK_INT(pair.far.ended, MP_ERESET);
  pair_close(&pair);
}

BOTH(writing_to_a_closed_end_fails_a_little_later) {
  struct pair pair;
  pair_open(&pair, bed);
  mp_stream_close(pair.far.stream);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(mp_stream_write(pair.near.stream, "x", 1), 1);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(mp_stream_write(pair.near.stream, "y", 1), MP_ERESET);
  pair_close(&pair);
}

/* --- much ------------------------------------------------------------------
 */
enum { MUCH = 16 << 20 };

static char *much(uint64_t *sum) {
  char *bytes = malloc(MUCH);
  CHECK(bytes);
  *sum = 0;
  for (size_t i = 0; i < MUCH; i++) {
    bytes[i] = (char)(i * 31 + i / 251);
    *sum += (uint8_t)bytes[i] * (uint64_t)(i + 1);
  }
  return bytes;
}

static bool is_through(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->far.n == MUCH && pair->near.drained;
}

BOTH(a_write_is_borrowed_until_a_slow_reader_has_made_room) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.near.drained, 0);
  CHECK_INT(pair.far.n, 0);
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, is_through);
  CHECK_INT(pair.near.drained, 1);
  CHECK(pair.far.sum == sum);
  end_write(&pair.near, "more");
  free(bytes);
  pair_close(&pair);
}

static void stop_at_1000(struct end *end, enum what what) {
  if (what == RECEIVED && end->n >= 1000)
    mp_stream_read(end->stream, false);
}

static bool far_has_1000(struct bed *bed) {
  return ((struct pair *)bed->data)->far.n >= 1000;
}

BOTH(reading_off_holds_bytes_back_and_on_brings_them) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  pair.far.on = stop_at_1000;
  pair.far.room_size = 100;
  mp_stream_read(pair.far.stream, true);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  bed_run(bed, far_has_1000);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.far.n, 1000);
  pair.far.on = NULL;
  pair.far.room_size = ROOM_SIZE;
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, is_through);
  CHECK(pair.far.sum == sum);
  free(bytes);
  pair_close(&pair);
}

static bool far_was_asked(struct bed *bed) {
  return ((struct pair *)bed->data)->far.calls > 1;
}

static bool far_has_four(struct bed *bed) {
  return ((struct pair *)bed->data)->far.n >= 4;
}

BOTH(no_room_turns_reading_off) {
  struct pair pair;
  pair_open(&pair, bed);
  pair.far.room_size = 0;
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  bed_run(bed, far_was_asked);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.far.calls, 2); /* accepted and asked, once */
  pair.far.room_size = ROOM_SIZE;
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_four);
  pair_close(&pair);
}

static void read_off_in_room(struct end *end, enum what what) {
  if (what == ROOM)
    mp_stream_read(end->stream, false);
}

BOTH(reading_turned_off_in_room_reads_no_more) {
  struct pair pair;
  pair_open(&pair, bed);
  pair.far.on = read_off_in_room;
  mp_stream_read(pair.far.stream, true);
  end_write(&pair.near, "ping");
  bed_run(bed, far_was_asked);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(pair.far.calls, 2);
  pair.far.on = NULL;
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_four);
  pair_close(&pair);
}

BOTH(a_write_under_way_fails_when_the_remote_resets) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  mp_stream_reset(pair.far.stream);
  bed_run(bed, near_has_ended);
  CHECK_INT(pair.near.ended, MP_ERESET);
  CHECK_INT(pair.near.drained, 0);
  free(bytes);
  pair_close(&pair);
}

BOTH(what_a_closing_end_had_not_sent_is_lost) {
  struct pair pair;
  uint64_t sum;
  char *bytes = much(&sum);
  pair_open(&pair, bed);
  CHECK_INT(mp_stream_write(pair.near.stream, bytes, MUCH), 0);
  mp_stream_close(pair.near.stream);
  memset(bytes, 0, MUCH); /* no longer borrowed once closed */
  mp_stream_read(pair.far.stream, true);
  bed_run(bed, far_has_ended);
  CHECK_INT(pair.far.ended, MP_ECLOSED);
  CHECK(pair.far.n > 0 && pair.far.n < MUCH);
  free(bytes);
  pair_close(&pair);
}

/* --- closing in callbacks --------------------------------------------------
 */
static enum what close_at;

static void close_here(struct end *end, enum what what) {
  if (what == close_at)
    mp_stream_close(end->stream);
}

static bool all_is_closed(struct bed *bed) {
  struct pair *pair = bed->data;
  return pair->near.closed && (pair->far.closed || !pair->accepted);
}

static void close_other_on_end(struct end *end, enum what what) {
  if (what == ENDED)
    mp_stream_close(end->stream);
}

/* ends.h checks that nothing but `closed` is called after a close only once
 * `closed` was; here calls are counted from the close on. */
static int calls_at_close;

static void close_and_count(struct end *end, enum what what) {
  CHECK(calls_at_close == 0 || what == CLOSED);
  if (what == close_at) {
    mp_stream_close(end->stream);
    calls_at_close = end->calls;
  }
}

static void close_in(struct bed *bed, enum what what) {
  struct pair pair;
  char bytes[] = "a few bytes";
  uint64_t sum;
  char *many = much(&sum);
  close_at = what;
  calls_at_close = 0;
  pair_listen(&pair, bed);
  pair.far_reads = true;
  pair.near.on = what == ACCEPTED ? close_other_on_end : close_and_count;
  pair.on_far = what == ACCEPTED ? close_here : close_other_on_end;
  pair_dial(&pair);
  mp_stream_read(pair.near.stream, what != CONNECTED);
  if (what != CONNECTED) {
    bed_run(bed, pair_is_open);
    if (what == DRAINED)
      CHECK_INT(mp_stream_write(pair.near.stream, many, MUCH), 0);
    else if (pair.far.stream && what != ACCEPTED)
      mp_stream_write(pair.far.stream, bytes, sizeof bytes);
    if (what == ENDED)
      mp_stream_close(pair.far.stream);
  }
  bed_run(bed, all_is_closed);
  if (what != ACCEPTED)
    CHECK_INT(pair.near.calls, calls_at_close + 1);
  pair_close(&pair);
  free(many);
}

BOTH(a_close_in_connected_is_the_last_but_closed) {
  close_in(bed, CONNECTED);
}

BOTH(a_close_in_room_is_the_last_but_closed) {
  close_in(bed, ROOM);
}

BOTH(a_close_in_received_is_the_last_but_closed) {
  close_in(bed, RECEIVED);
}

BOTH(a_close_in_ended_is_the_last_but_closed) {
  close_in(bed, ENDED);
}

BOTH(a_close_in_drained_is_the_last_but_closed) {
  close_in(bed, DRAINED);
}

BOTH(a_close_in_accepted_is_the_last_but_closed) {
  close_in(bed, ACCEPTED);
}

static bool near_is_closed(struct bed *bed) {
  return ((struct pair *)bed->data)->near.closed;
}

BOTH(a_dial_closed_at_once_says_nothing_but_closed) {
  struct pair pair;
  pair_listen(&pair, bed);
  pair_dial(&pair);
  mp_stream_close(pair.near.stream);
  CHECK_INT(pair.near.closed, 0);
  bed_run(bed, near_is_closed);
  CHECK_INT(pair.near.calls, 1);
  bed_wait(bed, 50 * MP_MILLISECOND);
  mp_stream_close(pair.far.stream); /* the system may have accepted it */
  pair_close(&pair);
}

/* --- listeners -------------------------------------------------------------
 */
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

static void closing_a_loop_closes_what_is_open(bool in_world) {
  struct bed bed;
  struct pair pair;
  bed_open(&bed, in_world);
  pair_open(&pair, &bed);
  bed.is_done = NULL;
  bed_close(&bed);
  CHECK_INT(pair.near.closed, 1);
  CHECK_INT(pair.far.closed, 1);
  CHECK_INT(pair.listener_closed, 1);
}

static void closing_the_loop_closes_what_is_open(void) {
  closing_a_loop_closes_what_is_open(false);
}

static void freeing_the_world_closes_what_is_open(void) {
  closing_a_loop_closes_what_is_open(true);
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

TEST_MAIN(TESTS(bytes_go_both_ways), TESTS(the_two_ends_know_their_addresses),
          TESTS(a_dial_to_a_port_without_listener_is_refused),
          TESTS(after_a_half_close_the_other_way_stays_open),
          TESTS(bytes_sent_before_a_close_arrive_before_it),
          TESTS(a_reset_is_told_after_what_had_arrived),
          TESTS(a_close_with_unread_bytes_resets_the_other_end),
          TESTS(writing_to_a_closed_end_fails_a_little_later),
          TESTS(a_write_is_borrowed_until_a_slow_reader_has_made_room),
          TESTS(reading_off_holds_bytes_back_and_on_brings_them),
          TESTS(no_room_turns_reading_off),
          TESTS(reading_turned_off_in_room_reads_no_more),
          TESTS(a_write_under_way_fails_when_the_remote_resets),
          TESTS(what_a_closing_end_had_not_sent_is_lost),
          TESTS(a_close_in_connected_is_the_last_but_closed),
          TESTS(a_close_in_room_is_the_last_but_closed),
          TESTS(a_close_in_received_is_the_last_but_closed),
          TESTS(a_close_in_ended_is_the_last_but_closed),
          TESTS(a_close_in_drained_is_the_last_but_closed),
          TESTS(a_close_in_accepted_is_the_last_but_closed),
          TESTS(a_dial_closed_at_once_says_nothing_but_closed),
          TESTS(two_listeners_on_a_port_are_refused_with_words),
          TESTS(a_foreign_address_cannot_be_listened_at),
          TESTS(a_closed_listener_leaves_its_streams_alone),
          TESTS(a_unix_path_is_listened_at_and_dialed),
          TEST(closing_the_loop_closes_what_is_open),
          TEST(freeing_the_world_closes_what_is_open),
          TESTS(a_thousand_streams_at_once))
