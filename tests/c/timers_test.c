/* timers_test - time, posted functions, work and wake-ups: the same on the
 * real loop and in a world. */
#include "bed.h"
#include "net/timers.h"

/* What happened, as letters. */
struct log {
  struct bed *bed;
  char text[64];
  size_t n;
  size_t wanted;
};

struct entry {
  struct log *log;
  char letter;
  struct mp_timer timer;
  struct mp_later later;
  void (*then)(struct entry *entry);
  struct entry *other;
};

static void put(struct log *log, char letter) {
  CHECK(log->n < sizeof log->text - 1);
  log->text[log->n++] = letter;
}

static void on_entry(void *data) {
  struct entry *entry = data;
  put(entry->log, entry->letter);
  if (entry->then)
    entry->then(entry);
  bed_check(entry->log->bed);
}

static void entry_init(struct entry *entry, struct log *log, char letter) {
  *entry = (struct entry){.log = log, .letter = letter};
  mp_timer_init(&entry->timer, on_entry, entry);
  mp_later_init(&entry->later, on_entry, entry);
}

static bool has_all(struct bed *bed) {
  const struct log *log = bed->data;
  return log->n >= log->wanted;
}

static void log_init(struct log *log, struct bed *bed, size_t wanted) {
  *log = (struct log){.bed = bed, .wanted = wanted};
  bed->data = log;
}

BOTH(timers_fire_in_order_of_time_and_then_of_starting) {
  static const char letters[] = "abcd";
  static const int64_t delays[] = {20, 5, 5, 0};
  struct log log;
  struct entry entries[4];
  log_init(&log, bed, 4);
  for (int i = 0; i < 4; i++) {
    entry_init(&entries[i], &log, letters[i]);
    mp_timer_start(bed->near, &entries[i].timer, delays[i] * MP_MILLISECOND);
  }
  bed_run(bed, has_all);
  CHECK_TEXT(log.text, "dbca");
}

static void stop_other(struct entry *entry) {
  mp_timer_stop(&entry->other->timer);
}

BOTH(a_timer_stopped_by_another_does_not_fire) {
  struct log log;
  struct entry a, b, c;
  log_init(&log, bed, 2);
  entry_init(&a, &log, 'a');
  entry_init(&b, &log, 'b');
  entry_init(&c, &log, 'c');
  a.then = stop_other;
  a.other = &b;
  mp_timer_start(bed->near, &a.timer, MP_MILLISECOND);
  mp_timer_start(bed->near, &b.timer, MP_MILLISECOND);
  mp_timer_start(bed->near, &c.timer, 20 * MP_MILLISECOND);
  bed_run(bed, has_all);
  CHECK_TEXT(log.text, "ac");
  CHECK(!b.timer.is_set);
}

BOTH(a_timer_started_again_fires_once_at_its_new_time) {
  struct log log;
  struct entry a, b;
  log_init(&log, bed, 2);
  entry_init(&a, &log, 'a');
  entry_init(&b, &log, 'b');
  mp_timer_start(bed->near, &a.timer, MP_MILLISECOND);
  mp_timer_start(bed->near, &b.timer, 10 * MP_MILLISECOND);
  mp_timer_start(bed->near, &a.timer, 20 * MP_MILLISECOND);
  int64_t before = mp_loop_now(bed->near);
  bed_run(bed, has_all);
  CHECK_TEXT(log.text, "ba");
  CHECK(mp_loop_now(bed->near) - before >= 20 * MP_MILLISECOND);
}

static void start_and_post_other(struct entry *entry) {
  struct mp_loop *loop = entry->log->bed->near;
  mp_later_post(loop, &entry->other->later);
  mp_timer_start(loop, &entry->other->other->timer, 0);
}

BOTH(what_a_posted_function_posts_waits_for_the_next_turn) {
  struct log log;
  struct entry a, b, c;
  log_init(&log, bed, 3);
  entry_init(&a, &log, 'a');
  entry_init(&b, &log, 'b');
  entry_init(&c, &log, 'c');
  a.then = start_and_post_other;
  a.other = &b;
  b.other = &c;
  mp_later_post(bed->near, &a.later);
  mp_later_post(bed->near, &a.later); /* twice calls once */
  bed_run(bed, has_all);
  CHECK_TEXT(log.text, "acb"); /* the timer of the next turn comes first */
}

static void cancel_other(struct entry *entry) {
  mp_later_cancel(&entry->other->later);
}

BOTH(a_posted_function_can_be_cancelled) {
  struct log log;
  struct entry a, b, c;
  log_init(&log, bed, 2);
  entry_init(&a, &log, 'a');
  entry_init(&b, &log, 'b');
  entry_init(&c, &log, 'c');
  a.then = cancel_other;
  a.other = &b;
  mp_later_post(bed->near, &a.later);
  mp_later_post(bed->near, &b.later);
  mp_later_post(bed->near, &c.later);
  bed_run(bed, has_all);
  CHECK_TEXT(log.text, "ac");
}

static void run_nested(struct entry *entry) {
  CHECK(mp_loop_is_running(entry->log->bed->near));
  CHECK_INT(mp_loop_run(entry->log->bed->near), MP_ELIMIT);
}

BOTH(runs_do_not_nest) {
  struct log log;
  struct entry a;
  log_init(&log, bed, 1);
  entry_init(&a, &log, 'a');
  a.then = run_nested;
  mp_later_post(bed->near, &a.later);
  bed_run(bed, has_all);
  CHECK(!mp_loop_is_running(bed->near));
}

static void release(struct entry *entry) {
  mp_loop_release(entry->log->bed->near);
}

BOTH(a_run_lasts_until_nothing_holds_the_loop) {
  struct log log;
  struct entry a;
  log_init(&log, bed, 2);
  entry_init(&a, &log, 'a');
  a.then = release;
  bed->is_done = NULL;
  mp_loop_hold(bed->near);
  mp_timer_start(bed->near, &a.timer, MP_MILLISECOND);
  struct entry b;
  entry_init(&b, &log, 'b');
  b.then = release;
  mp_timer_start(bed->near, &b.timer, 2 * MP_MILLISECOND);
  CHECK_INT(mp_loop_run(bed->near), 0);
  CHECK_TEXT(log.text, "ab");
  CHECK_INT(mp_loop_run(bed->near), 0); /* at once */
  mp_loop_hold(bed->near);
}

BOTH(a_posted_function_that_lets_go_ends_the_run_without_a_wait) {
  struct log log;
  struct entry a, b;
  log_init(&log, bed, 2);
  entry_init(&a, &log, 'a');
  entry_init(&b, &log, 'b');
  a.then = release;
  bed->is_done = NULL;
  mp_later_post(bed->near, &a.later);
  mp_timer_start(bed->near, &b.timer, 10 * MP_SECOND);
  CHECK_INT(mp_loop_run(bed->near), 0);
  CHECK_TEXT(log.text, "a");
  mp_timer_stop(&b.timer);
  mp_loop_hold(bed->near);
}

/* --- work and wake-ups -----------------------------------------------------
 */
static void work_run(void *data) {
  *(int *)data += 1;
}

struct job {
  struct mp_work work;
  int ran;
  struct log *log;
};

static void job_run(void *data) {
  work_run(&((struct job *)data)->ran);
}

static void job_done(void *data) {
  struct job *job = data;
  put(job->log, (char)('0' + job->ran));
  bed_check(job->log->bed);
}

static void job_init(struct job *job, struct log *log) {
  *job = (struct job){.work = {.run = job_run, .done = job_done, .data = job},
                      .log = log};
}

BOTH(work_runs_and_is_done_later) {
  struct log log;
  struct job job;
  log_init(&log, bed, 1);
  job_init(&job, &log);
  CHECK_INT(mp_work_start(bed->near, &job.work), 0);
  CHECK_INT(log.n, 0);
  bed_run(bed, has_all);
  CHECK_TEXT(log.text, "1");
}

static void work_is_done_before_its_loop_is_closed(bool in_world) {
  struct bed bed;
  struct log log;
  struct job job;
  bed_open(&bed, in_world);
  log_init(&log, &bed, 1);
  job_init(&job, &log);
  bed.is_done = NULL;
  CHECK_INT(mp_work_start(bed.near, &job.work), 0);
  bed_close(&bed);
  CHECK_TEXT(log.text, "1");
}

static void closing_a_loop_waits_for_work_on_threads(void) {
  work_is_done_before_its_loop_is_closed(false);
}

static void closing_a_host_ends_its_work(void) {
  work_is_done_before_its_loop_is_closed(true);
}

static void what_is_posted_runs_when_its_loop_is_closed(bool in_world) {
  struct bed bed;
  struct log log;
  struct entry a;
  bed_open(&bed, in_world);
  log_init(&log, &bed, 1);
  entry_init(&a, &log, 'a');
  mp_later_post(bed.near, &a.later);
  bed_close(&bed);
  CHECK_TEXT(log.text, "a");
}

static void closing_a_loop_runs_what_is_posted(void) {
  what_is_posted_runs_when_its_loop_is_closed(false);
}

static void closing_a_host_runs_what_is_posted(void) {
  what_is_posted_runs_when_its_loop_is_closed(true);
}

static void on_wakeup(void *data) {
  struct log *log = data;
  put(log, 'w');
  bed_check(log->bed);
}

BOTH(a_wakeup_is_answered_on_the_loop) {
  struct log log;
  struct mp_wakeup *wakeup;
  log_init(&log, bed, 1);
  CHECK_INT(mp_wakeup_open(&wakeup, bed->near, on_wakeup, &log), 0);
  mp_wakeup_send(wakeup);
  mp_wakeup_send(wakeup);
  CHECK_INT(log.n, 0);
  bed_run(bed, has_all);
  log.wanted = log.n + 1;
  mp_wakeup_send(wakeup);
  bed_run(bed, has_all);
  mp_wakeup_close(wakeup);
  bed_wait(bed, MP_MILLISECOND);
  CHECK_INT(log.n, log.wanted);
}

struct closer {
  struct log *log;
  struct mp_wakeup *wakeup;
};

static void close_wakeup(void *data) {
  struct closer *closer = data;
  put(closer->log, 'w');
  mp_wakeup_send(closer->wakeup);
  mp_wakeup_close(closer->wakeup);
}

BOTH(a_wakeup_closed_by_its_own_call_is_not_called_again) {
  struct log log;
  struct closer closer = {.log = &log};
  log_init(&log, bed, 2);
  CHECK_INT(mp_wakeup_open(&closer.wakeup, bed->near, close_wakeup, &closer),
            0);
  mp_wakeup_send(closer.wakeup);
  bed_wait(bed, 5 * MP_MILLISECOND);
  CHECK_TEXT(log.text, "w");
}

static void on_nothing(void *data) {
  (void)data;
}

static void fire_late(struct timers *timers, int64_t due, int64_t now) {
  struct mp_timer timer;
  mp_timer_init(&timer, on_nothing, NULL);
  timers_add(timers, &timer, due);
  timers_fire(timers, now);
}

static void the_lag_is_how_late_the_last_and_the_latest_timer_was(void) {
  struct timers timers = {0};
  fire_late(&timers, 100, 130);
  CHECK_INT(timers.lag, 30);
  CHECK_INT(timers.most_lag, 30);
  fire_late(&timers, 200, 205);
  timers_fire(&timers, 300); /* none is due */
  CHECK_INT(timers.lag, 5);
  CHECK_INT(timers.most_lag, 30);
  timers_deinit(&timers);
}

TEST_MAIN(TEST(the_lag_is_how_late_the_last_and_the_latest_timer_was),
          TESTS(timers_fire_in_order_of_time_and_then_of_starting),
          TESTS(a_timer_stopped_by_another_does_not_fire),
          TESTS(a_timer_started_again_fires_once_at_its_new_time),
          TESTS(what_a_posted_function_posts_waits_for_the_next_turn),
          TESTS(a_posted_function_can_be_cancelled), TESTS(runs_do_not_nest),
          TESTS(a_run_lasts_until_nothing_holds_the_loop),
          TESTS(a_posted_function_that_lets_go_ends_the_run_without_a_wait),
          TESTS(work_runs_and_is_done_later),
          TEST(closing_a_loop_waits_for_work_on_threads),
          TEST(closing_a_host_ends_its_work),
          TEST(closing_a_loop_runs_what_is_posted),
          TEST(closing_a_host_runs_what_is_posted),
          TESTS(a_wakeup_is_answered_on_the_loop),
          TESTS(a_wakeup_closed_by_its_own_call_is_not_called_again))
