/* connection - one live stream to a peer, and the session on it. */
#ifndef MOONPEER_CONNECTION_H
#define MOONPEER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/hooks.h"
#include "moonpeer/network.h"
#include "moonpeer/version.h"

struct mp_loop;
struct mp_stream;

/* Enum value, name in Lua. What may follow what: DISCONNECTED, CONNECTING,
 * AWAITING_HANDSHAKE (where inbound ones begin), CONNECTED, DISCONNECTED; the
 * middle three may become FAILED, the handshake REJECTED, and both end
 * DISCONNECTED. */
#define MP_STATES(X)                                                           \
  X(MP_DISCONNECTED, "disconnected")                                           \
  X(MP_CONNECTING, "connecting")                                               \
  X(MP_AWAITING_HANDSHAKE, "awaiting_handshake")                               \
  X(MP_CONNECTED, "connected")                                                 \
  X(MP_FAILED, "failed")                                                       \
  X(MP_REJECTED, "rejected")

enum mp_state {
#define X(name, text) name,
  MP_STATES(X)
#undef X
};

/* "connecting" for MP_CONNECTING; static. state is one of the above. */
const char *mp_state_name(enum mp_state state);

/* How sessions are held. Times in nanoseconds, sizes in bytes; ranges as in
 * the schema of moonpeer/config.h, which nothing here checks. */
struct mp_session_options {
  const struct mp_network *network; /* borrowed as long as the options */
  int32_t protocol_version;         /* what we say we speak */
  char user_agent[MP_USER_AGENT + 1];
  int64_t connect_timeout, handshake_timeout;
  int64_t ping_interval; /* 0: no pings of our own */
  int64_t ping_timeout;
  double jitter; /* 0 .. 1: the part of ping_interval that is up to chance */
  int64_t receive_memory; /* the largest payload held; a larger one in chunks */
  int64_t send_memory;    /* the most that may be queued */
  bool keepalive;         /* answer pings */
  struct mp_address listening; /* what to call ours in version; or zero */
};

/* The defaults on a network (borrowed): protocol version 70016, timeouts of 5 s
 * and 15 s, a ping every 2 min to be answered in 30 s, without jitter; 4 MiB to
 * receive, 1 MiB to send. */
void mp_session_options_init(struct mp_session_options *options,
                             const struct mp_network *network);

/* What went over the wire: messages, and their bytes, headers included. */
struct mp_traffic {
  uint64_t messages_in, bytes_in, messages_out, bytes_out;
};

enum { MP_TRAFFIC_ROWS = 64 };

/* What several connections share: kept up to date by them, but for the two
 * limits, which its owner sets (bytes). */
struct mp_usage {
  int64_t received, received_max; /* bytes received and not yet handled */
  int64_t queued, queued_max;     /* bytes to be sent */
  int64_t heard_at; /* anybody who is not of this machine; monotonic */
  /* A row for each type of mp_message_list, by its place; the last is for all
   * other commands, so that inventing some costs nothing. */
  struct mp_traffic traffic[MP_TRAFFIC_ROWS];
};

/* What a connection is made with; borrowed until the closed hook, but for
 * the struct itself. */
struct mp_connection_setup {
  struct mp_loop *loop;
  const struct mp_session_options *options; /* may change while it lives */
  const struct mp_hooks *hooks;
  void *data; /* given to the hooks */
  /* Whether one of our own outgoing versions carried this nonce; may be NULL.
   */
  bool (*is_own_nonce)(void *data, uint64_t nonce);
  /* A pong has measured a round trip; may be NULL. */
  void (*measured)(void *data, struct mp_connection *connection);
  /* Shared by an engine's connections, which then are held to budgets; may be
   * NULL. */
  struct mp_usage *usage;
  bool is_manual; /* the session waits for mp_connection_handshake */
};

/* Dials. Always gives a connection: what fails comes as an event
 * (MP_CONNECTION_FAILED) from the next turn on. It is the loop's, which closes
 * it if nobody does: borrowed until the closed hook returns. `to` is copied. */
struct mp_connection *
mp_connection_dial(const struct mp_connection_setup *setup,
                   const struct mp_address *to);

/* The same around an accepted stream, which is taken. */
struct mp_connection *
mp_connection_accept(const struct mp_connection_setup *setup,
                     struct mp_stream *stream);

/* --- what is known of it ---------------------------------------------------
 * What is pointed to is borrowed until the closed hook returns. */
enum mp_state mp_connection_state(const struct mp_connection *connection);

/* Whether the remote dialled us. */
bool mp_connection_is_inbound(const struct mp_connection *connection);

/* Whether it was told to close, or has ended. */
bool mp_connection_is_closing(const struct mp_connection *connection);

/* The remote's address; an inbound one's port is ephemeral. */
const struct mp_address *
mp_connection_address(const struct mp_connection *connection);

/* What the remote said, NULL before its version came. */
const struct mp_version *
mp_connection_version(const struct mp_connection *connection);

/* The last measured round trip in nanoseconds, -1 before there is one. */
int64_t mp_connection_rtt(const struct mp_connection *connection);

/* Those it was made with. */
const struct mp_session_options *
mp_connection_options(const struct mp_connection *connection);

/* A number no other connection of its loop has or had, from 1. */
uint64_t mp_connection_id(const struct mp_connection *connection);

/* So far; bytes with headers and what was sent raw. */
struct mp_connection_counts {
  uint64_t bytes_in, bytes_out, messages_in, messages_out;
};
const struct mp_connection_counts *
mp_connection_counts(const struct mp_connection *connection);

/* --- what it can be told ---------------------------------------------------
 */

/* Starts a manual connection's session: an outbound one sends its version, an
 * inbound one waits for the remote's. own is what to say (copied); NULL for
 * the default. 0; MP_ECLOSED; MP_EHANDSHAKE the second time. */
int mp_connection_handshake(struct mp_connection *connection,
                            const struct mp_version *own,
                            struct mp_fault *fault);

/* The version message we would send now. */
void mp_connection_own_version(struct mp_connection *connection,
                               struct mp_version *own);

/* Queues a message, sent at the end of this turn. command is at most 12 bytes
 * of printable ASCII that do not begin with "extmsg"; payload is n bytes,
 * copied. 0; MP_ECLOSED, also before the stream is there; MP_EPROTOCOL for no
 * command; MP_ELIMIT when send_memory or send_memory_total is full, or memory
 * is; MP_EOVERSIZE when the remote would refuse the size (the network's limit
 * for the command, or what its protoconf said). */
int mp_connection_send(struct mp_connection *connection, const char *command,
                       const void *payload, size_t n, struct mp_fault *fault);

/* Where the bytes of a payload come from. Both functions are called from the
 * top of the loop. */
struct mp_payload {
  uint64_t size; /* of the payload, in bytes */
  /* Puts n > 0 or fewer bytes that stand at an offset: how many (1 .. n), or a
   * negative MP_E code. Offsets come in order; below 4 GiB all of them twice,
   * as the header has a checksum. */
  ptrdiff_t (*read)(void *data, uint64_t offset, void *bytes, size_t n);
  /* 0: all has been given to the system. Else why not; when some of it had
   * left already, the connection ends. The last call, once. May be NULL. */
  void (*done)(void *data, int rc);
  void *data; /* borrowed until done */
};

/* Sends a payload that may be larger than send_memory, read as the remote takes
 * it; the struct is copied. What is sent after it waits behind it, pings too.
 * 0, then payload.done will be called; MP_ECLOSED; MP_EWOULD_BLOCK while there
 * is another one; MP_ELIMIT when send_memory or send_memory_total is full;
 * MP_EPROTOCOL for no command; MP_EOVERSIZE when the remote would refuse the
 * size, or does not know the header for it. */
int mp_connection_send_from(struct mp_connection *connection,
                            const char *command,
                            const struct mp_payload *payload,
                            struct mp_fault *fault);

/* Queues bytes that are sent as they are, copied. 0, MP_ECLOSED or MP_ELIMIT as
 * for mp_connection_send. */
int mp_connection_send_raw(struct mp_connection *connection, const void *bytes,
                           size_t n, struct mp_fault *fault);

/* Bytes queued and not yet taken by the system. */
size_t mp_connection_queued(const struct mp_connection *connection);

/* Stops and resumes delivering and reading; pings wait, too. */
void mp_connection_pause(struct mp_connection *connection, bool paused);

/* Sends what is queued, for 5 s at most, then closes; code (an MP_E code; 0:
 * MP_ECLOSED) and text (copied; may be NULL) are told in the event, which comes
 * on a later turn. reset drops what is queued and closes with a RST. Twice is
 * fine. */
void mp_connection_close(struct mp_connection *connection, int code,
                         const char *text);
void mp_connection_reset(struct mp_connection *connection);

#endif
