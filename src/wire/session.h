/* session - handshake and keepalive: messages and times in, what to do out.
 * Facts: bitcoin-sv 1.2.2, src/net/net_processing.cpp. */
#ifndef WIRE_SESSION_H
#define WIRE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/connection.h"
#include "moonpeer/error.h"
#include "moonpeer/version.h"

enum {
  SESSION_MIN_VERSION = 31800,     /* the first with getheaders */
  SESSION_NONCE_VERSION = 60000,   /* above it pings carry a nonce */
  SESSION_SENDHEADERS = 70012,     /* from it on sendheaders is known */
  SESSION_EXTENDED = 70016,        /* and the header for 4 GiB and more */
  SESSION_MIN_PROTOCONF = 1048576, /* bytes a peer must at least accept */
};

struct session {
  enum mp_state state;
  bool is_inbound;
  bool version_sent, version_received, verack_sent, verack_received;
  bool has_protoconf;
  int32_t remote_version;
  uint32_t remote_max_payload; /* from its protoconf; 0 before */
  uint64_t nonce;              /* in our version */
  uint64_t ping_nonce;
  bool is_pinging;   /* one is not answered */
  int64_t ping_sent; /* when it left */
  int64_t rtt;       /* of the last answered one, -1 before */
};

/* What one message calls for. */
struct session_step {
  bool is_version;  /* decode it, check it, then session_take_version */
  bool is_complete; /* the handshake is, with this message */
  bool is_pong;     /* answer with the same payload */
  bool is_shown;    /* the hooks may see it */
  int offence;      /* 0, or its code; fault has the words */
  bool is_dropped;  /* of the offence: the node would drop it and go on */
};

void session_init(struct session *session, bool is_inbound, uint64_t nonce);

/* Moves to a state; false, and nothing changes, for a move that the state
 * machine does not have. */
bool session_move(struct session *session, enum mp_state to);

/* Judges a whole, checked message. */
void session_receive(struct session *session, const char *command,
                     const uint8_t *payload, size_t n, int64_t now,
                     struct session_step *step, struct mp_fault *fault);

/* The check of a version that needs nothing but itself: 0 or MP_EOBSOLETE. */
int session_check_version(const struct mp_version *version,
                          struct mp_fault *fault);

/* A version has passed all checks. */
void session_take_version(struct session *session,
                          const struct mp_version *version);

/* We have sent ours; true when the handshake is complete with that. */
bool session_sent_version(struct session *session);
bool session_sent_verack(struct session *session);

/* A ping leaves now. */
void session_sent_ping(struct session *session, uint64_t nonce, int64_t now);

#endif
