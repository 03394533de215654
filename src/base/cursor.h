/* cursor - reading bytes in order, with one sticky error. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads from bytes[at..size), which are borrowed. After the first read that
 * does not fit every read gives 0 (or NULL), and failed stays set with `at`
 * where that read began. */
struct cursor {
  const uint8_t *bytes;
  size_t at, size;
  bool failed;
};

struct cursor cursor_of(const void *bytes, size_t size);
size_t cursor_left(const struct cursor *cursor);

/* Little-endian integers; be is big-endian. */
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint16_t cursor_u16_be(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);

/* A compact size: 1, 3, 5 or 9 bytes. What is longer than it need be fails. */
uint64_t cursor_compact(struct cursor *cursor);

/* The next n bytes, borrowed, or NULL. */
const uint8_t *cursor_bytes(struct cursor *cursor, size_t n);

/* The same at a fixed place, for code that has checked the size. */
uint16_t get_u16(const uint8_t *bytes);
uint32_t get_u32(const uint8_t *bytes);
uint64_t get_u64(const uint8_t *bytes);
void put_u16(uint8_t *bytes, uint16_t value);
void put_u16_be(uint8_t *bytes, uint16_t value);
void put_u32(uint8_t *bytes, uint32_t value);
void put_u64(uint8_t *bytes, uint64_t value);

/* Bytes a compact size takes (1, 3, 5 or 9), and writing it; returns the
 * count. */
size_t compact_size(uint64_t value);
size_t put_compact(uint8_t *bytes, uint64_t value);

#endif
