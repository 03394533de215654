/* world_test - a world as a whole: its hosts, running it, names, and what it
 * does not take. */
#include "ends.h"

enum { MS = 1000000 };

static void begin(struct bed *bed, struct pair *pair) {
  bed_open(bed, true);
  mp_timer_stop(&bed->limit);
  pair_listen(pair, bed);
  pair->far_reads = true;
}

static void run_to(struct bed *bed, int64_t time) {
  CHECK_INT(mp_world_run(bed->world, time, NULL, NULL, NULL), MP_WORLD_TIME);
  CHECK_INT(mp_world_now(bed->world), time);
}

/* Dials and has the handshake done by 30 ms. */
static void begin_open(struct bed *bed, struct pair *pair) {
  begin(bed, pair);
  pair_dial(pair);
  mp_stream_read(pair->near.stream, true);
  run_to(bed, 30 * MS);
  CHECK_INT(pair->accepted, 1);
}

/* --- hosts -----------------------------------------------------------------
 */
static struct mp_address address_of(const char *text) {
  struct mp_address address;
  CHECK_INT(mp_address_parse(&address, text, 0, NULL), 0);
  return address;
}

static void two_hosts_at_one_ip_are_refused(void) {
  struct bed bed;
  struct mp_fault fault = {.text = ""};
  struct mp_address ip = address_of("10.0.0.1:77"); /* whatever the port */
  struct mp_loop *loop;
  bed_open(&bed, true);
  CHECK_INT(mp_world_host(&loop, bed.world, &ip, &fault), MP_EDUPLICATE);
  CHECK(loop == NULL);
  CHECK(strstr(fault.text, "10.0.0.1 has a host") != NULL);
  bed_close(&bed);
}

static void some_addresses_are_nobodys(void) {
  static const char *const list[] = {"0.0.0.0", "127.0.0.1", "224.0.0.1",
                                     "::",      "::1",       "ff02::1"};
  struct bed bed;
  struct mp_loop *loop;
  bed_open(&bed, true);
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    struct mp_fault fault = {.text = ""};
    struct mp_address ip = address_of(list[i]);
    CHECK_INT(mp_world_host(&loop, bed.world, &ip, &fault), MP_ECONFIG);
    CHECK(strstr(fault.text, list[i]) != NULL);
  }
  bed_close(&bed);
}

static void a_loopback_listener_is_heard_by_its_own_host_alone(void) {
  struct bed bed;
  struct pair pair;
  bed_open(&bed, true);
  mp_timer_stop(&bed.limit);
  bed.at = address_of("127.0.0.1");
  pair_listen(&pair, &bed);
  pair_dial(&pair); /* near has no listener there */
  run_to(&bed, MP_SECOND);
  CHECK_INT(pair.near.connected, MP_EREFUSED);
  mp_stream_close(pair.near.stream);
  run_to(&bed, MP_SECOND + 1);
  end_init(&pair.near, &bed);
  pair.near.stream =
      mp_stream_connect(bed.far, &bed.at, &end_events, &pair.near);
  run_to(&bed, 2 * MP_SECOND);
  CHECK_INT(pair.near.connected, 0);
  CHECK_INT(pair.accepted, 1);
  bed_close(&bed);
}

static void any_address_hears_every_address(void) {
  struct bed bed;
  struct pair pair;
  bed_open(&bed, true);
  mp_timer_stop(&bed.limit);
  bed.at = address_of("[::]:8333");
  pair_listen(&pair, &bed);
  bed.at = address_of("10.0.0.2:8333");
  pair_dial(&pair);
  run_to(&bed, MP_SECOND);
  CHECK_INT(pair.near.connected, 0);
  CHECK_INT(pair.accepted, 1);
  bed_close(&bed);
}

static void a_closed_host_refuses_and_may_come_back(void) {
  struct bed bed;
  struct pair pair;
  struct mp_address ip;
  begin_open(&bed, &pair);
  mp_world_host_ip(bed.far, &ip);
  mp_loop_close(bed.far);
  CHECK_INT(pair.far.closed, 1);
  CHECK(mp_world_find(bed.world, &ip) == NULL);
  run_to(&bed, MP_SECOND);
  CHECK_INT(pair.near.ended, MP_ECLOSED);
  mp_stream_close(pair.near.stream);
  run_to(&bed, 2 * MP_SECOND);
  end_init(&pair.near, &bed);
  pair_dial(&pair);
  run_to(&bed, 3 * MP_SECOND);
  CHECK_INT(pair.near.connected, MP_EREFUSED);
  CHECK_INT(mp_world_host(&bed.far, bed.world, &ip, NULL), 0);
  CHECK(mp_world_find(bed.world, &ip) == bed.far);
  bed_close(&bed);
}

static void descriptors_are_limited(void) {
  struct bed bed;
  struct pair pair;
  struct mp_host_limits limits;
  begin(&bed, &pair);
  mp_host_limits_init(&limits);
  limits.descriptors = 1;
  CHECK_INT(mp_world_limit(bed.world, bed.far, &limits, NULL), 0);
  pair_dial(&pair);
  mp_stream_read(pair.near.stream, true);
  run_to(&bed, MP_SECOND);
  CHECK_INT(pair.near.connected, 0); /* the system's half succeeds */
  CHECK_INT(pair.failed, 1);
  CHECK_INT(pair.accepted, 0);
  CHECK_INT(pair.near.ended, MP_ECLOSED);
  struct end second;
  end_init(&second, &bed);
  CHECK_INT(mp_world_limit(bed.world, bed.near, &limits, NULL), 0);
  mp_stream_connect(bed.near, &bed.at, &end_events, &second);
  run_to(&bed, 2 * MP_SECOND);
  CHECK_INT(second.connected, MP_ECONNECT);
  bed_close(&bed);
}

/* --- names -----------------------------------------------------------------
 */
struct lookup {
  struct mp_resolve resolve;
  int rc;
  size_t n;
  struct mp_address list[2];
};

static void on_resolved(void *data, int rc, const struct mp_address *list,
                        size_t n) {
  struct lookup *lookup = data;
  CHECK_INT(lookup->rc, NOT_YET);
  lookup->rc = rc;
  lookup->n = n;
  for (size_t i = 0; i < n && i < 2; i++)
    lookup->list[i] = list[i];
}

static void look_up(struct lookup *lookup, struct bed *bed, const char *name) {
  *lookup = (struct lookup){.rc = NOT_YET};
  lookup->resolve.done = on_resolved;
  lookup->resolve.data = lookup;
  CHECK_INT(mp_resolve_start(bed->near, &lookup->resolve, name, 8333), 0);
}

static void say(struct bed *bed, struct mp_world_name name) {
  struct mp_fault fault = {.text = ""};
  int rc = mp_world_name(bed->world, &name, &fault);
  CHECK_TEXT(fault.text, "");
  CHECK_INT(rc, 0);
}

static void names_answer_fail_or_hang_as_they_are_told(void) {
  struct bed bed;
  struct lookup good, bad, unknown, hanging;
  struct mp_address list[2] = {address_of("10.1.0.1"), address_of("10.2.0.1")};
  bed_open(&bed, true);
  mp_timer_stop(&bed.limit);
  say(&bed, (struct mp_world_name){"seed.example", list, 1, 0});
  say(&bed, (struct mp_world_name){"Seed.Example", list, 2, 300 * MS});
  say(&bed, (struct mp_world_name){"bad.example", NULL, 0, 100 * MS});
  say(&bed, (struct mp_world_name){"dead.example", list, 1, MP_FOREVER});
  look_up(&good, &bed, "SEED.example");
  look_up(&bad, &bed, "bad.example");
  look_up(&unknown, &bed, "who.example");
  look_up(&hanging, &bed, "dead.example");
  run_to(&bed, 300 * MS - 1);
  CHECK_INT(good.rc, NOT_YET);
  CHECK_INT(bad.rc, MP_EDNS);
  CHECK_INT(unknown.rc, MP_EDNS);
  run_to(&bed, 300 * MS);
  CHECK_INT(good.rc, 0);
  CHECK_INT(good.n, 2);
  CHECK_INT(good.list[1].port, 8333);
  run_to(&bed, 1000 * MP_SECOND);
  CHECK_INT(hanging.rc, NOT_YET);
  mp_resolve_cancel(&hanging.resolve);
  struct mp_world_count count;
  mp_world_count(bed.world, &count);
  CHECK_INT(count.lookups, 0);
  bed_close(&bed);
}

/* --- running ---------------------------------------------------------------
 */
static bool far_has_bytes(void *data) {
  return ((struct pair *)data)->far.n > 0;
}

static bool never(void *data) {
  (void)data;
  return false;
}

static void a_run_ends_with_its_condition(void) {
  struct bed bed;
  struct pair pair;
  begin_open(&bed, &pair);
  end_write(&pair.near, "ping");
  CHECK_INT(mp_world_run(bed.world, MP_SECOND, far_has_bytes, &pair, NULL),
            MP_WORLD_CONDITION);
  CHECK_INT(mp_world_now(bed.world), 40 * MS);
  CHECK_INT(mp_world_run(bed.world, MP_SECOND, never, NULL, NULL),
            MP_WORLD_TIME);
  CHECK_INT(mp_world_now(bed.world), MP_SECOND);
  CHECK_INT(mp_world_run(bed.world, MP_FOREVER, never, NULL, NULL),
            MP_WORLD_IDLE);
  CHECK_INT(mp_loop_run(bed.near), MP_ETIMEOUT); /* held, but for nothing */
  bed_close(&bed);
}

static void start_again(void *data) {
  struct bed *bed = data;
  mp_timer_start(bed->near, &bed->limit, 0);
}

static void a_run_in_which_no_time_passes_ends(void) {
  struct bed bed;
  struct pair pair;
  begin(&bed, &pair);
  mp_timer_init(&bed.limit, start_again, &bed);
  mp_timer_start(bed.near, &bed.limit, 0);
  CHECK_INT(mp_world_run(bed.world, MP_SECOND, NULL, NULL, NULL),
            MP_WORLD_STUCK);
  bed_close(&bed);
}

static const struct mp_listener_events closes_again;

static void listen_and_close(void *owner) {
  const struct mp_address at = address_of("10.0.0.1:77");
  struct bed *bed = owner;
  struct mp_listener *listener;
  if (mp_world_is_running(bed->world)) {
    CHECK_INT(
        mp_listener_open(&listener, bed->near, &at, &closes_again, bed, NULL),
        0);
    mp_listener_close(listener);
  }
}

static void nobody_accepts(void *owner, struct mp_stream *stream) {
  (void)owner, (void)stream;
  CHECK(false);
}

static void nothing_fails(void *owner, int rc) {
  (void)owner, (void)rc;
  CHECK(false);
}

static const struct mp_listener_events closes_again = {
    .accepted = nobody_accepts,
    .failed = nothing_fails,
    .closed = listen_and_close,
};

static void a_run_in_which_what_closes_closes_more_ends(void) {
  struct bed bed;
  bed_open(&bed, true);
  mp_timer_stop(&bed.limit);
  mp_timer_init(&bed.limit, listen_and_close, &bed);
  mp_timer_start(bed.near, &bed.limit, 0);
  CHECK_INT(mp_world_run(bed.world, MP_SECOND, NULL, NULL, NULL),
            MP_WORLD_STUCK);
  bed_close(&bed);
}

static struct mp_fault nested;

static void run_nested(void *data) {
  struct bed *bed = data;
  CHECK(mp_world_is_running(bed->world));
  CHECK(mp_loop_is_running(bed->far));
  CHECK_INT(mp_loop_run(bed->far), MP_ELIMIT);
  CHECK_INT(mp_world_run(bed->world, MP_FOREVER, NULL, NULL, &nested),
            MP_ELIMIT);
  mp_world_stop(bed->world);
}

static void runs_do_not_nest_and_can_be_stopped(void) {
  struct bed bed;
  struct pair pair;
  begin(&bed, &pair);
  mp_timer_init(&bed.limit, run_nested, &bed);
  mp_timer_start(bed.near, &bed.limit, 5 * MS);
  CHECK_INT(mp_world_run(bed.world, MP_SECOND, NULL, NULL, NULL),
            MP_WORLD_STOPPED);
  CHECK_INT(mp_world_now(bed.world), 5 * MS);
  CHECK(strstr(nested.text, "nest") != NULL);
  CHECK(!mp_loop_is_running(bed.far));
  bed_close(&bed);
}

static void too_early(void *data) {
  (void)data;
  CHECK(!"a closed host's timer or posted function");
}

static void what_a_closed_host_had_set_is_gone(void) {
  struct bed bed;
  struct pair pair;
  struct mp_timer timers[200];
  struct mp_later later;
  begin(&bed, &pair);
  for (int i = 0; i < 200; i++) {
    mp_timer_init(&timers[i], too_early, NULL);
    mp_timer_start(i % 3 ? bed.far : bed.near, &timers[i], (i * 7 % 50) * MS);
  }
  mp_later_init(&later, too_early, NULL);
  mp_later_post(bed.far, &later);
  mp_later_cancel(&later);
  mp_loop_close(bed.far);
  for (int i = 0; i < 200; i++) {
    CHECK_INT(timers[i].is_set, i % 3 == 0);
    mp_timer_stop(&timers[i]);
  }
  run_to(&bed, MP_SECOND);
  bed_close(&bed);
}

static void clocks_of_all_hosts_agree(void) {
  struct bed bed;
  struct pair pair;
  begin(&bed, &pair);
  CHECK_INT(mp_loop_time(bed.near), INT64_C(1735689600) * MP_SECOND);
  int64_t before = mp_loop_now(bed.near);
  run_to(&bed, 90 * MP_SECOND);
  CHECK_INT(mp_loop_now(bed.far) - before, 90 * MP_SECOND);
  CHECK_INT(mp_loop_time(bed.far), INT64_C(1735689690) * MP_SECOND);
  bed_close(&bed);
}

TEST_MAIN(TEST(two_hosts_at_one_ip_are_refused),
          TEST(some_addresses_are_nobodys),
          TEST(a_loopback_listener_is_heard_by_its_own_host_alone),
          TEST(any_address_hears_every_address),
          TEST(a_closed_host_refuses_and_may_come_back),
          TEST(descriptors_are_limited),
          TEST(names_answer_fail_or_hang_as_they_are_told),

          TEST(a_run_ends_with_its_condition),
          TEST(a_run_in_which_no_time_passes_ends),
          TEST(a_run_in_which_what_closes_closes_more_ends),
          TEST(runs_do_not_nest_and_can_be_stopped),
          TEST(what_a_closed_host_had_set_is_gone),
          TEST(clocks_of_all_hosts_agree))
