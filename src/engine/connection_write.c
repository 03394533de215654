/* connection_write - what we say, and the one place that writes it. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/fault.h"
#include "engine/connection.h"
#include "moonpeer/layout.h"
#include "net/io.h"
#include "wire/version.h"

/* Above this much unsent, or half of send_memory, nothing more is answered:
 * what a peer asks for cannot pile up faster than it takes it. */
enum { CHOKE = 128 * 1024 };

int connection_may_send(struct mp_connection *c, size_t n,
                        struct mp_fault *fault) {
  if (c->is_closing)
    return fault_set(fault, MP_ECLOSED, "the connection is closed");
  if (c->session.state != MP_AWAITING_HANDSHAKE &&
      c->session.state != MP_CONNECTED)
    return fault_set(fault, MP_ECLOSED, "the connection is not established");
  size_t queued = mp_connection_queued(c);
  size_t most = (size_t)c->options->send_memory;
  if (!connection_may_queue(c, n))
    return fault_set(fault, MP_ELIMIT,
                     "expected room for %zu bytes within send_memory_total", n);
  if (queued > most || n > most - queued)
    return fault_set(fault, MP_ELIMIT,
                     "expected room for %zu bytes, %zu of send_memory %zu are "
                     "taken",
                     n, queued, most);
  return 0;
}

static int queued(struct mp_connection *c, int rc, size_t before,
                  struct mp_fault *fault) {
  if (rc != 0)
    return fault_set(fault, rc, "out of memory");
  const struct mp_frame frame = {.is_ours = true,
                                 .bytes = buf_head(&c->out) + before,
                                 .n = buf_length(&c->out) - before};
  if (c->hooks->frame)
    c->hooks->frame(c->data, c, &frame);
  connection_account(c);
  mp_later_post(c->loop, &c->turn);
  return 0;
}

/* What the remote takes of what has no limit of its own: what it has said,
 * believed up to four times what we take, as by the reference node; and before
 * that the least that it may say. */
static uint64_t general_limit(const struct mp_connection *c) {
  const struct mp_network *network = c->options->network;
  uint64_t said = c->session.remote_max_payload, own = network->max_payload;
  if (mp_network_limit(network, "protoconf") == own)
    return own; /* a network without protoconf */
  if (!said)
    return own < SESSION_MIN_PROTOCONF ? own : SESSION_MIN_PROTOCONF;
  return said / 4 < own ? said : 4 * own;
}

uint64_t connection_declared_limit(const struct mp_connection *c,
                                   const char *command) {
  const struct mp_hooks *hooks = c->hooks;
  const struct mp_message_type *type =
      hooks->declared ? hooks->declared(c->data, command) : NULL;
  return type ? type->limit : 0;
}

/* The long header is for those who know it. */
static bool knows_extended(const struct mp_connection *c) {
  int32_t own = c->options->protocol_version;
  int32_t remote = c->session.remote_version;
  return (own < remote ? own : remote) >= SESSION_EXTENDED;
}

uint64_t connection_send_limit(const struct mp_connection *c,
                               const char *command) {
  uint64_t most = connection_declared_limit(c, command);
  if (!most)
    most = mp_network_limit(c->options->network, command);
  if (most == c->options->network->max_payload)
    most = general_limit(c);
  return most > UINT32_MAX && !knows_extended(c) ? UINT32_MAX : most;
}

int mp_connection_send(struct mp_connection *c, const char *command,
                       const void *payload, size_t n, struct mp_fault *fault) {
  const struct mp_network *network = c->options->network;
  int rc = connection_may_send(c, n, fault);
  if (rc != 0)
    return rc;
  if (!frame_may_send(command))
    return fault_set(fault, MP_EPROTOCOL,
                     "expected a command of at most 12 printable ASCII "
                     "characters that does not begin with extmsg");
  uint64_t most = connection_send_limit(c, command);
  if (n > most)
    return fault_set(fault, MP_EOVERSIZE,
                     "%s: expected at most %llu bytes of payload, got %zu",
                     command, (unsigned long long)most, n);
  size_t before = buf_length(&c->out);
  rc = frame_put(&c->out, network, command, payload, n, loop_hasher(c->loop));
  if (rc == 0) {
    c->counts.messages_out++;
    connection_count(c, mp_message_find(command), buf_length(&c->out) - before,
                     true);
  }
  return queued(c, rc, before, fault);
}

int mp_connection_send_raw(struct mp_connection *c, const void *bytes, size_t n,
                           struct mp_fault *fault) {
  int rc = connection_may_send(c, n, fault);
  size_t before = buf_length(&c->out);
  return rc ? rc : queued(c, buf_put(&c->out, bytes, n), before, fault);
}

void connection_say(struct mp_connection *c, const char *command,
                    const void *payload, size_t n) {
  mp_connection_send(c, command, payload, n, NULL);
}

/* --- the writing -----------------------------------------------------------
 */

static bool has_unsent(const struct mp_connection *c, size_t n) {
  return mp_connection_queued(c) > n && !c->has_ended;
}

static size_t half(const struct mp_connection *c) {
  return (size_t)c->options->send_memory / 2;
}

void connection_choke(struct mp_connection *c) {
  if (has_unsent(c, half(c)))
    c->is_choked = true;
}

static void choke(struct mp_connection *c) {
  bool was = c->is_choked;
  c->is_choked = has_unsent(c, half(c) < CHOKE ? half(c) : CHOKE);
  if (was && !c->is_choked)
    connection_listen(c);
}

static void landed(struct mp_connection *c) {
  c->counts.bytes_out += buf_length(&c->flying);
  buf_consume(&c->flying, buf_length(&c->flying));
  buf_release(&c->flying);
}

/* Two buffers take turns: the stream borrows one while the other fills. */
int connection_write(struct mp_connection *c, struct buf *from) {
  struct buf swap = c->flying;
  c->flying = *from;
  *from = swap;
  int rc =
      mp_stream_write(c->stream, buf_head(&c->flying), buf_length(&c->flying));
  if (rc < 0)
    connection_end(c, rc, "the remote is gone");
  else if (rc == 1)
    landed(c);
  return rc;
}

void connection_flush(struct mp_connection *c) {
  if (c->is_over)
    return;
  if (c->is_closing)
    connection_source_end(c, c->reason);
  if (!buf_length(&c->flying) && c->outgoing)
    connection_source_write(c);
  else if (!buf_length(&c->flying) && buf_length(&c->out))
    connection_write(c, &c->out);
  if (!c->is_over) /* nothing is started again for what waits to be freed */
    choke(c);
}

void connection_drained(void *owner) {
  struct mp_connection *c = owner;
  landed(c);
  choke(c);
  mp_later_post(c->loop, &c->turn);
}

/* --- what we say -----------------------------------------------------------
 */

static bool is_unspecified(const struct mp_address *address) {
  static const uint8_t none[4] = {0};
  return mp_address_is_ipv4(address) && memcmp(address->ip + 12, none, 4) == 0;
}

/* A listener on all addresses is reached at the one this stream has. */
static void fill_ip(struct mp_connection *c, struct mp_address *address) {
  struct mp_address local;
  mp_stream_local(c->stream, &local);
  memcpy(address->ip, local.ip, sizeof address->ip);
}

void mp_connection_own_version(struct mp_connection *c,
                               struct mp_version *own) {
  const struct mp_session_options *o = c->options;
  memset(own, 0, sizeof *own);
  own->version = o->protocol_version;
  own->timestamp = mp_loop_time(c->loop) / MP_SECOND;
  own->addr_recv = c->address;
  own->addr_from = o->listening;
  if (is_unspecified(&o->listening) && o->listening.port)
    fill_ip(c, &own->addr_from);
  own->nonce = c->session.nonce;
  own->user_agent_size = strlen(o->user_agent);
  memcpy(own->user_agent, o->user_agent, own->user_agent_size);
}

void connection_send_version(struct mp_connection *c) {
  struct mp_version own;
  struct buf payload = {0};
  if (c->own_version)
    own = *c->own_version;
  else
    mp_connection_own_version(c, &own);
  c->session.nonce = own.nonce;
  if (version_put(&payload, &own) == 0)
    connection_say(c, "version", buf_head(&payload), buf_length(&payload));
  buf_deinit(&payload);
  session_sent_version(&c->session);
}

/* Old peers know no pong: they only hear that we are there. */
static void send_old_ping(struct mp_connection *c) {
  connection_say(c, "ping", NULL, 0);
  connection_wait_to_ping(c);
}

void connection_send_ping(struct mp_connection *c) {
  if (c->outgoing) { /* it would stand behind that, and its pong be late */
    connection_wait_for_source(c);
    return;
  }
  if (c->session.remote_version <= SESSION_NONCE_VERSION) {
    send_old_ping(c);
    return;
  }
  uint64_t nonce = mp_loop_random_u64(c->loop);
  uint8_t payload[8];
  put_u64(payload, nonce);
  connection_say(c, "ping", payload, sizeof payload);
  session_sent_ping(&c->session, nonce, mp_loop_now(c->loop));
  connection_wait(c, WAITING_PONG, c->options->ping_timeout);
}

/* The largest payload that we take of what has no limit of its own. */
static uint32_t own_max_payload(const struct mp_connection *c) {
  uint64_t most = c->options->network->max_payload;
  if (most > (uint64_t)c->options->receive_memory)
    most = (uint64_t)c->options->receive_memory;
  if (most < SESSION_MIN_PROTOCONF) /* less would be an offence */
    most = SESSION_MIN_PROTOCONF;
  return most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
}

/* protoconf: two fields, that and the stream policy that opens no second
 * stream. */
static void send_protoconf(struct mp_connection *c) {
  static const char policy[] = "Default";
  uint8_t payload[6 + sizeof policy - 1] = {2};
  put_u32(payload + 1, own_max_payload(c));
  payload[5] = sizeof policy - 1;
  memcpy(payload + 6, policy, sizeof policy - 1);
  connection_say(c, "protoconf", payload, sizeof payload);
}

void connection_introduce(struct mp_connection *c) {
  send_protoconf(c);
  if (c->session.remote_version >= SESSION_SENDHEADERS)
    connection_say(c, "sendheaders", NULL, 0);
  if (c->options->ping_interval > 0)
    connection_send_ping(c);
}
