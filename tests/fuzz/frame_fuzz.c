/* frame_fuzz - cutting frames: no byte reads too far, a strict prefix of a
 * good frame waits, and a frame made from what was cut is the same frame. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The answer for a block of exactly n bytes. */
static int next_of_copy(const struct mp_network *network, const uint8_t *bytes,
                        size_t n) {
  uint8_t *copy = malloc(n ? n : 1);
  struct frame frame;
  if (n)
    memcpy(copy, bytes, n);
  int rc = frame_next(network, copy, n, &frame, NULL);
  free(copy);
  return rc;
}

static void prefixes_wait(const struct mp_network *network,
                          const uint8_t *bytes, size_t size) {
  size_t step = size / 64 + 1;
  for (size_t n = 0; n < size; n += n < 50 ? 1 : step)
    assert(next_of_copy(network, bytes, n) == 0);
  assert(next_of_copy(network, bytes, size - 1) == 0);
}

static void comes_back(const struct mp_network *network, struct hasher *hasher,
                       const struct frame *frame) {
  struct buf out = {0};
  int rc = frame_put(&out, network, frame->command, frame->payload,
                     (size_t)frame->payload_size, hasher);
  assert(rc == 0);
  struct frame again;
  rc = frame_next(network, buf_head(&out), buf_length(&out), &again, NULL);
  assert(rc == 1 && frame_check(hasher, &again, NULL) == 0);
  assert(strcmp(again.command, frame->command) == 0);
  assert(again.payload_size == frame->payload_size);
  buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static struct hasher *hasher;
  if (!hasher)
    hasher = hasher_new();
  const struct mp_network *network = mp_network_find("mainnet");
  while (n) {
    struct frame frame;
    struct mp_fault fault;
    int rc = frame_next(network, bytes, n, &frame, &fault);
    assert(rc <= 1);
    if (rc != 1 && rc != MP_EPROTOCOL)
      break;
    size_t size = frame.header_size + (size_t)frame.payload_size;
    assert(size <= n);
    prefixes_wait(network, bytes, size);
    /* a basic frame called extmsg cannot be made: it reads as extended */
    if (rc == 1 && strncmp(frame.command, "extmsg", 6) != 0) {
      frame_check(hasher, &frame, &fault);
      comes_back(network, hasher, &frame);
    }
    bytes += size;
    n -= size;
  }
  return 0;
}
