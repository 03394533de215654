/* error - what can go wrong, as numbers for programs and words for people. */
#ifndef MOONPEER_ERROR_H
#define MOONPEER_ERROR_H

/* Enum value, number below zero, name in Lua, JSON and logs. REFUSED,
 * CONNECT_TIMEOUT and RESET are what is worth another try; ENETWORK to EFLOOD
 * are offences: what a remote did wrong. */
#define MP_ERRORS(X)                                                           \
  X(MP_EREFUSED, 5001, "connection_refused")                                   \
  X(MP_ECONNECT_TIMEOUT, 5002, "connection_timeout")                           \
  X(MP_ERESET, 5003, "connection_reset")                                       \
  X(MP_ECONNECT, 5004, "connection_failed")                                    \
  X(MP_EHANDSHAKE_TIMEOUT, 5005, "handshake_timeout")                          \
  X(MP_EHANDSHAKE, 5006, "handshake_failed")                                   \
  X(MP_EPING_TIMEOUT, 5007, "ping_timeout")                                    \
  X(MP_ECLOSED, 5008, "closed")                                                \
  X(MP_ENETWORK, 5009, "network_mismatch")                                     \
  X(MP_EBLOCKCHAIN, 5010, "blockchain_mismatch")                               \
  X(MP_EUSER_AGENT, 5011, "banned_user_agent")                                 \
  X(MP_EPROTOCOL, 5012, "protocol_error")                                      \
  X(MP_ECHECKSUM, 5013, "checksum_error")                                      \
  X(MP_EOVERSIZE, 5014, "oversize_message")                                    \
  X(MP_EOBSOLETE, 5015, "obsolete_version")                                    \
  X(MP_ESELF, 5016, "self_connection")                                         \
  X(MP_EFLOOD, 5017, "flood")                                                  \
  X(MP_ESTORE, 5018, "store_error")                                            \
  X(MP_ENOT_FOUND, 5019, "peer_not_found")                                     \
  X(MP_EDUPLICATE, 5020, "duplicate_peer")                                     \
  X(MP_ECONFIG, 5021, "invalid_configuration")                                 \
  X(MP_ELIMITS, 5022, "invalid_connection_limits")                             \
  X(MP_EDNS, 5023, "dns_failed")                                               \
  X(MP_ELISTEN, 5024, "listen_failed")                                         \
  X(MP_EACCEPT, 5025, "accept_failed")                                         \
  X(MP_EWOULD_BLOCK, 5026, "would_block")                                      \
  X(MP_ELIMIT, 5027, "limit")                                                  \
  X(MP_ETIMEOUT, 5028, "timeout")                                              \
  X(MP_ECANCELLED, 5029, "cancelled")                                          \
  X(MP_EIO, 5030, "io_error")

/* 0 is success; every error is negative. */
enum mp_error {
  MP_OK = 0,
#define X(name, number, text) name = -(number),
  MP_ERRORS(X)
#undef X
};

enum { MP_FAULT_TEXT = 240 };

/* One failure: its code, and a sentence that says what was expected and what
 * came. A function that takes a fault fills it when it fails and leaves it
 * alone when it does not; NULL is accepted everywhere. */
struct mp_fault {
  int code;
  char text[MP_FAULT_TEXT];
};

/* "connection_refused" for MP_EREFUSED, "ok" for 0, "io_error" for what is
 * no code of ours. Static, never NULL. */
const char *mp_error_name(int code);

/* The code of a name ("connection_refused"), 0 for a name nobody has and for
 * "ok". */
int mp_error_code(const char *name);

#endif
