/* sim_link - the ways between two hosts: weather and partitions. */
#ifndef NET_SIM_LINK_H
#define NET_SIM_LINK_H

#include "moonpeer/world.h"
#include "net/sim_index.h"

struct sim_host;

/* One way between two hosts. */
struct sim_lane {
  const struct mp_weather *weather;
  struct mp_weather *own; /* NULL: nothing was said about these two */
  int64_t free_at;        /* when all that was sent has left */
};

/* lane[i] leads from host[i] to the other. A host has one with itself, too. */
struct sim_link {
  struct sim_host *host[2];
  struct sim_lane lane[2];
  uint64_t version;
  bool is_cut;
};

/* Hosts by their number: on side 1, side 2 or neither. */
struct sim_cut {
  int id;
  uint8_t *side;
  size_t n;
  uint8_t rest; /* the side of hosts with a higher number */
};

struct sim_links {
  struct sim_link **list;
  size_t n, size;
  struct sim_index by_hosts;
  struct mp_weather all, self;
  uint64_t version; /* what links know about weather and cuts is of this one */
  struct sim_cut *cuts;
  size_t cuts_n;
  int last_cut;
};

void sim_links_init(struct sim_links *links);
void sim_links_deinit(struct sim_links *links);

/* The link between two hosts, up to date; stays where it is. */
struct sim_link *sim_link_between(struct mp_world *world, struct sim_host *a,
                                  struct sim_host *b);

/* Brings what a link knows up to date. */
void sim_link_refresh(struct mp_world *world, struct sim_link *link);

/* When n bytes sent now by host[side] arrive; the lane is busy till then. */
int64_t sim_link_send(struct mp_world *world, struct sim_link *link, int side,
                      size_t n);

/* The same for what has no size: dials, ends and acknowledgements. */
int64_t sim_link_signal(struct mp_world *world, struct sim_link *link,
                        int side);

/* True with this chance; no number is drawn for 0 and 1. */
bool sim_chance(struct mp_world *world, double chance);

#endif
