/* rules - what is so simple that no script needs to run for it: how many
 * messages or offences of a kind are borne within a time, and what then. */
#ifndef MOONPEER_RULES_H
#define MOONPEER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/hooks.h"

struct mp_engine;

enum {
  MP_RULES = 64,      /* at most */
  MP_RULE_STEPS = 5,  /* of a ladder */
  MP_RULE_EXEMPT = 16 /* prefixes */
};

/* What is counted together. */
enum mp_rule_key {
  MP_RULE_PEER,    /* a connection */
  MP_RULE_ADDRESS, /* an ip */
  MP_RULE_GROUP,   /* its network group */
};

/* From so many within the window on. */
struct mp_rule_step {
  int64_t count; /* from 1 */
  enum mp_answer answer;
  int64_t ban_time; /* nanoseconds; 0 means the configured ban_time */
  bool bans_group;  /* else the address */
};

/* Plain data, copied by who takes it. */
struct mp_rule {
  char name[MP_RULE_NAME]; /* for faults and verdicts */
  char command[13];        /* of the messages that count; "" for an offence */
  int offence;             /* code of the offences that count; 0 is all */
  int64_t window; /* nanoseconds, above 0; begins with the first that counts */
  enum mp_rule_key key;
  struct mp_rule_step steps[MP_RULE_STEPS]; /* counts rise */
  size_t step_count;                        /* from 1 */
  struct mp_prefix exempt[MP_RULE_EXEMPT];  /* who is in there never counts */
  size_t exempt_count;
  bool exempts_trusted; /* nor who is in the configuration's `trusted` */
};

/* Replaces all rules by n others (copied); what they have counted is forgotten.
 * 0, or MP_ECONFIG: more than MP_RULES, or one that is out of range; then the
 * old ones stay.
 * A message that reaches a step is an offence (flood) with the step's verdict;
 * an offence that has reached one gets its verdict. No policy is asked then. */
int mp_engine_set_rules(struct mp_engine *engine, const struct mp_rule *rules,
                        size_t n, struct mp_fault *fault);

/* Of a rule: how many messages or offences it has counted, how many it has let
 * pass because of who sent them, and how often a step was reached. All 0 for a
 * rule there is not. */
struct mp_rule_counts {
  uint64_t counted, exempted, reached;
};
void mp_engine_rule_counts(const struct mp_engine *engine, size_t rule,
                           struct mp_rule_counts *counts);

#endif
