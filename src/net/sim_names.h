/* sim_names - what names resolve to in a world. */
#ifndef NET_SIM_NAMES_H
#define NET_SIM_NAMES_H

#include "net/sim_world.h"

struct sim_names;

struct sim_names *sim_names_new(void);
void sim_names_free(struct sim_names *names);

int sim_resolve(struct mp_loop *loop, struct mp_resolve *resolve,
                const char *name, uint16_t port);
void sim_resolve_cancel(struct mp_resolve *resolve);

/* Cancels all of a host's. */
void sim_names_close(struct sim_host *host);

#endif
