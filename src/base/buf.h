/* buf - a byte queue: put at the end, take from the front. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

/* {0} is an empty buffer without storage. The content is bytes[start..end). */
struct buf {
  uint8_t *bytes;
  size_t start, end, size;
};

void buf_deinit(struct buf *buf);

/* Bytes that are queued, and where they start. The pointer is stale after
 * every call that is not const. */
size_t buf_length(const struct buf *buf);
uint8_t *buf_head(const struct buf *buf);

/* Room for n bytes at the end: its address, or NULL when there is no memory.
 * Moves the content: earlier pointers are stale. Grows by doubling. */
uint8_t *buf_reserve(struct buf *buf, size_t n);

/* The first n bytes of the room have been written. */
void buf_grow(struct buf *buf, size_t n);

/* Appends a copy. 0, or MP_ELIMIT when there is no memory. */
int buf_put(struct buf *buf, const void *bytes, size_t n);

/* Takes n <= length bytes from the front. */
void buf_consume(struct buf *buf, size_t n);

/* Takes all bytes after the first n away again. */
void buf_truncate(struct buf *buf, size_t n);

/* Gives storage back when it is empty. */
void buf_release(struct buf *buf);

#endif
