/* embed_test - a program that has moonpeer inside: the public headers and the
 * static library, no Lua. src/README.md tells how; here it runs. */
#include <moonpeer/engine.h>
#include <moonpeer/world.h>

#include "test.h"

/* What the program keeps for each of its engines. */
struct node {
  struct mp_engine *engine; /* NULL once it is gone */
  struct mp_hooks hooks;
  struct node *other;
  int complete, lost, closed;
};

static void end_both(struct node *node) {
  mp_engine_close(node->engine, -1);
  mp_engine_close(node->other->engine, -1);
}

static void on_event(void *data, const struct mp_event *event) {
  struct node *node = data;
  switch (event->type) {
  case MP_LISTENER_STARTED: /* event->address has the real port */
    CHECK_INT(mp_engine_dial(node->other->engine, &event->address, NULL), 0);
    break;
  case MP_HANDSHAKE_COMPLETE:
    node->complete++;
    if (node->other->complete)
      end_both(node);
    break;
  default: node->lost++;
  }
}

static bool on_accept(void *data, const struct mp_address *address) {
  (void)data;
  return mp_address_is_ipv4(address);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct node *node = data;
  (void)connection;
  node->closed++;
}

static void on_gone(void *data) {
  struct node *node = data;
  node->engine = NULL;
}

static const struct mp_hooks hooks = {
    .wants = UINT64_C(1) << MP_LISTENER_STARTED |
             UINT64_C(1) << MP_HANDSHAKE_COMPLETE |
             UINT64_C(1) << MP_CONNECTION_LOST,
    .event = on_event,
    .accept = on_accept,
    .closed = on_closed,
};

static void open_node(struct node *node, struct mp_loop *loop,
                      const char *listen) {
  struct mp_config config;
  const struct mp_engine_setup setup = {.loop = loop,
                                        .config = &config,
                                        .hooks = &node->hooks,
                                        .data = node,
                                        .gone = on_gone};
  mp_config_init(&config, mp_network_find("regtest"));
  config.has_listen = listen != NULL;
  if (listen)
    CHECK_INT(mp_address_parse(&config.listen, listen, 0, NULL), 0);
  CHECK_INT(mp_engine_open(&node->engine, &setup, NULL), 0);
  CHECK_INT(mp_engine_start(node->engine, NULL), 0);
}

/* The second first: the first, when it listens, is dialled by it. */
static void open_both(struct node nodes[2], struct mp_loop *const loops[2],
                      const struct mp_hooks *of_both, const char *listen) {
  for (int i = 1; i >= 0; i--) {
    nodes[i] = (struct node){.hooks = *of_both, .other = &nodes[!i]};
    open_node(&nodes[i], loops[i], i == 0 ? listen : NULL);
  }
}

static void check_both(const struct node nodes[2]) {
  for (int i = 0; i < 2; i++) {
    CHECK(!nodes[i].engine);
    CHECK_INT(nodes[i].complete, 1);
    CHECK_INT(nodes[i].lost, 1);
    CHECK_INT(nodes[i].closed, 1);
  }
}

static void a_program_in_c_holds_engines_with_hooks_of_its_own(void) {
  struct mp_loop *loop, *loops[2];
  struct node nodes[2];
  CHECK_INT(mp_loop_open(&loop, NULL), 0);
  loops[0] = loops[1] = loop;
  open_both(nodes, loops, &hooks, "127.0.0.1:0");
  CHECK_INT(mp_loop_run(loop), 0);
  check_both(nodes);
  mp_loop_close(loop);
}

/* --- the same in a world ---------------------------------------------------
 */

static struct mp_world *make_world(struct mp_loop *loops[2]) {
  static const char *const ips[2] = {"10.0.0.1", "10.0.0.2"};
  struct mp_world *world;
  struct mp_address at;
  CHECK_INT(mp_world_new(&world, NULL, NULL), 0);
  for (int i = 0; i < 2; i++) {
    CHECK_INT(mp_address_parse(&at, ips[i], 0, NULL), 0);
    CHECK_INT(mp_world_host(&loops[i], world, &at, NULL), 0);
  }
  return world;
}

static bool are_gone(void *data) {
  const struct node *nodes = data;
  return !nodes[0].engine && !nodes[1].engine;
}

static void the_same_program_runs_in_a_world(void) {
  struct mp_loop *loops[2];
  struct node nodes[2];
  struct mp_world *world = make_world(loops);
  open_both(nodes, loops, &hooks, "10.0.0.1:18444");
  CHECK_INT(mp_world_run(world, MP_SECOND, are_gone, nodes, NULL),
            MP_WORLD_CONDITION);
  check_both(nodes);
  mp_world_free(world);
}

static bool is_connected(void *data) {
  const struct node *nodes = data;
  struct mp_engine_slots slots;
  mp_engine_slots(nodes[0].engine, &slots);
  return slots.connected == 1;
}

static void hooks_without_functions_have_safe_answers(void) {
  static const struct mp_hooks none;
  struct mp_loop *loops[2];
  struct node nodes[2];
  struct mp_address address;
  struct mp_world *world = make_world(loops);
  open_both(nodes, loops, &none, "10.0.0.1:18444");
  mp_address_parse(&address, "10.0.0.1:18444", 0, NULL);
  CHECK_INT(mp_engine_dial(nodes[1].engine, &address, NULL), 0);
  CHECK_INT(mp_world_run(world, MP_SECOND, is_connected, nodes, NULL),
            MP_WORLD_CONDITION);
  end_both(nodes);
  CHECK_INT(mp_world_run(world, 9 * MP_SECOND, are_gone, nodes, NULL),
            MP_WORLD_CONDITION);
  mp_world_free(world);
}

TEST_MAIN(TEST(a_program_in_c_holds_engines_with_hooks_of_its_own),
          TEST(the_same_program_runs_in_a_world),
          TEST(hooks_without_functions_have_safe_answers))
