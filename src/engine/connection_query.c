/* connection_query - what is known of a connection, and names. */
#include <string.h>

#include "engine/connection.h"

enum mp_state mp_connection_state(const struct mp_connection *c) {
  return c->session.state;
}

bool mp_connection_is_inbound(const struct mp_connection *c) {
  return c->session.is_inbound;
}

bool mp_connection_is_closing(const struct mp_connection *c) {
  return c->is_closing;
}

const struct mp_address *mp_connection_address(const struct mp_connection *c) {
  return &c->address;
}

const struct mp_version *mp_connection_version(const struct mp_connection *c) {
  return c->version;
}

int64_t mp_connection_rtt(const struct mp_connection *c) {
  return c->session.rtt;
}

const struct mp_session_options *
mp_connection_options(const struct mp_connection *c) {
  return c->options;
}

uint64_t mp_connection_id(const struct mp_connection *c) {
  return c->id;
}

const struct mp_connection_counts *
mp_connection_counts(const struct mp_connection *c) {
  return &c->counts;
}

size_t mp_connection_queued(const struct mp_connection *c) {
  return buf_length(&c->out) + buf_length(&c->flying) +
         connection_source_queued(c);
}

static int find(const char *const *names, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}

static const char *const event_names[] = {
#define X(name, text) text,
    MP_EVENTS(X)
#undef X
};

const char *mp_event_name(enum mp_event_type type) {
  return event_names[type];
}

int mp_event_type(const char *name) {
  return find(event_names, MP_EVENT_TYPES, name);
}

static const char *const answer_names[] = {
#define X(name, text) text,
    MP_ANSWERS(X)
#undef X
};

const char *mp_answer_name(enum mp_answer answer) {
  return answer_names[answer];
}

int mp_answer_of(const char *name) {
  return find(answer_names, MP_ANSWER_COUNT, name);
}

/* No secret: whoever makes a command that shares a bit gains nothing. */
uint64_t mp_command_bit(const char *command) {
  uint64_t hash = 0;
  for (; *command; command++)
    hash = (hash ^ (uint8_t)*command) * UINT64_C(0x9e3779b97f4a7c15);
  return UINT64_C(1) << (hash >> 58);
}
