/* line - lines of text over Unix sockets, for tasks: what consoles speak. */
#include "script/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "moonpeer/stream.h"
#include "script/convert.h"
#include "script/task.h"

enum {
  LINE_MOST = 1 << 20,   /* bytes of a line that somebody who dials sends */
  QUEUE_MOST = 16 << 20, /* bytes that a client does not take */
  CHUNK = 16 << 10,
};

static const char *const type_name = "moonpeer.line";

/* Lives until its stream is closed and its object is gone. */
struct line {
  struct closable closable;
  struct script *script;
  struct mp_stream *stream; /* NULL when it is closed */
  struct buf in, queue, sending;
  size_t searched; /* bytes of `in` that are known to hold no line end */
  struct waiters waiters;
  int rc;          /* why no more comes, or 0 */
  bool is_holding; /* keeps the loop running: our own, not those accepted */
  bool is_dialling, is_writing, is_reading, has_object, is_leaving;
};

static void finish(struct line *line) {
  if (line->stream || line->has_object)
    return;
  waiters_forget(&line->waiters);
  buf_deinit(&line->in);
  buf_deinit(&line->queue);
  buf_deinit(&line->sending);
  free(line);
}

/* --- the stream ------------------------------------------------------------
 */

static void end(struct line *line, int rc) {
  if (line->rc == 0)
    line->rc = rc;
  waiters_wake(&line->waiters);
}

static void flush(struct line *line) {
  while (!line->is_writing && buf_length(&line->queue) > 0 && line->stream) {
    buf_release(&line->sending);
    struct buf taken = line->queue;
    line->queue = line->sending;
    line->sending = taken;
    int rc = mp_stream_write(line->stream, buf_head(&line->sending),
                             buf_length(&line->sending));
    if (rc < 0) {
      end(line, rc);
      mp_stream_close(line->stream);
      return;
    }
    line->is_writing = rc == 0;
    if (rc == 1)
      buf_consume(&line->sending, buf_length(&line->sending));
  }
  if (line->is_leaving && !line->is_writing && line->stream)
    mp_stream_close(line->stream);
}

static void on_connected(void *owner, int rc) {
  struct line *line = owner;
  line->is_dialling = false;
  if (rc != 0) {
    end(line, rc);
    mp_stream_close(line->stream);
    return;
  }
  line->is_reading = true;
  mp_stream_read(line->stream, true);
  waiters_wake(&line->waiters);
}

static bool has_line(struct line *line) {
  const uint8_t *head = buf_head(&line->in);
  size_t length = buf_length(&line->in);
  if (line->searched < length &&
      memchr(head + line->searched, '\n', length - line->searched))
    return true;
  line->searched = length;
  return false;
}

/* Answers may be longer than what is asked. */
static size_t line_most(const struct line *line) {
  return line->is_holding ? QUEUE_MOST : LINE_MOST;
}

/* While a line waits to be asked for, no more is taken. */
static struct mp_room on_room(void *owner) {
  struct line *line = owner;
  size_t most = line_most(line), length = buf_length(&line->in);
  if (line->rc == 0 && length >= most && !has_line(line))
    end(line, MP_ELIMIT);
  bool is_full = line->rc != 0 || length >= most;
  uint8_t *place = is_full ? NULL : buf_reserve(&line->in, CHUNK);
  line->is_reading = place != NULL;
  return (struct mp_room){place, place ? CHUNK : 0};
}

static void on_received(void *owner, size_t n) {
  struct line *line = owner;
  buf_grow(&line->in, n);
  if (has_line(line))
    waiters_wake(&line->waiters);
}

static void on_ended(void *owner, int rc) {
  struct line *line = owner;
  line->is_reading = false;
  end(line, rc);
}

static void on_drained(void *owner) {
  struct line *line = owner;
  line->is_writing = false;
  buf_consume(&line->sending, buf_length(&line->sending));
  flush(line);
}

static void on_closed(void *owner) {
  struct line *line = owner;
  line->stream = NULL;
  end(line, MP_ECLOSED);
  script_closed(line->script, &line->closable);
  if (line->is_holding)
    mp_loop_release(line->closable.loop);
  finish(line);
}

static const struct mp_stream_events events = {
    .connected = on_connected,
    .room = on_room,
    .received = on_received,
    .ended = on_ended,
    .drained = on_drained,
    .closed = on_closed,
};

/* --- objects ---------------------------------------------------------------
 */

static struct line *self(lua_State *L) {
  return *(struct line **)luaL_checkudata(L, 1, type_name);
}

static void close_now(struct closable *closable) {
  struct line *line = (struct line *)closable;
  if (line->stream)
    mp_stream_close(line->stream);
}

static struct line *push_new(lua_State *L, struct script *script,
                             struct mp_loop *loop) {
  struct line **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = mem_new(sizeof **box);
  luaL_setmetatable(L, type_name);
  struct line *line = *box;
  line->closable =
      (struct closable){.close = close_now, .loop = loop, .kind = "line"};
  line->script = script;
  line->has_object = true;
  return line;
}

/* Its stream is there: it lives until that is closed. */
static void start(struct line *line, struct mp_stream *stream) {
  line->stream = stream;
  script_opened(line->script, &line->closable);
}

void line_push(lua_State *L, struct script *script, struct mp_loop *loop,
               struct mp_stream *stream) {
  struct line *line = push_new(L, script, loop);
  start(line, stream);
  mp_stream_own(stream, &events, line);
  line->is_reading = true;
  mp_stream_read(stream, true);
}

static int push_end(lua_State *L, const struct line *line) {
  const char *text = "the other side has closed the connection";
  if (line->rc == MP_ELIMIT)
    text = "expected a line of at most 1 MiB, got more";
  else if (line->rc == MP_EREFUSED || line->rc == MP_ECONNECT ||
           line->rc == MP_EIO)
    text = "nobody listens there";
  return push_failure(L, line->rc, text);
}

/* The next line, without its end, leaves the buffer. */
static int push_line(lua_State *L, struct line *line) {
  const uint8_t *head = buf_head(&line->in);
  const uint8_t *stop = memchr(head, '\n', buf_length(&line->in));
  size_t n = (size_t)(stop - head);
  lua_pushlstring(L, (const char *)head, n);
  buf_consume(&line->in, n + 1);
  line->searched = 0;
  if (line->stream && !line->is_reading && line->rc == 0) {
    line->is_reading = true;
    mp_stream_read(line->stream, true);
  }
  return 1;
}

static int read_on(lua_State *L, int status, lua_KContext context) {
  struct line *line = self(L);
  struct task *task = task_check(L, "read");
  (void)status, (void)context;
  if (has_line(line))
    return push_line(L, line);
  if (line->rc != 0)
    return push_end(L, line);
  if (task_is_late(task))
    return task_push_late(L, task, "a line");
  return task_wait(L, task, &line->waiters, read_on);
}

/* read(timeout): the next line, or nil, message, code. */
static int do_read(lua_State *L) {
  struct task *task = task_check(L, "read");
  self(L);
  task_deadline(task, convert_duration_or(L, 2, MP_FOREVER));
  lua_settop(L, 1);
  return read_on(L, LUA_OK, 0);
}

/* write(text): a client that does not take it is closed. */
static int do_write(lua_State *L) {
  struct line *line = self(L);
  size_t n;
  const char *text = luaL_checklstring(L, 2, &n);
  if (!line->stream || line->is_leaving)
    return push_failure(L, MP_ECLOSED, "the connection is closed");
  if (buf_length(&line->queue) + n > QUEUE_MOST ||
      buf_put(&line->queue, text, n) != 0) {
    end(line, MP_ELIMIT);
    mp_stream_close(line->stream);
    return push_failure(L, MP_ELIMIT, "the other side does not read");
  }
  flush(line);
  lua_pushboolean(L, true);
  return 1;
}

/* close(): when what was written has left. */
static int do_close(lua_State *L) {
  struct line *line = self(L);
  line->is_leaving = true;
  flush(line);
  return 0;
}

static int do_gc(lua_State *L) {
  struct line *line = self(L);
  line->has_object = false;
  if (line->stream)
    mp_stream_close(line->stream);
  finish(line);
  return 0;
}

static int connect_on(lua_State *L, int status, lua_KContext context) {
  struct line *line = self(L);
  (void)status, (void)context;
  if (line->rc != 0)
    return push_end(L, line);
  if (!line->is_dialling) {
    lua_settop(L, 1);
    return 1;
  }
  return task_wait(L, task_check(L, "connect"), &line->waiters, connect_on);
}

int line_lua_connect(lua_State *L) {
  task_check(L, "connect");
  const char *path = luaL_checkstring(L, 1);
  struct line *line = push_new(L, script_of(L), task_loop(L));
  line->is_dialling = line->is_holding = true;
  mp_loop_hold(line->closable.loop);
  start(line, mp_stream_connect_path(line->closable.loop, path, &events, line));
  lua_replace(L, 1);
  lua_settop(L, 1);
  return connect_on(L, LUA_OK, 0);
}

void line_open_type(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", do_close},
                                     {"read", do_read},
                                     {"write", do_write},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__close", do_close}, {"__gc", do_gc}, {NULL, NULL}};
  object_type(L, type_name, methods, metamethods, NULL);
}
