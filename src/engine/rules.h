/* rules - the declared rules of an engine, as its connections meet them. */
#ifndef ENGINE_RULES_H
#define ENGINE_RULES_H

#include "moonpeer/rules.h"

struct mp_connection;
struct rules;

void rules_free(struct rules *rules);

/* The commands that some rule counts: bits. rules may be NULL, also below. */
uint64_t rules_commands(const struct rules *rules);

/* A message has come. False when it was one too many and the connection
 * closes. */
bool rules_message(struct mp_engine *engine, const struct mp_event *event);

/* Whether a rule has a verdict about an offence. */
bool rules_judge(struct mp_engine *engine, struct mp_connection *connection,
                 const struct mp_offence *offence, struct mp_verdict *verdict);

#endif
