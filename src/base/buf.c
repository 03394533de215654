/* buf - a byte queue: put at the end, take from the front. */
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "moonpeer/error.h"

enum { SMALLEST = 256 };

void buf_deinit(struct buf *buf) {
  free(buf->bytes);
  *buf = (struct buf){0};
}

size_t buf_length(const struct buf *buf) {
  return buf->end - buf->start;
}

uint8_t *buf_head(const struct buf *buf) {
  return buf->bytes ? buf->bytes + buf->start
                    : NULL; /* NULL + 0 is undefined */
}

/* Moves the content to the front when that alone makes enough room and is
 * cheap: what is moved is no more than what is gained. */
static int slide(struct buf *buf, size_t n) {
  size_t length = buf_length(buf);
  if (buf->size - length < n || buf->start < length)
    return 0;
  if (length)
    memmove(buf->bytes, buf_head(buf), length);
  buf->start = 0;
  buf->end = length;
  return 1;
}

static int enlarge(struct buf *buf, size_t n) {
  size_t length = buf_length(buf), size = buf->size * 2;
  if (n > SIZE_MAX / 2 - length)
    return 0;
  if (size < length + n)
    size = length + n;
  if (size < SMALLEST)
    size = SMALLEST;
  uint8_t *bytes = mem_try(size);
  if (!bytes)
    return 0;
  if (length)
    memcpy(bytes, buf_head(buf), length);
  free(buf->bytes);
  *buf = (struct buf){.bytes = bytes, .end = length, .size = size};
  return 1;
}

uint8_t *buf_reserve(struct buf *buf, size_t n) {
  if (buf->size - buf->end < n && !slide(buf, n) && !enlarge(buf, n))
    return NULL;
  return buf->bytes + buf->end;
}

void buf_grow(struct buf *buf, size_t n) {
  assert(n <= buf->size - buf->end);
  buf->end += n;
}

int buf_put(struct buf *buf, const void *bytes, size_t n) {
  if (n == 0)
    return 0;
  uint8_t *room = buf_reserve(buf, n);
  if (!room)
    return MP_ELIMIT;
  memcpy(room, bytes, n);
  buf->end += n;
  return 0;
}

void buf_consume(struct buf *buf, size_t n) {
  assert(n <= buf_length(buf));
  buf->start += n;
  if (buf->start == buf->end)
    buf->start = buf->end = 0;
}

void buf_truncate(struct buf *buf, size_t n) {
  assert(n <= buf_length(buf));
  buf->end = buf->start + n;
}

void buf_release(struct buf *buf) {
  if (buf->start == buf->end)
    buf_deinit(buf);
}
