/* version - what a peer says of itself in its version message. */
#ifndef MOONPEER_VERSION_H
#define MOONPEER_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"

enum { MP_USER_AGENT = 256, MP_ASSOCIATION_ID = 129 };

/* A decoded version message, or the fields of one to send (facts: bitcoin-sv
 * 1.2.2, net_processing.cpp, ProcessVersionMessage). Nothing in it is trusted:
 * any byte may stand in the user agent. */
struct mp_version {
  int32_t version;   /* of the protocol */
  uint64_t services; /* bits */
  int64_t timestamp; /* seconds since 1970, as claimed */
  uint64_t recv_services, from_services;
  struct mp_address addr_recv, addr_from;
  uint64_t nonce; /* by which one who dials himself knows it */
  char user_agent[MP_USER_AGENT + 1]; /* with a terminator */
  size_t user_agent_size;
  int32_t start_height; /* as claimed */
  bool relay;           /* whether it wants transactions announced (BIP 37) */
  bool has_association_id; /* the field was there, perhaps empty */
  uint8_t association_id[MP_ASSOCIATION_ID];
  size_t association_id_size;
};

#endif
