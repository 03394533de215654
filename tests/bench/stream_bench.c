/* stream_bench - a payload of 4 GiB and one byte, made as it is sent by one
 * process and looked at as it comes by another: how fast, and how much memory
 * each of them grows by.
 *   stream_bench [bytes] */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "moonpeer/connection.h"
#include "moonpeer/loop.h"
#include "moonpeer/stream.h"

enum { PATTERN = 65521 };

struct end {
  struct mp_loop *loop;
  struct mp_session_options options;
  struct mp_hooks hooks;
  struct mp_payload payload;
  uint64_t got, total, base; /* base: bytes resident at the beginning */
  uint64_t most;             /* that it has grown by */
  int rc;
  bool is_wrong;
};

static uint8_t pattern[3 * PATTERN];

static uint64_t resident(void) {
  char line[200] = ""; /* pages of the program, then those in memory */
  FILE *file = fopen("/proc/self/statm", "re");
  const char *rest = NULL;
  if (file && fgets(line, sizeof line, file))
    rest = strchr(line, ' ');
  if (!rest)
    exit(1);
  fclose(file);
  return strtoull(rest, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void note_memory(struct end *end) {
  uint64_t now_resident = resident();
  if (!end->base)
    end->base = now_resident;
  if (now_resident > end->base + end->most)
    end->most = now_resident - end->base;
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct end *end = data;
  (void)connection;
  mp_loop_release(end->loop);
}

/* Looks at the memory every 64 MiB. */
static bool is_time(uint64_t offset, size_t n) {
  return offset >> 26 != (offset + n) >> 26 || offset == 0;
}

/* --- sending ---------------------------------------------------------------
 */

static ptrdiff_t generate(void *data, uint64_t offset, void *bytes, size_t n) {
  struct end *end = data;
  if (n > PATTERN)
    n = PATTERN;
  memcpy(bytes, pattern + offset % PATTERN, n);
  if (is_time(offset, n))
    note_memory(end);
  return (ptrdiff_t)n;
}

static void on_sent(void *data, int rc) {
  struct end *end = data;
  end->rc = rc;
}

static void sender_event(void *data, const struct mp_event *event) {
  struct end *end = data;
  struct mp_fault fault;
  if (event->type != MP_HANDSHAKE_COMPLETE)
    return;
  note_memory(end);
  if (mp_connection_send_from(event->connection, "block", &end->payload,
                              &fault) != 0) {
    fprintf(stderr, "%s\n", fault.text);
    _exit(1);
  }
}

/* --- receiving -------------------------------------------------------------
 */

static void receiver_event(void *data, const struct mp_event *event) {
  struct end *end = data;
  const struct mp_chunk *chunk = event->chunk;
  if (event->type == MP_CONNECTION_LOST && event->code != MP_ECLOSED)
    fprintf(stderr, "lost: %s\n", event->text);
  if (event->type != MP_CHUNK)
    return;
  if (is_time(chunk->offset, chunk->size))
    note_memory(end);
  if (chunk->size > 2 * PATTERN ||
      memcmp(chunk->bytes, pattern + chunk->offset % PATTERN, chunk->size) != 0)
    end->is_wrong = true;
  end->got += chunk->size;
  end->total = chunk->total;
  if (chunk->is_last) {
    note_memory(end);
    end->rc = chunk->code;
    mp_connection_close(event->connection, 0, NULL);
  }
}

/* --- both ------------------------------------------------------------------
 */

static void end_init(struct end *end,
                     void (*event)(void *, const struct mp_event *)) {
  *end = (struct end){.rc = 1};
  if (mp_loop_open(&end->loop, NULL) != 0)
    exit(1);
  mp_session_options_init(&end->options, mp_network_find("regtest"));
  end->hooks = (struct mp_hooks){.wants = UINT64_MAX,
                                 .chunks = UINT64_MAX,
                                 .event = event,
                                 .closed = on_closed};
}

static struct mp_connection_setup setup_of(struct end *end) {
  return (struct mp_connection_setup){.loop = end->loop,
                                      .options = &end->options,
                                      .hooks = &end->hooks,
                                      .data = end};
}

static void accepted(void *owner, struct mp_stream *stream) {
  struct end *end = owner;
  const struct mp_connection_setup setup = setup_of(end);
  mp_connection_accept(&setup, stream);
}

static void failed(void *owner, int rc) {
  (void)owner, (void)rc;
}

static void listener_closed(void *owner) {
  (void)owner;
}

static void serve(uint64_t size, int pipe) {
  static const struct mp_listener_events events = {accepted, failed,
                                                   listener_closed};
  struct end end;
  struct mp_listener *listener;
  struct mp_address at;
  end_init(&end, sender_event);
  end.payload = (struct mp_payload){size, generate, on_sent, &end};
  mp_address_parse(&at, "127.0.0.1", 0, NULL);
  if (mp_listener_open(&listener, end.loop, &at, &events, &end, NULL) != 0)
    _exit(1);
  mp_listener_address(listener, &at);
  if (write(pipe, &at, sizeof at) != sizeof at)
    _exit(1);
  mp_loop_hold(end.loop);
  mp_loop_run(end.loop);
  if (write(pipe, &end.most, sizeof end.most) != sizeof end.most)
    _exit(1);
  _exit(end.rc != 0);
}

int main(int argc, char **argv) {
  uint64_t size =
      argc > 1 ? strtoull(argv[1], NULL, 10) : (UINT64_C(1) << 32) + 1;
  int ends[2];
  struct end end;
  struct mp_address at;
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (uint8_t)((i % PATTERN) * 31 + (i % PATTERN) / 251);
  if (pipe(ends) != 0)
    return 1;
  pid_t child = fork();
  if (child == 0)
    serve(size, ends[1]);
  end_init(&end, receiver_event);
  if (read(ends[0], &at, sizeof at) != sizeof at)
    return 1;
  const struct mp_connection_setup setup = setup_of(&end);
  mp_loop_hold(end.loop);
  note_memory(&end);
  double start = now();
  mp_connection_dial(&setup, &at);
  mp_loop_run(end.loop);
  double passed = now() - start;
  uint64_t most = 0;
  int status = 1;
  if (read(ends[0], &most, sizeof most) != sizeof most)
    return 1;
  waitpid(child, &status, 0);
  mp_loop_close(end.loop);
  report("stream.payload", (double)end.got, "bytes", (double)size);
  report("stream.speed", (double)end.got / passed, "bytes/s", 0);
  report("stream.receiver_growth", (double)end.most / 1048576, "MiB", 4);
  report("stream.sender_growth", (double)most / 1048576, "MiB", 4);
  bool is_good = end.got == size && end.rc == 0 && !end.is_wrong && status == 0;
  if (!is_good)
    fprintf(stderr, "it did not come as it was sent\n");
  return is_good ? 0 : 1;
}
