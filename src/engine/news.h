/* news - events that happen within a call of a script: told on the next turn,
 * when nobody is below. */
#ifndef ENGINE_NEWS_H
#define ENGINE_NEWS_H

#include "moonpeer/hooks.h"

struct mp_engine;

enum { NEWS_MAX = 1024 }; /* kept at once; what comes then is counted */

struct news {
  struct news_item *first, *last;
  unsigned count;
};

/* Copies the event's address, ban, code and text. */
void news_put(struct mp_engine *engine, const struct mp_event *event);

/* Tells all that wait, in order. */
void news_tell(struct mp_engine *engine);
void news_deinit(struct mp_engine *engine);

#endif
