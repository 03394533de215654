/* rules - the declared rules of an engine: counts in a table of fixed size, in
 * which what is oldest makes room. */
#include "engine/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/engine.h"
#include "moonpeer/message.h"

enum { SETS = 1024, WAYS = 4 };

/* A count of one rule and key. */
struct tally {
  uint64_t key; /* 0: free */
  int64_t since;
  int64_t count;
};

struct rules {
  struct mp_rule *list;
  struct mp_rule_counts *counts;
  size_t n;
  uint64_t secret[2];
  uint64_t commands;
  bool has_offences;
  const struct mp_verdict *pending; /* of the message that is being judged */
  struct tally tallies[SETS][WAYS];
};

void rules_free(struct rules *rules) {
  if (!rules)
    return;
  free(rules->list);
  free(rules->counts);
  free(rules);
}

static int check(const struct mp_rule *rule, struct mp_fault *fault) {
  int64_t last = 0;
  if (rule->window <= 0 || !rule->step_count ||
      rule->step_count > MP_RULE_STEPS || rule->exempt_count > MP_RULE_EXEMPT)
    return fault_set(fault, MP_ECONFIG,
                     "rule \"%s\": expected a window and 1 to %d steps",
                     rule->name, MP_RULE_STEPS);
  for (size_t i = 0; i < rule->step_count; i++) {
    if (rule->steps[i].count <= last)
      return fault_set(fault, MP_ECONFIG,
                       "rule \"%s\": expected rising counts above 0",
                       rule->name);
    last = rule->steps[i].count;
  }
  return 0;
}

static void take(struct rules *rules, const struct mp_rule *list, size_t n) {
  rules->n = n;
  rules->list = mem_new(n * sizeof *list);
  rules->counts = mem_new(n * sizeof *rules->counts);
  memcpy(rules->list, list, n * sizeof *list);
  for (size_t i = 0; i < n; i++) {
    if (*list[i].command)
      rules->commands |= mp_command_bit(list[i].command);
    else
      rules->has_offences = true;
  }
}

int mp_engine_set_rules(struct mp_engine *engine, const struct mp_rule *list,
                        size_t n, struct mp_fault *fault) {
  if (n > MP_RULES)
    return fault_set(fault, MP_ECONFIG, "expected at most %d rules, got %zu",
                     MP_RULES, n);
  for (size_t i = 0; i < n; i++)
    if (check(&list[i], fault) != 0)
      return MP_ECONFIG;
  rules_free(engine->rules);
  engine->rules = NULL;
  if (n) {
    engine->rules = mem_new(sizeof *engine->rules);
    mp_loop_random(engine->loop, engine->rules->secret,
                   sizeof engine->rules->secret);
    take(engine->rules, list, n);
  }
  mp_engine_hooks_changed(engine);
  return 0;
}

void mp_engine_rule_counts(const struct mp_engine *engine, size_t rule,
                           struct mp_rule_counts *counts) {
  const struct rules *rules = engine->rules;
  *counts = (struct mp_rule_counts){0};
  if (rules && rule < rules->n)
    *counts = rules->counts[rule];
}

uint64_t rules_commands(const struct rules *rules) {
  return rules ? rules->commands : 0;
}

/* --- counting --------------------------------------------------------------
 */

static bool is_exempt(const struct mp_engine *engine,
                      const struct mp_rule *rule,
                      const struct mp_address *address) {
  if (rule->exempts_trusted && engine_is_trusted(engine, address))
    return true;
  for (size_t i = 0; i < rule->exempt_count; i++)
    if (mp_prefix_contains(&rule->exempt[i], address))
      return true;
  return false;
}

static uint64_t key_of(const struct mp_engine *engine, size_t i,
                       const struct mp_connection *c) {
  struct {
    uint64_t rule;
    union {
      uint64_t id;
      uint8_t ip[16];
      struct mp_group group;
    } who;
  } key;
  memset(&key, 0, sizeof key); /* holes are hashed, too */
  key.rule = i;
  switch (engine->rules->list[i].key) {
  case MP_RULE_PEER: key.who.id = c->id; break;
  case MP_RULE_ADDRESS:
    memcpy(key.who.ip, c->address.ip, sizeof key.who.ip);
    break;
  case MP_RULE_GROUP:
    mp_store_group(engine->store, &c->address, &key.who.group);
    break;
  }
  uint64_t hash = hash_sip(engine->rules->secret, &key, sizeof key);
  return hash ? hash : 1;
}

/* The one of a key; a new one in the place of the oldest of its set. */
static struct tally *find(struct rules *rules, uint64_t key, int64_t now) {
  struct tally *set = rules->tallies[key % SETS], *oldest = set;
  for (int i = 0; i < WAYS; i++) {
    if (set[i].key == key)
      return &set[i];
    if (!set[i].key || (oldest->key && set[i].since < oldest->since))
      oldest = &set[i];
  }
  *oldest = (struct tally){.key = key, .since = now};
  return oldest;
}

/* One more: how many there are in this window. */
static int64_t count(struct mp_engine *engine, size_t i,
                     const struct mp_connection *c) {
  struct rules *rules = engine->rules;
  int64_t now = mp_loop_now(engine->loop);
  struct tally *tally = find(rules, key_of(engine, i, c), now);
  if (now - tally->since >= rules->list[i].window) {
    tally->since = now;
    tally->count = 0;
  }
  rules->counts[i].counted++;
  return ++tally->count;
}

static void fill(struct mp_verdict *verdict, const struct mp_connection *c,
                 const struct mp_rule *rule, const struct mp_rule_step *step) {
  *verdict =
      (struct mp_verdict){.answer = step->answer, .ban_time = step->ban_time};
  snprintf(verdict->rule, sizeof verdict->rule, "%s", rule->name);
  snprintf(verdict->reason, sizeof verdict->reason, "rule %s", rule->name);
  if (step->bans_group)
    verdict->scope = mp_prefix_of_group(&c->address);
}

/* --- messages --------------------------------------------------------------
 */

/* The step whose count this exceeds by one: it acts once in a window. */
static const struct mp_rule_step *exceeded(const struct mp_rule *rule,
                                           int64_t n) {
  for (size_t i = 0; i < rule->step_count; i++)
    if (n == rule->steps[i].count + 1)
      return &rule->steps[i];
  return NULL;
}

static void offend(struct mp_engine *engine, struct mp_connection *c,
                   const struct mp_rule *rule,
                   const struct mp_rule_step *step) {
  char text[MP_FAULT_TEXT];
  struct mp_verdict verdict;
  fill(&verdict, c, rule, step);
  snprintf(text, sizeof text,
           "rule \"%s\": expected at most %lld %s within %lld s, got one more",
           rule->name, (long long)step->count, rule->command,
           (long long)(rule->window / MP_SECOND));
  engine->rules->pending = &verdict;
  connection_offend(c, MP_EFLOOD, true, text);
  engine->rules->pending = NULL;
}

bool rules_message(struct mp_engine *engine, const struct mp_event *event) {
  struct rules *rules = engine->rules;
  struct mp_connection *c = event->connection;
  if (!rules || !(rules->commands & event->bit))
    return true;
  for (size_t i = 0; i < rules->n && !c->is_closing; i++) {
    const struct mp_rule *rule = &rules->list[i];
    if (!text_is(rule->command, event->message->command))
      continue;
    if (is_exempt(engine, rule, &c->address)) {
      rules->counts[i].exempted++;
      continue;
    }
    const struct mp_rule_step *step = exceeded(rule, count(engine, i, c));
    rules->counts[i].reached += step != NULL;
    if (step)
      offend(engine, c, rule, step);
  }
  return !c->is_closing;
}

/* --- offences --------------------------------------------------------------
 */

/* The last step that is reached: it stays so for the rest of the window. */
static const struct mp_rule_step *reached(const struct mp_rule *rule,
                                          int64_t n) {
  const struct mp_rule_step *step = NULL;
  for (size_t i = 0; i < rule->step_count; i++)
    if (n >= rule->steps[i].count)
      step = &rule->steps[i];
  return step;
}

bool rules_judge(struct mp_engine *engine, struct mp_connection *c,
                 const struct mp_offence *offence, struct mp_verdict *verdict) {
  struct rules *rules = engine->rules;
  bool has_verdict = false;
  if (rules && rules->pending) {
    *verdict = *rules->pending;
    return true;
  }
  for (size_t i = 0; rules && rules->has_offences && i < rules->n; i++) {
    const struct mp_rule *rule = &rules->list[i];
    if (*rule->command || (rule->offence && rule->offence != offence->code))
      continue;
    if (is_exempt(engine, rule, &c->address)) {
      rules->counts[i].exempted++;
      continue;
    }
    const struct mp_rule_step *step = reached(rule, count(engine, i, c));
    rules->counts[i].reached += step != NULL;
    if (!step || (has_verdict && step->answer <= verdict->answer))
      continue; /* of several the hardest holds */
    fill(verdict, c, rule, step);
    has_verdict = true;
  }
  return has_verdict;
}
