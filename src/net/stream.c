/* stream - the public stream and listener functions, on whatever implements
 * them. */
#include "moonpeer/stream.h"

#include "net/io.h"

static const struct io_handles *of(const struct mp_stream *stream) {
  return stream->handle.loop->io->handles;
}

struct mp_stream *mp_stream_connect(struct mp_loop *loop,
                                    const struct mp_address *to,
                                    const struct mp_stream_events *events,
                                    void *owner) {
  return loop->io->connect(loop, to, NULL, events, owner);
}

struct mp_stream *mp_stream_connect_path(struct mp_loop *loop, const char *path,
                                         const struct mp_stream_events *events,
                                         void *owner) {
  return loop->io->connect(loop, NULL, path, events, owner);
}

void mp_stream_own(struct mp_stream *stream,
                   const struct mp_stream_events *events, void *owner) {
  stream->events = events;
  stream->owner = owner;
}

void mp_stream_read(struct mp_stream *stream, bool on) {
  of(stream)->read(stream, on);
}

int mp_stream_write(struct mp_stream *stream, const void *bytes, size_t n) {
  return of(stream)->write(stream, bytes, n);
}

void mp_stream_shutdown(struct mp_stream *stream) {
  of(stream)->shutdown(stream);
}

void mp_stream_close(struct mp_stream *stream) {
  if (stream)
    of(stream)->stream_close(stream, false);
}

void mp_stream_reset(struct mp_stream *stream) {
  if (stream)
    of(stream)->stream_close(stream, true);
}

void mp_stream_local(struct mp_stream *stream, struct mp_address *address) {
  of(stream)->local(stream, address);
}

void mp_stream_remote(struct mp_stream *stream, struct mp_address *address) {
  of(stream)->remote(stream, address);
}

/* NOLINTNEXTLINE(readability-function-size): events and owner are one */
int mp_listener_open(struct mp_listener **listener, struct mp_loop *loop,
                     const struct mp_address *address,
                     const struct mp_listener_events *events, void *owner,
                     struct mp_fault *fault) {
  return loop->io->listen(listener, loop, address, NULL, events, owner, fault);
}

/* NOLINTNEXTLINE(readability-function-size): events and owner are one */
int mp_listener_open_path(struct mp_listener **listener, struct mp_loop *loop,
                          const char *path,
                          const struct mp_listener_events *events, void *owner,
                          struct mp_fault *fault) {
  return loop->io->listen(listener, loop, NULL, path, events, owner, fault);
}

void mp_listener_address(struct mp_listener *listener,
                         struct mp_address *address) {
  listener->handle.loop->io->handles->listener_address(listener, address);
}

void mp_listener_close(struct mp_listener *listener) {
  if (listener)
    listener->handle.loop->io->handles->listener_close(listener);
}
