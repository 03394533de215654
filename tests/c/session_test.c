/* session_test - the state machine, the handshake in every order, and what
 * each message calls for. */
#include "base/cursor.h"
#include "test.h"
#include "wire/session.h"

/* --- states ----------------------------------------------------------------
 */

static bool is_legal(enum mp_state from, enum mp_state to) {
  static const enum mp_state moves[][2] = {
      {MP_DISCONNECTED, MP_CONNECTING},
      {MP_CONNECTING, MP_AWAITING_HANDSHAKE},
      {MP_AWAITING_HANDSHAKE, MP_CONNECTED},
      {MP_CONNECTED, MP_DISCONNECTED},
      {MP_CONNECTING, MP_FAILED},
      {MP_AWAITING_HANDSHAKE, MP_FAILED},
      {MP_CONNECTED, MP_FAILED},
      {MP_AWAITING_HANDSHAKE, MP_REJECTED},
      {MP_FAILED, MP_DISCONNECTED},
      {MP_REJECTED, MP_DISCONNECTED},
  };
  for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
    if (moves[i][0] == from && moves[i][1] == to)
      return true;
  return false;
}

static void only_the_moves_of_the_state_machine_happen(void) {
  for (int from = MP_DISCONNECTED; from <= MP_REJECTED; from++)
    for (int to = MP_DISCONNECTED; to <= MP_REJECTED; to++) {
      struct session session;
      session_init(&session, false, 1);
      session.state = (enum mp_state)from;
      bool moved = session_move(&session, (enum mp_state)to);
      CHECK_INT(moved, is_legal((enum mp_state)from, (enum mp_state)to));
      CHECK_INT(session.state, moved ? to : from);
    }
}

static void inbound_begins_where_outbound_has_to_get(void) {
  struct session session;
  session_init(&session, true, 7);
  CHECK_INT(session.state, MP_AWAITING_HANDSHAKE);
  session_init(&session, false, 7);
  CHECK_INT(session.state, MP_DISCONNECTED);
  CHECK_INT(session.nonce, 7);
  CHECK_INT(session.rtt, -1);
}

static void every_state_has_a_name_of_its_own(void) {
  for (int a = MP_DISCONNECTED; a <= MP_REJECTED; a++)
    for (int b = MP_DISCONNECTED; b < a; b++)
      CHECK(strcmp(mp_state_name((enum mp_state)a),
                   mp_state_name((enum mp_state)b)) != 0);
  CHECK_TEXT(mp_state_name(MP_AWAITING_HANDSHAKE), "awaiting_handshake");
}

/* --- the handshake ---------------------------------------------------------
 */

enum part { VERSION_SENT, VERSION_RECEIVED, VERACK_SENT, VERACK_RECEIVED };

static struct session_step receive(struct session *session, const char *command,
                                   const void *payload, size_t n) {
  struct session_step step;
  struct mp_fault fault = {.text = ""};
  session_receive(session, command, payload, n, 0, &step, &fault);
  CHECK_INT(fault.code, step.offence);
  CHECK(!step.offence || fault.text[0]);
  return step;
}

/* Whether the handshake is complete with that. */
static bool play(struct session *session, enum part part) {
  const struct mp_version version = {.version = 70016};
  switch (part) {
  case VERSION_SENT: return session_sent_version(session);
  case VERSION_RECEIVED:
    CHECK(receive(session, "version", "", 0).is_version);
    session_take_version(session, &version);
    return false;
  case VERACK_SENT: return session_sent_verack(session);
  case VERACK_RECEIVED: break;
  }
  return receive(session, "verack", "", 0).is_complete;
}

/* The n-th of the orders of four things. */
static void order_of(int n, enum part order[4]) {
  enum part left[4] = {VERSION_SENT, VERSION_RECEIVED, VERACK_SENT,
                       VERACK_RECEIVED};
  for (int i = 0; i < 4; i++) {
    int at = n % (4 - i);
    n /= 4 - i;
    order[i] = left[at];
    memmove(left + at, left + at + 1, sizeof *left * (size_t)(3 - at));
  }
}

static bool has_verack_first(const enum part order[4]) {
  for (int i = 0; i < 4; i++)
    if (order[i] == VERSION_RECEIVED || order[i] == VERACK_RECEIVED)
      return order[i] == VERACK_RECEIVED;
  return false;
}

static void completes_with_the_last(const enum part order[4]) {
  struct session session;
  session_init(&session, true, 1);
  for (int i = 0; i < 4; i++) {
    bool is_complete = play(&session, order[i]);
    CHECK_INT(is_complete, i == 3);
    CHECK_INT(session.state == MP_CONNECTED, i == 3);
  }
}

static void the_handshake_completes_with_its_last_message(void) {
  int legal = 0;
  for (int n = 0; n < 24; n++) {
    enum part order[4];
    order_of(n, order);
    if (has_verack_first(order))
      continue;
    completes_with_the_last(order);
    legal++;
  }
  CHECK_INT(legal, 12);
}

static void offends_with_its_verack(const enum part order[4]) {
  struct session session;
  session_init(&session, true, 1);
  for (int i = 0; i < 4; i++) {
    if (order[i] != VERACK_RECEIVED) {
      CHECK(!play(&session, order[i]));
      continue;
    }
    struct session_step step = receive(&session, "verack", "", 0);
    CHECK_INT(step.offence, MP_EPROTOCOL);
    CHECK(!step.is_dropped && !step.is_shown);
  }
  CHECK_INT(session.state, MP_AWAITING_HANDSHAKE);
}

static void verack_before_version_is_an_offence_in_every_order(void) {
  int illegal = 0;
  for (int n = 0; n < 24; n++) {
    enum part order[4];
    order_of(n, order);
    if (!has_verack_first(order))
      continue;
    offends_with_its_verack(order);
    illegal++;
  }
  CHECK_INT(illegal, 12);
}

static struct session connected(int32_t remote_version) {
  struct session session;
  const struct mp_version version = {.version = remote_version};
  session_init(&session, true, 1);
  session_sent_version(&session);
  session_take_version(&session, &version);
  CHECK(!session_sent_verack(&session));
  CHECK(receive(&session, "verack", "", 0).is_complete);
  CHECK_INT(session.state, MP_CONNECTED);
  return session;
}

/* --- what messages call for ------------------------------------------------
 */

struct expectation {
  const char *command;
  struct {
    int offence;
    bool is_shown;
  } before_version, before_verack, after;
};

static void check_step(const struct session_step *step, int offence,
                       bool is_shown) {
  CHECK_INT(step->offence, offence);
  CHECK_INT(step->is_shown, is_shown);
}

static void each_message_is_known_in_its_phase_alone(void) {
  static const struct expectation list[] = {
      {"version", {0, false}, {MP_EPROTOCOL, false}, {MP_EPROTOCOL, false}},
      {"verack", {MP_EPROTOCOL, false}, {0, false}, {0, false}},
      {"reject", {0, true}, {0, true}, {0, true}},
      {"authch", {MP_EPROTOCOL, false}, {0, true}, {0, true}},
      {"authresp", {MP_EPROTOCOL, false}, {0, true}, {0, true}},
      {"createstrm", {0, true}, {0, true}, {0, true}},
      {"streamack", {0, true}, {0, true}, {0, true}},
      {"wtxidrelay", {MP_EPROTOCOL, false}, {0, true}, {0, true}},
      {"sendaddrv2", {MP_EPROTOCOL, false}, {0, true}, {0, true}},
      {"xyzzy", {MP_EPROTOCOL, false}, {0, false}, {0, true}},
      {"ping", {MP_EPROTOCOL, false}, {0, false}, {0, true}},
      {"pong", {MP_EPROTOCOL, false}, {0, false}, {0, true}},
      {"protoconf", {MP_EPROTOCOL, false}, {0, false}, {0, true}},
      {"inv", {MP_EPROTOCOL, false}, {0, false}, {0, true}},
      {"", {MP_EPROTOCOL, false}, {0, false}, {0, true}},
  };
  static const uint8_t payload[] = {1, 0, 0, 0x20, 0, 0, 0, 0, 0};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    const struct expectation *e = list + i;
    struct session fresh, greeted, complete = connected(70016);
    const struct mp_version version = {.version = 70016};
    session_init(&fresh, true, 1);
    session_init(&greeted, true, 1);
    session_take_version(&greeted, &version);
    fprintf(stderr, "  '%s'\n", e->command);
    struct session_step step =
        receive(&fresh, e->command, payload, sizeof payload);
    check_step(&step, e->before_version.offence, e->before_version.is_shown);
    step = receive(&greeted, e->command, payload, sizeof payload);
    check_step(&step, e->before_verack.offence, e->before_verack.is_shown);
    CHECK(!step.is_pong);
    step = receive(&complete, e->command, payload, sizeof payload);
    check_step(&step, e->after.offence, e->after.is_shown);
  }
}

static void pings_are_answered_by_peers_that_know_pong(void) {
  struct session session = connected(60001), old = connected(60000);
  CHECK(receive(&session, "ping", "12345678", 8).is_pong);
  CHECK(receive(&session, "ping", "123456789", 9).is_pong);
  struct session_step step = receive(&session, "ping", "1234567", 7);
  CHECK(!step.is_pong && step.is_dropped);
  CHECK_INT(step.offence, MP_EPROTOCOL);
  step = receive(&old, "ping", "12345678", 8);
  CHECK(!step.is_pong && !step.offence);
  CHECK(!receive(&old, "ping", "", 0).offence);
}

static void pong_at(struct session *session, uint64_t nonce, size_t n,
                    int64_t now) {
  struct session_step step;
  struct mp_fault fault;
  uint8_t payload[16] = {0};
  put_u64(payload, nonce);
  session_receive(session, "pong", payload, n, now, &step, &fault);
  CHECK_INT(step.offence, 0);
}

static void a_pong_counts_with_its_own_nonce_alone(void) {
  struct session session = connected(70016);
  pong_at(&session, 0, 8, 5);
  CHECK_INT(session.rtt, -1);
  session_sent_ping(&session, 42, 100);
  pong_at(&session, 41, 8, 110);
  pong_at(&session, 42, 7, 110);
  pong_at(&session, 0, 8, 110);
  CHECK(session.is_pinging);
  CHECK_INT(session.rtt, -1);
  pong_at(&session, 42, 16, 130);
  CHECK(!session.is_pinging);
  CHECK_INT(session.rtt, 30);
  pong_at(&session, 42, 8, 500);
  CHECK_INT(session.rtt, 30);
}

static void a_ping_may_leave_when_the_clock_says_zero(void) {
  struct session session = connected(70016);
  session_sent_ping(&session, 42, 0);
  pong_at(&session, 42, 8, 3);
  CHECK_INT(session.rtt, 3);
  CHECK(!session.is_pinging);
}

static int protoconf(struct session *session, const char *payload, size_t n) {
  return receive(session, "protoconf", payload, n).offence;
}

static void protoconf_says_once_what_the_remote_takes(void) {
  struct session session = connected(70016);
  CHECK_INT(protoconf(&session, "\x01\x00\x00\x10\x00", 5), 0);
  CHECK_INT(session.remote_max_payload, 1048576);
  CHECK_INT(protoconf(&session, "\x01\x00\x00\x20\x00", 5), MP_EPROTOCOL);
  CHECK_INT(session.remote_max_payload, 1048576);
  static const struct {
    const char *payload;
    size_t n;
  } bad[] = {{"", 0},
             {"\x01", 1},
             {"\x01\x00\x00\x10", 4},
             {"\x00\x00\x00\x10\x00", 5},
             {"\x01\xff\xff\x0f\x00", 5},
             {"\xfd\x01\x00\x00\x00\x10\x00", 7}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    session = connected(70016);
    CHECK_INT(protoconf(&session, bad[i].payload, bad[i].n), MP_EPROTOCOL);
    CHECK_INT(session.remote_max_payload, 0);
  }
}

static void versions_count_from_31800(void) {
  static const struct {
    int32_t version;
    int rc;
  } list[] = {{INT32_MIN, MP_EOBSOLETE},
              {-1, MP_EOBSOLETE},
              {0, MP_EOBSOLETE},
              {31799, MP_EOBSOLETE},
              {31800, 0},
              {70016, 0},
              {INT32_MAX, 0}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    const struct mp_version version = {.version = list[i].version};
    struct mp_fault fault = {.text = ""};
    CHECK_INT(session_check_version(&version, &fault), list[i].rc);
    CHECK_INT(session_check_version(&version, NULL), list[i].rc);
    CHECK_INT(fault.code, list[i].rc);
  }
}

TEST_MAIN(TEST(only_the_moves_of_the_state_machine_happen),
          TEST(inbound_begins_where_outbound_has_to_get),
          TEST(every_state_has_a_name_of_its_own),
          TEST(the_handshake_completes_with_its_last_message),
          TEST(verack_before_version_is_an_offence_in_every_order),
          TEST(each_message_is_known_in_its_phase_alone),
          TEST(pings_are_answered_by_peers_that_know_pong),
          TEST(a_pong_counts_with_its_own_nonce_alone),
          TEST(a_ping_may_leave_when_the_clock_says_zero),
          TEST(protoconf_says_once_what_the_remote_takes),
          TEST(versions_count_from_31800))
