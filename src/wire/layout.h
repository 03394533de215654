/* layout - walking bytes along a layout: the one place that decides where a
 * field ends and whether it is good. */
#ifndef WIRE_LAYOUT_H
#define WIRE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/layout.h"
#include "moonpeer/message.h"

/* What was wrong, for a fault: written only on failure. */
struct walk_words {
  size_t at;
  char path[96], what[128];
};

/* A walk over bytes[at..size). */
struct walk {
  const uint8_t *bytes;
  size_t at, size;
  struct walk_words *words; /* NULL: nobody wants to know */
};

/* Passes one record and fills its view. 0 or MP_EPROTOCOL. */
int layout_walk(struct walk *walk, const struct mp_layout *layout,
                struct mp_record *record);

/* Bytes of every record of the layout, or 0 when they differ or must be looked
 * at; and the fewest that one can have. */
size_t layout_fixed_size(const struct mp_layout *layout);
size_t layout_min_size(const struct mp_layout *layout);

/* Whether it is the layout of an item that is a single value. */
bool layout_is_scalar(const struct mp_layout *layout);

/* Whether a field takes no bytes. */
bool field_is_computed(const struct mp_field *field);

/* Whether a field's value is an integer or a boolean. */
bool field_is_number(const struct mp_field *field);

/* The value of such a field at bytes that have been walked: signed ones as
 * their 64 bits. */
uint64_t field_number(const struct mp_field *field, const uint8_t *bytes);

/* Whether a text is one of the words, which are separated by spaces. */
bool is_word(const char *words, const uint8_t *text, size_t n);

/* The compact size at bytes that have been walked; *n is its own size. */
uint64_t compact_at(const uint8_t *bytes, size_t *n);

#endif
