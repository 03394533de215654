/* network - which Bitcoin network is spoken: a name, a magic, a port. */
#ifndef MOONPEER_NETWORK_H
#define MOONPEER_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MP_NETWORK_NAME = 24, MP_NETWORK_SEEDS = 16, MP_COMMAND_SIZE = 12 };

/* A payload limit of one command, in bytes. */
struct mp_network_limit {
  const char *command;
  uint64_t bytes;
};

/* Plain data; strings and lists are borrowed and live as long as whatever was
 * given the network. */
struct mp_network {
  char name[MP_NETWORK_NAME];
  uint8_t magic[4]; /* in the order they stand on the wire */
  uint16_t port;
  uint8_t genesis[32];                 /* wire order; zero when not known */
  const char *seeds[MP_NETWORK_SEEDS]; /* DNS names; unused ones are NULL */
  bool checks_user_agent; /* others share it: see the stock policies */
  uint64_t max_payload;   /* of a command without a limit of its own */
  const struct mp_network_limit *limits; /* ends with a NULL command */
};

/* mainnet, testnet, stn, regtest of Bitcoin SV, and those of its neighbours
 * (btc-main, btc-testnet3, btc-testnet4, btc-signet, btc-regtest, bch-main,
 * teratestnet ...); NULL for a name nobody has. Static. */
const struct mp_network *mp_network_find(const char *name);

/* All of them, in a fixed order. */
const struct mp_network *mp_network_list(size_t *n);

/* The largest payload of a command, in bytes. */
uint64_t mp_network_limit(const struct mp_network *network,
                          const char *command);

#endif
