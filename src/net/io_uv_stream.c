/* io_uv_stream - TCP and Unix sockets on libuv. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/mem.h"
#include "net/io_uv.h"

enum { BACKLOG = 511 };

union handle {
  uv_handle_t any;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct stream_box {
  struct mp_stream stream;
  struct uv_thing thing;
  union handle uv;
  union { /* one at a time: a stream dials, then writes, then ends */
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct mp_later failed; /* a dial that failed before it began */
  } request;
  int failure;
  bool in_room; /* libuv reads: it cannot bear to be stopped or closed now */
  enum { NOTHING, STOP, CLOSE, RESET } late; /* what waits for that */
};

struct listener_box {
  struct mp_listener listener;
  struct uv_thing thing;
  union handle uv;
};

static struct stream_box *stream_of(void *stream) {
  return stream;
}

static struct stream_box *stream_of_thing(struct uv_thing *thing) {
  return (struct stream_box *)(void *)((char *)thing -
                                       offsetof(struct stream_box, thing));
}

static struct listener_box *listener_of_thing(struct uv_thing *thing) {
  return (struct listener_box *)(void *)((char *)thing -
                                         offsetof(struct listener_box, thing));
}

/* --- streams ---------------------------------------------------------------
 */

static void stream_closed_cb(uv_handle_t *handle) {
  struct stream_box *box = stream_of_thing(handle->data);
  struct mp_stream *stream = &box->stream;
  uv_box_closed(stream->handle.loop);
  if (stream->events)
    stream->events->closed(stream->owner);
  free(box);
}

static bool is_closing(const struct stream_box *box) {
  return box->late >= CLOSE || uv_is_closing(&box->uv.any);
}

static void stream_close(struct mp_stream *stream, bool reset) {
  struct stream_box *box = stream_of(stream);
  if (is_closing(box))
    return;
  if (box->in_room) {
    box->late = reset ? RESET : CLOSE;
    return;
  }
  if (box->failure)
    mp_later_cancel(&box->request.failed);
  if (reset && box->uv.any.type == UV_TCP &&
      uv_tcp_close_reset(&box->uv.tcp, stream_closed_cb) == 0)
    return;
  uv_close(&box->uv.any, stream_closed_cb);
}

static void close_stream_thing(struct uv_thing *thing) {
  stream_close(&stream_of_thing(thing)->stream, false);
}

static struct stream_box *stream_new(struct mp_loop *loop, bool is_path) {
  struct stream_box *box = mem_new(sizeof *box);
  uv_loop_t *uv = &uv_box_of(loop)->uv;
  box->stream.handle.loop = loop;
  box->thing.close = close_stream_thing;
  if (is_path)
    uv_pipe_init(uv, &box->uv.pipe, 0);
  else
    uv_tcp_init(uv, &box->uv.tcp);
  box->uv.any.data = &box->thing;
  uv_box_opened(loop);
  return box;
}

static void connect_cb(uv_connect_t *request, int status) {
  struct stream_box *box = request->data;
  struct mp_stream *stream = &box->stream;
  if (is_closing(box))
    return;
  int rc = status == 0 ? 0 : uv_error(status);
  stream->events->connected(stream->owner, rc == MP_EIO ? MP_ECONNECT : rc);
}

static void failed_later(void *data) {
  struct stream_box *box = data;
  int rc = box->failure;
  box->failure = 0;
  box->stream.events->connected(box->stream.owner, rc);
}

static int dial(struct stream_box *box, const struct mp_address *to,
                const char *path) {
  struct sockaddr_storage name;
  if (path) {
    uv_pipe_connect(&box->request.connect, &box->uv.pipe, path, connect_cb);
    return 0;
  }
  address_to_sockaddr(to, &name);
  int rc = uv_tcp_connect(&box->request.connect, &box->uv.tcp,
                          (struct sockaddr *)&name, connect_cb);
  if (rc == 0)
    uv_tcp_nodelay(&box->uv.tcp, 1);
  return rc;
}

struct mp_stream *io_uv_connect(struct mp_loop *loop,
                                const struct mp_address *to, const char *path,
                                const struct mp_stream_events *events,
                                void *owner) {
  struct stream_box *box = stream_new(loop, path != NULL);
  box->stream.events = events;
  box->stream.owner = owner;
  box->request.connect.data = box;
  if (dial(box, to, path) != 0) { /* no route, no descriptor */
    box->failure = MP_ECONNECT;
    mp_later_init(&box->request.failed, failed_later, box);
    mp_later_post(loop, &box->request.failed);
  }
  return &box->stream;
}

static void alloc_cb(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  struct stream_box *box = stream_of_thing(handle->data);
  struct mp_room room = {0};
  (void)hint;
  box->in_room = true;
  if (!is_closing(box))
    room = box->stream.events->room(box->stream.owner);
  box->in_room = false;
  if (box->late) /* libuv tells read_cb that there was no room */
    room = (struct mp_room){0};
  *buf = uv_buf_init(room.bytes,
                     (unsigned)(room.size > INT32_MAX ? INT32_MAX : room.size));
}

/* When a reset comes right behind bytes, libuv calls it an end of file. */
static int reason(uv_stream_t *uv, int rc) {
  uv_os_fd_t fd;
  int error = 0;
  socklen_t size = sizeof error;
  if (rc == UV_EOF && uv_fileno((uv_handle_t *)uv, &fd) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
    return uv_error(uv_translate_sys_error(error));
  return uv_error(rc);
}

static void read_cb(uv_stream_t *uv, ssize_t n, const uv_buf_t *buf) {
  struct stream_box *box = stream_of_thing(uv->data);
  struct mp_stream *stream = &box->stream;
  (void)buf;
  int late = box->late;
  box->late = NOTHING;
  if (late >= CLOSE)
    stream_close(stream, late == RESET);
  if (is_closing(box) || n == 0)
    return;
  if (n > 0) {
    stream->events->received(stream->owner, (size_t)n);
    return;
  }
  uv_read_stop(uv);
  if (n != UV_ENOBUFS) /* the owner had no room: it wants no more for now */
    stream->events->ended(stream->owner, reason(uv, (int)n));
}

static void stream_read(struct mp_stream *stream, bool on) {
  struct stream_box *box = stream_of(stream);
  if (is_closing(box))
    return;
  if (box->in_room)
    box->late = on ? NOTHING : STOP;
  else if (on)
    uv_read_start(&box->uv.stream, alloc_cb, read_cb);
  else
    uv_read_stop(&box->uv.stream);
}

static void write_cb(uv_write_t *request, int status) {
  struct stream_box *box = request->data;
  struct mp_stream *stream = &box->stream;
  if (is_closing(box))
    return;
  if (status == 0)
    stream->events->drained(stream->owner);
  else
    stream->events->ended(stream->owner, uv_error(status));
}

static int stream_write(struct mp_stream *stream, const void *bytes, size_t n) {
  struct stream_box *box = stream_of(stream);
  uv_stream_t *uv = &box->uv.stream;
  if (is_closing(box))
    return MP_ERESET;
  uv_buf_t buf = {.base = (char *)(uintptr_t)bytes, .len = n};
  int sent = uv_try_write(uv, &buf, 1);
  if (sent == UV_EAGAIN)
    sent = 0;
  if (sent < 0)
    return uv_error(sent);
  if ((size_t)sent == n)
    return 1;
  buf.base += sent;
  buf.len -= (size_t)sent;
  box->request.write.data = box;
  int rc = uv_write(&box->request.write, uv, &buf, 1, write_cb);
  return rc < 0 ? uv_error(rc) : 0;
}

static void shutdown_cb(uv_shutdown_t *request, int status) {
  (void)request, (void)status;
}

static void stream_shutdown(struct mp_stream *stream) {
  struct stream_box *box = stream_of(stream);
  if (!is_closing(box))
    uv_shutdown(&box->request.shutdown, &box->uv.stream, shutdown_cb);
}

static void end_of(struct mp_stream *stream, struct mp_address *address,
                   int (*name)(const uv_tcp_t *, struct sockaddr *, int *)) {
  struct stream_box *box = stream_of(stream);
  struct sockaddr_storage storage;
  int size = sizeof storage;
  if (box->uv.any.type != UV_TCP ||
      name(&box->uv.tcp, (struct sockaddr *)&storage, &size) != 0 ||
      !address_from_sockaddr(address, (struct sockaddr *)&storage))
    memset(address, 0, sizeof *address);
}

static void stream_local(struct mp_stream *stream, struct mp_address *address) {
  end_of(stream, address, uv_tcp_getsockname);
}

static void stream_remote(struct mp_stream *stream,
                          struct mp_address *address) {
  end_of(stream, address, uv_tcp_getpeername);
}

/* --- listeners -------------------------------------------------------------
 */

static void listener_closed_cb(uv_handle_t *handle) {
  struct listener_box *box = listener_of_thing(handle->data);
  uv_box_closed(box->listener.handle.loop);
  if (box->listener.events)
    box->listener.events->closed(box->listener.owner);
  free(box);
}

static void close_listener_thing(struct uv_thing *thing) {
  struct listener_box *box = listener_of_thing(thing);
  if (!uv_is_closing(&box->uv.any))
    uv_close(&box->uv.any, listener_closed_cb);
}

static void listener_close(struct mp_listener *listener) {
  close_listener_thing(&((struct listener_box *)listener)->thing);
}

/* Descriptors are given out from the lowest: who has the highest has the last.
 * Without one, libuv closes whoever comes and tells nobody. */
static bool is_last_descriptor(const uv_handle_t *uv) {
  struct rlimit limit;
  uv_os_fd_t fd;
  return uv_fileno(uv, &fd) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         (rlim_t)fd + 1 >= limit.rlim_cur;
}

static void connection_cb(uv_stream_t *uv, int status) {
  struct listener_box *box = listener_of_thing(uv->data);
  struct mp_listener *listener = &box->listener;
  if (uv_is_closing(&box->uv.any))
    return;
  struct stream_box *made = NULL;
  if (status == 0) {
    made = stream_new(listener->handle.loop, box->uv.any.type != UV_TCP);
    status = uv_accept(uv, &made->uv.stream);
  }
  if (status != 0) {
    if (made)
      stream_close(&made->stream, false);
    listener->events->failed(listener->owner, MP_EACCEPT);
    return;
  }
  if (made->uv.any.type == UV_TCP)
    uv_tcp_nodelay(&made->uv.tcp, 1);
  bool is_last = is_last_descriptor(&made->uv.any);
  listener->events->accepted(listener->owner, &made->stream);
  if (is_last && !uv_is_closing(&box->uv.any))
    listener->events->failed(listener->owner, MP_EACCEPT);
}

/* The mode is set before anyone can connect: between bind and listen. */
static int bind_and_listen(struct listener_box *box,
                           const struct mp_address *at, const char *path) {
  struct sockaddr_storage name;
  int rc;
  if (path) {
    rc = uv_pipe_bind(&box->uv.pipe, path);
    if (rc == 0 && chmod(path, S_IRUSR | S_IWUSR) != 0)
      rc = UV_EPERM;
  } else {
    address_to_sockaddr(at, &name);
    rc = uv_tcp_bind(&box->uv.tcp, (struct sockaddr *)&name, 0);
  }
  return rc ? rc : uv_listen(&box->uv.stream, BACKLOG, connection_cb);
}

/* NOLINTNEXTLINE(readability-function-size): events and owner are one */
int io_uv_listen(struct mp_listener **listener, struct mp_loop *loop,
                 const struct mp_address *at, const char *path,
                 const struct mp_listener_events *events, void *owner,
                 struct mp_fault *fault) {
  struct listener_box *box = mem_new(sizeof *box);
  uv_loop_t *uv = &uv_box_of(loop)->uv;
  char text[MP_ADDRESS_TEXT];
  box->listener.handle.loop = loop;
  box->thing.close = close_listener_thing;
  if (path)
    uv_pipe_init(uv, &box->uv.pipe, 0);
  else
    uv_tcp_init(uv, &box->uv.tcp);
  box->uv.any.data = &box->thing;
  uv_box_opened(loop);
  *listener = NULL;
  int rc = bind_and_listen(box, at, path);
  if (rc != 0) {
    close_listener_thing(&box->thing);
    return fault_set(fault, MP_ELISTEN, "cannot listen at %s: %s",
                     path ? path : mp_address_format(at, text),
                     uv_strerror(rc));
  }
  box->listener.events = events;
  box->listener.owner = owner;
  *listener = &box->listener;
  return 0;
}

static void listener_address(struct mp_listener *listener,
                             struct mp_address *address) {
  struct listener_box *box = (struct listener_box *)listener;
  struct sockaddr_storage storage;
  int size = sizeof storage;
  if (box->uv.any.type != UV_TCP ||
      uv_tcp_getsockname(&box->uv.tcp, (struct sockaddr *)&storage, &size) !=
          0 ||
      !address_from_sockaddr(address, (struct sockaddr *)&storage))
    memset(address, 0, sizeof *address);
}

const struct io_handles io_uv_handles = {
    .wakeup_send = io_uv_wakeup_send,
    .wakeup_close = io_uv_wakeup_close,
    .signal_close = io_uv_signal_close,
    .watch_close = io_uv_watch_close,
    .read = stream_read,
    .write = stream_write,
    .shutdown = stream_shutdown,
    .stream_close = stream_close,
    .local = stream_local,
    .remote = stream_remote,
    .listener_address = listener_address,
    .listener_close = listener_close,
};
