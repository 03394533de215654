/* chunk_send_test - payloads larger than what a connection holds, sent in
 * pieces: the same on sockets and in a world. */
#include "generator.h"

/* --- sending --------------------------------------------------------------
 */

BOTH(what_fits_arrives_as_one_message_with_a_good_checksum) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.near.options.send_memory = 1 * KIB;
  talk_open(&talk);
  generator_init(&generator, 0);
  CHECK_INT(send_from(&talk.near, "x", &generator), 0);
  bed_run(bed, far_has_x);
  generator_init(&generator, 500 * KIB);
  talk.far.commands[0] = '\0';
  CHECK_INT(send_from(&talk.near, "x", &generator), 0);
  bed_run(bed, far_has_x);
  CHECK_INT(talk.far.messages, 2);
  CHECK_INT(talk.far.offences, 0);
  talk_close(&talk);
}

BOTH(one_at_a_time) {
  struct talk talk;
  struct generator one, other;
  talk_init(&talk, bed);
  talk_open(&talk);
  generator_init(&one, 500 * KIB);
  generator_init(&other, 500 * KIB);
  CHECK_INT(send_from(&talk.near, "x", &one), 0);
  CHECK_INT(send_from(&talk.near, "x", &other), MP_EWOULD_BLOCK);
  bed_run(bed, far_has_x);
  CHECK_INT(send_from(&talk.near, "x", &other), 0);
  talk_close(&talk);
  CHECK_INT(one.done, 1);
  CHECK_INT(other.done, 1);
}

BOTH(a_source_that_fails_before_it_has_begun_harms_nobody) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk_open(&talk);
  generator_init(&generator, 500 * KIB);
  generator.fails_at = 100 * KIB;
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, far_has_x);
  CHECK_TEXT(talk.far.commands, "x ");
  CHECK_INT(generator.rc, MP_EIO);
  CHECK(!talk.near.is_over);
  talk_close(&talk);
}

/* Over 4 GiB there is no checksum, and no first pass. */
BOTH(a_source_that_fails_later_ends_the_connection) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk_open(&talk);
  generator_init(&generator, (UINT64_C(1) << 32) + 1);
  generator.fails_at = 1 * MIB;
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, both_are_over);
  CHECK_INT(talk.near.code, MP_EIO);
  CHECK_INT(generator.rc, MP_EIO);
  CHECK_INT(generator.passes, 1);
  CHECK_TEXT(talk.far.commands, "block ");
  CHECK(!talk.far.has_last);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
}

BOTH(nobody_old_is_sent_a_long_header) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.protocol_version = 70015;
  talk_open(&talk);
  generator_init(&generator, UINT64_C(1) << 32);
  CHECK_INT(send_from(&talk.near, "block", &generator), MP_EOVERSIZE);
  CHECK_INT(generator.done, 0);
  talk_close(&talk);
}

BOTH(a_close_gives_up_what_is_under_way) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.on = pause_at_first;
  talk_open(&talk);
  generator_init(&generator, 64 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  bed_wait(bed, 100 * MP_MILLISECOND);
  mp_connection_reset(talk.near.connection);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
  CHECK_INT(generator.rc, MP_ECLOSED);
}

/* A ping would stand behind the payload: who reads nothing of it is late all
 * the same. */
BOTH(who_takes_nothing_of_it_is_late) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.near.options.ping_interval = 10 * MP_MILLISECOND;
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.on = pause_at_first;
  talk_open(&talk);
  generator_init(&generator, 64 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  /* only now: the pong before it may take its time */
  talk.near.options.ping_timeout = 100 * MP_MILLISECOND;
  bed_run(bed, near_is_over);
  CHECK_INT(talk.near.code, MP_EPING_TIMEOUT);
  CHECK(talk.far.chunks == 1);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
  CHECK_INT(generator.rc, MP_EPING_TIMEOUT);
}

/* In a world, where it is known how long everything takes. */
static void who_takes_it_slowly_is_not(void) {
  struct bed bed;
  struct talk talk;
  struct generator generator;
  struct mp_weather weather;
  bed_open(&bed, true);
  mp_weather_init(&weather);
  weather.bandwidth = 1 * MIB;
  weather.segment = 16 * KIB;
  CHECK_INT(mp_world_link(bed.world, NULL, NULL, &weather, NULL), 0);
  talk_init(&talk, &bed);
  talk.near.options.ping_interval = 100 * MP_MILLISECOND;
  talk.near.options.ping_timeout = 1 * MP_SECOND;
  talk.far.options.receive_memory = 100 * KIB;
  talk_open(&talk);
  generator_init(&generator, 8 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(&bed, far_has_x);
  CHECK_INT(talk.far.got, 8 * MIB);
  bed_wait(&bed, 2 * MP_SECOND); /* and pings go on */
  CHECK(!talk.near.is_over);
  talk_close(&talk);
  bed_close(&bed);
}

/* More than enough is queued to choke, and a ping waits for its pong; then what
 * stands before it fails. Nothing is started again for what is over: its timer
 * would go off when it is gone. */
BOTH(a_source_that_fails_with_much_behind_it_leaves_nothing) {
  struct talk talk;
  struct generator generator;
  static uint8_t payload[300 * KIB];
  talk_init(&talk, bed);
  talk.near.options.ping_interval = 1 * MP_MILLISECOND;
  talk.far.options.keepalive = false; /* no pong ever comes */
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.on = pause_at_first;
  talk_open(&talk);
  generator_init(&generator, (UINT64_C(1) << 32) + 1);
  generator.fails_at = 200 * KIB;
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  side_send(&talk.near, "x", payload, sizeof payload);
  talk.near.options.ping_timeout = 10 * MP_MILLISECOND;
  bed_run(bed, near_is_over);
  CHECK_INT(talk.near.code, MP_EIO);
  bed_wait(bed, 30 * MP_MILLISECOND);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
}

/* --- what the remote takes ------------------------------------------------
 */

static int send_size(struct side *side, size_t n) {
  uint8_t *payload = calloc(n, 1);
  int rc = mp_connection_send(side->connection, "x", payload, n, NULL);
  free(payload);
  return rc;
}

static bool far_has_two(struct bed *bed) {
  struct talk *talk = bed->data;
  return talk->far.messages == 2;
}

BOTH(no_more_is_sent_than_the_remote_has_said) {
  struct talk talk;
  talk_init(&talk, bed);
  talk.near.options.send_memory = 8 * MIB;
  talk.far.options.receive_memory = 1500 * KIB;
  talk_open(&talk);
  side_send(&talk.far, "x", NULL, 0); /* its protoconf is here before */
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, far_has_x);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(send_size(&talk.near, 1500 * KIB + 1), MP_EOVERSIZE);
  CHECK_INT(send_size(&talk.near, 1500 * KIB), 0);
  bed_run(bed, far_has_two);
  CHECK_INT(talk.far.offences, 0);
  talk_close(&talk);
}

BOTH(what_the_remote_says_is_believed_up_to_four_times_our_own) {
  struct talk talk;
  struct mp_network wide = *mp_network_find("regtest");
  wide.max_payload = 16 * MIB;
  talk_init(&talk, bed);
  talk.near.options.send_memory = 20 * MIB;
  talk.far.options.receive_memory = 20 * MIB;
  talk.far.options.network = &wide;
  talk_open(&talk);
  side_send(&talk.far, "x", NULL, 0);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, far_has_x);
  bed_wait(bed, 50 * MP_MILLISECOND);
  CHECK_INT(send_size(&talk.near, 8 * MIB + 1), MP_EOVERSIZE);
  CHECK_INT(send_size(&talk.near, 8 * MIB), 0);
  bed_run(bed, far_has_two);
  CHECK_INT(talk.far.offences, 0);
  talk_close(&talk);
}

static void send_much(struct side *side, const struct mp_event *event) {
  if (event->type != MP_HANDSHAKE_COMPLETE)
    return;
  CHECK_INT(send_size(side, 1 * MIB + 1), MP_EOVERSIZE);
  CHECK_INT(send_size(side, 1 * MIB), 0);
}

BOTH(before_its_protoconf_the_remote_takes_the_least) {
  struct talk talk;
  talk_init(&talk, bed);
  talk.far.on = send_much; /* who accepts completes first */
  talk.far.options.send_memory = 8 * MIB;
  talk_open(&talk);
  talk_close(&talk);
}

TEST_MAIN(TESTS(what_fits_arrives_as_one_message_with_a_good_checksum),
          TESTS(one_at_a_time),
          TESTS(a_source_that_fails_before_it_has_begun_harms_nobody),
          TESTS(a_source_that_fails_later_ends_the_connection),
          TESTS(nobody_old_is_sent_a_long_header),
          TESTS(a_close_gives_up_what_is_under_way),
          TESTS(who_takes_nothing_of_it_is_late),
          TEST(who_takes_it_slowly_is_not),
          TESTS(a_source_that_fails_with_much_behind_it_leaves_nothing),
          TESTS(no_more_is_sent_than_the_remote_has_said),
          TESTS(what_the_remote_says_is_believed_up_to_four_times_our_own),
          TESTS(before_its_protoconf_the_remote_takes_the_least))
