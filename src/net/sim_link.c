/* sim_link - the ways between two hosts: weather and partitions. */
#include "net/sim_link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "net/sim_stream.h"
#include "net/sim_world.h"

enum { SEGMENT = 1460, SEGMENT_MAX = 1 << 24 };

#define LATENCY_MAX (3600 * MP_SECOND)

void mp_weather_init(struct mp_weather *weather) {
  *weather = (struct mp_weather){.latency = 10 * MP_MILLISECOND,
                                 .bandwidth = UINT64_MAX,
                                 .segment = SEGMENT,
                                 .lifetime = MP_FOREVER};
}

void sim_links_init(struct sim_links *links) {
  mp_weather_init(&links->all);
  mp_weather_init(&links->self);
  links->self.latency = 20 * MP_MICROSECOND;
  links->version = 1;
}

void sim_links_deinit(struct sim_links *links) {
  for (size_t i = 0; i < links->n; i++) {
    free(links->list[i]->lane[0].own);
    free(links->list[i]->lane[1].own);
    free(links->list[i]);
  }
  for (size_t i = 0; i < links->cuts_n; i++)
    free(links->cuts[i].side);
  free(links->list);
  free(links->cuts);
  sim_index_deinit(&links->by_hosts);
}

struct pair {
  const struct sim_links *links;
  const struct sim_host *a, *b;
};

static bool is_pair(const void *data, uint32_t number) {
  const struct pair *pair = data;
  const struct sim_link *link = pair->links->list[number];
  return link->host[0] == pair->a && link->host[1] == pair->b;
}

/* splitmix64's last step: numbers that lie close together are spread. */
static uint64_t hash_pair(const struct sim_host *a, const struct sim_host *b) {
  uint64_t z = (uint64_t)a->index << 32 | b->index;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

static struct sim_link *add(struct sim_links *links, struct sim_host *a,
                            struct sim_host *b) {
  struct sim_link *link = mem_new(sizeof *link);
  link->host[0] = a;
  link->host[1] = b;
  if (links->n == links->size) {
    size_t size = links->size ? links->size * 2 : 64;
    struct sim_link **list = mem_new(size * sizeof(struct sim_link *));
    if (links->n)
      memcpy(list, links->list, links->n * sizeof(struct sim_link *));
    free(links->list);
    links->list = list;
    links->size = size;
  }
  sim_index_add(&links->by_hosts, hash_pair(a, b), (uint32_t)links->n);
  return links->list[links->n++] = link;
}

struct sim_link *sim_link_between(struct mp_world *world, struct sim_host *a,
                                  struct sim_host *b) {
  struct sim_links *links = &world->links;
  bool is_in_order = a->index <= b->index;
  struct pair pair = {links, is_in_order ? a : b, is_in_order ? b : a};
  int64_t found = sim_index_find(&links->by_hosts, hash_pair(pair.a, pair.b),
                                 is_pair, &pair);
  struct sim_link *link =
      found < 0 ? add(links, is_in_order ? a : b, is_in_order ? b : a)
                : links->list[found];
  sim_link_refresh(world, link);
  return link;
}

static uint8_t side_of(const struct sim_cut *cut, const struct sim_host *host) {
  return host->index < cut->n ? cut->side[host->index] : cut->rest;
}

static bool is_cut(const struct sim_links *links, const struct sim_link *link) {
  for (size_t i = 0; i < links->cuts_n; i++)
    if (side_of(&links->cuts[i], link->host[0]) +
            side_of(&links->cuts[i], link->host[1]) ==
        3)
      return true;
  return false;
}

/* What was said about these two, about one of them, or about all. */
static const struct mp_weather *weather_of(const struct sim_links *links,
                                           const struct sim_link *link,
                                           int side) {
  const struct sim_host *from = link->host[side], *to = link->host[!side];
  if (link->lane[side].own)
    return link->lane[side].own;
  if (from == to)
    return &links->self;
  if (from->weather_from)
    return from->weather_from;
  return to->weather_to ? to->weather_to : &links->all;
}

void sim_link_refresh(struct mp_world *world, struct sim_link *link) {
  struct sim_links *links = &world->links;
  if (link->version == links->version)
    return;
  link->version = links->version;
  for (int side = 0; side < 2; side++)
    link->lane[side].weather = weather_of(links, link, side);
  link->is_cut = is_cut(links, link);
}

bool sim_chance(struct mp_world *world, double chance) {
  return chance >= 1 || (chance > 0 && rand_unit(&world->rand) < chance);
}

int64_t sim_link_signal(struct mp_world *world, struct sim_link *link,
                        int side) {
  sim_link_refresh(world, link);
  const struct mp_weather *weather = link->lane[side].weather;
  int64_t at = world->now + weather->latency;
  if (weather->jitter)
    at += (int64_t)rand_below(&world->rand, (uint64_t)weather->jitter + 1);
  return at;
}

int64_t sim_link_send(struct mp_world *world, struct sim_link *link, int side,
                      size_t n) {
  struct sim_lane *lane = &link->lane[side];
  int64_t at = sim_link_signal(world, link, side);
  uint64_t rate = lane->weather->bandwidth;
  if (rate == UINT64_MAX)
    return at;
  if (lane->free_at < world->now)
    lane->free_at = world->now;
  uint64_t part = n * UINT64_C(1000000000); /* n is a segment at most */
  lane->free_at += (int64_t)(part / rate + (part % rate != 0));
  return at + (lane->free_at - world->now);
}

/* --- what people say about links ------------------------------------------
 */
static int check_time(const char *what, int64_t time, struct mp_fault *fault) {
  if (time >= 0 && time <= LATENCY_MAX)
    return 0;
  return fault_set(fault, MP_ECONFIG,
                   "%s: expected 0 to %lld ns (1 h), got %lld ns", what,
                   (long long)LATENCY_MAX, (long long)time);
}

static int check_chance(const char *what, double chance,
                        struct mp_fault *fault) {
  if (chance >= 0 && chance <= 1)
    return 0;
  if (isnan(chance)) /* printf writes its sign, which means nothing */
    return fault_set(fault, MP_ECONFIG,
                     "%s: expected a chance of 0 to 1, got not a number", what);
  return fault_set(fault, MP_ECONFIG, "%s: expected a chance of 0 to 1, got %g",
                   what, chance);
}

static int check_chances(const struct mp_weather *weather,
                         struct mp_fault *fault) {
  const struct {
    const char *what;
    double chance;
  } list[] = {{"split", weather->split},
              {"merge", weather->merge},
              {"loss", weather->loss},
              {"refuse", weather->refuse},
              {"silence", weather->silence}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (check_chance(list[i].what, list[i].chance, fault) != 0)
      return MP_ECONFIG;
  return 0;
}

static int check_weather(const struct mp_weather *weather,
                         struct mp_fault *fault) {
  if (check_time("latency", weather->latency, fault) != 0 ||
      check_time("jitter", weather->jitter, fault) != 0 ||
      check_chances(weather, fault) != 0)
    return MP_ECONFIG;
  if (weather->bandwidth == 0)
    return fault_set(fault, MP_ECONFIG,
                     "bandwidth: expected 1 or more bytes a second, got 0");
  if (weather->segment < 1 || weather->segment > SEGMENT_MAX)
    return fault_set(fault, MP_ECONFIG,
                     "segment: expected 1 to %d bytes, got %u", SEGMENT_MAX,
                     weather->segment);
  if (weather->lifetime <= 0)
    return fault_set(fault, MP_ECONFIG,
                     "lifetime: expected more than 0 ns, got %lld",
                     (long long)weather->lifetime);
  return 0;
}

/* Puts a copy of weather, or nothing, in the place of *own. */
static void say(struct mp_weather **own, const struct mp_weather *weather) {
  free(*own);
  *own = NULL;
  if (weather) {
    *own = mem_new(sizeof **own);
    **own = *weather;
  }
}

static void say_all(struct sim_links *links, const struct mp_weather *weather) {
  if (weather)
    links->all = *weather;
  else
    mp_weather_init(&links->all);
}

static void say_pair(struct mp_world *world, struct sim_host *from,
                     struct sim_host *to, const struct mp_weather *weather) {
  struct sim_link *link = sim_link_between(world, from, to);
  say(&link->lane[link->host[0] == from ? 0 : 1].own, weather);
  if (from == to)
    say(&link->lane[1].own, weather);
}

int mp_world_link(struct mp_world *world, struct mp_loop *from,
                  struct mp_loop *to, const struct mp_weather *weather,
                  struct mp_fault *fault) {
  struct sim_host *a = NULL, *b = NULL;
  if ((from && !(a = sim_world_check(world, from, fault))) ||
      (to && !(b = sim_world_check(world, to, fault))) ||
      (weather && check_weather(weather, fault) != 0))
    return MP_ECONFIG;
  if (a && b)
    say_pair(world, a, b, weather);
  else if (a)
    say(&a->weather_from, weather);
  else if (b)
    say(&b->weather_to, weather);
  else
    say_all(&world->links, weather);
  world->links.version++;
  return 0;
}

/* --- partitions ------------------------------------------------------------
 */
static int mark(struct mp_world *world, struct sim_cut *cut,
                struct mp_hosts hosts, uint8_t side, struct mp_fault *fault) {
  for (size_t i = 0; i < hosts.n; i++) {
    struct sim_host *host = sim_world_check(world, hosts.list[i], fault);
    if (!host)
      return MP_ECONFIG;
    if (side == 2 && cut->side[host->index] == 1) {
      char text[MP_ADDRESS_TEXT];
      return fault_set(fault, MP_ECONFIG,
                       "partition: expected two sides, got %s on both",
                       mp_address_format_ip(&host->ip, text));
    }
    cut->side[host->index] = side;
  }
  return 0;
}

static void trace(struct mp_world *world, const char *what, int id) {
  if (!sim_trace_is_on(&world->trace))
    return;
  sim_trace_start(&world->trace, sim_elapsed(world));
  sim_trace_string(&world->trace, "what", what);
  sim_trace_number(&world->trace, "id", (uint64_t)id);
  sim_trace_end(&world->trace);
}

int mp_world_partition(struct mp_world *world, struct mp_hosts a,
                       struct mp_hosts b, struct mp_fault *fault) {
  struct sim_links *links = &world->links;
  struct sim_cut cut = {.n = world->hosts_n, .rest = b.n ? 0 : 2};
  if (!a.n)
    return fault_set(fault, MP_ECONFIG,
                     "partition: expected at least one host, got none");
  cut.side = mem_new(cut.n);
  memset(cut.side, cut.rest, cut.n);
  if (mark(world, &cut, a, 1, fault) != 0 ||
      mark(world, &cut, b, 2, fault) != 0) {
    free(cut.side);
    return MP_ECONFIG;
  }
  struct sim_cut *cuts = mem_new((links->cuts_n + 1) * sizeof *cuts);
  if (links->cuts_n)
    memcpy(cuts, links->cuts, links->cuts_n * sizeof *cuts);
  free(links->cuts);
  links->cuts = cuts;
  cut.id = ++links->last_cut;
  links->cuts[links->cuts_n++] = cut;
  links->version++;
  trace(world, "partition", cut.id);
  return cut.id;
}

void mp_world_heal(struct mp_world *world, int partition) {
  struct sim_links *links = &world->links;
  size_t kept = 0;
  for (size_t i = 0; i < links->cuts_n; i++)
    if (partition && links->cuts[i].id != partition)
      links->cuts[kept++] = links->cuts[i];
    else
      free(links->cuts[i].side);
  if (kept == links->cuts_n)
    return;
  links->cuts_n = kept;
  links->version++;
  trace(world, "heal", partition);
  for (size_t i = 0; i < world->hosts_n; i++)
    sim_streams_resume(world->hosts[i]);
}
