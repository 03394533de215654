/* generator - a payload that nobody has to hold, for tests. */
#ifndef TEST_GENERATOR_H
#define TEST_GENERATOR_H

#include "talk.h"

enum { KIB = 1024, MIB = 1024 * KIB };

/* Bytes of a payload that nobody has to hold. */
struct generator {
  struct mp_payload payload;
  uint64_t fails_at; /* 0: never */
  int passes, done, rc;
};

static inline uint8_t byte_at(uint64_t offset) {
  return (uint8_t)(offset * 31 + offset / 251);
}

static inline ptrdiff_t generate(void *data, uint64_t offset, void *bytes,
                                 size_t n) {
  struct generator *generator = data;
  if (offset == 0)
    generator->passes++;
  if (generator->fails_at && offset >= generator->fails_at)
    return MP_EIO;
  if (n > 10000) /* a source may give less than there is room for */
    n = 10000;
  for (size_t i = 0; i < n; i++)
    ((uint8_t *)bytes)[i] = byte_at(offset + i);
  return (ptrdiff_t)n;
}

static inline void generated(void *data, int rc) {
  struct generator *generator = data;
  generator->done++;
  generator->rc = rc;
}

static inline void generator_init(struct generator *generator, uint64_t size) {
  *generator = (struct generator){
      .payload = {size, generate, generated, generator}, .rc = 1};
}

static inline uint64_t sum_of(uint64_t size) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < size; i++)
    sum += byte_at(i) * (i + 1);
  return sum;
}

static inline int send_from(struct side *side, const char *command,
                            struct generator *generator) {
  return mp_connection_send_from(side->connection, command, &generator->payload,
                                 NULL);
}

static inline bool far_has_x(struct bed *bed) {
  struct talk *talk = bed->data;
  return strstr(talk->far.commands, "x ") != NULL;
}

static inline bool far_is_over(struct bed *bed) {
  struct talk *talk = bed->data;
  return talk->far.is_over;
}

static inline bool near_is_over(struct bed *bed) {
  struct talk *talk = bed->data;
  return talk->near.is_over;
}

static inline bool both_are_over(struct bed *bed) {
  struct talk *talk = bed->data;
  return talk->far.is_over && talk->near.is_over;
}

static inline void pause_at_first(struct side *side,
                                  const struct mp_event *event) {
  if (event->type == MP_CHUNK && side->chunks == 1)
    mp_connection_pause(side->connection, true);
}

#endif
