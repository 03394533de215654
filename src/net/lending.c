/* lending - memory for reading that the streams of a loop take turns with. */
#include "net/lending.h"

#include <stdlib.h>

#include "base/mem.h"

void lending_deinit(struct lending *lending) {
  free(lending->scratch);
  lending->scratch = NULL;
  buf_deinit(&lending->spare);
}

uint8_t *lending_scratch(struct lending *lending) {
  if (!lending->scratch)
    lending->scratch = mem_try(LENDING_SCRATCH);
  return lending->scratch;
}

void lending_take(struct lending *lending, struct buf *buf) {
  if (buf->size >= lending->spare.size)
    return;
  buf_deinit(buf);
  *buf = lending->spare;
  lending->spare = (struct buf){0};
}

void lending_leave(struct lending *lending, struct buf *buf) {
  struct buf given = *buf;
  *buf = (struct buf){0};
  if (given.size > lending->spare.size && given.size <= LENDING_SPARE) {
    struct buf smaller = lending->spare;
    given.start = given.end = 0;
    lending->spare = given;
    given = smaller;
  }
  buf_deinit(&given);
}
