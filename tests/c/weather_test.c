/* weather_test - links of a world: exact times, trouble, partitions, limits. */
#include "ends.h"

enum { MS = 1000000 };

/* When each thing happened to an end, in ns since the beginning. */
struct times {
  int64_t at[ACCEPTED + 1];
  int64_t first_byte;
};

static struct times near_times, far_times;

static void note(struct times *times, struct end *end, enum what what) {
  int64_t now = mp_world_now(end->bed->world);
  if (what == RECEIVED && !times->first_byte)
    times->first_byte = now;
  times->at[what] = now;
}

static void note_near(struct end *end, enum what what) {
  note(&near_times, end, what);
}

static void note_far(struct end *end, enum what what) {
  note(&far_times, end, what);
}

static void begin(struct bed *bed, struct pair *pair) {
  near_times = far_times = (struct times){.first_byte = 0};
  bed_open(bed, true);
  mp_timer_stop(&bed->limit);
  bed->is_done = NULL;
  pair_listen(pair, bed);
  pair->near.on = note_near;
  pair->on_far = note_far;
  pair->far_reads = true;
}

static void run_to(struct bed *bed, int64_t time) {
  CHECK_INT(mp_world_run(bed->world, time, NULL, NULL, NULL), MP_WORLD_TIME);
  CHECK_INT(mp_world_now(bed->world), time);
}

static void set_weather(struct bed *bed, const struct mp_weather *weather) {
  struct mp_fault fault = {.text = ""};
  int rc = mp_world_link(bed->world, NULL, NULL, weather, &fault);
  CHECK_TEXT(fault.text, "");
  CHECK_INT(rc, 0);
}

/* Dials and has the handshake done by 30 ms. */
static void begin_open(struct bed *bed, struct pair *pair) {
  begin(bed, pair);
  pair_dial(pair);
  mp_stream_read(pair->near.stream, true);
  run_to(bed, 30 * MS);
  CHECK_INT(pair->accepted, 1);
}

static void dials_and_bytes_take_their_latency(void) {
  struct bed bed;
  struct pair pair;
  begin_open(&bed, &pair);
  CHECK_INT(near_times.at[CONNECTED], 20 * MS);
  CHECK_INT(far_times.at[ACCEPTED], 30 * MS);
  run_to(&bed, 50 * MS);
  end_write(&pair.near, "ping");
  run_to(&bed, 60 * MS - 1);
  CHECK_INT(pair.far.n, 0);
  run_to(&bed, 60 * MS);
  CHECK_INT(pair.far.n, 4);
  mp_stream_close(pair.near.stream);
  run_to(&bed, MP_SECOND);
  CHECK_INT(far_times.at[ENDED], 70 * MS);
  bed_close(&bed);
}

static void each_way_has_its_own_weather(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather slow;
  begin(&bed, &pair);
  mp_weather_init(&slow);
  slow.latency = 300 * MS;
  CHECK_INT(mp_world_link(bed.world, bed.near, bed.far, &slow, NULL), 0);
  slow.latency = 500 * MS; /* weaker than what is said about two */
  CHECK_INT(mp_world_link(bed.world, bed.near, NULL, &slow, NULL), 0);
  pair_dial(&pair);
  run_to(&bed, MP_SECOND);
  CHECK_INT(near_times.at[CONNECTED], 310 * MS);
  CHECK_INT(far_times.at[ACCEPTED], 610 * MS);
  CHECK_INT(mp_world_link(bed.world, bed.near, bed.far, NULL, NULL), 0);
  end_write(&pair.near, "ping");
  run_to(&bed, 2 * MP_SECOND);
  CHECK_INT(far_times.first_byte, 1500 * MS);
  bed_close(&bed);
}

static void jitter_stays_within_its_bounds_and_order_is_kept(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  bool has_late = false, has_early = false;
  begin_open(&bed, &pair);
  mp_weather_init(&weather);
  weather.jitter = 10 * MS;
  set_weather(&bed, &weather);
  for (int i = 0; i < 50; i++) {
    int64_t start = mp_world_now(bed.world);
    char c = (char)('a' + i % 26);
    far_times.first_byte = 0;
    CHECK_INT(mp_stream_write(pair.near.stream, &c, 1), 1);
    run_to(&bed, start + 40 * MS);
    int64_t took = far_times.first_byte - start;
    CHECK(took >= 10 * MS && took <= 20 * MS);
    has_early |= took < 15 * MS;
    has_late |= took > 15 * MS;
  }
  CHECK(has_early && has_late);
  for (int i = 0; i < 26; i++) /* all at once: they may only come in order */
    CHECK_INT(mp_stream_write(pair.near.stream, &(char){(char)('a' + i)}, 1),
              1);
  run_to(&bed, mp_world_now(bed.world) + 100 * MS);
  CHECK_INT(pair.far.n, 76);
  CHECK(memcmp(pair.far.first + 50, "abcdefghijklm", 13) == 0);
  bed_close(&bed);
}

static char zeros[4 << 20];

static void bandwidth_is_kept_to_the_nanosecond(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  begin_open(&bed, &pair);
  mp_weather_init(&weather);
  weather.bandwidth = 1000000;
  weather.segment = 1000;
  set_weather(&bed, &weather);
  CHECK_INT(mp_stream_write(pair.near.stream, zeros, 100000), 1);
  run_to(&bed, 10 * MP_SECOND);
  CHECK_INT(far_times.first_byte, (30 + 10 + 1) * MS);
  CHECK_INT(far_times.at[RECEIVED], (30 + 10 + 100) * MS);
  CHECK_INT(pair.far.n, 100000);
  bed_close(&bed);
}

/* 100,000 a round trip, and so the last ones leave after 9 of them. */
static void the_window_limits_what_is_under_way(void) {
  struct bed bed;
  struct pair pair;
  struct mp_host_limits limits;
  begin(&bed, &pair);
  mp_host_limits_init(&limits);
  limits.window = 100000;
  limits.send_buffer = 50000;
  CHECK_INT(mp_world_limit(bed.world, bed.far, &limits, NULL), 0);
  CHECK_INT(mp_world_limit(bed.world, bed.near, &limits, NULL), 0);
  pair_dial(&pair);
  run_to(&bed, 100 * MS);
  CHECK_INT(mp_stream_write(pair.near.stream, zeros, 1000000), 0);
  run_to(&bed, 10 * MP_SECOND);
  CHECK_INT(pair.far.n, 1000000);
  CHECK_INT(pair.near.drained, 1);
  CHECK_INT(far_times.at[RECEIVED], (100 + 9 * 20 + 10) * MS);
  bed_close(&bed);
}

static void memory_is_what_is_under_way_and_no_more(void) {
  struct bed bed;
  struct pair pair;
  struct mp_world_count count;
  begin_open(&bed, &pair);
  mp_world_count(bed.world, &count);
  size_t at_rest = count.memory;
  mp_stream_read(pair.far.stream, false);
  CHECK_INT(mp_stream_write(pair.near.stream, zeros, sizeof zeros), 0);
  run_to(&bed, MP_SECOND);
  mp_world_count(bed.world, &count);
  CHECK_INT(count.bytes, (512 + 256) << 10);
  CHECK(count.memory - at_rest <= 2 * count.bytes);
  mp_stream_read(pair.far.stream, true);
  run_to(&bed, 2 * MP_SECOND);
  CHECK_INT(pair.far.n, sizeof zeros);
  mp_world_count(bed.world, &count);
  CHECK_INT(count.bytes, 0);
  CHECK_INT(count.memory, at_rest);
  bed_close(&bed);
}

/* How many reads 200 writes of 10 bytes become, all in order. */
static uint64_t count_reads(double split, double merge) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  struct mp_world_count before, after;
  begin_open(&bed, &pair);
  mp_weather_init(&weather);
  weather.split = split;
  weather.merge = merge;
  set_weather(&bed, &weather);
  mp_world_count(bed.world, &before);
  for (int i = 0; i < 200; i++) {
    CHECK_INT(mp_stream_write(pair.near.stream, "abcdefghij", 10), 1);
    run_to(&bed, mp_world_now(bed.world) + MS);
  }
  run_to(&bed, mp_world_now(bed.world) + 100 * MS);
  mp_world_count(bed.world, &after);
  CHECK_INT(pair.far.n, 2000);
  CHECK(memcmp(pair.far.first, "abcdefghijabcdefghijabcdefghij", 30) == 0);
  bed_close(&bed);
  return after.messages - before.messages;
}

static void reads_are_cut_and_joined_at_any_byte(void) {
  CHECK_INT(count_reads(0, 0), 200);
  CHECK(count_reads(0.5, 0) > 300);
  CHECK(count_reads(0, 0.5) < 120);
  CHECK(count_reads(0.9, 0.5) < 2000);
}

/* --- trouble ---------------------------------------------------------------
 */
static void silence_ends_a_dial_after_127_seconds(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  begin(&bed, &pair);
  mp_weather_init(&weather);
  weather.silence = 1;
  set_weather(&bed, &weather);
  pair_dial(&pair);
  run_to(&bed, 1000 * MP_SECOND);
  CHECK_INT(pair.near.connected, MP_ECONNECT_TIMEOUT);
  CHECK_INT(near_times.at[CONNECTED], 127 * MP_SECOND);
  bed_close(&bed);
}

static void where_no_host_is_nothing_answers(void) {
  struct bed bed;
  struct pair pair;
  begin(&bed, &pair);
  CHECK_INT(mp_address_parse(&bed.at, "10.9.9.9:8333", 0, NULL), 0);
  pair_dial(&pair);
  run_to(&bed, 1000 * MP_SECOND);
  CHECK_INT(pair.near.connected, MP_ECONNECT_TIMEOUT);
  bed_close(&bed);
}

static void refusal_comes_after_a_round_trip(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  begin(&bed, &pair);
  mp_weather_init(&weather);
  weather.refuse = 1;
  set_weather(&bed, &weather);
  pair_dial(&pair);
  run_to(&bed, MP_SECOND);
  CHECK_INT(pair.near.connected, MP_EREFUSED);
  CHECK_INT(near_times.at[CONNECTED], 20 * MS);
  bed_close(&bed);
}

static void check_both_reset(struct bed *bed, struct pair *pair) {
  struct mp_world_count count;
  CHECK_INT(pair->near.ended, MP_ERESET);
  CHECK_INT(pair->far.ended, MP_ERESET);
  mp_world_count(bed->world, &count);
  CHECK_INT(count.bytes, 0);
}

static void loss_resets_both_ends(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  begin_open(&bed, &pair);
  mp_weather_init(&weather);
  weather.loss = 1;
  set_weather(&bed, &weather);
  mp_stream_write(pair.near.stream, "ping", 4);
  run_to(&bed, MP_SECOND);
  check_both_reset(&bed, &pair);
  bed_close(&bed);
}

static void a_lifetime_ends_streams_in_time(void) {
  struct bed bed;
  struct pair pair;
  struct mp_weather weather;
  begin(&bed, &pair);
  mp_weather_init(&weather);
  weather.lifetime = MP_SECOND;
  set_weather(&bed, &weather);
  pair_dial(&pair);
  mp_stream_read(pair.near.stream, true);
  run_to(&bed, 2100 * MS);
  check_both_reset(&bed, &pair);
  bed_close(&bed);
}

static void a_break_resets_all_between_two_hosts(void) {
  struct bed bed;
  struct pair pair;
  begin_open(&bed, &pair);
  CHECK_INT(mp_world_break(bed.world, bed.far, bed.near), 1);
  CHECK_INT(mp_world_break(bed.world, bed.near, bed.far), 0);
  run_to(&bed, 31 * MS);
  check_both_reset(&bed, &pair);
  CHECK_INT(near_times.at[ENDED], 30 * MS);
  bed_close(&bed);
}

static int cut(struct bed *bed) {
  struct mp_loop *list[] = {bed->near};
  struct mp_fault fault = {.text = ""};
  int id =
      mp_world_partition(bed->world, (struct mp_hosts){.list = list, .n = 1},
                         (struct mp_hosts){.list = NULL, .n = 0}, &fault);
  CHECK_TEXT(fault.text, "");
  CHECK(id > 0);
  return id;
}

static void what_a_partition_holds_back_arrives_after_healing(void) {
  struct bed bed;
  struct pair pair;
  begin_open(&bed, &pair);
  end_write(&pair.near, "under way, ");
  int id = cut(&bed);
  end_write(&pair.near, "and later");
  run_to(&bed, 60 * MP_SECOND);
  CHECK_INT(pair.far.n, 0);
  mp_world_heal(bed.world, id + 1); /* another one */
  run_to(&bed, 61 * MP_SECOND);
  CHECK_INT(pair.far.n, 0);
  mp_world_heal(bed.world, id);
  run_to(&bed, 62 * MP_SECOND);
  CHECK_TEXT(pair.far.first, "under way, and later");
  CHECK_INT(far_times.at[RECEIVED], 61 * MP_SECOND + 10 * MS);
  CHECK_INT(pair.near.ended, NOT_YET);
  bed_close(&bed);
}

static void a_dial_gets_through_when_the_partition_heals(void) {
  struct bed bed;
  struct pair pair;
  begin(&bed, &pair);
  cut(&bed);
  pair_dial(&pair);
  run_to(&bed, 5 * MP_SECOND);
  CHECK_INT(pair.near.connected, NOT_YET);
  mp_world_heal(bed.world, 0);
  run_to(&bed, 100 * MP_SECOND);
  CHECK_INT(pair.near.connected, 0);
  CHECK_INT(near_times.at[CONNECTED], 7 * MP_SECOND + 20 * MS);
  bed_close(&bed);
}

static void a_sender_gives_up_after_a_quarter_of_an_hour(void) {
  struct bed bed;
  struct pair pair;
  begin_open(&bed, &pair);
  cut(&bed);
  end_write(&pair.near, "hello?");
  run_to(&bed, 900 * MP_SECOND);
  CHECK_INT(pair.near.ended, NOT_YET);
  run_to(&bed, 1000 * MP_SECOND);
  CHECK_INT(pair.near.ended, MP_EIO);
  CHECK_INT(pair.far.ended, NOT_YET); /* it has heard nothing */
  mp_world_heal(bed.world, 0);
  end_write(&pair.far, "are you there?");
  run_to(&bed, 1001 * MP_SECOND);
  CHECK_INT(pair.far.ended, MP_ERESET);
  bed_close(&bed);
}

TEST_MAIN(TEST(dials_and_bytes_take_their_latency),
          TEST(each_way_has_its_own_weather),
          TEST(jitter_stays_within_its_bounds_and_order_is_kept),
          TEST(bandwidth_is_kept_to_the_nanosecond),
          TEST(the_window_limits_what_is_under_way),
          TEST(memory_is_what_is_under_way_and_no_more),
          TEST(reads_are_cut_and_joined_at_any_byte),
          TEST(silence_ends_a_dial_after_127_seconds),
          TEST(where_no_host_is_nothing_answers),
          TEST(refusal_comes_after_a_round_trip), TEST(loss_resets_both_ends),
          TEST(a_lifetime_ends_streams_in_time),
          TEST(a_break_resets_all_between_two_hosts),
          TEST(what_a_partition_holds_back_arrives_after_healing),
          TEST(a_dial_gets_through_when_the_partition_heals),
          TEST(a_sender_gives_up_after_a_quarter_of_an_hour))
