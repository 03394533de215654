/* protoconf_test - no more is sent than the remote has said that it takes; the
 * same on sockets and in a world. */
#include "talk.h"

enum { KIB = 1024, MIB = 1024 * KIB };

static bool far_has_x(struct bed *bed) {
  struct talk *talk = bed->data;
  return strstr(talk->far.commands, "x ") != NULL;
}

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

TEST_MAIN(TESTS(no_more_is_sent_than_the_remote_has_said),
          TESTS(what_the_remote_says_is_believed_up_to_four_times_our_own),
          TESTS(before_its_protoconf_the_remote_takes_the_least))
