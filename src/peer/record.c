/* record - making and changing what a peer is in memory. */
#include "peer/record.h"

#include <string.h>

#include "base/fault.h"

enum {
  IN_EXTRA = MP_PEER_PROTOCOL_VERSION | MP_PEER_START_HEIGHT | MP_PEER_AGENT |
             MP_PEER_DATA_TEXT | MP_PEER_UNKNOWN_TEXT
};

uint32_t record_seconds(int64_t time) {
  int64_t seconds = time / RECORD_SECOND;
  if (seconds < 0)
    return 0;
  return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

uint32_t record_fresh(const struct mp_peer *peer) {
  uint32_t fresh = peer->last_seen ? peer->last_seen : peer->first_seen;
  return fresh > peer->status_time || !peer->last_seen ? fresh
                                                       : peer->status_time;
}

/* Member by member: compilers clear a whole struct by an instruction that takes
 * longer than all else here. */
void record_init(struct mp_peer *peer, const struct mp_address *address) {
  peer->address = *address;
  peer->status = peer->reason = peer->source_kind = 0;
  peer->failures = peer->flags = 0;
  peer->source_port = 0;
  peer->services = 0;
  peer->status_time = peer->first_seen = peer->last_seen = 0;
  peer->last_tried = peer->rtt = 0;
  peer->next = peer->previous = peer->place = 0;
  memset(peer->source_ip, 0, sizeof peer->source_ip);
  peer->extra = NULL;
}

static int check_time(const char *name, int64_t time, struct mp_fault *fault) {
  if (time >= 0 && time / RECORD_SECOND <= UINT32_MAX)
    return 0;
  return fault_set(fault, MP_ECONFIG,
                   "%s: expected a time between 1970 and 2106, got %lld ns",
                   name, (long long)time);
}

static int check_times(const struct mp_peer_change *change,
                       struct mp_fault *fault) {
  const struct {
    unsigned field;
    const char *name;
    int64_t time;
  } times[] = {
      {MP_PEER_FIRST_SEEN, "first_seen", change->first_seen},
      {MP_PEER_LAST_SEEN, "last_seen", change->last_seen},
      {MP_PEER_LAST_TRIED, "last_tried", change->last_tried},
      {MP_PEER_STATUS_TIME, "status_time", change->status_time},
  };
  int rc = 0;
  for (size_t i = 0; i < sizeof times / sizeof *times && !rc; i++)
    if (change->fields & times[i].field)
      rc = check_time(times[i].name, times[i].time, fault);
  return rc;
}

static int check_names(const struct mp_peer_change *change,
                       struct mp_fault *fault) {
  unsigned fields = change->fields;
  if (fields & MP_PEER_STATUS && (unsigned)change->status >= MP_STATUS_COUNT)
    return fault_set(fault, MP_ECONFIG, "status: no such status, %d",
                     (int)change->status);
  if (fields & MP_PEER_BAN_REASON &&
      (unsigned)change->ban_reason >= MP_REASON_COUNT)
    return fault_set(fault, MP_ECONFIG, "ban_reason: no such reason, %d",
                     (int)change->ban_reason);
  if (fields & MP_PEER_SOURCE &&
      (unsigned)change->source.kind >= MP_SOURCE_COUNT)
    return fault_set(fault, MP_ECONFIG, "source: no such kind, %d",
                     (int)change->source.kind);
  return 0;
}

int record_check(const struct mp_peer_change *change, struct mp_fault *fault) {
  int rc = check_names(change, fault);
  if (rc == 0)
    rc = check_times(change, fault);
  if (rc)
    return rc;
  if (change->fields & MP_PEER_RTT &&
      (change->rtt < 0 || change->rtt / 1000 > UINT32_MAX))
    return fault_set(fault, MP_ECONFIG,
                     "rtt: expected 0 to 4294 s, got %lld ns",
                     (long long)change->rtt);
  if (change->fields & MP_PEER_DATA_TEXT && strlen(change->data) > MP_PEER_DATA)
    return fault_set(fault, MP_ECONFIG, "data: expected %d bytes at most",
                     MP_PEER_DATA);
  return 0;
}

static size_t extra_bytes(const struct extra *extra) {
  return sizeof *extra + extra->agent_size + 1 + extra->data_size + 1 +
         extra->unknown_size + 1;
}

static char *put_text(char *to, const char *text, size_t n) {
  memcpy(to, text, n);
  to[n] = '\0';
  return to + n + 1;
}

/* The sizes and numbers of a full description; nothing in it needs an extra
 * when all are empty. */
static struct extra head_of(const struct mp_peer_change *all) {
  size_t agent = all->user_agent_size;
  return (struct extra){
      .protocol_version = all->protocol_version,
      .start_height = all->start_height,
      .agent_size =
          (uint32_t)(agent < MP_PEER_USER_AGENT ? agent : MP_PEER_USER_AGENT),
      .data_size = (uint32_t)strlen(all->data),
      .unknown_size = (uint32_t)strlen(all->unknown),
  };
}

/* Takes what the change says of the extra's fields over into a description. */
static void merge(struct mp_peer_change *all,
                  const struct mp_peer_change *change, unsigned fields) {
  if (fields & MP_PEER_PROTOCOL_VERSION)
    all->protocol_version = change->protocol_version;
  if (fields & MP_PEER_START_HEIGHT)
    all->start_height = change->start_height;
  if (fields & MP_PEER_AGENT) {
    all->user_agent = change->user_agent;
    all->user_agent_size = change->user_agent_size;
  }
  if (fields & MP_PEER_DATA_TEXT)
    all->data = change->data;
  if (fields & MP_PEER_UNKNOWN_TEXT)
    all->unknown = change->unknown;
}

static int apply_extra(struct mp_peer *peer,
                       const struct mp_peer_change *change, unsigned fields,
                       const struct mp_memory *memory) {
  struct mp_peer_change all;
  struct extra *made = NULL;
  record_describe(peer, &all);
  merge(&all, change, fields);
  struct extra head = head_of(&all);
  if (head.protocol_version || head.start_height || head.agent_size ||
      head.data_size || head.unknown_size) {
    made = memory_get(memory, extra_bytes(&head));
    if (!made)
      return MP_ELIMIT;
    *made = head;
    char *end = put_text(made->texts, all.user_agent, head.agent_size);
    end = put_text(end, all.data, head.data_size);
    put_text(end, all.unknown, head.unknown_size);
  }
  record_deinit(peer, memory);
  peer->extra = made;
  return 0;
}

int record_apply(struct mp_peer *peer, const struct mp_peer_change *change,
                 unsigned fields, const struct mp_memory *memory) {
  fields &= change->fields;
  if (fields & IN_EXTRA && apply_extra(peer, change, fields, memory))
    return MP_ELIMIT;
  if (fields & MP_PEER_SOURCE) {
    peer->source_kind = change->source.kind & 7;
    peer->source_port = change->source.address.port;
    memcpy(peer->source_ip, change->source.address.ip, sizeof peer->source_ip);
  }
  if (fields & MP_PEER_SERVICES)
    peer->services = change->services;
  if (fields & MP_PEER_FIRST_SEEN)
    peer->first_seen = record_seconds(change->first_seen);
  if (fields & MP_PEER_LAST_SEEN)
    peer->last_seen = record_seconds(change->last_seen);
  if (fields & MP_PEER_LAST_TRIED)
    peer->last_tried = record_seconds(change->last_tried);
  if (fields & MP_PEER_FAILURES_COUNT)
    peer->failures = (change->failures < MP_PEER_FAILURES ? change->failures
                                                          : MP_PEER_FAILURES) &
                     255;
  if (fields & MP_PEER_RTT)
    peer->rtt = (uint32_t)(change->rtt / 1000);
  return 0;
}

void record_describe(const struct mp_peer *peer,
                     struct mp_peer_change *change) {
  size_t agent_size;
  const char *agent = mp_peer_user_agent(peer, &agent_size);
  *change = (struct mp_peer_change){
      .fields = UINT32_MAX,
      .status = mp_peer_status(peer),
      .ban_reason = mp_peer_ban_reason(peer),
      .services = peer->services,
      .protocol_version = mp_peer_protocol_version(peer),
      .start_height = mp_peer_start_height(peer),
      .first_seen = mp_peer_first_seen(peer),
      .last_seen = mp_peer_last_seen(peer),
      .last_tried = mp_peer_last_tried(peer),
      .status_time = mp_peer_status_time(peer),
      .failures = peer->failures,
      .rtt = mp_peer_rtt(peer),
      .user_agent = agent,
      .user_agent_size = agent_size,
      .data = mp_peer_data(peer),
      .unknown = mp_peer_unknown(peer),
  };
  mp_peer_source(peer, &change->source);
}

int record_copy(struct mp_peer *to, const struct mp_peer *from,
                const struct mp_memory *memory) {
  struct extra *extra = NULL;
  if (from->extra) {
    size_t n = extra_bytes(from->extra);
    extra = memory_get(memory, n);
    if (!extra)
      return MP_ELIMIT;
    memcpy(extra, from->extra, n);
  }
  *to = *from;
  to->extra = extra;
  return 0;
}

void record_deinit(struct mp_peer *peer, const struct mp_memory *memory) {
  if (peer->extra)
    memory_put(memory, peer->extra, extra_bytes(peer->extra));
  peer->extra = NULL;
}
