/* hooks - the one table through which the core tells and asks: events,
 * and the decisions that a policy takes. Lua is one implementation. */
#ifndef MOONPEER_HOOKS_H
#define MOONPEER_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"

struct mp_ban;
struct mp_connection;
struct mp_group;
struct mp_message;
struct mp_message_type;

/* Enum value, name in Lua, JSON and logs. */
#define MP_EVENTS(X)                                                           \
  X(MP_CONNECTION_STARTED, "connection_started")                               \
  X(MP_CONNECTION_ESTABLISHED, "connection_established")                       \
  X(MP_HANDSHAKE_COMPLETE, "handshake_complete")                               \
  X(MP_CONNECTION_FAILED, "connection_failed")                                 \
  X(MP_CONNECTION_LOST, "connection_lost")                                     \
  X(MP_CONNECTION_RESTARTING, "connection_restarting")                         \
  X(MP_PEER_MISBEHAVED, "peer_misbehaved")                                     \
  X(MP_PEER_BANNED, "peer_banned")                                             \
  X(MP_PEER_UNBANNED, "peer_unbanned")                                         \
  X(MP_INBOUND_ACCEPTED, "inbound_accepted")                                   \
  X(MP_INBOUND_REJECTED, "inbound_rejected")                                   \
  X(MP_REJECTED_FOR_CAPACITY, "rejected_for_capacity")                         \
  X(MP_EVICTED, "evicted")                                                     \
  X(MP_LISTENER_STARTED, "listener_started")                                   \
  X(MP_LISTENER_FAILED, "listener_failed")                                     \
  X(MP_DISCOVERY_FINISHED, "discovery_finished")                               \
  X(MP_STORE_SAVED, "store_saved")                                             \
  X(MP_STORE_FAILED, "store_failed")                                           \
  X(MP_POLICY_FAILED, "policy_failed")                                         \
  X(MP_DECISION, "decision")                                                   \
  X(MP_MESSAGE, "message")                                                     \
  X(MP_CHUNK, "chunk")

enum mp_event_type {
#define X(name, text) name,
  MP_EVENTS(X)
#undef X
      MP_EVENT_TYPES
};

/* "connection_started" for MP_CONNECTION_STARTED; static. type is below
 * MP_EVENT_TYPES. */
const char *mp_event_name(enum mp_event_type type);

/* The type of a name, -1 for a name nobody has. */
int mp_event_type(const char *name);

/* Something that a remote did wrong. */
struct mp_offence {
  int code;         /* MP_ENETWORK .. MP_EFLOOD */
  const char *text; /* what was expected and what came; borrowed */
  unsigned count;   /* of this code on this connection within a minute, this
                     * one included; from 1 */
  bool is_dropped;  /* a conforming node drops the message and goes on */
};

/* Enum value, name in Lua. In order of severity. */
#define MP_ANSWERS(X)                                                          \
  X(MP_OBSERVE, "observe")                                                     \
  X(MP_THROTTLE, "throttle")                                                   \
  X(MP_DISCONNECT, "disconnect")                                               \
  X(MP_DISCOURAGE, "discourage")                                               \
  X(MP_BAN, "ban")

enum mp_answer {
#define X(name, text) name,
  MP_ANSWERS(X)
#undef X
      MP_ANSWER_COUNT
};

/* "observe" for MP_OBSERVE; static. answer is below MP_ANSWER_COUNT. */
const char *mp_answer_name(enum mp_answer answer);

/* The answer of a name, -1 for a name nobody has. */
int mp_answer_of(const char *name);

enum { MP_REASON = 120, MP_RULE_NAME = 32 }; /* bytes, terminators included */

/* What a policy says about an offence. */
struct mp_verdict {
  enum mp_answer answer;
  char reason[MP_REASON];  /* free words */
  char rule[MP_RULE_NAME]; /* that said so, instead of a policy; or "" */
  int64_t ban_time;        /* nanoseconds; 0 means the configured ban_time,
                            * MP_FOREVER for ever */
  struct mp_prefix scope;  /* what to ban; 0 bits mean the address */
};

/* A dial or connection that failed, for a policy that says when to try again.
 */
struct mp_failure {
  int code;          /* why, an MP_E code */
  unsigned attempts; /* failed in a row, this one included; from 1 */
};

/* An inbound connection that may make room for another. Merits that nobody can
 * forge cheaply protect it (after bitcoin-sv 1.2.2, net.cpp): one of each of
 * the four network groups that a keyed order puts first, then the eight with
 * the least round trip, then the half of the others that has been here
 * longest. */
struct mp_candidate {
  struct mp_connection *connection;
  const struct mp_group *group;
  int64_t rtt;       /* the least measured, nanoseconds; -1 for none */
  int64_t age;       /* since its handshake, nanoseconds; 0 before */
  bool is_protected; /* by its merits */
};

/* A piece of a payload that is larger than receive_memory: it is not held but
 * handed on as it comes, in order. While its connection is paused no more of
 * it is read. A connection that ends takes the rest with it. All is borrowed
 * until the hook returns. */
struct mp_chunk {
  const char *command;
  uint64_t offset, total; /* of the payload, in bytes */
  const uint8_t *bytes;
  size_t size;
  bool is_last;
  int code; /* of the last: 0, or MP_ECHECKSUM: all of it was broken */
};

/* What happened. Everything it points to is borrowed until the hook
 * returns. */
struct mp_event {
  enum mp_event_type type;
  int64_t time;                     /* wall time, nanoseconds since 1970 */
  struct mp_connection *connection; /* NULL when the event has none */
  struct mp_address address;        /* of the peer, or of the listener */
  int code;                         /* why, 0 when nothing went wrong */
  const char *text;                 /* the same in words, never NULL */
  const struct mp_message *message; /* of MP_MESSAGE */
  uint64_t bit;                     /* of its command: mp_command_bit */
  const struct mp_chunk *chunk;     /* of MP_CHUNK */
  const struct mp_offence *offence; /* of MP_PEER_MISBEHAVED */
  const struct mp_ban *ban;         /* of MP_PEER_BANNED, MP_PEER_UNBANNED */
  const struct mp_verdict *verdict; /* of MP_PEER_MISBEHAVED */
};

/* Bytes on the wire: a whole message with its header, or what was sent raw. */
struct mp_frame {
  bool is_ours;      /* we said it */
  const void *bytes; /* borrowed */
  size_t n;
};

/* The table is borrowed until the last call through it. Functions may be NULL:
 * then nobody is told, and the safe answer holds. `data` is what was given with
 * the table; what arguments point to is borrowed until the hook returns. No
 * hook but frame is ever called from within a function that its implementation
 * called: what it asks for takes effect after it has returned. */
struct mp_hooks {
  /* Which events are wanted: bit UINT64_C(1) << type; then there is an event
   * function. Others are not even prepared. The three words may change at any
   * time; an engine is told by mp_engine_hooks_changed. */
  uint64_t wants;

  /* Which commands MP_MESSAGE is wanted for: bits of mp_command_bit. Two
   * commands may share a bit, so look at the name, too. */
  uint64_t commands;

  /* The same for MP_CHUNK. A payload larger than receive_memory of a command
   * without a bit here ends the connection with MP_ELIMIT. */
  uint64_t chunks;

  void (*event)(void *data, const struct mp_event *event);

  /* The fields of a command that has no built-in ones, or NULL: its payloads
   * are then checked like those of others, and a limit of its own is
   * judged at the header instead of the network's. Static as seen from
   * here. */
  const struct mp_message_type *(*declared)(void *data, const char *command);

  /* A version (mp_connection_version) that has passed the hard checks: 0 to go
   * on, or the code of an offence (MP_ENETWORK .. MP_EFLOOD) with its words in
   * fault. Safe answer: 0. */
  int (*validate)(void *data, struct mp_connection *connection,
                  struct mp_fault *fault);

  /* What to do about an offence, into *verdict, which holds the safe answer:
   * MP_DISCONNECT, or MP_OBSERVE when is_dropped, but for a flood. */
  void (*judge)(void *data, struct mp_connection *connection,
                const struct mp_offence *offence, struct mp_verdict *verdict);

  /* A declared rule (moonpeer/rules.h) has judged instead: for who keeps a
   * record. */
  void (*ruled)(void *data, struct mp_connection *connection,
                const struct mp_offence *offence,
                const struct mp_verdict *verdict);

  /* The next five are asked by engines alone. */

  /* Whether to take an inbound connection that has passed the hard checks.
   * Safe answer: false; without this function all of them are taken. */
  bool (*accept)(void *data, const struct mp_address *address);

  /* Peers to dial, into list, which has room for so many; how many. n are
   * wanted; who is connected, or waits to be tried again, is passed over. Safe
   * answer: 0. */
  size_t (*select)(void *data, struct mp_address *list, size_t room, size_t n);

  /* How long to wait before the peer is tried again, nanoseconds, a tenth of a
   * second at least; negative for no more. Safe answer: max_backoff. */
  int64_t (*retry)(void *data, const struct mp_address *address,
                   const struct mp_failure *failure);

  /* Which of n candidates is closed to make room for the newcomer, their
   * index, or -1. Safe answer: -1. */
  ptrdiff_t (*evict)(void *data, const struct mp_candidate *list, size_t n,
                     const struct mp_address *newcomer);

  /* Whether to keep an address that the source told us of. Safe answer:
   * false. */
  bool (*keep)(void *data, const struct mp_address *address,
               const struct mp_address *source);

  /* For who writes conversations down: every frame that came, checksum good
   * or not, and, while it is queued, all that is to go. May be set at any time.
   * Not of the connections of an engine. */
  void (*frame)(void *data, struct mp_connection *connection,
                const struct mp_frame *frame);

  /* The connection is gone when this returns. Always called, last. */
  void (*closed)(void *data, struct mp_connection *connection);
};

/* One of 64 bits for a command, the same in every process. */
uint64_t mp_command_bit(const char *command);

#endif
