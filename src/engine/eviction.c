/* eviction - which inbound connection makes room for another. The merits are
 * those that an attacker cannot forge cheaply (after bitcoin-sv 1.2.2,
 * src/net/net.cpp). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/engine.h"

enum {
  BY_GROUP = 4, /* protected for their group, in an order nobody can foresee */
  BY_RTT = 8,   /* protected for the least round trip */
  DRAWN = 128,  /* looked at when there are more: work that anybody can ask for
                   by dialling us must not grow with their number */
};

struct row {
  struct mp_candidate candidate;
  uint64_t key; /* of the group, under the engine's secret */
};

struct table {
  struct row *rows;
  size_t n;
};

static bool is_candidate(const struct mp_engine *engine,
                         const struct mp_connection *c) {
  return !c->is_closing && !engine_is_trusted(engine, &c->address);
}

/* Merits are compared among those drawn: whoever is among the best of all is
 * among the best of any of them. */
static void fill(struct mp_engine *engine, struct table *table, size_t n) {
  int64_t now = mp_loop_now(engine->loop);
  for (size_t i = 0; i < n; i++) {
    struct mp_connection *c = engine->roster.list[i];
    if (!is_candidate(engine, c))
      continue;
    struct row *row = &table->rows[table->n++];
    row->candidate = (struct mp_candidate){
        .connection = c,
        .group = &c->role.group,
        .rtt = c->role.best_rtt,
        .age = c->role.is_complete ? now - c->role.complete_at : 0};
    row->key =
        hash_sip(engine->by_group.secret, &c->role.group, sizeof c->role.group);
  }
}

/* --- orders: those to be protected come first ------------------------------
 */

static int order(bool before, bool after) {
  return (int)after - (int)before;
}

/* Protected ones last, so that the head of the list is what is left. */
static int by_protection(const struct row *a, const struct row *b) {
  return (int)a->candidate.is_protected - (int)b->candidate.is_protected;
}

static int by_key(const void *x, const void *y) {
  const struct row *a = x, *b = y;
  int rc = by_protection(a, b);
  return rc ? rc : order(a->key<b->key, a->key> b->key);
}

/* Those without a round trip come last. */
static int by_rtt(const void *x, const void *y) {
  const struct row *a = x, *b = y;
  uint64_t i = (uint64_t)a->candidate.rtt, j = (uint64_t)b->candidate.rtt;
  int rc = by_protection(a, b);
  return rc ? rc : order(i<j, i> j);
}

static int by_age(const void *x, const void *y) {
  const struct row *a = x, *b = y;
  int64_t i = a->candidate.age, j = b->candidate.age;
  int rc = by_protection(a, b);
  return rc ? rc : order(i > j, i < j);
}

/* How many are not protected: once sorted, the head of the list. */
static size_t left(const struct table *table) {
  size_t n = 0;
  for (size_t i = 0; i < table->n; i++)
    n += !table->rows[i].candidate.is_protected;
  return n;
}

static void protect(struct table *table, size_t n,
                    int (*compare)(const void *, const void *)) {
  qsort(table->rows, table->n, sizeof *table->rows, compare);
  size_t most = left(table);
  for (size_t i = 0; i < n && i < most; i++)
    table->rows[i].candidate.is_protected = true;
}

/* One of each of the first groups, not four of one. */
static void protect_groups(struct table *table) {
  size_t kept = 0;
  qsort(table->rows, table->n, sizeof *table->rows, by_key);
  for (size_t i = 0; i < table->n && kept < BY_GROUP; i++) {
    if (i > 0 && table->rows[i].key == table->rows[i - 1].key)
      continue;
    table->rows[i].candidate.is_protected = true;
    kept++;
  }
}

/* --- the choice ------------------------------------------------------------
 */

static size_t members(const struct table *table, size_t n, uint64_t key) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    count += table->rows[i].key == key;
  return count;
}

/* Of the largest group that is left, the youngest. */
static ptrdiff_t choose(struct table *table) {
  ptrdiff_t best = -1;
  size_t most = 0;
  qsort(table->rows, table->n, sizeof *table->rows, by_age);
  size_t n = left(table);
  for (size_t i = 0; i < n; i++) {
    size_t count = members(table, n, table->rows[i].key);
    if (count >= most) { /* later rows are younger */
      most = count;
      best = (ptrdiff_t)i;
    }
  }
  return best;
}

/* The policy sees the proposal first. */
static ptrdiff_t ask(struct mp_engine *engine, const struct table *table,
                     const struct mp_address *newcomer) {
  const struct mp_hooks *hooks = engine->hooks;
  if (!hooks->evict)
    return -1;
  struct mp_candidate *list = mem_new(table->n * sizeof *list);
  for (size_t i = 0; i < table->n; i++)
    list[i] = table->rows[i].candidate;
  ptrdiff_t chosen = hooks->evict(engine->data, list, table->n, newcomer);
  free(list);
  return chosen < (ptrdiff_t)table->n ? chosen : -1;
}

/* Why it was this one, in words. */
static void explain(const struct table *table, const struct row *row,
                    char text[MP_FAULT_TEXT]) {
  const struct mp_candidate *one = &row->candidate;
  size_t group = members(table, table->n, row->key);
  snprintf(text, MP_FAULT_TEXT,
           "it makes room for another: one of %zu unprotected among %zu, "
           "%zu of its group, here for %lld s%s",
           left(table), table->n, group, (long long)(one->age / MP_SECOND),
           one->is_protected ? "; chosen by a policy" : "");
}

static void evict(struct mp_engine *engine, struct mp_connection *c,
                  const char *text) {
  struct mp_event event = {.type = MP_EVICTED,
                           .connection = c,
                           .address = c->address,
                           .code = MP_ELIMIT,
                           .text = text};
  engine->counts.evictions++;
  engine_tell(engine, &event);
  /* who does not read what is queued must not stay beside the newcomer */
  mp_connection_close(c, MP_ELIMIT, event.text);
  mp_connection_reset(c);
  engine_release(engine, c); /* to the newcomer, now */
}

static void rank(struct mp_engine *engine, struct table *table, size_t n) {
  fill(engine, table, n);
  protect_groups(table);
  protect(table, BY_RTT, by_rtt);
  protect(table, left(table) / 2, by_age);
  ptrdiff_t proposed = choose(table);
  if (proposed > 0) {
    struct row swap = table->rows[0];
    table->rows[0] = table->rows[proposed];
    table->rows[proposed] = swap;
  }
}

bool engine_evict(struct mp_engine *engine, const struct mp_address *newcomer) {
  size_t n = roster_draw(&engine->roster, engine->loop, DRAWN);
  struct table table = {.rows = mem_new((n + 1) * sizeof *table.rows)};
  rank(engine, &table, n);
  ptrdiff_t chosen = table.n ? ask(engine, &table, newcomer) : -1;
  struct mp_connection *c =
      chosen >= 0 ? table.rows[chosen].candidate.connection : NULL;
  char text[MP_FAULT_TEXT];
  if (c)
    explain(&table, &table.rows[chosen], text);
  free(table.rows);
  if (!c || c->is_closing)
    return false;
  evict(engine, c, text);
  return true;
}
