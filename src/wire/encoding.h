/* encoding - what the encoder's files share. */
#ifndef WIRE_ENCODING_H
#define WIRE_ENCODING_H

#include "base/buf.h"
#include "moonpeer/message.h"
#include "wire/layout.h"

enum { ENCODER_LEVELS = 2 * MP_LAYOUT_DEPTH + 2 };

/* A field of a record that is being made: where its bytes lie in out. */
struct slot {
  bool is_given;
  size_t start, size;
  uint64_t number; /* of a list: its entries; of a count: what was claimed */
};

/* A record or a list that is being made. */
struct level {
  const struct mp_layout *layout; /* of the record, or of the entries */
  const struct mp_field *field;   /* which it is in the level above */
  bool is_list;
  uint64_t entries;
  size_t start; /* of its bytes in out */
  struct slot slots[MP_LAYOUT_FIELDS];
};

struct mp_encoder {
  const struct mp_message_type *type;
  struct buf out, spare;
  int rc; /* the first failure, and its words */
  struct mp_fault fault;
  size_t depth;   /* of the level that is on top */
  size_t ignored; /* levels begun in computed fields */
  struct level levels[ENCODER_LEVELS];
};

/* All of these set the failure, and *fault unless NULL, and return its code. */
__attribute__((format(printf, 4, 5))) int
encoder_refuse(struct mp_encoder *encoder, struct mp_fault *fault,
               const char *name, const char *format, ...);
int encoder_want(struct mp_encoder *encoder, const struct mp_field *field,
                 const char *got, struct mp_fault *fault);
int encoder_missing(struct mp_encoder *encoder, const struct mp_field *field,
                    struct mp_fault *fault);
int encoder_no_field(struct mp_encoder *encoder, const char *name,
                     struct mp_fault *fault);
int encoder_no_memory(struct mp_encoder *encoder, struct mp_fault *fault);
int encoder_put(struct mp_encoder *encoder, const void *bytes, size_t n,
                struct mp_fault *fault);

/* A number's bytes; returns how many. */
size_t encoder_number(const struct mp_field *field, uint64_t value,
                      uint8_t bytes[9]);

/* Brings the record on top into the order of its layout, with all that was
 * not given. */
int encoder_complete(struct mp_encoder *encoder, struct mp_fault *fault);

#endif
