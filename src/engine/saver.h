/* saver - making an engine's store last without holding the loop. */
#ifndef ENGINE_SAVER_H
#define ENGINE_SAVER_H

#include <stdbool.h>

struct mp_engine;
struct saver;

struct saver *saver_new(struct mp_engine *engine);

/* Starts a save; one that is asked for while another is under way follows
 * it. How many saves have to end until what there is now has been saved. */
unsigned saver_start(struct saver *saver);

/* The engine closes: saves what has changed. True when nothing is left to do;
 * else the engine's turn is posted when something has changed. */
bool saver_finish(struct saver *saver);

/* The deadline has passed: finish says true from now on. */
void saver_abandon(struct saver *saver);

/* A save on another thread goes on; what it needs is freed when it is done. */
void saver_free(struct saver *saver);

#endif
