/* world_options_test - what a world does not take, and what it says then. */
#include "bed.h"

static void check_new(struct mp_world_options options, const char *words) {
  struct mp_fault fault = {.text = ""};
  struct mp_world *world;
  CHECK_INT(mp_world_new(&world, &options, &fault), MP_ECONFIG);
  CHECK(world == NULL);
  CHECK_TEXT(fault.text, words);
}

static void a_world_says_what_is_wrong_with_its_options(void) {
  check_new((struct mp_world_options){.start = -1},
            "start: expected a time from 1970 to 2100 in ns, got -1");
  check_new((struct mp_world_options){.work_time = -5},
            "work_time: expected 0 to 3600000000000 ns (1 h), got -5 ns");
  check_new((struct mp_world_options){.trace = (enum mp_trace)7},
            "trace: expected hash, off or text (0 to 2), got 7");
}

static void check_weather(struct bed *bed, const struct mp_weather *weather,
                          const char *words) {
  struct mp_fault fault = {.text = ""};
  CHECK_INT(mp_world_link(bed->world, NULL, bed->far, weather, &fault),
            MP_ECONFIG);
  CHECK_TEXT(fault.text, words);
}

#define WEATHER(field, value, words)                                           \
  do {                                                                         \
    struct mp_weather weather_;                                                \
    mp_weather_init(&weather_);                                                \
    weather_.field = (value);                                                  \
    check_weather(&bed, &weather_, words);                                     \
  } while (0)

static void weather_that_cannot_be_is_refused_with_words(void) {
  struct bed bed;
  bed_open(&bed, true);
  WEATHER(latency, -1,
          "latency: expected 0 to 3600000000000 ns (1 h), got -1 ns");
  WEATHER(jitter, MP_FOREVER,
          "jitter: expected 0 to 3600000000000 ns (1 h), got "
          "9223372036854775807 ns");
  WEATHER(bandwidth, 0, "bandwidth: expected 1 or more bytes a second, got 0");
  WEATHER(segment, 0, "segment: expected 1 to 16777216 bytes, got 0");
  WEATHER(loss, 1.5, "loss: expected a chance of 0 to 1, got 1.5");
  WEATHER(split, -0.5, "split: expected a chance of 0 to 1, got -0.5");
  WEATHER(merge, 0.0 / 0.0,
          "merge: expected a chance of 0 to 1, got not a number");
  WEATHER(lifetime, 0, "lifetime: expected more than 0 ns, got 0");
  bed_close(&bed);
}

static void hosts_of_other_worlds_are_refused(void) {
  struct bed bed, other;
  struct mp_weather weather;
  struct mp_fault fault = {.text = ""};
  bed_open(&bed, true);
  bed_open(&other, false);
  mp_weather_init(&weather);
  CHECK_INT(mp_world_link(bed.world, bed.near, other.near, &weather, &fault),
            MP_ECONFIG);
  CHECK_TEXT(fault.text, "host: expected an open host of this world");
  bed_close(&other);
  bed_open(&other, true);
  struct mp_hosts near = {.list = &bed.near, .n = 1};
  struct mp_hosts foreign = {.list = &other.near, .n = 1};
  struct mp_hosts none = {.n = 0};
  CHECK_INT(mp_world_partition(bed.world, near, foreign, &fault), MP_ECONFIG);
  CHECK_INT(mp_world_partition(bed.world, none, near, &fault), MP_ECONFIG);
  CHECK_INT(mp_world_partition(bed.world, near, near, &fault), MP_ECONFIG);
  CHECK_TEXT(fault.text, "partition: expected two sides, got 10.0.0.1 on both");
  bed_close(&bed);
  bed_close(&other);
}

static void limits_and_names_are_checked(void) {
  struct bed bed;
  struct mp_host_limits limits;
  struct mp_fault fault = {.text = ""};
  struct mp_world_name name = {.name = ""};
  bed_open(&bed, true);
  mp_host_limits_init(&limits);
  limits.window = 0;
  CHECK_INT(mp_world_limit(bed.world, NULL, &limits, &fault), MP_ECONFIG);
  CHECK_TEXT(fault.text, "window: expected 1 to 67108864, got 0");
  CHECK_INT(mp_world_name(bed.world, &name, &fault), MP_ECONFIG);
  CHECK_TEXT(fault.text, "name: expected 1 to 253 characters, got 0");
  name = (struct mp_world_name){.name = "x", .delay = -1};
  CHECK_INT(mp_world_name(bed.world, &name, &fault), MP_ECONFIG);
  CHECK_INT(mp_world_run(bed.world, -1, NULL, NULL, &fault), MP_ECONFIG);
  bed_close(&bed);
}

TEST_MAIN(TEST(a_world_says_what_is_wrong_with_its_options),
          TEST(weather_that_cannot_be_is_refused_with_words),
          TEST(hosts_of_other_worlds_are_refused),
          TEST(limits_and_names_are_checked))
