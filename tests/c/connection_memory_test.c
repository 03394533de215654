/* connection_memory_test - what a connection holds, and how long: the same on
 * sockets and in a world. */
#include "hooked.h"

/* --- memory ----------------------------------------------------------------
 */

BOTH(memory_follows_what_came_and_not_what_was_claimed) {
  struct talk talk = {.bed = bed};
  static uint8_t bytes[100000];
  struct mp_network network = *mp_network_find("regtest");
  talk_begin(&talk, bed);
  frame_header(bytes, &network, "plugh", 2 * 1024 * 1024, bytes + 50);
  CHECK_INT(mp_connection_send_raw(talk.far.c, bytes, 30, NULL), 0);
  bed_wait(bed, 30 * MP_MILLISECOND);
  CHECK_INT(buf_length(&talk.near.c->in), 30);
  CHECK(talk.near.c->in.size <= 65536);
  CHECK_INT(mp_connection_send_raw(talk.far.c, bytes, sizeof bytes, NULL), 0);
  bed_wait(bed, 60 * MP_MILLISECOND);
  CHECK_INT(buf_length(&talk.near.c->in), 30 + sizeof bytes);
  CHECK(talk.near.c->in.size <= 4 * sizeof bytes);
  talk_end(&talk);
}

BOTH(idle_connections_hold_no_buffers) {
  struct talk talk = {.bed = bed};
  talk_begin(&talk, bed);
  talk_say(&talk, "plugh", "words", 5);
  bed_wait(bed, 60 * MP_MILLISECOND);
  CHECK_TEXT(talk.near.last, "plugh");
  CHECK(!talk.near.c->in.bytes && !talk.near.c->out.bytes &&
        !talk.near.c->flying.bytes);
  talk_end(&talk);
}

/* Two hosts whose streams hold little, and a hundred pings. */
struct narrow {
  struct bed bed;
  struct talk talk;
  uint8_t pings[32 * 100];
};

static void narrow_open(struct narrow *narrow) {
  struct bed *bed = &narrow->bed;
  const struct mp_host_limits limits = {
      .descriptors = 10, .window = 16384, .send_buffer = 16384};
  struct buf ping = {0};
  struct hasher *hasher = hasher_new();
  bed_open(bed, true);
  CHECK_INT(mp_world_limit(bed->world, bed->near, &limits, NULL), 0);
  CHECK_INT(mp_world_limit(bed->world, bed->far, &limits, NULL), 0);
  talk_begin(&narrow->talk, bed);
  CHECK_INT(frame_put(&ping, narrow->talk.far.options.network, "ping",
                      "12345678", 8, hasher),
            0);
  for (size_t i = 0; i < sizeof narrow->pings; i++)
    narrow->pings[i] = buf_head(&ping)[i % 32];
  hasher_free(hasher);
  buf_deinit(&ping);
}

/* By little and little, and reads nothing. The most that near has queued. */
static size_t narrow_ask(struct narrow *narrow, int times) {
  size_t most = 0;
  mp_connection_pause(narrow->talk.far.c, true);
  for (int i = 0; i < times; i++) {
    mp_connection_send_raw(narrow->talk.far.c, narrow->pings,
                           sizeof narrow->pings, NULL);
    bed_wait(&narrow->bed, MP_MILLISECOND);
    size_t queued = mp_connection_queued(narrow->talk.near.c);
    most = queued > most ? queued : most;
  }
  return most;
}

static void a_peer_that_does_not_read_is_not_read_from(void) {
  static struct narrow narrow;
  struct talk *talk = &narrow.talk;
  narrow_open(&narrow);
  talk->near.options.send_memory = talk->far.options.send_memory = 200000;
  CHECK(narrow_ask(&narrow, 1000) < 256 * 1024);
  CHECK(talk->near.c->is_choked);
  uint64_t seen = talk->near.c->counts.messages_in;
  uint64_t came = talk->near.c->counts.bytes_in;
  bed_wait(&narrow.bed, MP_SECOND);
  CHECK_INT(talk->near.c->counts.messages_in, seen);
  CHECK_INT(talk->near.c->counts.bytes_in, came);
  CHECK(buf_length(&talk->near.c->in) < 300000);
  mp_connection_pause(talk->far.c, false); /* now it reads: all goes on */
  bed_wait(&narrow.bed, 10 * MP_SECOND);
  CHECK(!talk->near.c->is_choked);
  CHECK(talk->near.c->counts.messages_in > seen);
  CHECK_INT(mp_connection_queued(talk->near.c), 0);
  talk_end(talk);
  bed_close(&narrow.bed);
}

static void what_a_peer_said_that_reads_nothing_is_heard_at_its_end(void) {
  static struct narrow narrow;
  struct talk *talk = &narrow.talk;
  narrow_open(&narrow);
  narrow_ask(&narrow, 300);
  CHECK(talk->near.c->is_choked);
  int before = talk->near.events[MP_MESSAGE];
  CHECK(before < 300 * 100);
  bed_wait(&narrow.bed, 20 * MP_SECOND);
  CHECK_INT(mp_connection_queued(talk->far.c), 0);
  mp_stream_shutdown(talk->far.c->stream);
  bed_run(&narrow.bed, talk_near_is_gone);
  CHECK_INT(talk->near.code, MP_ECLOSED);
  CHECK(talk->near.events[MP_MESSAGE] >= 300 * 100);
  talk_end(talk);
  bed_close(&narrow.bed);
}

/* As a script does that has more unread than it may hold. */
static void pause_at_last(struct side *side, struct mp_connection *c,
                          int type) {
  if (type == MP_MESSAGE && side->events[MP_MESSAGE] == 300 * 100)
    mp_connection_pause(c, true);
}

static void an_end_that_came_while_it_was_paused_is_heard_when_it_is_not(void) {
  static struct narrow narrow;
  struct talk *talk = &narrow.talk;
  narrow_open(&narrow);
  talk->near.act = pause_at_last;
  narrow_ask(&narrow, 300);
  CHECK(talk->near.c->is_choked);
  bed_wait(&narrow.bed, 20 * MP_SECOND);
  mp_stream_shutdown(talk->far.c->stream);
  bed_wait(&narrow.bed, 20 * MP_SECOND);
  CHECK(talk->near.c->is_paused && talk->near.c->has_ended);
  CHECK_INT(buf_length(&talk->near.c->in), 0);
  mp_connection_pause(talk->near.c, false);
  bed_run(&narrow.bed, talk_near_is_gone);
  CHECK_INT(talk->near.code, MP_ECLOSED);
  talk_end(talk);
  bed_close(&narrow.bed);
}

static bool both_have_all(struct bed *bed) {
  const struct talk *talk = talk_of(bed);
  return talk->near.bytes > 1000000 && talk->far.bytes > 1000000;
}

static void two_that_say_much_at_once_do_not_wait_for_each_other(void) {
  struct bed bed;
  struct talk talk = {.bed = &bed};
  static uint8_t payload[100000];
  const struct mp_host_limits limits = {
      .descriptors = 10, .window = 16384, .send_buffer = 16384};
  bed_open(&bed, true);
  CHECK_INT(mp_world_limit(bed.world, bed.near, &limits, NULL), 0);
  CHECK_INT(mp_world_limit(bed.world, bed.far, &limits, NULL), 0);
  talk_init(&talk, &bed);
  talk.near.options.send_memory = talk.far.options.send_memory = 2000000;
  talk_dial(&talk);
  bed_run(&bed, talk_is_accepted);
  mp_connection_pause(talk.far.c, false);
  talk_hello(&talk);
  bed_run(&bed, talk_is_complete);
  for (int i = 0; i < 11; i++) {
    talk_say(&talk, "plugh", payload, sizeof payload);
    CHECK_INT(
        mp_connection_send(talk.near.c, "plugh", payload, sizeof payload, NULL),
        0);
  }
  bed_run(&bed, both_have_all);
  talk_end(&talk);
  bed_close(&bed);
}

static void what_is_queued_may_take_five_seconds_to_leave(void) {
  struct bed bed;
  struct talk talk = {.bed = &bed};
  static uint8_t payload[1000000];
  bed_open(&bed, true);
  talk_begin(&talk, &bed);
  mp_connection_pause(talk.far.c, true);
  CHECK_INT(
      mp_connection_send(talk.near.c, "plugh", payload, sizeof payload, NULL),
      0);
  int64_t before = mp_loop_now(bed.near);
  mp_connection_close(talk.near.c, MP_EFLOOD, "enough");
  bed_run(&bed, talk_near_is_gone);
  CHECK_INT(mp_loop_now(bed.near) - before, 5 * MP_SECOND);
  CHECK_INT(talk.near.code, MP_EFLOOD);
  talk_end(&talk);
  bed_close(&bed);
}

/* --- time ------------------------------------------------------------------
 */

static void the_handshake_deadline_is_exact(void) {
  struct bed bed;
  struct talk talk = {.bed = &bed};
  bed_open(&bed, true);
  talk_init(&talk, &bed);
  talk_dial(&talk);
  bed_run(&bed, talk_is_accepted);
  uint8_t header[FRAME_EXTENDED_HEADER] = {0};
  int64_t opened = mp_loop_now(bed.near);
  /* a byte each 200 ms, of a version that would take longer than that */
  frame_header(header, talk.far.options.network, "version", 102, header);
  for (size_t i = 0; !talk.near.closed; i++) {
    uint8_t byte = i < FRAME_HEADER ? header[i] : 0;
    if (talk.far.c)
      mp_connection_send_raw(talk.far.c, &byte, 1, NULL);
    bed_wait(&bed, 200 * MP_MILLISECOND);
  }
  CHECK_INT(talk.near.code, MP_EHANDSHAKE_TIMEOUT);
  CHECK_INT(talk.near.state, MP_FAILED);
  int64_t spent = mp_loop_now(bed.near) - opened;
  CHECK(spent > 14 * MP_SECOND && spent < 16 * MP_SECOND);
  talk_end(&talk);
  bed_close(&bed);
}

static void pings_come_each_interval_and_late_pongs_end(void) {
  struct bed bed;
  struct talk talk = {.bed = &bed};
  bed_open(&bed, true);
  talk_init(&talk, &bed);
  talk.near.options.ping_interval = 120 * MP_SECOND;
  talk_dial(&talk);
  bed_run(&bed, talk_is_accepted);
  mp_connection_pause(talk.far.c, false);
  talk_hello(&talk);
  bed_run(&bed, talk_is_complete);
  int64_t complete = mp_loop_now(bed.near);
  bed_run(&bed, talk_near_is_gone);
  CHECK_INT(talk.near.code, MP_EPING_TIMEOUT);
  CHECK_INT(talk.near.state, MP_FAILED);
  int64_t spent = mp_loop_now(bed.near) - complete;
  CHECK(spent > 29 * MP_SECOND && spent <= 30 * MP_SECOND);
  CHECK_TEXT(talk.far.last, "ping");
  talk_end(&talk);
  bed_close(&bed);
}

TEST_MAIN(TESTS(memory_follows_what_came_and_not_what_was_claimed),
          TESTS(idle_connections_hold_no_buffers),
          TEST(a_peer_that_does_not_read_is_not_read_from),
          TEST(what_a_peer_said_that_reads_nothing_is_heard_at_its_end),
          TEST(an_end_that_came_while_it_was_paused_is_heard_when_it_is_not),
          TEST(two_that_say_much_at_once_do_not_wait_for_each_other),
          TEST(what_is_queued_may_take_five_seconds_to_leave),
          TEST(the_handshake_deadline_is_exact),
          TEST(pings_come_each_interval_and_late_pongs_end))
