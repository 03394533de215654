/* lending - memory for reading that the streams of a loop take turns with: who
 * waits for bytes holds none. */
#ifndef NET_LENDING_H
#define NET_LENDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
  LENDING_SCRATCH = 64 * 1024, /* bytes of one read */
  LENDING_SPARE = 8 << 20,     /* the largest buffer that is kept */
};

/* {0} has nothing yet. */
struct lending {
  uint8_t *scratch;
  struct buf spare;
};

void lending_deinit(struct lending *lending);

/* LENDING_SCRATCH bytes that are yours until you return to the loop, or NULL
 * without memory. */
uint8_t *lending_scratch(struct lending *lending);

/* Gives an empty buffer what somebody has left here, when that is larger: to
 * get a large one from the system costs more than to read into it. */
void lending_take(struct lending *lending, struct buf *buf);

/* Takes the storage of a buffer back. */
void lending_leave(struct lending *lending, struct buf *buf);

#endif
