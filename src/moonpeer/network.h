/* network - which Bitcoin network is spoken: a name, a magic, a port. The facts
 * of the built-in ones: bitcoin-sv 1.2.2, chainparams.cpp and protocol.cpp;
 * those of the neighbours: Bitcoin Core 28.1, Bitcoin Cash Node 28.0.1,
 * go-wire, go-chaincfg. */
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

/* Plain data; seeds and limits are borrowed for as long as whatever was given
 * the network lives. */
struct mp_network {
  char name[MP_NETWORK_NAME];          /* with a terminator */
  uint8_t magic[4];                    /* in the order they stand on the wire */
  uint16_t port;                       /* where its nodes listen */
  uint8_t genesis[32];                 /* wire order; zero when not known */
  const char *seeds[MP_NETWORK_SEEDS]; /* DNS names; unused ones are NULL */
  bool checks_user_agent; /* others share it: see the stock policies */
  uint64_t max_payload;   /* bytes, of a command without a limit of its own */
  const struct mp_network_limit *limits; /* ends with a NULL command; or NULL */
};

/* mainnet, testnet, stn, regtest of Bitcoin SV, and those of its neighbours
 * (btc-main, btc-testnet3, btc-testnet4, btc-signet, btc-regtest, bch-main,
 * teratestnet ...); NULL for a name nobody has. Static. */
const struct mp_network *mp_network_find(const char *name);

/* All *n of them, in a fixed order. Static. */
const struct mp_network *mp_network_list(size_t *n);

/* The largest payload of a command, in bytes. */
uint64_t mp_network_limit(const struct mp_network *network,
                          const char *command);

#endif
