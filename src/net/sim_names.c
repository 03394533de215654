/* sim_names - what names resolve to in a world. */
#include "net/sim_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "base/mem.h"

enum { NAME_MAX_LENGTH = 253 };

#define DELAY MP_MILLISECOND

struct name {
  struct name *next;
  char *text;
  struct mp_address *answers;
  size_t n;
  int64_t delay;
};

struct sim_names {
  struct name *first;
};

/* A look-up under way: what it will say is decided when it starts. */
struct sim_query {
  struct sim_query *next, *previous;
  struct mp_resolve *resolve;
  struct sim_host *host;
  struct mp_timer timer;
  char *name;
  struct mp_address *answers;
  size_t n;
};

static void free_name(struct name *name) {
  free(name->text);
  free(name->answers);
  free(name);
}

struct sim_names *sim_names_new(void) {
  return mem_new(sizeof(struct sim_names));
}

void sim_names_free(struct sim_names *names) {
  while (names && names->first) {
    struct name *name = names->first;
    names->first = name->next;
    free_name(name);
  }
  free(names);
}

static struct name **find(struct sim_names *names, const char *text) {
  struct name **at = &names->first;
  while (*at && strcasecmp((*at)->text, text) != 0)
    at = &(*at)->next;
  return at;
}

static struct mp_address *copy(const struct mp_address *list, size_t n) {
  struct mp_address *to = mem_new(n * sizeof *to);
  if (n)
    memcpy(to, list, n * sizeof *to);
  return to;
}

static int check(const struct mp_world_name *name, struct mp_fault *fault) {
  size_t length = name->name ? strlen(name->name) : 0;
  if (length < 1 || length > NAME_MAX_LENGTH)
    return fault_set(fault, MP_ECONFIG,
                     "name: expected 1 to %d characters, got %zu",
                     NAME_MAX_LENGTH, length);
  if (name->n > MP_RESOLVE_MAX)
    return fault_set(fault, MP_ECONFIG,
                     "name %s: expected at most %d addresses, got %zu",
                     name->name, MP_RESOLVE_MAX, name->n);
  if (name->delay < 0)
    return fault_set(fault, MP_ECONFIG,
                     "name %s: expected a delay of 0 or more ns, got %lld",
                     name->name, (long long)name->delay);
  return 0;
}

int mp_world_name(struct mp_world *world, const struct mp_world_name *name,
                  struct mp_fault *fault) {
  if (check(name, fault) != 0)
    return MP_ECONFIG;
  struct name **at = find(world->names, name->name);
  struct name *entry = mem_new(sizeof *entry), *old = *at;
  entry->text = mem_text(name->name);
  entry->answers = copy(name->answers, name->n);
  entry->n = name->n;
  entry->delay = name->delay;
  entry->next = old ? old->next : NULL;
  *at = entry;
  if (old)
    free_name(old);
  return 0;
}

/* --- look-ups --------------------------------------------------------------
 */
static void take_off(struct sim_query *query) {
  if (query->previous)
    query->previous->next = query->next;
  else
    query->host->queries = query->next;
  if (query->next)
    query->next->previous = query->previous;
  mp_timer_stop(&query->timer);
  query->host->world->count.lookups--;
}

static void free_query(struct sim_query *query) {
  free(query->answers);
  free(query->name);
  free(query);
}

static void answer(void *data) {
  struct sim_query *query = data;
  struct mp_resolve *resolve = query->resolve;
  struct mp_world *world = query->host->world;
  char text[MP_ADDRESS_TEXT];
  take_off(query);
  resolve->request = NULL;
  if (sim_trace_is_on(&world->trace)) {
    sim_trace_start(&world->trace, sim_elapsed(world));
    sim_trace_string(&world->trace, "at",
                     mp_address_format_ip(&query->host->ip, text));
    sim_trace_string(&world->trace, "what", "resolved");
    sim_trace_string(&world->trace, "name", query->name);
    sim_trace_number(&world->trace, "n", query->n);
    sim_trace_end(&world->trace);
  }
  resolve->done(resolve->data, query->n ? 0 : MP_EDNS, query->answers,
                query->n);
  free_query(query);
}

/* What everybody knows: localhost and numbers. */
static size_t well_known(const char *name, struct mp_address list[2]) {
  struct mp_fault ignored;
  if (strcasecmp(name, "localhost") == 0) {
    mp_address_parse(&list[0], "127.0.0.1", 0, &ignored);
    mp_address_parse(&list[1], "::1", 0, &ignored);
    return 2;
  }
  const char *colon = strchr(name, ':');
  bool has_port = name[0] == '[' || (colon && !strchr(colon + 1, ':'));
  return !has_port && mp_address_parse(&list[0], name, 0, &ignored) == 0;
}

static int64_t decide(struct sim_query *query, const char *name) {
  struct mp_address known[2];
  struct name *entry = *find(query->host->world->names, name);
  if (entry) {
    query->n = entry->n;
    query->answers = copy(entry->answers, entry->n);
    return entry->delay;
  }
  query->n = well_known(name, known);
  query->answers = copy(known, query->n);
  return DELAY;
}

int sim_resolve(struct mp_loop *loop, struct mp_resolve *resolve,
                const char *name, uint16_t port) {
  struct sim_host *host = sim_host_of(loop);
  struct sim_query *query = mem_new(sizeof *query);
  query->resolve = resolve;
  query->host = host;
  query->name = mem_text(name);
  int64_t delay = decide(query, name);
  for (size_t i = 0; i < query->n; i++)
    query->answers[i].port = port;
  query->next = host->queries;
  if (query->next)
    query->next->previous = query;
  host->queries = query;
  host->world->count.lookups++;
  mp_timer_init(&query->timer, answer, query);
  if (delay != MP_FOREVER)
    mp_timer_start(loop, &query->timer, delay);
  resolve->request = query;
  return 0;
}

static void cancel(struct sim_query *query) {
  query->resolve->request = NULL;
  take_off(query);
  free_query(query);
}

void sim_resolve_cancel(struct mp_resolve *resolve) {
  cancel(resolve->request);
}

void sim_names_close(struct sim_host *host) {
  while (host->queries)
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list is no ring */
    cancel(host->queries);
}
