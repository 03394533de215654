/* connection_offence - what a remote did wrong: counted, judged, obeyed. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/connection.h"

enum {
  CODES = MP_ENETWORK - MP_EFLOOD + 1,
  WINDOW = 60,  /* seconds in which offences of one code are counted */
  THROTTLE = 1, /* seconds without reading */
};

struct offender {
  struct {
    int64_t since;
    unsigned count;
  } codes[CODES];
  struct mp_timer throttle;
};

static void on_throttle_over(void *data) {
  struct mp_connection *c = data;
  c->is_throttled = false;
  if (!c->is_closing)
    connection_listen(c);
}

static struct offender *offender_of(struct mp_connection *c) {
  if (!c->offender) {
    c->offender = mem_new(sizeof *c->offender);
    mp_timer_init(&c->offender->throttle, on_throttle_over, c);
  }
  return c->offender;
}

void connection_forgive(struct mp_connection *c) {
  if (!c->offender)
    return;
  mp_timer_stop(&c->offender->throttle);
  free(c->offender);
  c->offender = NULL;
}

static unsigned count(struct mp_connection *c, int code) {
  struct offender *offender = offender_of(c);
  assert(is_offence(code));
  int i = MP_ENETWORK - code;
  int64_t now = mp_loop_now(c->loop);
  if (now - offender->codes[i].since > WINDOW * MP_SECOND)
    offender->codes[i].count = 0;
  if (offender->codes[i].count++ == 0)
    offender->codes[i].since = now;
  return offender->codes[i].count;
}

static void throttle(struct mp_connection *c) {
  c->is_throttled = true;
  mp_timer_start(c->loop, &offender_of(c)->throttle, THROTTLE * MP_SECOND);
}

bool connection_offend(struct mp_connection *c, int code, bool is_dropped,
                       const char *text) {
  struct mp_fault flood;
  if (is_dropped && code != MP_EFLOOD &&
      connection_spend_wrong(c, &flood) != 0) {
    code = MP_EFLOOD;
    text = flood.text;
  }
  struct mp_offence offence = {.code = code,
                               .text = text,
                               .count = count(c, code),
                               .is_dropped = is_dropped};
  /* unless somebody knows better; a flood would go on unjudged */
  struct mp_verdict verdict = {
      .answer = is_dropped && code != MP_EFLOOD ? MP_OBSERVE : MP_DISCONNECT};
  if (c->hooks->judge)
    c->hooks->judge(c->data, c, &offence, &verdict);
  struct mp_event event = {.type = MP_PEER_MISBEHAVED,
                           .code = code,
                           .text = text,
                           .offence = &offence,
                           .verdict = &verdict};
  connection_tell(c, &event);
  if (verdict.answer >= MP_DISCONNECT)
    mp_connection_close(c, code, text);
  else if (verdict.answer == MP_THROTTLE)
    throttle(c);
  return !c->is_closing;
}
