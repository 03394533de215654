/* decisions - the last decisions of an engine: who took them, on what, and
 * why. */
#ifndef SCRIPT_DECISIONS_H
#define SCRIPT_DECISIONS_H

#include <lauxlib.h>

#include "moonpeer/hooks.h"
#include "script/answer.h"
#include "script/script.h"

enum { DECISIONS_KEPT = 256 };

/* One of them. What a decision has not stays zero. */
struct decision_row {
  uint64_t number; /* from 1 */
  int64_t time;    /* wall time, nanoseconds */
  enum decision decision;
  bool is_inbound, is_dropped;
  struct mp_address address, source; /* port 0 and no ip: none */
  int code;
  int32_t version;
  unsigned count;      /* of an offence; attempts; how many were wanted */
  unsigned generation; /* of the policy */
  char text[96];       /* of an offence; or the user agent */
  char policy[32];     /* "": none had an opinion, the safe answer holds */
  char rule[MP_RULE_NAME];
  char answer[48], reason[MP_REASON];
};

struct decisions {
  struct decision_row *rows; /* a ring, made with the first */
  uint64_t taken;
};

void decisions_deinit(struct decisions *decisions);

/* The next row, zeroed but for number and decision; NULL without memory. */
struct decision_row *decisions_add(struct decisions *decisions,
                                   enum decision decision);

/* Takes who answered, and what, from the script's last chain. */
void decision_take_answer(struct decision_row *row,
                          const struct answered *answered);

/* The row in a line of words, at most n bytes, printable ASCII. */
void decision_describe(const struct decision_row *row, char *text, size_t n);

/* decisions(): a list of tables, the oldest first. */
extern const luaL_Reg decisions_methods[];

#endif
