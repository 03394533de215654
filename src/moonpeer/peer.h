/* peer - a remembered remote: who it is, where, and what became of it.
 *
 * Peers live in a store (moonpeer/store.h) and are changed only through it;
 * here is how to read them. All times are nanoseconds of wall time since 1970,
 * kept to the whole second; 0 is "never". */
#ifndef MOONPEER_PEER_H
#define MOONPEER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"

enum mp_status {
  MP_STATUS_UNKNOWN,      /* nothing is known, or it is too long ago */
  MP_STATUS_VALID,        /* it has shaken hands */
  MP_STATUS_INACCESSIBLE, /* tried in vain; unknown after inaccessible_time */
  MP_STATUS_BANNED,       /* refused until its ban ends; then unknown */
  MP_STATUS_COUNT,
};

/* Why a peer is banned. */
enum mp_ban_reason {
  MP_REASON_NONE, /* not banned */
  MP_REASON_NETWORK_MISMATCH,
  MP_REASON_BLOCKCHAIN_MISMATCH,
  MP_REASON_BANNED_USER_AGENT,
  MP_REASON_MISBEHAVIOUR,
  MP_REASON_MANUAL,
  MP_REASON_COUNT,
};

/* Who told us of a peer. */
enum mp_source_kind {
  MP_SOURCE_NONE,
  MP_SOURCE_MANUAL,  /* an operator, a script, a configuration */
  MP_SOURCE_DNS,     /* a seed's answer */
  MP_SOURCE_PEER,    /* an addr message; the address is the sender's */
  MP_SOURCE_INBOUND, /* the peer itself, by dialling us */
  MP_SOURCE_COUNT,
};

struct mp_source {
  enum mp_source_kind kind;
  struct mp_address address; /* zero when the kind has none */
};

enum {
  MP_UUID_SIZE = 16,
  MP_UUID_TEXT = 37,        /* with its terminator */
  MP_PEER_USER_AGENT = 256, /* bytes kept, at most */
  MP_PEER_DATA = 65536,     /* bytes of user fields, at most */
  MP_PEER_FAILURES = 255,   /* counts no further */
  MP_GROUP_SIZE = 17,
};

/* A network group: two addresses are of one group when their bytes are the
 * same. */
struct mp_group {
  uint8_t size;
  uint8_t bytes[MP_GROUP_SIZE]; /* zero behind size */
};

/* Names as they stand in Lua and in files: "unknown", "network_mismatch",
 * "peer". Static; "invalid" for what is out of range. Back: the value, or -1
 * for a name nobody has. The reason and source "none" are "". */
const char *mp_status_name(enum mp_status status);
int mp_status_value(const char *name);
const char *mp_ban_reason_name(enum mp_ban_reason reason);
int mp_ban_reason_value(const char *name);
const char *mp_source_kind_name(enum mp_source_kind kind);
int mp_source_kind_value(const char *name);

/* The reason that stands for an error code: its own where it is one of the
 * five, else misbehaviour. */
enum mp_ban_reason mp_ban_reason_of(int code);

/* "3f2a...-..." in lower case; returns text. Back: false when it is none (any
 * UUID is taken, not only of version 4). */
char *mp_uuid_format(const uint8_t id[MP_UUID_SIZE], char text[MP_UUID_TEXT]);
bool mp_uuid_parse(uint8_t id[MP_UUID_SIZE], const char *text);

/* A peer in a store. The pointer is good until the peer is deleted, which a
 * listener is told, or the store is closed; keep the id for longer. */
struct mp_peer;

/* Its MP_UUID_SIZE bytes, borrowed as long as the peer. */
const uint8_t *mp_peer_id(const struct mp_peer *peer);
void mp_peer_address(const struct mp_peer *peer, struct mp_address *address);
enum mp_status mp_peer_status(const struct mp_peer *peer);
/* When the status was last set. */
int64_t mp_peer_status_time(const struct mp_peer *peer);
enum mp_ban_reason mp_peer_ban_reason(const struct mp_peer *peer);
bool mp_peer_is_valid(const struct mp_peer *peer);
bool mp_peer_is_inaccessible(const struct mp_peer *peer);
bool mp_peer_is_banned(const struct mp_peer *peer);
void mp_peer_source(const struct mp_peer *peer, struct mp_source *source);
/* What it, or who told us of it, claims; 0 when nothing is known. */
uint64_t mp_peer_services(const struct mp_peer *peer);
int32_t mp_peer_protocol_version(const struct mp_peer *peer);
int32_t mp_peer_start_height(const struct mp_peer *peer);
/* When it came into the store. */
int64_t mp_peer_first_seen(const struct mp_peer *peer);
/* When a connection to it last worked; 0 for one that never did. */
int64_t mp_peer_last_seen(const struct mp_peer *peer);
/* When it was last dialled. */
int64_t mp_peer_last_tried(const struct mp_peer *peer);
/* In a row, since it worked: 0 .. MP_PEER_FAILURES. */
unsigned mp_peer_failures(const struct mp_peer *peer);
/* The last round trip, nanoseconds kept to the microsecond; 0 when unknown. */
int64_t mp_peer_rtt(const struct mp_peer *peer);
/* Any bytes; borrowed until the peer changes. Never NULL. */
const char *mp_peer_user_agent(const struct mp_peer *peer, size_t *size);
/* The user fields, a JSON object as text, "" for none; borrowed likewise. */
const char *mp_peer_data(const struct mp_peer *peer);
/* Fields of a file that we do not know, likewise. They are saved again. */
const char *mp_peer_unknown(const struct mp_peer *peer);

/* Which members of a change count. */
enum {
  MP_PEER_STATUS = 1 << 0,
  MP_PEER_BAN_REASON = 1 << 1,
  MP_PEER_SOURCE = 1 << 2,
  MP_PEER_SERVICES = 1 << 3,
  MP_PEER_PROTOCOL_VERSION = 1 << 4,
  MP_PEER_START_HEIGHT = 1 << 5,
  MP_PEER_FIRST_SEEN = 1 << 6,
  MP_PEER_LAST_SEEN = 1 << 7,
  MP_PEER_LAST_TRIED = 1 << 8,
  MP_PEER_FAILURES_COUNT = 1 << 9,
  MP_PEER_RTT = 1 << 10,
  MP_PEER_AGENT = 1 << 11,
  MP_PEER_DATA_TEXT = 1 << 12,
  MP_PEER_UNKNOWN_TEXT = 1 << 13, /* when loading only */
  MP_PEER_STATUS_TIME = 1 << 14,  /* when loading only */
};

/* What to change, or what a new peer has; {0} changes nothing. Times are from
 * 1970 to 2106. Texts are borrowed until the call returns. */
struct mp_peer_change {
  unsigned fields; /* MP_PEER_... or'ed */
  enum mp_status status;
  enum mp_ban_reason ban_reason; /* manual when banned without one */
  struct mp_source source;
  uint64_t services;
  int32_t protocol_version;
  int32_t start_height;
  int64_t first_seen, last_seen, last_tried, status_time;
  unsigned failures;      /* more than MP_PEER_FAILURES count as so many */
  int64_t rtt;            /* nanoseconds, up to 4,294 s */
  const char *user_agent; /* any bytes */
  size_t user_agent_size; /* more than MP_PEER_USER_AGENT are cut */
  const char *data;       /* a JSON object of MP_PEER_DATA bytes at most, or ""
                           * for none */
  const char *unknown;
};

/* The group of an address (its port is not looked at): /16 for IPv4 and what
 * carries it (6to4, Teredo, NAT64), /32 for IPv6 (/36 at he.net); what is not
 * routable is a group of its own. */
void mp_group_of(const struct mp_address *address, struct mp_group *group);

/* The bytes the reference implementation computes (bitcoin-sv 1.2.2,
 * netaddress.cpp, GetGroup): the same, but all that is not routable is one
 * group, 00. */
void mp_group_reference(const struct mp_address *address,
                        struct mp_group *group);

/* As there: whether anybody can have this ip (not all zero or all ones, nor for
 * documentation, 2001:db8::/32), and whether the Internet has a way to it (not
 * private, local, shared or for tests either). */
bool mp_address_is_valid(const struct mp_address *address);
bool mp_address_is_routable(const struct mp_address *address);

#endif
