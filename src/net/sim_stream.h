/* sim_stream - one end of a stream in a world. */
#ifndef NET_SIM_STREAM_H
#define NET_SIM_STREAM_H

#include "net/sim_pipe.h"
#include "net/sim_world.h"

enum sim_phase {
  SIM_DIALING,    /* a SYN is on its way */
  SIM_WAITING,    /* it was lost: until the next one */
  SIM_ANSWERED,   /* the answer, rc, is on its way */
  SIM_UNACCEPTED, /* the listener's end, until the listener hears of it */
  SIM_OPEN,
  SIM_FAILED,
};

struct sim_stream {
  struct mp_stream stream;
  struct sim_closing closing;
  struct sim_stream *next, *previous; /* of the host's */
  struct sim_stream *other;           /* NULL: none yet, or closed, or broken */
  struct sim_link *link;              /* NULL: dialing where no host is */
  struct sim_pipe in;                 /* what comes here */
  struct mp_timer timer;              /* the earliest of what follows, ... */
  int64_t wake;                       /* the phase's next step; 0: none */
  int64_t credit_at; /* the sender hears of the free window; 0: needs not */
  int64_t breaks_at; /* the weather ends this stream; 0: not */
  int64_t giveup_at; /* what was sent here has not passed; 0: it does */
  const uint8_t *borrowed; /* of the write under way */
  size_t borrowed_n;
  int64_t dialed_at;
  struct mp_address local, remote;
  char *path;  /* of a Unix socket, else NULL */
  char *label; /* from and to in the trace, as sender, then as receiver */
  size_t label_n;
  int rc;           /* of the dial, then what broke the stream */
  uint8_t side;     /* this end is link->host[side] */
  uint8_t attempts; /* SYNs sent */
  enum sim_phase phase : 8;
  bool is_silent, is_refused; /* what the weather has in mind for a dial */
  bool is_counted;            /* as a descriptor of the host */
  bool is_reading, is_shut, is_closed;
  bool is_end_wanted; /* the sender is done, but not all is sent */
  bool has_end;       /* no more bytes come */
  bool has_ended;     /* and the owner knows */
  bool is_doomed;     /* a reset is on its way here */
  bool is_stalled;    /* a partition holds what comes here */
};

struct sim_stream *sim_stream_of(struct mp_stream *stream);
struct sim_host *sim_stream_host(const struct sim_stream *stream);

/* A new end, on the host's list, with nobody at the other. */
struct sim_stream *sim_stream_new(struct sim_host *host, enum sim_phase phase);

/* Joins two ends of one link: a's side is given. */
void sim_stream_join(struct sim_stream *a, struct sim_stream *b,
                     struct sim_link *link, int side);

/* Writes from and to into the trace; the addresses are known now. */
void sim_stream_name(struct sim_stream *stream);

/* Starts a line about what goes out (or comes in) here; false: no trace. */
bool sim_stream_trace(struct sim_stream *stream, const char *what, bool out);

/* Sets the timer to what comes next. */
void sim_stream_schedule(struct sim_stream *stream);

void sim_stream_read(struct mp_stream *stream, bool on);
int sim_stream_write(struct mp_stream *stream, const void *bytes, size_t n);
void sim_stream_shutdown(struct mp_stream *stream);
void sim_stream_close(struct mp_stream *stream, bool reset);
void sim_stream_local(struct mp_stream *stream, struct mp_address *address);
void sim_stream_remote(struct mp_stream *stream, struct mp_address *address);

/* Resets both ends now; what is under way is lost. */
void sim_stream_break(struct sim_stream *stream);

/* Partitions have changed: lets go on what can. */
void sim_streams_resume(struct sim_host *host);

/* --- sim_send: from a write into the other end's pipe ----------------------
 */

/* Sends what the window allows of what is queued towards this end. */
void sim_send(struct sim_stream *to);

/* The sender hears that there is room again. */
void sim_send_more(struct sim_stream *to);

/* Something without bytes arrives here at `at`. */
void sim_send_mark(struct sim_stream *to, enum sim_mark_kind kind, int64_t at);

/* --- sim_dial --------------------------------------------------------------
 */
struct mp_stream *sim_dial(struct mp_loop *loop, const struct mp_address *to,
                           const char *path,
                           const struct mp_stream_events *events, void *owner);

/* The phase's next step is due. */
void sim_dial_step(struct sim_stream *stream);

/* The next port that nobody listens at. */
uint16_t sim_port(struct sim_host *host);

/* --- sim_listener ----------------------------------------------------------
 */
struct sim_listener {
  struct mp_listener listener;
  struct sim_closing closing;
  struct sim_listener *next, *previous;
  struct mp_address address;
  char *path; /* of a Unix socket, else NULL */
  bool is_closed;
};

int sim_listen(struct mp_listener **listener, struct mp_loop *loop,
               const struct mp_address *at, const char *path,
               const struct mp_listener_events *events, void *owner,
               struct mp_fault *fault);
void sim_listener_address(struct mp_listener *listener,
                          struct mp_address *address);
void sim_listener_close(struct mp_listener *listener);

/* Who listens at an address, or with path at that, or NULL. */
struct sim_listener *sim_listener_find(const struct sim_host *host,
                                       const struct mp_address *at,
                                       const char *path);

/* Hands an end over to its listener, which may be gone. */
void sim_listener_accept(struct sim_stream *stream);

#endif
