/* chunk_test - payloads larger than what a connection holds, received in
 * pieces: the same on sockets and in a world. */
#include "generator.h"

BOTH(what_is_too_large_comes_in_chunks_between_the_others) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk_open(&talk);
  generator_init(&generator, 3 * MIB + 1);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  side_send(&talk.near, "x", "after", 5);
  bed_run(bed, far_has_x);
  CHECK_TEXT(talk.far.commands, "block x ");
  CHECK_INT(talk.far.got, 3 * MIB + 1);
  CHECK_INT(talk.far.sum, sum_of(3 * MIB + 1));
  CHECK(talk.far.has_last && talk.far.chunks > 10);
  CHECK_INT(talk.far.chunk_code, 0);
  CHECK_INT(talk.far.offences, 0);
  CHECK_INT(generator.done, 1);
  CHECK_INT(generator.rc, 0);
  CHECK_INT(generator.passes, 2);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
}

/* The header of a block whose checksum is wrong. */
static void send_broken(struct side *side, size_t n) {
  uint8_t header[MP_HEADER_MAX], *payload = calloc(n, 1);
  struct mp_hasher *hasher = mp_hasher_new();
  size_t size = mp_message_header(header, side->options.network, "block",
                                  payload, n, hasher);
  header[20] ^= 1;
  CHECK_INT(mp_connection_send_raw(side->connection, header, size, NULL), 0);
  CHECK_INT(mp_connection_send_raw(side->connection, payload, n, NULL), 0);
  mp_hasher_free(hasher);
  free(payload);
}

BOTH(a_wrong_checksum_is_told_with_the_last_chunk) {
  struct talk talk;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk_open(&talk);
  send_broken(&talk.near, 200 * KIB);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, far_has_x);
  CHECK_INT(talk.far.got, 200 * KIB);
  CHECK_INT(talk.far.chunk_code, MP_ECHECKSUM);
  CHECK_INT(talk.far.offences, 1);
  CHECK(!talk.far.is_over);
  talk_close(&talk);
}

BOTH(a_long_header_has_no_checksum) {
  struct talk talk;
  uint8_t frame[44 + 2000] = {0};
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 1 * KIB;
  talk_open(&talk);
  memcpy(frame, talk.near.options.network->magic, 4);
  memcpy(frame + 4, "extmsg", 6);
  memset(frame + 16, 0xff, 4);
  memcpy(frame + 24, "block", 5);
  frame[36] = 2000 & 255;
  frame[37] = 2000 >> 8;
  frame[44] = 7;
  CHECK_INT(
      mp_connection_send_raw(talk.near.connection, frame, sizeof frame, NULL),
      0);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, far_has_x);
  CHECK_INT(talk.far.got, 2000);
  CHECK_INT(talk.far.sum, 7);
  CHECK_INT(talk.far.chunk_code, 0);
  CHECK_INT(talk.far.offences, 0);
  talk_close(&talk);
}

BOTH(without_a_subscriber_the_connection_ends_and_nobody_offended) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.hooks.chunks = ~mp_command_bit("block");
  talk_open(&talk);
  generator_init(&generator, 3 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  bed_run(bed, both_are_over);
  CHECK_INT(talk.far.code, MP_ELIMIT);
  CHECK_INT(talk.far.offences, 0);
  CHECK_INT(talk.far.chunks, 0);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
  CHECK(generator.rc < 0);
}

BOTH(over_the_networks_limit_it_is_an_offence_all_the_same) {
  static const struct mp_network_limit limits[] = {{"block", 1000}, {0}};
  struct talk talk;
  struct mp_network network = *mp_network_find("regtest");
  struct generator generator;
  network.limits = limits;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.options.network = &network;
  talk_open(&talk);
  generator_init(&generator, 3 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  bed_run(bed, far_is_over);
  CHECK_INT(talk.far.code, MP_EOVERSIZE);
  CHECK_INT(talk.far.offences, 1);
  CHECK_INT(talk.far.chunks, 0);
  talk_close(&talk);
}

static bool far_has_a_chunk(struct bed *bed) {
  return ((struct talk *)bed->data)->far.chunks > 0;
}

BOTH(while_it_is_paused_no_more_is_read) {
  enum { MUCH = 32 * MIB };
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.on = pause_at_first;
  talk_open(&talk);
  generator_init(&generator, MUCH);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  bed_run(bed, far_has_a_chunk); /* the whole is hashed before it leaves */
  bed_wait(bed, 100 * MP_MILLISECOND);
  CHECK_INT(talk.far.chunks, 1);
  CHECK_INT(generator.done, 0);
  const struct mp_connection_counts *counts =
      mp_connection_counts(talk.near.connection);
  CHECK(counts->bytes_out < MUCH);
  CHECK(mp_connection_queued(talk.near.connection) <= 128 * KIB);
  mp_connection_pause(talk.far.connection, false);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(bed, far_has_x);
  CHECK_INT(talk.far.got, MUCH);
  CHECK_INT(talk.far.sum, sum_of(MUCH));
  talk_close(&talk);
}

static void close_at_third(struct side *side, const struct mp_event *event) {
  if (event->type == MP_CHUNK && side->chunks == 3)
    mp_connection_close(side->connection, 0, NULL);
}

BOTH(closed_in_a_chunk_sees_no_more) {
  struct talk talk;
  struct generator generator;
  talk_init(&talk, bed);
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.on = close_at_third;
  talk_open(&talk);
  generator_init(&generator, 32 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  bed_run(bed, both_are_over);
  CHECK_INT(talk.far.chunks, 3);
  talk_close(&talk);
  CHECK_INT(generator.done, 1);
}

/* A pong cannot overtake what is being sent, so that is as good as one. */
static void who_is_sending_is_not_late_with_a_pong(void) {
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
  talk.far.options.receive_memory = 100 * KIB;
  talk.far.options.ping_interval = 100 * MP_MILLISECOND;
  talk.far.options.ping_timeout = 1 * MP_SECOND;
  talk_open(&talk);
  generator_init(&generator, 8 * MIB);
  CHECK_INT(send_from(&talk.near, "block", &generator), 0);
  side_send(&talk.near, "x", NULL, 0);
  bed_run(&bed, far_has_x);
  CHECK_INT(talk.far.got, 8 * MIB);
  CHECK(!talk.far.is_over);
  talk_close(&talk);
  bed_close(&bed);
}

static void who_stops_sending_is(void) {
  struct bed bed;
  struct talk talk;
  uint8_t header[MP_HEADER_MAX], payload[1000] = {0};
  struct mp_hasher *hasher = mp_hasher_new();
  bed_open(&bed, true);
  talk_init(&talk, &bed);
  talk.far.options.receive_memory = 10 * KIB;
  talk.far.options.ping_interval = 100 * MP_MILLISECOND;
  talk.far.options.ping_timeout = 1 * MP_SECOND;
  talk_open(&talk);
  bed_wait(&bed, 50 * MP_MILLISECOND);
  size_t n = mp_message_header(header, talk.near.options.network, "block", "",
                               0, hasher);
  header[17] = 0xff;
  mp_connection_send_raw(talk.near.connection, header, n, NULL);
  for (int i = 0; i < 10 && !talk.far.is_over; i++) {
    mp_connection_send_raw(talk.near.connection, payload, sizeof payload, NULL);
    bed_wait(&bed, 500 * MP_MILLISECOND);
  }
  CHECK_INT(talk.far.code, MP_EPING_TIMEOUT);
  talk_close(&talk);
  mp_hasher_free(hasher);
  bed_close(&bed);
}

TEST_MAIN(TESTS(what_is_too_large_comes_in_chunks_between_the_others),
          TESTS(a_wrong_checksum_is_told_with_the_last_chunk),
          TESTS(a_long_header_has_no_checksum),
          TESTS(without_a_subscriber_the_connection_ends_and_nobody_offended),
          TESTS(over_the_networks_limit_it_is_an_offence_all_the_same),
          TESTS(while_it_is_paused_no_more_is_read),
          TESTS(closed_in_a_chunk_sees_no_more),
          TEST(who_is_sending_is_not_late_with_a_pong),
          TEST(who_stops_sending_is))
