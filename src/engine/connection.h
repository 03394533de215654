/* connection - one live stream to a peer: its struct, for the files that
 * make it up. */
#ifndef ENGINE_CONNECTION_H
#define ENGINE_CONNECTION_H

#include "base/buf.h"
#include "moonpeer/connection.h"
#include "moonpeer/loop.h"
#include "moonpeer/peer.h"
#include "moonpeer/stream.h"
#include "wire/frame.h"
#include "wire/session.h"

/* What the one timer of a connection waits for. */
enum waiting {
  WAITING_NOTHING,
  WAITING_CONNECT,
  WAITING_HANDSHAKE,
  WAITING_TO_PING,
  WAITING_PONG,
  WAITING_LINGER, /* closing, and what is queued has not left */
};

/* Only those who have offended have one. */
struct offender;

/* Payloads that are handed on, or sent, in pieces; while there is one. */
struct incoming;
struct outgoing;

struct target;

/* Kinds of messages by what they cost us. */
enum budget_kind {
  BUDGET_ANY,
  BUDGET_ASKING,
  BUDGET_TELLING,
  BUDGET_WRONG,
  BUDGET_KINDS
};

struct budget {
  int64_t since; /* when it was filled; 0 before the first time */
  int32_t left;
};

/* What a command means to us. Zero is right for the one without a letter. */
struct kind {
  char command[MP_COMMAND_SIZE + 1]; /* zeros behind it */
  enum budget_kind budget;
  const struct mp_message_type *type; /* NULL: the table does not know it */
};

/* Why an engine has a connection. */
enum purpose {
  PURPOSE_INBOUND, /* somebody dialled us */
  PURPOSE_POLITE,  /* the same, over capacity: only to be told so */
  PURPOSE_KEPT,    /* one of target_connections */
  PURPOSE_ASKED,   /* a script dialled it */
  PURPOSE_FEELER,  /* to see whether somebody is there */
};

/* What its engine notes about it. */
struct role {
  enum purpose purpose;
  struct target *target; /* of those that we dialled */
  struct mp_group group;
  bool is_half_open, is_complete, is_released;
  bool has_name;     /* it told us where it listens: name is counted */
  bool has_answered; /* its question for addresses */
  struct mp_address name;
  size_t place;        /* in its engine's roster, from 1; 0: not there */
  int64_t complete_at; /* monotonic */
  int64_t best_rtt;    /* -1 before there is one */
};

struct mp_connection {
  struct mp_connection *next, *previous; /* in its engine's list */
  struct role role;
  struct mp_loop *loop;
  const struct mp_session_options *options;
  const struct mp_hooks *hooks;
  void *data;
  bool (*is_own_nonce)(void *data, uint64_t nonce);
  void (*measured)(void *data, struct mp_connection *connection);
  uint64_t id;
  struct mp_stream *stream;
  struct mp_address address;

  struct session session;
  struct mp_version *version;     /* the remote's, once it has passed */
  struct mp_version *own_version; /* what to say instead of the default */
  struct offender *offender;

  struct buf in;    /* as received, frames not yet taken in front */
  uint64_t in_size; /* bytes of the one in front; 0: not known */
  struct kind kind; /* of the last message: most come in a row of theirs */
  struct incoming *incoming;
  struct outgoing *outgoing;
  struct buf out, flying;     /* queued; given to the stream */
  struct mp_usage *usage;     /* shared with its engine's others, or NULL */
  size_t noted_in, noted_out; /* its part in there */
  struct budget budgets[BUDGET_KINDS];
  struct mp_timer timer;
  enum waiting waiting;
  struct mp_later turn; /* what is left to do at the end of this turn */
  struct mp_connection_counts counts;
  int64_t heard_at; /* anything of the remote, or it was dialled; monotonic */

  int64_t patience;         /* for the handshake, when not handshake_timeout */
  bool is_manual;           /* mp_connection_handshake starts the session */
  bool is_started;          /* it is; else messages are only shown */
  bool is_announced;        /* MP_CONNECTION_STARTED was told */
  bool is_reading;          /* the stream was told to */
  bool is_lent;             /* and reads into the loop's scratch */
  bool is_paused;           /* by its user */
  bool is_throttled;        /* by a verdict, for a while */
  bool is_choked;           /* the remote does not read: it is not answered */
  bool has_ended;           /* the remote has said its last */
  bool is_closing, is_over; /* asked to; the end was told */
  int reason;               /* why it ends */
  char *text;               /* in words, owned; NULL before it is closing */
};

/* --- connection.c ----------------------------------------------------------
 */

/* Tells an event when somebody wants it. */
void connection_tell(struct mp_connection *c, struct mp_event *event);

/* Ends it now, from the top of the loop: tells why and closes the stream. */
void connection_end(struct mp_connection *c, int code, const char *text);

void connection_wait(struct mp_connection *c, enum waiting waiting,
                     int64_t delay);

/* Evenly around an interval: `part` of it is up to chance, both ways. */
int64_t connection_jitter(struct mp_loop *loop, int64_t interval, double part);

/* Waits for the time of the next ping. */
void connection_wait_to_ping(struct mp_connection *c);

/* Gives the handshake less time than handshake_timeout. */
void connection_limit(struct mp_connection *c, int64_t patience);

/* Gives it handshake_timeout after all, from now on. */
void connection_unlimit(struct mp_connection *c);

/* The options have changed from `old`: a wait under way becomes what it would
 * be now, counted from its beginning. */
void connection_reconfigure(struct mp_connection *c,
                            const struct mp_session_options *old);

/* --- connection_inbox.c ----------------------------------------------------
 */
struct mp_room connection_room(void *owner);
void connection_received(void *owner, size_t n);

/* Reads on, beginning with what lies there already. */
void connection_listen(struct mp_connection *c);

/* Has the stream read, unless we do not want to. */
void connection_read(struct mp_connection *c);

/* Takes all whole frames that are there, unless paused or closing. */
void connection_drain(struct mp_connection *c);

/* --- connection_read.c -----------------------------------------------------
 */

/* Takes a frame, or a piece of one, from the front of n > 0 bytes: how many
 * bytes that were; 0 when more must come first, or none will be taken. */
size_t connection_take(struct mp_connection *c, const uint8_t *bytes, size_t n);

/* --- connection_chunk.c ----------------------------------------------------
 */

/* Begins to hand on a payload that is too large to be held; false when nobody
 * wants it. */
bool connection_chunk_begin(struct mp_connection *c, const struct frame *frame);

/* The next piece of it: how many of n bytes belong to it. */
size_t connection_chunk_take(struct mp_connection *c, const uint8_t *bytes,
                             size_t n);

/* Whether something of one has come since this was asked last: then who sends
 * it cannot send a pong, and lives. */
bool connection_chunk_moves(struct mp_connection *c);
void connection_chunk_forget(struct mp_connection *c);

/* --- connection_budget.c ---------------------------------------------------
 */

/* Looks a command up, which has zeros behind it, into c->kind. */
void connection_look_up(struct mp_connection *c,
                        const char command[MP_COMMAND_SIZE + 1]);

/* A message of c->kind has come: 0, or MP_EFLOOD when it is one too many. */
int connection_spend(struct mp_connection *c, struct mp_fault *fault);

/* One has come that was wrong and is dropped: each is judged, and judging costs
 * more than sending it. The same. */
int connection_spend_wrong(struct mp_connection *c, struct mp_fault *fault);

/* Counts a message of so many bytes, header included, in usage. What the table
 * of messages does not know is of type NULL. */
void connection_count(struct mp_connection *c,
                      const struct mp_message_type *type, size_t n,
                      bool is_ours);

/* Notes in usage what it holds; whether there is room for more in all. */
void connection_account(struct mp_connection *c);
bool connection_may_receive(const struct mp_connection *c);
bool connection_may_queue(const struct mp_connection *c, size_t n);

/* --- connection_offence.c --------------------------------------------------
 */

/* Whether a code is one that a policy may judge. */
static inline bool is_offence(int code) {
  return code <= MP_ENETWORK && code >= MP_EFLOOD;
}

/* Asks for a verdict about an offence and obeys it. True when the connection
 * goes on. */
bool connection_offend(struct mp_connection *c, int code, bool is_dropped,
                       const char *text);
void connection_forgive(struct mp_connection *c);

/* --- connection_source.c ---------------------------------------------------
 */

/* Writes some of the payload that is sent in pieces; while there is one. */
void connection_source_write(struct mp_connection *c);

/* Gives it up, if there is one: its owner is told why. */
void connection_source_end(struct mp_connection *c, int rc);

/* Instead of a ping, which would stand behind it: waits for ping_timeout, or
 * ends the connection when nothing of it has moved in one. */
void connection_wait_for_source(struct mp_connection *c);

/* Bytes that were queued before it and have not left. */
size_t connection_source_queued(const struct mp_connection *c);

/* --- connection_write.c ----------------------------------------------------
 */

/* Whether n more bytes may be queued: 0, or why not. */
int connection_may_send(struct mp_connection *c, size_t n,
                        struct mp_fault *fault);

/* The largest payload of a command that the remote takes. */
uint64_t connection_send_limit(const struct mp_connection *c,
                               const char *command);

/* The limit that a script has declared a command with, in bytes, or 0. */
uint64_t connection_declared_limit(const struct mp_connection *c,
                                   const char *command);

/* Gives a queue to the stream while it has nothing: 1 when all of it has left,
 * 0 when that takes a while, or the connection is over. */
int connection_write(struct mp_connection *c, struct buf *from);

/* Takes no more when that might have to be dropped that it is answered with:
 * what was put aside is many messages. */
void connection_choke(struct mp_connection *c);
void connection_flush(struct mp_connection *c);
void connection_drained(void *owner);
void connection_send_version(struct mp_connection *c);
void connection_send_ping(struct mp_connection *c);

/* What follows a complete handshake: protoconf and sendheaders. */
void connection_introduce(struct mp_connection *c);

/* Sends a message of our own; nothing to do when it does not fit. */
void connection_say(struct mp_connection *c, const char *command,
                    const void *payload, size_t n);

#endif
