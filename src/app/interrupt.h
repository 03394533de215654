/* interrupt - Ctrl-C while a loop runs, and the signals that ask for the end:
 * stops the Lua code that is being run, however long that takes, and tells the
 * loop. */
#ifndef APP_INTERRUPT_H
#define APP_INTERRUPT_H

#include <lua.h>

struct mp_loop;
struct interrupt;
struct script;

/* fn runs on the loop after each SIGINT, SIGHUP and SIGTERM. A Ctrl-C that
 * comes before the last one was told means that Lua does not return to the
 * loop, not even interrupted: whatever task computes is ended; a third ends the
 * process. One at a time. NULL when it cannot be had. */
struct interrupt *interrupt_open(struct mp_loop *loop,
                                 const struct script *script,
                                 void (*fn)(void *data, int number),
                                 void *data);
void interrupt_close(struct interrupt *interrupt);

/* The code that is to be stopped, or NULL. It must live until another is
 * named. */
void interrupt_watch(struct interrupt *interrupt, lua_State *thread);

#endif
