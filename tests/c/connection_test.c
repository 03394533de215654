/* connection_test - a connection through a table of hooks in C: the same on
 * sockets and in a world. */
#include "hooked.h"

/* --- hooks -----------------------------------------------------------------
 */

static void send_something(struct side *side, struct mp_connection *c,
                           int type) {
  (void)side, (void)type;
  mp_connection_send(c, "xyzzy", "words", 5, NULL);
  mp_connection_send_raw(c, "", 0, NULL);
  mp_connection_pause(c, false);
}

static const uint8_t bad_checksum[FRAME_HEADER] = {0xda, 0xb5, 0xbf, 0xfa,
                                                   'p',  'i',  'n',  'g'};

/* All that leads to every hook there is. */
static void live(struct talk *talk) {
  mp_connection_pause(talk->far.c, false);
  talk_hello(talk);
  mp_connection_send_raw(talk->far.c, bad_checksum, sizeof bad_checksum, NULL);
  talk_say(talk, "ping", "12345678", 8);
  talk_say(talk, "plugh", "", 0);
}

static bool has_said_something(struct bed *bed) {
  return strcmp(talk_of(bed)->near.last, "plugh") == 0 &&
         talk_of(bed)->far.events[MP_MESSAGE] >= 9;
}

BOTH(hooks_may_send_and_are_told_in_order) {
  struct talk talk = {.bed = bed};
  talk_init(&talk, bed);
  talk.near.act = send_something;
  talk.near.answer = MP_OBSERVE;
  talk_dial(&talk);
  bed_run(bed, talk_is_accepted);
  live(&talk);
  bed_run(bed, has_said_something);
  mp_connection_close(talk.far.c, 0, NULL);
  bed_run(bed, talk_is_over);
  CHECK_INT(talk.near.events[MP_CONNECTION_STARTED], 1);
  CHECK_INT(talk.near.events[MP_CONNECTION_ESTABLISHED], 1);
  CHECK_INT(talk.near.validated, 1);
  CHECK_INT(talk.near.events[MP_HANDSHAKE_COMPLETE], 1);
  CHECK_INT(talk.near.judged, 1);
  CHECK_INT(talk.near.events[MP_PEER_MISBEHAVED], 1);
  CHECK_INT(talk.near.events[MP_CONNECTION_LOST], 1);
  CHECK_INT(talk.near.events[MP_CONNECTION_FAILED], 0);
  CHECK_TEXT(talk.near.last, "plugh");
  talk_end(&talk);
}

/* What the hooks of one test do, and where. */
static int where;
static void (*how)(struct mp_connection *c);

static void act_there(struct side *side, struct mp_connection *c, int type) {
  (void)side;
  if (type == where)
    how(c);
}

static void close_it(struct mp_connection *c) {
  mp_connection_close(c, MP_EFLOOD, "in a hook");
  mp_connection_close(c, MP_EIO, "again");
  CHECK_INT(mp_connection_send(c, "x", "", 0, NULL), MP_ECLOSED);
  CHECK(mp_connection_is_closing(c));
}

static void reset_it(struct mp_connection *c) {
  mp_connection_reset(c);
  mp_connection_reset(c);
  mp_connection_close(c, 0, NULL);
}

static void pause_it(struct mp_connection *c) {
  mp_connection_pause(c, true);
  mp_connection_pause(c, true);
  mp_connection_pause(c, false);
}

static void act_in_hook(struct bed *bed, int type,
                        void (*way)(struct mp_connection *)) {
  struct talk talk = {.bed = bed};
  talk_init(&talk, bed);
  how = way;
  where = type;
  talk.near.act = act_there;
  talk.near.answer = MP_OBSERVE;
  talk_dial(&talk);
  /* closed before it was dialled, it may never be accepted */
  if (type != MP_CONNECTION_STARTED || way == pause_it) {
    bed_run(bed, talk_is_accepted);
    live(&talk);
    mp_connection_close(talk.far.c, 0, NULL);
  }
  bed_run(bed, talk_near_is_gone);
  bed_wait(bed, 30 * MP_MILLISECOND);
  talk_end(&talk);
}

BOTH(every_hook_may_close_reset_or_pause) {
  static void (*const ways[])(struct mp_connection *) = {close_it, reset_it,
                                                         pause_it};
  static const int types[] = {MP_CONNECTION_STARTED,
                              MP_CONNECTION_ESTABLISHED,
                              MP_HANDSHAKE_COMPLETE,
                              MP_CONNECTION_FAILED,
                              MP_CONNECTION_LOST,
                              MP_PEER_MISBEHAVED,
                              MP_MESSAGE,
                              ON_VALIDATE,
                              ON_JUDGE};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (size_t j = 0; j < sizeof types / sizeof *types; j++)
      act_in_hook(bed, types[j], ways[i]);
}

BOTH(what_lies_there_is_not_shown_after_a_close) {
  struct talk talk = {.bed = bed};
  talk_begin(&talk, bed);
  how = close_it;
  where = MP_MESSAGE;
  talk.near.act = act_there;
  int before = talk.near.events[MP_MESSAGE];
  talk_say(&talk, "plugh", "", 0);
  talk_say(&talk, "plugh", "", 0);
  bed_run(bed, talk_near_is_gone);
  CHECK_INT(talk.near.events[MP_MESSAGE] - before, 1);
  CHECK_INT(talk.near.code, MP_EFLOOD);
  CHECK_INT(talk.near.state, MP_DISCONNECTED);
  talk_end(&talk);
}

BOTH(without_hooks_the_safe_answers_hold) {
  struct talk talk = {.bed = bed};
  talk_init(&talk, bed);
  talk.near.hooks.validate = NULL;
  talk.near.hooks.judge = NULL;
  talk_dial(&talk);
  bed_run(bed, talk_is_accepted);
  mp_connection_pause(talk.far.c, false);
  talk_hello(&talk);
  mp_connection_send_raw(talk.far.c, bad_checksum, sizeof bad_checksum, NULL);
  bed_run(bed, talk_is_complete);
  talk_say(&talk, "protoconf", "", 0);
  bed_run(bed, talk_near_is_gone);
  CHECK_INT(talk.near.events[MP_PEER_MISBEHAVED], 2);
  CHECK_INT(talk.near.code, MP_EPROTOCOL);
  talk_end(&talk);
}

/* --- the beginning and the end ---------------------------------------------
 */

BOTH(a_dial_where_nobody_listens_is_refused) {
  struct talk talk = {.bed = bed};
  talk_init(&talk, bed);
  mp_listener_close(talk.listener);
  bed_wait(bed, MP_MILLISECOND);
  talk_dial(&talk);
  bed_run(bed, talk_near_is_gone);
  CHECK_INT(talk.near.code, MP_EREFUSED);
  CHECK_INT(talk.near.state, MP_FAILED);
  CHECK_INT(talk.near.events[MP_CONNECTION_STARTED], 1);
  CHECK_INT(talk.near.events[MP_CONNECTION_ESTABLISHED], 0);
}

static void a_dial_that_nobody_answers_ends_late(void) {
  struct bed bed;
  struct talk talk = {.bed = &bed};
  bed_open(&bed, true);
  talk_init(&talk, &bed);
  CHECK_INT(mp_address_parse(&bed.at, "10.9.9.9:1", 0, NULL), 0);
  int64_t before = mp_loop_now(bed.near);
  talk_dial(&talk);
  bed_run(&bed, talk_near_is_gone);
  CHECK_INT(talk.near.code, MP_ECONNECT_TIMEOUT);
  CHECK_INT(talk.near.state, MP_FAILED);
  CHECK_INT(mp_loop_now(bed.near) - before, 5 * MP_SECOND);
  bed_close(&bed);
}

BOTH(closing_before_the_dial_has_ended_fails_it) {
  struct talk talk = {.bed = bed};
  talk_init(&talk, bed);
  talk_dial(&talk);
  mp_connection_close(talk.near.c, 0, NULL);
  bed_run(bed, talk_near_is_gone);
  CHECK_INT(talk.near.code, MP_ECLOSED);
  CHECK_INT(talk.near.state, MP_FAILED);
  bed_wait(bed, 30 * MP_MILLISECOND);
  talk_end(&talk);
}

BOTH(a_loop_that_is_closed_tells_the_end_first) {
  static struct talk talk; /* outlives this function */
  talk_begin(&talk, bed);
  mp_connection_send(talk.near.c, "xyzzy", "unsent", 6, NULL);
  /* the bed closes the loop: side_closed checks that the end was told */
}

BOTH(the_remote_may_close_while_much_is_unread) {
  struct talk talk = {.bed = bed};
  static uint8_t payload[1000];
  talk_begin(&talk, bed);
  size_t before = talk.near.bytes;
  mp_connection_pause(talk.near.c, true);
  for (int i = 0; i < 100; i++)
    talk_say(&talk, "plugh", payload, sizeof payload);
  mp_connection_close(talk.far.c, 0, NULL);
  bed_wait(bed, 60 * MP_MILLISECOND);
  CHECK_INT(talk.near.closed, 0);
  mp_connection_pause(talk.near.c, false);
  bed_run(bed, talk_near_is_gone);
  CHECK_INT(talk.near.bytes - before, 100 * sizeof payload);
  CHECK_INT(talk.near.code, MP_ECLOSED);
  talk_end(&talk);
}

/* Reads one message, then pauses. */
static void pause_after_one(struct side *side, struct mp_connection *c,
                            int type) {
  (void)side;
  if (type == MP_MESSAGE)
    mp_connection_pause(c, true);
}

BOTH(one_message_at_a_time_none_is_lost_and_little_is_held) {
  struct talk talk = {.bed = bed};
  static uint8_t payload[20000];
  talk_begin(&talk, bed);
  size_t before = talk.near.bytes, most = 0;
  talk.near.act = pause_after_one;
  for (int i = 0; i < 40; i++)
    talk_say(&talk, "plugh", payload, sizeof payload);
  mp_connection_close(talk.far.c, 0, NULL);
  for (int i = 0; i < 400 && talk.near.c; i++) {
    mp_connection_pause(talk.near.c, false);
    bed_wait(bed, i < 50 ? 0 : 2 * MP_MILLISECOND);
    if (talk.near.c && buf_length(&talk.near.c->in) > most)
      most = buf_length(&talk.near.c->in);
  }
  bed_run(bed, talk_near_is_gone);
  CHECK_INT(talk.near.bytes - before, 40 * sizeof payload);
  CHECK_INT(talk.near.code, MP_ECLOSED);
  CHECK(most < 300000);
  talk_end(&talk);
}

TEST_MAIN(TESTS(hooks_may_send_and_are_told_in_order),
          TESTS(every_hook_may_close_reset_or_pause),
          TESTS(what_lies_there_is_not_shown_after_a_close),
          TESTS(without_hooks_the_safe_answers_hold),
          TESTS(a_dial_where_nobody_listens_is_refused),
          TEST(a_dial_that_nobody_answers_ends_late),
          TESTS(closing_before_the_dial_has_ended_fails_it),
          TESTS(a_loop_that_is_closed_tells_the_end_first),
          TESTS(the_remote_may_close_while_much_is_unread),
          TESTS(one_message_at_a_time_none_is_lost_and_little_is_held))
