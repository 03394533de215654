/* session - handshake and keepalive: messages and times in, what to do out. */
#include "wire/session.h"

#include <string.h>

#include "base/cursor.h"
#include "base/fault.h"
#include "base/text.h"
#include "moonpeer/message.h"

static const char *const state_names[] = {
#define X(name, text) text,
    MP_STATES(X)
#undef X
};

const char *mp_state_name(enum mp_state state) {
  return state_names[state];
}

void session_init(struct session *session, bool is_inbound, uint64_t nonce) {
  *session = (struct session){
      .state = is_inbound ? MP_AWAITING_HANDSHAKE : MP_DISCONNECTED,
      .is_inbound = is_inbound,
      .nonce = nonce,
      .rtt = -1,
  };
}

enum {
  BIT_DISCONNECTED = 1 << MP_DISCONNECTED,
  BIT_CONNECTING = 1 << MP_CONNECTING,
  BIT_AWAITING = 1 << MP_AWAITING_HANDSHAKE,
  BIT_CONNECTED = 1 << MP_CONNECTED,
  BIT_FAILED = 1 << MP_FAILED,
  BIT_REJECTED = 1 << MP_REJECTED,
};

/* From each state, the ones it may move to. */
static const unsigned moves[] = {
    [MP_DISCONNECTED] = BIT_CONNECTING,
    [MP_CONNECTING] = BIT_AWAITING | BIT_FAILED,
    [MP_AWAITING_HANDSHAKE] = BIT_CONNECTED | BIT_FAILED | BIT_REJECTED,
    [MP_CONNECTED] = BIT_FAILED | BIT_DISCONNECTED,
    [MP_FAILED] = BIT_DISCONNECTED,
    [MP_REJECTED] = BIT_DISCONNECTED,
};

bool session_move(struct session *session, enum mp_state to) {
  if (!(moves[session->state] & 1u << to))
    return false;
  session->state = to;
  return true;
}

static bool is_complete(const struct session *session) {
  return session->version_sent && session->version_received &&
         session->verack_sent && session->verack_received;
}

static bool complete_now(struct session *session) {
  return is_complete(session) && session_move(session, MP_CONNECTED);
}

/* --- one function a command ------------------------------------------------
 */

struct input {
  const char *command;
  const uint8_t *payload;
  size_t n;
  int64_t now;
};

typedef void receive_fn(struct session *session, const struct input *in,
                        struct session_step *step, struct mp_fault *fault);

static void offend(struct session_step *step, int code) {
  step->offence = code;
  step->is_shown = false;
}

static void receive_version(struct session *session, const struct input *in,
                            struct session_step *step, struct mp_fault *fault) {
  (void)in;
  step->is_shown = false;
  if (!session->version_received)
    step->is_version = true;
  else
    offend(step, fault_set(fault, MP_EPROTOCOL,
                           "expected one version message, got a second"));
}

/* A second verack is tolerated, as the reference node does. */
static void receive_verack(struct session *session, const struct input *in,
                           struct session_step *step, struct mp_fault *fault) {
  (void)in, (void)fault;
  step->is_shown = false;
  session->verack_received = true;
  step->is_complete = complete_now(session);
}

/* Short pings get no pong and no punishment; old peers send them empty. */
static void receive_ping(struct session *session, const struct input *in,
                         struct session_step *step, struct mp_fault *fault) {
  if (session->remote_version <= SESSION_NONCE_VERSION)
    return;
  if (in->n >= 8) {
    step->is_pong = true;
    return;
  }
  offend(step,
         fault_set(fault, MP_EPROTOCOL,
                   "ping: expected a nonce of 8 bytes, got %zu bytes", in->n));
  step->is_dropped = true;
}

/* Whatever a pong holds is never punished. */
static void receive_pong(struct session *session, const struct input *in,
                         struct session_step *step, struct mp_fault *fault) {
  (void)fault;
  step->is_shown = in->n >= 8;
  if (!session->is_pinging || in->n < 8 ||
      get_u64(in->payload) != session->ping_nonce)
    return;
  session->rtt = in->now - session->ping_sent;
  session->is_pinging = false;
}

/* What is wrong in it ends the connection, unlike in other messages. */
static void receive_protoconf(struct session *session, const struct input *in,
                              struct session_step *step,
                              struct mp_fault *fault) {
  struct mp_message message;
  struct mp_value most;
  if (session->has_protoconf) {
    offend(step, fault_set(fault, MP_EPROTOCOL,
                           "expected one protoconf message, got a second"));
    return;
  }
  session->has_protoconf = true;
  int rc = mp_message_open(&message, in->command, in->payload, in->n, fault);
  if (rc != 0) {
    offend(step, rc);
    return;
  }
  mp_record_find(&message.fields, "max_recv_payload_length", &most);
  if (most.number < SESSION_MIN_PROTOCONF)
    offend(step,
           fault_set(fault, MP_EPROTOCOL,
                     "protoconf: expected a max_recv_payload_length of "
                     "%d or more, got %llu",
                     SESSION_MIN_PROTOCONF, (unsigned long long)most.number));
  else
    session->remote_max_payload = (uint32_t)most.number;
}

/* What the session itself has to do with. */
static const struct {
  const char *command;
  receive_fn *receive;
} rows[] = {
    {"version", receive_version},     {"verack", receive_verack},
    {"ping", receive_ping},           {"pong", receive_pong},
    {"protoconf", receive_protoconf},
};

static receive_fn *find_row(const char *command) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (text_is(rows[i].command, command))
      return rows[i].receive;
  return NULL;
}

/* Whether the table of messages lets it come now; what it does not know comes
 * after the handshake. A second version is for receive_version to refuse. */
static bool may_come(const struct session *session, const char *command) {
  if (session->version_received && session->verack_received)
    return true;
  const struct mp_message_type *type = mp_message_find(command);
  enum mp_phase phase = type ? type->phase : MP_PHASE_READY;
  if (!session->version_received)
    return phase == MP_PHASE_ANY;
  return phase != MP_PHASE_READY;
}

/* Before the version nothing else may come. Between version and verack other
 * implementations send what the reference node passes over: so do we. */
/* NOLINTNEXTLINE(readability-function-size): bytes and size are one */
void session_receive(struct session *session, const char *command,
                     const uint8_t *payload, size_t n, int64_t now,
                     struct session_step *step, struct mp_fault *fault) {
  const struct input in = {command, payload, n, now};
  *step = (struct session_step){.is_shown = true};
  if (may_come(session, command)) {
    receive_fn *receive = find_row(command);
    if (receive)
      receive(session, &in, step, fault);
    return;
  }
  step->is_shown = false;
  if (!session->version_received)
    offend(step, fault_set(fault, MP_EPROTOCOL,
                           "expected version first, got %s", command));
}

int session_check_version(const struct mp_version *version,
                          struct mp_fault *fault) {
  if (version->version >= SESSION_MIN_VERSION)
    return 0;
  return fault_set(fault, MP_EOBSOLETE,
                   "expected protocol version %d or higher, got %d",
                   SESSION_MIN_VERSION, version->version);
}

void session_take_version(struct session *session,
                          const struct mp_version *version) {
  session->version_received = true;
  session->remote_version = version->version;
}

bool session_sent_version(struct session *session) {
  session->version_sent = true;
  return complete_now(session);
}

bool session_sent_verack(struct session *session) {
  session->verack_sent = true;
  return complete_now(session);
}

void session_sent_ping(struct session *session, uint64_t nonce, int64_t now) {
  session->ping_nonce = nonce;
  session->ping_sent = now;
  session->is_pinging = true;
}
