/* breaker - leaves a function alone that keeps failing. */
#include "script/breaker.h"

#include <stdio.h>

#include "script/engine.h"

enum {
  ROW = 3,     /* errors one after the other */
  RECENT = 10, /* errors of the last GUARD_WINDOW calls that are borne */
  PARKS = 3,   /* then it is disabled */
};

static const int64_t park_time = 30 * MP_SECOND;
static const int64_t amnesty = 3600 * MP_SECOND; /* earlier parks are forgot */

static int64_t now(const struct guard *guard) {
  struct script *script = guard->script;
  struct mp_loop *loop = script->here ? script->here : script->loop;
  return loop ? mp_loop_now(loop) : 0;
}

/* What hears of events is a listener; all else is a policy's: what it decides,
 * its setup, save and restore, the file itself. */
static const char *kind_of(const struct guard *guard) {
  bool is_listener = guard->decision < 0 && mp_event_type(guard->function) >= 0;
  return is_listener ? "listener" : "policy";
}

/* Says it on stderr, and as an event from the next turn on. */
static void tell(const struct guard *guard, struct engine_box *box,
                 const char *what, const char *message) {
  const char *kind = kind_of(guard);
  char text[MP_FAULT_TEXT];
  bool is_event = box && box->engine;
  if (!is_event || !guard->script->is_logged)
    fprintf(stderr, "moonpeer: %s \"%s\" %s%s%s\n", kind, guard->policy, what,
            message ? ": " : "", message ? message : "");
  if (!is_event)
    return;
  snprintf(text, sizeof text, "%s \"%s\" %s%s%.80s", kind, guard->policy, what,
           message ? ": " : "", message ? message : "");
  mp_engine_note(box->engine, MP_POLICY_FAILED, NULL, text);
}

static void push_bit(struct guard *guard, bool failed) {
  uint8_t *byte = &guard->recent[guard->at / 8];
  uint8_t bit = (uint8_t)(1u << guard->at % 8);
  guard->failed -= (*byte & bit) != 0;
  *byte = (uint8_t)(failed ? *byte | bit : *byte & ~bit);
  guard->failed += failed;
  guard->at = (guard->at + 1) % GUARD_WINDOW;
}

bool breaker_allows(struct guard *guard) {
  if (guard->state == GUARD_PARKED && now(guard) >= guard->until)
    guard->state = GUARD_PROBED;
  return guard->state == GUARD_WORKS || guard->state == GUARD_PROBED;
}

void breaker_succeeded(struct guard *guard, struct engine_box *box) {
  if (guard->failed || guard->row)
    push_bit(guard, false);
  guard->row = 0;
  if (guard->state == GUARD_WORKS)
    return;
  guard->state = GUARD_WORKS;
  guard->repeats = 0;
  char what[GUARD_NAME + 32];
  snprintf(what, sizeof what, "works again in %s", guard->function);
  tell(guard, box, what, NULL);
}

static void park(struct guard *guard, struct engine_box *box,
                 const char *message) {
  char what[GUARD_NAME + 96];
  int64_t at = now(guard);
  if (guard->parks && at - guard->parked > amnesty)
    guard->parks = 0;
  guard->parks++;
  guard->parked = at;
  guard->until = at + park_time;
  bool is_last = guard->parks >= PARKS;
  guard->state = is_last ? GUARD_DISABLED : GUARD_PARKED;
  snprintf(what, sizeof what, "failed in %s (%u times, now %s)",
           guard->function, guard->repeats,
           is_last ? "disabled until a reload" : "parked for 30 s");
  tell(guard, box, what, message);
  guard->repeats = guard->row = guard->failed = 0;
  for (size_t i = 0; i < sizeof guard->recent; i++)
    guard->recent[i] = 0;
}

static void tell_first(const struct guard *guard, struct engine_box *box,
                       const char *message) {
  char what[GUARD_NAME + 32];
  snprintf(what, sizeof what, "failed in %s", guard->function);
  tell(guard, box, what, message);
}

void breaker_failed(struct guard *guard, struct engine_box *box, bool is_grave,
                    const char *message) {
  push_bit(guard, true);
  guard->row++;
  guard->repeats++;
  if (is_grave || guard->state == GUARD_PROBED || guard->row >= ROW ||
      guard->failed > RECENT)
    park(guard, box, message);
  else if (guard->repeats == 1)
    tell_first(guard, box, message);
}
