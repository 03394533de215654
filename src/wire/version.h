/* version - the payloads that the handshake and the keepalive are made of.
 * Facts: bitcoin-sv 1.2.2, src/net/net_processing.cpp. */
#ifndef WIRE_VERSION_H
#define WIRE_VERSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "moonpeer/error.h"
#include "moonpeer/version.h"

enum { NONCE_SIZE = 8 }; /* the payload of ping and pong */

/* Reads a version payload. The fields up to addr_recv must be there; then
 * addr_from with nonce, user_agent, start_height, relay and association_id
 * may each be missing at the end, and get the node's defaults: nonce 1, no
 * user agent, height -1, relay true, no association. What follows is ignored.
 * 0, or MP_EPROTOCOL with the field and its offset in fault. */
int version_decode(struct mp_version *version, const uint8_t *payload, size_t n,
                   struct mp_fault *fault);

/* Appends the payload, association_id only when there is one. 0, or MP_ELIMIT
 * when there is no memory or a field is longer than it may be: then out is as
 * it was. */
int version_put(struct buf *out, const struct mp_version *version);

/* The nonce of a ping or pong: its first eight bytes. 0 or MP_EPROTOCOL. */
int nonce_decode(uint64_t *nonce, const uint8_t *payload, size_t n,
                 struct mp_fault *fault);
void nonce_put(uint8_t payload[NONCE_SIZE], uint64_t nonce);

#endif
