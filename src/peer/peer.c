/* peer - reading a peer; names of what its fields can be. */
#include "moonpeer/peer.h"

#include <string.h>

#include "base/uuid.h"
#include "peer/record.h"

static const char *const status_names[MP_STATUS_COUNT] = {
    [MP_STATUS_UNKNOWN] = "unknown",
    [MP_STATUS_VALID] = "valid",
    [MP_STATUS_INACCESSIBLE] = "inaccessible",
    [MP_STATUS_BANNED] = "banned",
};

static const char *const reason_names[MP_REASON_COUNT] = {
    [MP_REASON_NONE] = "",
    [MP_REASON_NETWORK_MISMATCH] = "network_mismatch",
    [MP_REASON_BLOCKCHAIN_MISMATCH] = "blockchain_mismatch",
    [MP_REASON_BANNED_USER_AGENT] = "banned_user_agent",
    [MP_REASON_MISBEHAVIOUR] = "misbehaviour",
    [MP_REASON_MANUAL] = "manual",
};

static const char *const source_names[MP_SOURCE_COUNT] = {
    [MP_SOURCE_NONE] = "",           [MP_SOURCE_MANUAL] = "manual",
    [MP_SOURCE_DNS] = "dns",         [MP_SOURCE_PEER] = "peer",
    [MP_SOURCE_INBOUND] = "inbound",
};

static const char *name_at(const char *const *names, int n, int at) {
  return at >= 0 && at < n ? names[at] : "invalid";
}

static int value_of(const char *const *names, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}

const char *mp_status_name(enum mp_status status) {
  return name_at(status_names, MP_STATUS_COUNT, (int)status);
}

int mp_status_value(const char *name) {
  return value_of(status_names, MP_STATUS_COUNT, name);
}

const char *mp_ban_reason_name(enum mp_ban_reason reason) {
  return name_at(reason_names, MP_REASON_COUNT, (int)reason);
}

int mp_ban_reason_value(const char *name) {
  return value_of(reason_names, MP_REASON_COUNT, name);
}

const char *mp_source_kind_name(enum mp_source_kind kind) {
  return name_at(source_names, MP_SOURCE_COUNT, (int)kind);
}

int mp_source_kind_value(const char *name) {
  return value_of(source_names, MP_SOURCE_COUNT, name);
}

enum mp_ban_reason mp_ban_reason_of(int code) {
  int reason = mp_ban_reason_value(mp_error_name(code));
  return reason > 0 ? (enum mp_ban_reason)reason : MP_REASON_MISBEHAVIOUR;
}

char *mp_uuid_format(const uint8_t id[MP_UUID_SIZE], char text[MP_UUID_TEXT]) {
  return uuid_format(id, text);
}

bool mp_uuid_parse(uint8_t id[MP_UUID_SIZE], const char *text) {
  return uuid_parse(id, text);
}

static int64_t nanoseconds(uint32_t seconds) {
  return (int64_t)seconds * RECORD_SECOND;
}

const uint8_t *mp_peer_id(const struct mp_peer *peer) {
  return peer->id;
}

void mp_peer_address(const struct mp_peer *peer, struct mp_address *address) {
  *address = peer->address;
}

enum mp_status mp_peer_status(const struct mp_peer *peer) {
  return (enum mp_status)peer->status;
}

int64_t mp_peer_status_time(const struct mp_peer *peer) {
  return nanoseconds(peer->status_time);
}

enum mp_ban_reason mp_peer_ban_reason(const struct mp_peer *peer) {
  return (enum mp_ban_reason)peer->reason;
}

bool mp_peer_is_valid(const struct mp_peer *peer) {
  return peer->status == MP_STATUS_VALID;
}

bool mp_peer_is_inaccessible(const struct mp_peer *peer) {
  return peer->status == MP_STATUS_INACCESSIBLE;
}

bool mp_peer_is_banned(const struct mp_peer *peer) {
  return peer->status == MP_STATUS_BANNED;
}

void mp_peer_source(const struct mp_peer *peer, struct mp_source *source) {
  source->kind = (enum mp_source_kind)peer->source_kind;
  memcpy(source->address.ip, peer->source_ip, sizeof peer->source_ip);
  source->address.port = peer->source_port;
}

uint64_t mp_peer_services(const struct mp_peer *peer) {
  return peer->services;
}

int32_t mp_peer_protocol_version(const struct mp_peer *peer) {
  return peer->extra ? peer->extra->protocol_version : 0;
}

int32_t mp_peer_start_height(const struct mp_peer *peer) {
  return peer->extra ? peer->extra->start_height : 0;
}

int64_t mp_peer_first_seen(const struct mp_peer *peer) {
  return nanoseconds(peer->first_seen);
}

int64_t mp_peer_last_seen(const struct mp_peer *peer) {
  return nanoseconds(peer->last_seen);
}

int64_t mp_peer_last_tried(const struct mp_peer *peer) {
  return nanoseconds(peer->last_tried);
}

unsigned mp_peer_failures(const struct mp_peer *peer) {
  return peer->failures;
}

int64_t mp_peer_rtt(const struct mp_peer *peer) {
  return (int64_t)peer->rtt * 1000;
}

const char *mp_peer_user_agent(const struct mp_peer *peer, size_t *size) {
  if (size)
    *size = peer->extra ? peer->extra->agent_size : 0;
  return peer->extra ? peer->extra->texts : "";
}

const char *mp_peer_data(const struct mp_peer *peer) {
  const struct extra *extra = peer->extra;
  return extra ? extra->texts + extra->agent_size + 1 : "";
}

const char *mp_peer_unknown(const struct mp_peer *peer) {
  const struct extra *extra = peer->extra;
  return extra ? extra->texts + extra->agent_size + 1 + extra->data_size + 1
               : "";
}
