/* trace_test - what a world writes down, and that the same seed gives the same
 * run: again, in another process, and whatever is kept of the trace. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "ends.h"

enum { MS = 1000000, HEX = 65 };

/* --- a storm: nodes that do what the world's random source says ------------
 */
enum { NODES = 20, ROOM_BYTES = 512 };

struct node {
  struct mp_loop *loop;
  struct mp_timer timer;
  struct stream *out;
};

struct stream {
  struct mp_stream *stream;
  struct node *node; /* NULL: accepted */
  char room[ROOM_BYTES];
  bool is_open, is_writing;
};

struct storm {
  struct mp_world *world;
  struct mp_address at[NODES];
  struct node nodes[NODES];
  size_t open;
};

static char words[100000];

static void write_some(struct stream *stream, uint64_t n) {
  if (stream->is_writing || !stream->is_open)
    return;
  int rc = mp_stream_write(stream->stream, words, 1 + n % sizeof words);
  stream->is_writing = rc == 0;
}

static void storm_connected(void *owner, int rc) {
  struct stream *stream = owner;
  stream->is_open = rc == 0;
  if (rc == 0)
    mp_stream_read(stream->stream, true);
  else
    mp_stream_close(stream->stream);
}

static struct mp_room storm_room(void *owner) {
  struct stream *stream = owner;
  return (struct mp_room){.bytes = stream->room, .size = sizeof stream->room};
}

static void storm_received(void *owner, size_t n) {
  struct stream *stream = owner;
  if (n % 3 == 0)
    write_some(stream, n);
  if (n % 61 == 0)
    mp_stream_close(stream->stream);
}

static void storm_ended(void *owner, int rc) {
  (void)rc;
  mp_stream_close(((struct stream *)owner)->stream);
}

static void storm_drained(void *owner) {
  ((struct stream *)owner)->is_writing = false;
}

static void storm_closed(void *owner) {
  struct stream *stream = owner;
  if (stream->node)
    stream->node->out = NULL;
  free(stream);
}

static const struct mp_stream_events storm_events = {
    .connected = storm_connected,
    .room = storm_room,
    .received = storm_received,
    .ended = storm_ended,
    .drained = storm_drained,
    .closed = storm_closed,
};

static struct stream *storm_stream(struct node *node) {
  struct stream *stream = calloc(1, sizeof *stream);
  CHECK(stream);
  stream->node = node;
  return stream;
}

static void storm_accepted(void *owner, struct mp_stream *stream) {
  struct stream *mine = storm_stream(NULL);
  (void)owner;
  mine->stream = stream;
  mine->is_open = true;
  mp_stream_own(stream, &storm_events, mine);
  mp_stream_read(stream, true);
}

static void storm_failed(void *owner, int rc) {
  (void)owner;
  (void)rc;
}

static void storm_listener_closed(void *owner) {
  (void)owner;
}

static const struct mp_listener_events storm_listener_events = {
    .accepted = storm_accepted,
    .failed = storm_failed,
    .closed = storm_listener_closed,
};

static struct storm *storm;

static void storm_act(void *data) {
  struct node *node = data;
  uint64_t number = mp_loop_random_u64(node->loop);
  if (!node->out) {
    node->out = storm_stream(node);
    node->out->stream = mp_stream_connect(
        node->loop, &storm->at[number % NODES], &storm_events, node->out);
  } else if (number % 10 == 0) {
    mp_stream_reset(node->out->stream);
  } else {
    write_some(node->out, number >> 8);
  }
  mp_timer_start(node->loop, &node->timer,
                 (int64_t)(number % (200 * (uint64_t)MS)));
}

static void add_node(size_t i) {
  struct node *node = &storm->nodes[i];
  struct mp_listener *listener;
  char text[32];
  snprintf(text, sizeof text, "10.0.%zu.1:8333", i);
  CHECK_INT(mp_address_parse(&storm->at[i], text, 0, NULL), 0);
  CHECK_INT(mp_world_host(&node->loop, storm->world, &storm->at[i], NULL), 0);
  if (i % 5) /* some refuse */
    CHECK_INT(mp_listener_open(&listener, node->loop, &storm->at[i],
                               &storm_listener_events, NULL, NULL),
              0);
  mp_timer_init(&node->timer, storm_act, node);
  mp_timer_start(node->loop, &node->timer, 0);
}

static void set_weather(void) {
  struct mp_weather weather;
  mp_weather_init(&weather);
  weather.latency = 30 * MS;
  weather.jitter = 20 * MS;
  weather.bandwidth = 200000;
  weather.split = 0.2;
  weather.merge = 0.1;
  weather.loss = 0.001;
  weather.refuse = 0.05;
  weather.silence = 0.05;
  weather.lifetime = 20 * MP_SECOND;
  CHECK_INT(mp_world_link(storm->world, NULL, NULL, &weather, NULL), 0);
}

/* Partitions come and go, too. Leaves the storm running. */
static void storm_run(const struct mp_world_options *options) {
  storm = calloc(1, sizeof *storm);
  CHECK(storm);
  CHECK_INT(mp_world_new(&storm->world, options, NULL), 0);
  set_weather();
  for (size_t i = 0; i < NODES; i++)
    add_node(i);
  for (int64_t time = 1; time <= 6; time++) {
    CHECK_INT(mp_world_run(storm->world, time * MP_SECOND, NULL, NULL, NULL),
              MP_WORLD_TIME);
    struct mp_hosts one = {.list = &storm->nodes[time % NODES].loop, .n = 1};
    mp_world_heal(storm->world, 0);
    CHECK(mp_world_partition(storm->world, one, (struct mp_hosts){.list = NULL},
                             NULL) > 0);
  }
}

static void put_hex(const uint8_t hash[32], char hex[HEX]) {
  for (int i = 0; i < 32; i++)
    snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

static void storm_hash(struct mp_world_options options, char hex[HEX]) {
  uint8_t hash[32];
  struct mp_world_count count;
  storm_run(&options);
  mp_world_hash(storm->world, hash);
  put_hex(hash, hex);
  mp_world_count(storm->world, &count);
  CHECK(count.messages > 1000);
  mp_world_free(storm->world);
  free(storm);
}

/* --- the same run again ----------------------------------------------------
 */
static void the_same_seed_gives_the_same_run(void) {
  char first[HEX], second[HEX];
  storm_hash((struct mp_world_options){.seed = 1}, first);
  storm_hash((struct mp_world_options){.seed = 1}, second);
  CHECK_TEXT(second, first);
}

static void another_seed_gives_another_run(void) {
  char first[HEX], second[HEX];
  storm_hash((struct mp_world_options){.seed = 1}, first);
  storm_hash((struct mp_world_options){.seed = 2}, second);
  CHECK(strcmp(first, second) != 0);
}

static void keeping_the_text_changes_nothing(void) {
  char first[HEX], second[HEX];
  storm_hash((struct mp_world_options){.seed = 1}, first);
  storm_hash((struct mp_world_options){.seed = 1, .trace = MP_TRACE_TEXT},
             second);
  CHECK_TEXT(second, first);
}

/* For the next test, which calls this program; and for people who want to
 * compare builds or machines. */
static void print_the_hash(void) {
  char hex[HEX];
  storm_hash((struct mp_world_options){.seed = 1}, hex);
  printf("%s\n", hex);
}

/* Other addresses in memory, at least where they are random. */
static void another_process_sees_the_same_run(void) {
  char here[HEX], there[HEX] = "";
  int ends[2], status;
  CHECK_INT(pipe(ends), 0);
  pid_t other = fork();
  CHECK(other >= 0);
  if (other == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "trace_test", "print_the_hash", (char *)NULL);
    _exit(1);
  }
  CHECK_INT(waitpid(other, &status, 0), other);
  CHECK_INT(status, 0);
  CHECK_INT(read(ends[0], there, HEX - 1), HEX - 1);
  close(ends[0]);
  close(ends[1]);
  storm_hash((struct mp_world_options){.seed = 1}, here);
  CHECK_TEXT(there, here);
}

/* --- what is written -------------------------------------------------------
 */
static const char expected[] =
    "{\"t\":0.000000000,\"at\":\"10.0.0.2:8333\",\"what\":\"listen\"}\n"
    "{\"t\":0.000000000,\"from\":\"10.0.0.1:32768\",\"to\":\"10.0.0.2:8333\","
    "\"what\":\"dial\"}\n"
    "{\"t\":0.030000000,\"from\":\"10.0.0.1:32768\",\"to\":\"10.0.0.2:8333\","
    "\"what\":\"accept\"}\n"
    "{\"t\":0.110000000,\"from\":\"10.0.0.1:32768\",\"to\":\"10.0.0.2:8333\","
    "\"what\":\"bytes\",\"n\":4,\"head\":\"70696e67\",\"sum\":"
    "\"@@@@@@@@\"}\n"
    "{\"t\":0.200000000,\"at\":\"10.0.0.1\",\"what\":\"note\",\"note\":"
    "\"a \\\"note\\\"\\u0001\\u00ff\"}\n"
    "{\"t\":0.200000000,\"from\":\"10.0.0.1:32768\",\"to\":\"10.0.0.2:8333\","
    "\"what\":\"reset\"}\n"
    "{\"t\":0.210000000,\"from\":\"10.0.0.1:32768\",\"to\":\"10.0.0.2:8333\","
    "\"what\":\"ended\",\"why\":\"connection_reset\"}\n";

static void talk(struct mp_world *world, struct bed *bed, struct pair *pair) {
  struct mp_address near;
  bed->world = world;
  CHECK_INT(mp_address_parse(&near, "10.0.0.1", 0, NULL), 0);
  CHECK_INT(mp_address_parse(&bed->at, "10.0.0.2:8333", 0, NULL), 0);
  CHECK_INT(mp_world_host(&bed->near, world, &near, NULL), 0);
  CHECK_INT(mp_world_host(&bed->far, world, &bed->at, NULL), 0);
  pair_listen(pair, bed);
  pair->far_reads = true;
  pair_dial(pair);
  mp_world_run(world, 100 * MS, NULL, NULL, NULL);
  end_write(&pair->near, "ping");
  mp_world_run(world, 200 * MS, NULL, NULL, NULL);
  mp_world_note(world, bed->near, "a \"note\"\x01\xff");
  mp_stream_reset(pair->near.stream);
  mp_world_run(world, 300 * MS, NULL, NULL, NULL);
}

static void a_conversation_reads_like_one(void) {
  struct mp_world_options options = {.trace = MP_TRACE_TEXT};
  struct bed bed = {.world = NULL};
  struct pair pair;
  struct mp_world *world;
  uint8_t hash[32], digest[HASH_SIZE];
  size_t n;
  CHECK_INT(mp_world_new(&world, &options, NULL), 0);
  talk(world, &bed, &pair);
  const char *text = mp_world_trace(world, &n);
  char *copy = strndup(text, n);
  for (char *sum = strstr(copy, "\"sum\":\""); sum; sum = NULL)
    memset(sum + 7, '@', 8);
  CHECK_TEXT(copy, expected);
  free(copy);
  struct hasher *hasher = hasher_new();
  hash_sha256(hasher, text, n, digest);
  hasher_free(hasher);
  mp_world_hash(world, hash);
  CHECK(memcmp(hash, digest, 32) == 0); /* sha256sum of the text */
  mp_world_free(world);
}

static void a_long_trace_is_cut_at_a_line(void) {
  struct mp_world_options options = {.trace = MP_TRACE_TEXT,
                                     .trace_limit = 200};
  struct bed bed = {.world = NULL};
  struct pair pair;
  struct mp_world *world;
  size_t n;
  CHECK_INT(mp_world_new(&world, &options, NULL), 0);
  talk(world, &bed, &pair);
  const char *text = mp_world_trace(world, &n);
  char *copy = strndup(text, n);
  CHECK(n < 220);
  char *end = strstr(copy, "{\"what\":\"cut\"}\n");
  CHECK(end && end[-1] == '\n');
  CHECK(strncmp(copy, expected, (size_t)(end - copy)) == 0);
  free(copy);
  mp_world_free(world);
}

static void without_a_trace_there_is_none(void) {
  struct mp_world_options options = {.trace = MP_TRACE_OFF};
  static const uint8_t zero[32];
  struct bed bed = {.world = NULL};
  struct pair pair;
  struct mp_world *world;
  uint8_t hash[32];
  size_t n;
  CHECK_INT(mp_world_new(&world, &options, NULL), 0);
  talk(world, &bed, &pair);
  CHECK_TEXT(mp_world_trace(world, &n), "");
  CHECK_INT(n, 0);
  mp_world_hash(world, hash);
  CHECK(memcmp(hash, zero, 32) == 0);
  mp_world_free(world);
}

TEST_MAIN(TEST(print_the_hash), TEST(the_same_seed_gives_the_same_run),
          TEST(another_seed_gives_another_run),
          TEST(keeping_the_text_changes_nothing),
          TEST(another_process_sees_the_same_run),
          TEST(a_conversation_reads_like_one),
          TEST(a_long_trace_is_cut_at_a_line),
          TEST(without_a_trace_there_is_none))
