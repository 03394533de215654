/* receive_bench - messages of 1 MiB over loopback, cut and checked, beside
 * what the machine can do: bare reads and bare sha256 of the same bytes. Told
 * twice: by the clock, and by the processor time of who receives, which is
 * the same on a machine that is busy with other things. */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "bench.h"
#include "moonpeer/connection.h"
#include "moonpeer/loop.h"
#include "moonpeer/message.h"
#include "moonpeer/stream.h"

enum { MIB = 1048576, MESSAGES = 500, READ = 65536, ROUNDS = 12 };

/* --- the sending process ---------------------------------------------------
 */

static uint8_t *make_frame(size_t *n) {
  struct mp_hasher *hasher = mp_hasher_new();
  uint8_t *payload = calloc(MIB, 1), *frame = malloc(MIB + MP_HEADER_MAX);
  size_t header = mp_message_header(frame, mp_network_find("regtest"), "x",
                                    payload, MIB, hasher);
  memcpy(frame + header, payload, MIB);
  *n = header + MIB;
  free(payload);
  mp_hasher_free(hasher);
  return frame;
}

static void send_all(int fd, const uint8_t *bytes, size_t n) {
  for (ssize_t sent; n; bytes += sent, n -= (size_t)sent) {
    sent = write(fd, bytes, n);
    if (sent <= 0)
      return;
  }
}

static void serve(int listener) {
  size_t n;
  uint8_t *frame = make_frame(&n);
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    for (int i = 0; i < MESSAGES; i++)
      send_all(fd, frame, n);
    close(fd);
  }
}

static pid_t start_sender(struct sockaddr_in *at) {
  socklen_t size = sizeof *at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  *at = (struct sockaddr_in){.sin_family = AF_INET};
  at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)at, sizeof *at) != 0 ||
      listen(listener, 8) != 0 ||
      getsockname(listener, (struct sockaddr *)at, &size) != 0)
    exit(1);
  pid_t child = fork();
  if (child == 0)
    serve(listener);
  close(listener);
  return child;
}

/* --- bare reads ------------------------------------------------------------
 */

static char room[READ];
static uint64_t bare_bytes;

static void alloc_cb(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  (void)handle, (void)hint;
  *buf = uv_buf_init(room, sizeof room);
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  (void)buf;
  if (n >= 0)
    bare_bytes += (uint64_t)n;
  else
    uv_close((uv_handle_t *)stream, NULL);
}

static void connect_cb(uv_connect_t *request, int status) {
  if (status != 0)
    exit(1);
  uv_read_start(request->handle, alloc_cb, read_cb);
}

/* Bytes a second, of the clock and of processor time. */
struct speed {
  double real, cpu;
};

struct moment {
  double real, cpu;
};

static struct moment begin(void) {
  return (struct moment){now(), cpu_now()};
}

static struct speed speed_of(uint64_t bytes, struct moment start) {
  return (struct speed){(double)bytes / (now() - start.real),
                        (double)bytes / (cpu_now() - start.cpu)};
}

static struct speed bare_reads(const struct sockaddr_in *at) {
  uv_loop_t loop;
  uv_tcp_t tcp;
  uv_connect_t request;
  uv_loop_init(&loop);
  uv_tcp_init(&loop, &tcp);
  uv_tcp_connect(&request, &tcp, (const struct sockaddr *)at, connect_cb);
  bare_bytes = 0;
  struct moment start = begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  struct speed speed = speed_of(bare_bytes, start);
  uv_loop_close(&loop);
  return speed;
}

/* --- messages --------------------------------------------------------------
 */

struct reader {
  struct mp_loop *loop;
  struct mp_connection *connection;
  struct mp_later listen;
  int messages;
};

/* Without a session messages are shown as they are. */
static void listen_now(void *data) {
  struct reader *reader = data;
  mp_connection_pause(reader->connection, false);
}

static void on_event(void *data, const struct mp_event *event) {
  struct reader *reader = data;
  if (event->type == MP_CONNECTION_ESTABLISHED)
    mp_later_post(reader->loop, &reader->listen);
  if (event->type == MP_MESSAGE && event->message->size == MIB)
    reader->messages++;
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct reader *reader = data;
  (void)connection;
  mp_loop_release(reader->loop);
}

/* Of payload. */
static struct speed messages(const struct sockaddr_in *at) {
  struct reader reader = {0};
  struct mp_session_options options;
  struct mp_address to;
  const struct mp_hooks hooks = {.wants = UINT64_MAX,
                                 .commands = UINT64_MAX,
                                 .event = on_event,
                                 .closed = on_closed};
  mp_session_options_init(&options, mp_network_find("regtest"));
  mp_loop_open(&reader.loop, NULL);
  const struct mp_connection_setup setup = {.loop = reader.loop,
                                            .options = &options,
                                            .hooks = &hooks,
                                            .data = &reader,
                                            .is_manual = true};
  mp_address_parse(&to, "127.0.0.1", ntohs(at->sin_port), NULL);
  mp_loop_hold(reader.loop);
  struct moment start = begin();
  mp_later_init(&reader.listen, listen_now, &reader);
  reader.connection = mp_connection_dial(&setup, &to);
  mp_loop_run(reader.loop);
  struct speed speed = speed_of((uint64_t)MESSAGES * MIB, start);
  mp_loop_close(reader.loop);
  if (reader.messages != MESSAGES) {
    fprintf(stderr, "%d of %d messages came\n", reader.messages, MESSAGES);
    exit(1);
  }
  return speed;
}

/* --- sha256 ----------------------------------------------------------------
 */

struct raw {
  EVP_MD *digest;
  EVP_MD_CTX *context;
  uint8_t *bytes;
};

static void sha256(void *data) {
  struct raw *raw = data;
  uint8_t digest[32];
  EVP_DigestInit_ex2(raw->context, raw->digest, NULL);
  EVP_DigestUpdate(raw->context, raw->bytes, MIB);
  EVP_DigestFinal_ex(raw->context, digest, NULL);
}

static struct speed hashing(struct raw *raw) {
  return (struct speed){MIB / best_time(sha256, raw),
                        MIB / best_cpu_time(sha256, raw)};
}

static void keep_best(struct speed *best, struct speed speed) {
  if (speed.real > best->real)
    best->real = speed.real;
  if (speed.cpu > best->cpu)
    best->cpu = speed.cpu;
}

/* Rounds of all three take turns, the best of each counts: so what else the
 * machine does meanwhile is the same for all. */
int main(void) {
  struct sockaddr_in at;
  struct raw raw = {.digest = EVP_MD_fetch(NULL, "SHA256", NULL),
                    .context = EVP_MD_CTX_new(),
                    .bytes = calloc(MIB, 1)};
  struct speed bare = {0, 0}, hash = {0, 0}, ours = {0, 0};
  pid_t child = start_sender(&at);
  for (int i = 0; i < ROUNDS; i++) {
    keep_best(&bare, bare_reads(&at));
    keep_best(&hash, hashing(&raw));
    keep_best(&ours, messages(&at));
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  report("receive.bare_reads", bare.real, "bytes/s", 0);
  report("receive.sha256", hash.real, "bytes/s", 0);
  report("receive.messages_of_1MiB", ours.real, "bytes/s",
         1 / (1 / bare.real + 1 / hash.real));
  report("receive.cpu.bare_reads", bare.cpu, "bytes/s", 0);
  report("receive.cpu.sha256", hash.cpu, "bytes/s", 0);
  report("receive.cpu.messages_of_1MiB", ours.cpu, "bytes/s",
         1 / (1 / bare.cpu + 1 / hash.cpu));
  EVP_MD_CTX_free(raw.context);
  EVP_MD_free(raw.digest);
  free(raw.bytes);
  return 0;
}
