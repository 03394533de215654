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

/* Enum value, name in Lua. */
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

/* "connecting" for MP_CONNECTING; static. */
const char *mp_state_name(enum mp_state state);

/* How sessions are held. Times in nanoseconds, sizes in bytes. */
struct mp_session_options {
  const struct mp_network *network;
  int32_t protocol_version; /* what we say we speak */
  char user_agent[MP_USER_AGENT + 1];
  int64_t connect_timeout, handshake_timeout;
  int64_t ping_interval; /* 0: no pings of our own */
  int64_t ping_timeout;
  double jitter; /* 0 .. 1: the part of ping_interval that is up to chance */
  int64_t receive_memory, send_memory;
  bool keepalive;              /* answer pings */
  struct mp_address listening; /* what to call ours in version; or zero */
};

/* mission defaults on a network (borrowed). */
void mp_session_options_init(struct mp_session_options *options,
                             const struct mp_network *network);

/* What went over the wire, headers included. */
struct mp_traffic {
  uint64_t messages_in, bytes_in, messages_out, bytes_out;
};

enum { MP_TRAFFIC_ROWS = 64 };

/* What several connections share: kept up to date by them. */
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

/* Dials. Always gives a connection: what fails comes as an event. It is the
 * loop's: gone when the closed hook returns. */
struct mp_connection *
mp_connection_dial(const struct mp_connection_setup *setup,
                   const struct mp_address *to);

/* Takes an accepted stream. */
struct mp_connection *
mp_connection_accept(const struct mp_connection_setup *setup,
                     struct mp_stream *stream);

/* --- what is known of it ---------------------------------------------------
 */
enum mp_state mp_connection_state(const struct mp_connection *connection);
bool mp_connection_is_inbound(const struct mp_connection *connection);
bool mp_connection_is_closing(const struct mp_connection *connection);

/* The remote's address; an inbound one's port is ephemeral. */
const struct mp_address *
mp_connection_address(const struct mp_connection *connection);

/* What the remote said, NULL before its version came. */
const struct mp_version *
mp_connection_version(const struct mp_connection *connection);

/* The last measured round trip in nanoseconds, -1 before there is one. */
int64_t mp_connection_rtt(const struct mp_connection *connection);

const struct mp_session_options *
mp_connection_options(const struct mp_connection *connection);

/* A number no other connection of this process has, from 1. */
uint64_t mp_connection_id(const struct mp_connection *connection);

struct mp_connection_counts {
  uint64_t bytes_in, bytes_out, messages_in, messages_out;
};
const struct mp_connection_counts *
mp_connection_counts(const struct mp_connection *connection);

/* --- what it can be told ---------------------------------------------------
 */

/* Starts a manual connection's session: an outbound one sends its version, an
 * inbound one waits for the remote's. own is what to say (copied); NULL for
 * the default. MP_ECLOSED, or MP_EHANDSHAKE the second
 * time. */
int mp_connection_handshake(struct mp_connection *connection,
                            const struct mp_version *own,
                            struct mp_fault *fault);

/* The version message we would send now. */
void mp_connection_own_version(struct mp_connection *connection,
                               struct mp_version *own);

/* Queues a message, sent at the end of this turn. payload is copied. 0;
 * MP_ECLOSED; MP_ELIMIT when send_memory is full; MP_EOVERSIZE when the
 * remote would refuse the size. */
int mp_connection_send(struct mp_connection *connection, const char *command,
                       const void *payload, size_t n, struct mp_fault *fault);

/* Where the bytes of a payload come from. Both functions are called from the
 * top of the loop. */
struct mp_payload {
  uint64_t size; /* of the payload */
  /* Puts n > 0 or fewer bytes that stand at an offset: how many, or a negative
   * code. Offsets come in order; below 4 GiB all of them twice, as the header
   * has a checksum. */
  ptrdiff_t (*read)(void *data, uint64_t offset, void *bytes, size_t n);
  /* 0: all has been given to the system. Else why not; when some of it had
   * left already, the connection ends. May be NULL. */
  void (*done)(void *data, int rc);
  void *data;
};

/* Sends a payload that may be larger than send_memory, read as the remote takes
 * it. What is sent after it waits behind it, pings too. 0, then payload.done
 * will be called; MP_ECLOSED; MP_EWOULD_BLOCK while there is another one;
 * MP_EPROTOCOL for no command; MP_EOVERSIZE when the remote would refuse the
 * size, or does not know the header for it. */
int mp_connection_send_from(struct mp_connection *connection,
                            const char *command,
                            const struct mp_payload *payload,
                            struct mp_fault *fault);

/* Queues bytes that are sent as they are. */
int mp_connection_send_raw(struct mp_connection *connection, const void *bytes,
                           size_t n, struct mp_fault *fault);

/* Bytes queued and not yet taken by the system. */
size_t mp_connection_queued(const struct mp_connection *connection);

/* Stops and resumes delivering and reading; pings wait, too. */
void mp_connection_pause(struct mp_connection *connection, bool paused);

/* Sends what is queued, then closes; code and text are told in the event (0:
 * MP_ECLOSED). reset closes at once with a RST. Twice is fine. */
void mp_connection_close(struct mp_connection *connection, int code,
                         const char *text);
void mp_connection_reset(struct mp_connection *connection);

#endif
