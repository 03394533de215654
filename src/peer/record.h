/* record - how a peer lies in memory: 104 bytes and, for those that need it,
 * an extra. */
#ifndef PEER_RECORD_H
#define PEER_RECORD_H

#include "base/memory.h"
#include "moonpeer/peer.h"

enum { RECORD_SECOND = 1000000000 };

enum record_flag {
  RECORD_COVERED = 1,     /* banned because a ban of the list covers it */
  RECORD_SECOND_LIST = 2, /* of the two lists of its status */
};

/* What only peers we talked to have, and scripts' fields. One block; the texts
 * follow, each with a terminator. */
struct extra {
  int32_t protocol_version, start_height;
  uint32_t agent_size, data_size, unknown_size; /* no terminators */
  char texts[];                                 /* agent, data, unknown */
};

/* Times are seconds since 1970; slots are numbers above 0. */
struct mp_peer {
  uint8_t id[MP_UUID_SIZE];
  struct mp_address address;
  unsigned status : 2, reason : 3, source_kind : 3, failures : 8, flags : 8;
  uint16_t source_port;
  uint64_t services;
  uint32_t status_time, first_seen, last_seen, last_tried;
  uint32_t next, previous; /* in the list of its status; free slots: next */
  uint32_t place;          /* in its group */
  uint32_t rtt;            /* microseconds */
  uint8_t source_ip[16];
  struct extra *extra; /* or NULL */
};

_Static_assert(sizeof(struct mp_peer) <= 104, "a million of them lie about");

/* A peer of which only the address is known; its id is not set. */
void record_init(struct mp_peer *peer, const struct mp_address *address);

/* Checks a change for values out of range. 0 or MP_ECONFIG. */
int record_check(const struct mp_peer_change *change, struct mp_fault *fault);

/* The fields of a change that are asked for, but status, reason and their
 * time. 0 or MP_ELIMIT, with nothing changed. */
int record_apply(struct mp_peer *peer, const struct mp_peer_change *change,
                 unsigned fields, const struct mp_memory *memory);

/* The whole of a peer as a change that would make it; texts are borrowed. */
void record_describe(const struct mp_peer *peer, struct mp_peer_change *change);

/* A copy with an extra of its own. 0 or MP_ELIMIT. */
int record_copy(struct mp_peer *to, const struct mp_peer *from,
                const struct mp_memory *memory);
void record_deinit(struct mp_peer *peer, const struct mp_memory *memory);

/* Seconds of a time, 0 for what is before 1970, the largest for what is after
 * 2106. */
uint32_t record_seconds(int64_t time);

/* When it last did anything worth keeping it for. */
uint32_t record_fresh(const struct mp_peer *peer);

#endif
