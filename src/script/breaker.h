/* breaker - leaves a function alone that keeps failing: parked for a while,
 * tried once, and in the end disabled. What changes is reported once. */
#ifndef SCRIPT_BREAKER_H
#define SCRIPT_BREAKER_H

#include "script/guard.h"

/* Whether a function that does not work may be tried now. */
bool breaker_allows(struct guard *guard);

void breaker_succeeded(struct guard *guard, struct engine_box *box);

/* is_grave: one such error is enough to park it. */
void breaker_failed(struct guard *guard, struct engine_box *box, bool is_grave,
                    const char *message);

#endif
