/* connection_budget - what one peer may cost: messages a second by kind, and
 * memory in all. Hard caps, far above what honest nodes do; rules of a finer
 * make are the policies'. */
#include "engine/connection.h"

#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "moonpeer/layout.h"

/* Rates are messages a second; bursts may come at once. */
static const struct {
  const char *name;
  int32_t rate, burst;
} kinds[BUDGET_KINDS] = {
    [BUDGET_ANY] = {"messages", 50000, 200000},
    [BUDGET_ASKING] = {"messages that want an answer", 200, 1000},
    [BUDGET_TELLING] = {"address messages", 10, 50},
    [BUDGET_WRONG] = {"messages that are wrong", 10, 100},
};

/* What makes us work, or answer, is of a dearer kind. */
static const struct {
  const char *command;
  enum budget_kind kind;
} commands[] = {
    {"ping", BUDGET_ASKING},        {"getaddr", BUDGET_ASKING},
    {"getdata", BUDGET_ASKING},     {"getheaders", BUDGET_ASKING},
    {"getblocks", BUDGET_ASKING},   {"gethdrsen", BUDGET_ASKING},
    {"mempool", BUDGET_ASKING},     {"version", BUDGET_ASKING},
    {"getblocktxn", BUDGET_ASKING}, {"addr", BUDGET_TELLING},
    {"addrv2", BUDGET_TELLING},
};

static enum budget_kind kind_of(const char *command) {
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (text_is(commands[i].command, command))
      return commands[i].kind;
  return BUDGET_ANY;
}

/* The clock is read only when a purse is empty. */
static bool refill(struct mp_connection *c, enum budget_kind kind) {
  struct budget *budget = &c->budgets[kind];
  int64_t now = mp_loop_now(c->loop);
  int64_t passed = budget->since ? now - budget->since : MP_FOREVER;
  int64_t second = MP_SECOND / kinds[kind].rate;
  int64_t earned = passed / second;
  if (earned == 0)
    return false;
  budget->since = now;
  budget->left =
      earned < kinds[kind].burst ? (int32_t)earned : kinds[kind].burst;
  return true;
}

static bool spend(struct mp_connection *c, enum budget_kind kind) {
  if (c->budgets[kind].left == 0 && !refill(c, kind))
    return false;
  c->budgets[kind].left--;
  return true;
}

void connection_look_up(struct mp_connection *c,
                        const char command[MP_COMMAND_SIZE + 1]) {
  if (memcmp(c->kind.command, command, sizeof c->kind.command) == 0)
    return;
  memcpy(c->kind.command, command, sizeof c->kind.command);
  c->kind.budget = kind_of(command);
  c->kind.type = mp_message_find(command);
}

int connection_spend(struct mp_connection *c, struct mp_fault *fault) {
  enum budget_kind kind = c->kind.budget;
  if (!c->usage) /* a script's own: it wants to see what comes */
    return 0;
  if (spend(c, BUDGET_ANY) && (kind == BUDGET_ANY || spend(c, kind)))
    return 0;
  return fault_set(fault, MP_EFLOOD,
                   "%s: expected at most %d %s a second, got more",
                   c->kind.command, kinds[kind].rate, kinds[kind].name);
}

int connection_spend_wrong(struct mp_connection *c, struct mp_fault *fault) {
  if (!c->usage || spend(c, BUDGET_WRONG))
    return 0;
  return fault_set(fault, MP_EFLOOD,
                   "expected at most %d %s a second, got more",
                   kinds[BUDGET_WRONG].rate, kinds[BUDGET_WRONG].name);
}

/* --- traffic ---------------------------------------------------------------
 */

void connection_count(struct mp_connection *c,
                      const struct mp_message_type *type, size_t n,
                      bool is_ours) {
  if (!c->usage)
    return;
  size_t count;
  const struct mp_message_type *list = mp_message_list(&count);
  size_t at = type ? (size_t)(type - list) : MP_TRAFFIC_ROWS;
  if (at >= MP_TRAFFIC_ROWS)
    at = MP_TRAFFIC_ROWS - 1;
  struct mp_traffic *row = &c->usage->traffic[at];
  if (is_ours) {
    row->messages_out++;
    row->bytes_out += n;
  } else {
    row->messages_in++;
    row->bytes_in += n;
  }
}

/* --- memory in all ---------------------------------------------------------
 */

static void change(int64_t *sum, size_t *noted, size_t now) {
  *sum += (int64_t)now - (int64_t)*noted;
  *noted = now;
}

void connection_account(struct mp_connection *c) {
  if (!c->usage)
    return;
  change(&c->usage->received, &c->noted_in, buf_length(&c->in));
  change(&c->usage->queued, &c->noted_out, mp_connection_queued(c));
}

bool connection_may_receive(const struct mp_connection *c) {
  return !c->usage || c->usage->received <= c->usage->received_max;
}

bool connection_may_queue(const struct mp_connection *c, size_t n) {
  return !c->usage || c->usage->queued + (int64_t)n <= c->usage->queued_max;
}
