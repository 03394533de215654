/* stream - byte streams and listeners: TCP and Unix sockets, real or
 * simulated. */
#ifndef MOONPEER_STREAM_H
#define MOONPEER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"

struct mp_loop;
struct mp_stream;
struct mp_listener;

/* A place to read into. */
struct mp_room {
  void *bytes;
  size_t size;
};

/* What a stream tells its owner, each call from the top of the loop. All
 * functions must be there. After mp_stream_close only `closed` is called, once,
 * and the stream is gone when it returns: what the stream's owner keeps for it
 * is freed there. */
struct mp_stream_events {
  /* The dial has ended: 0, MP_EREFUSED, MP_ECONNECT_TIMEOUT, MP_ERESET, or
   * MP_ECONNECT for all else. Never called from within mp_stream_connect, nor
   * for an accepted stream. After a failure the stream stays yours to close. */
  void (*connected)(void *owner, int rc);
  /* Where the next bytes go: size 0 stops reading. Borrowed until received
   * or ended is called, or the stream is closed. */
  struct mp_room (*room)(void *owner);
  /* n > 0 bytes lie in that room. */
  void (*received)(void *owner, size_t n);
  /* No more will come: MP_ECLOSED (the remote is done writing; it may still
   * read), MP_ERESET, MP_ECONNECT_TIMEOUT (nobody answers any more) or MP_EIO.
   * Also told when a write that is under way fails. The stream stays yours to
   * close. */
  void (*ended)(void *owner, int rc);
  /* What was given to mp_stream_write has left: it may be given more. */
  void (*drained)(void *owner);
  void (*closed)(void *owner);
};

/* Starts to dial. Always gives a stream, which is owned: mp_stream_close. What
 * fails is told to `connected`. events and owner are borrowed until `closed`;
 * `to` until the call returns. Streams do not hold the loop, which closes those
 * that are open when it is closed. */
struct mp_stream *mp_stream_connect(struct mp_loop *loop,
                                    const struct mp_address *to,
                                    const struct mp_stream_events *events,
                                    void *owner);

/* The same to a Unix socket's path. In a world, a name that each host has its
 * own of. */
struct mp_stream *mp_stream_connect_path(struct mp_loop *loop, const char *path,
                                         const struct mp_stream_events *events,
                                         void *owner);

/* Reading is off at first, and goes off by itself when room gives size 0. */
void mp_stream_read(struct mp_stream *stream, bool on);

/* Sends n > 0 bytes: 1 when all are gone already, 0 when they are borrowed
 * until `drained` or `ended` is called or the stream closed (no second write
 * before), MP_ERESET, MP_ECONNECT_TIMEOUT or MP_EIO. */
int mp_stream_write(struct mp_stream *stream, const void *bytes, size_t n);

/* Says that no more will be sent; not while a write is under way. */
void mp_stream_shutdown(struct mp_stream *stream);

/* Close at once; reset drops what is under way with a RST. Twice is fine, and
 * NULL. */
void mp_stream_close(struct mp_stream *stream);
void mp_stream_reset(struct mp_stream *stream);

/* The two ends; all zero while there is none, and for Unix sockets. */
void mp_stream_local(struct mp_stream *stream, struct mp_address *address);
void mp_stream_remote(struct mp_stream *stream, struct mp_address *address);

/* What a listener tells its owner; all functions must be there. */
struct mp_listener_events {
  /* A new stream; take it with mp_stream_own or close it before returning. */
  void (*accepted)(void *owner, struct mp_stream *stream);
  /* Accepting failed, or the last descriptor was given out and whoever comes
   * next is closed: MP_EACCEPT. The listener goes on. */
  void (*failed)(void *owner, int rc);
  /* The last call: the listener is gone when it returns. */
  void (*closed)(void *owner);
};

/* Makes an accepted stream yours: owned, as one that was dialled. */
void mp_stream_own(struct mp_stream *stream,
                   const struct mp_stream_events *events, void *owner);

/* Listens at an address; port 0 chooses one. 0, and *listener is owned
 * (mp_listener_close); or MP_ELISTEN with *listener NULL. events and owner are
 * borrowed until `closed`. Does not hold the loop. */
int mp_listener_open(struct mp_listener **listener, struct mp_loop *loop,
                     const struct mp_address *address,
                     const struct mp_listener_events *events, void *owner,
                     struct mp_fault *fault);

/* The same on a Unix socket's path, which is made with mode 0600 and removed
 * on close. */
int mp_listener_open_path(struct mp_listener **listener, struct mp_loop *loop,
                          const char *path,
                          const struct mp_listener_events *events, void *owner,
                          struct mp_fault *fault);

/* The real address, port included; all zero for a Unix socket. */
void mp_listener_address(struct mp_listener *listener,
                         struct mp_address *address);

/* Closes at once, but for the streams it has accepted; `closed` follows. Twice
 * is fine, and NULL. */
void mp_listener_close(struct mp_listener *listener);

#endif
