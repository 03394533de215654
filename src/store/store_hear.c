/* store_hear - addresses that others tell us of, within limits. */
#include "base/fault.h"
#include "store/store.h"

static int refuse(struct mp_fault *fault, const struct mp_source *source,
                  const char *why) {
  char text[MP_ADDRESS_TEXT];
  return fault_set(fault, MP_ELIMIT, "%s %s",
                   mp_address_format_ip(&source->address, text), why);
}

static bool is_limited(const struct mp_source *source) {
  return source->kind == MP_SOURCE_PEER || source->kind == MP_SOURCE_INBOUND;
}

/* The port is left out: it changes with every connection. */
static uint64_t rate_key(const struct mp_store *store,
                         const struct mp_source *source) {
  struct mp_group whole = {.size = 17, .bytes = {4}};
  for (int i = 0; i < 16; i++)
    whole.bytes[1 + i] = source->address.ip[i];
  return peer_key_of_group(&store->peers, &whole);
}

static int check_counts(struct mp_store *store,
                        const struct mp_address *address,
                        const struct mp_source *source,
                        struct mp_fault *fault) {
  const struct source_counts *counts = &store->peers.sources;
  uint64_t from = peer_group_key(&store->peers, &source->address);
  uint64_t to = peer_group_key(&store->peers, address);
  if (source_count(counts, from) >= MP_STORE_PER_SOURCE)
    return refuse(fault, source, "and its group have named enough peers");
  if (source_pair_count(counts, from, to) >= MP_STORE_PER_BUCKET)
    return refuse(fault, source, "and its group have named enough peers there");
  return 0;
}

/* Hearsay does not displace a peer that has worked, or a ban's memory. */
static int check_room(struct mp_store *store, const struct mp_source *source,
                      struct mp_fault *fault) {
  if (store->peers.count < store->capacity)
    return 0;
  const struct mp_peer *victim =
      peer_at(&store->peers, peer_victim(&store->peers));
  if (victim->last_seen || victim->status == MP_STATUS_BANNED)
    return refuse(fault, source,
                  "named a peer, but better ones fill the store");
  return 0;
}

int mp_store_hear(struct mp_store *store, const struct mp_peer **peer,
                  const struct mp_hearsay *hearsay, int64_t now,
                  struct mp_fault *fault) {
  const struct mp_address *address = hearsay->address;
  const struct mp_source *source = hearsay->source;
  struct mp_peer_change change = {.fields = MP_PEER_SOURCE | MP_PEER_SERVICES,
                                  .source = *source,
                                  .services = hearsay->services};
  bool is_known = peer_find(&store->peers, address) != 0;
  int rc = 0;
  if (peer)
    *peer = NULL;
  if (is_limited(source)) { /* what is known costs a token too */
    if (source_take(&store->rates, rate_key(store, source), now))
      rc = refuse(fault, source, "names peers too fast");
    else if (!is_known)
      rc = check_counts(store, address, source, fault);
  }
  if (rc == 0 && !is_known)
    rc = check_room(store, source, fault);
  if (rc)
    return rc;
  return mp_store_create(
      store, peer, &(struct mp_peer_new){.address = address, .change = &change},
      now, fault);
}

void mp_store_expect(struct mp_store *store, const struct mp_source *source,
                     unsigned n, int64_t now) {
  source_grant(&store->rates, rate_key(store, source), n, now);
}
