/* cursor - reading bytes in order, with one sticky error. */
#include "base/cursor.h"

#include <stddef.h>

struct cursor cursor_of(const void *bytes, size_t size) {
  return (struct cursor){.bytes = bytes, .size = size};
}

size_t cursor_left(const struct cursor *cursor) {
  return cursor->failed ? 0 : cursor->size - cursor->at;
}

const uint8_t *cursor_bytes(struct cursor *cursor, size_t n) {
  if (cursor->failed || n > cursor->size - cursor->at) {
    cursor->failed = true;
    return NULL;
  }
  const uint8_t *bytes = cursor->bytes + cursor->at;
  cursor->at += n;
  return bytes;
}

uint16_t get_u16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | bytes[1] << 8);
}

uint32_t get_u32(const uint8_t *bytes) {
  return get_u16(bytes) | (uint32_t)get_u16(bytes + 2) << 16;
}

uint64_t get_u64(const uint8_t *bytes) {
  return get_u32(bytes) | (uint64_t)get_u32(bytes + 4) << 32;
}

void put_u16(uint8_t *bytes, uint16_t value) {
  bytes[0] = (uint8_t)value;
  bytes[1] = (uint8_t)(value >> 8);
}

void put_u16_be(uint8_t *bytes, uint16_t value) {
  bytes[0] = (uint8_t)(value >> 8);
  bytes[1] = (uint8_t)value;
}

void put_u32(uint8_t *bytes, uint32_t value) {
  put_u16(bytes, (uint16_t)value);
  put_u16(bytes + 2, (uint16_t)(value >> 16));
}

void put_u64(uint8_t *bytes, uint64_t value) {
  put_u32(bytes, (uint32_t)value);
  put_u32(bytes + 4, (uint32_t)(value >> 32));
}

uint8_t cursor_u8(struct cursor *cursor) {
  const uint8_t *bytes = cursor_bytes(cursor, 1);
  return bytes ? bytes[0] : 0;
}

uint16_t cursor_u16(struct cursor *cursor) {
  const uint8_t *bytes = cursor_bytes(cursor, 2);
  return bytes ? get_u16(bytes) : 0;
}

uint16_t cursor_u16_be(struct cursor *cursor) {
  const uint8_t *bytes = cursor_bytes(cursor, 2);
  return bytes ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 0;
}

uint32_t cursor_u32(struct cursor *cursor) {
  const uint8_t *bytes = cursor_bytes(cursor, 4);
  return bytes ? get_u32(bytes) : 0;
}

uint64_t cursor_u64(struct cursor *cursor) {
  const uint8_t *bytes = cursor_bytes(cursor, 8);
  return bytes ? get_u64(bytes) : 0;
}

/* Non-minimal sizes are refused, as the reference node refuses them. */
uint64_t cursor_compact(struct cursor *cursor) {
  size_t start = cursor->at;
  uint64_t value = cursor_u8(cursor);
  if (value == 0xfd)
    value = cursor_u16(cursor);
  else if (value == 0xfe)
    value = cursor_u32(cursor);
  else if (value == 0xff)
    value = cursor_u64(cursor);
  if (!cursor->failed && compact_size(value) == cursor->at - start)
    return value;
  cursor->failed = true;
  cursor->at = start;
  return 0;
}

size_t compact_size(uint64_t value) {
  if (value < 0xfd)
    return 1;
  if (value <= 0xffff)
    return 3;
  return value <= 0xffffffff ? 5 : 9;
}

size_t put_compact(uint8_t *bytes, uint64_t value) {
  size_t n = compact_size(value);
  if (n == 1) {
    bytes[0] = (uint8_t)value;
  } else if (n == 3) {
    bytes[0] = 0xfd;
    put_u16(bytes + 1, (uint16_t)value);
  } else if (n == 5) {
    bytes[0] = 0xfe;
    put_u32(bytes + 1, (uint32_t)value);
  } else {
    bytes[0] = 0xff;
    put_u64(bytes + 1, value);
  }
  return n;
}
