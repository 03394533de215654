/* layout - which fields a message has, as data: for the built-in messages and
 * for those that scripts declare. The facts of the built-in ones are from the
 * places that each type's `source` names. */
#ifndef MOONPEER_LAYOUT_H
#define MOONPEER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/error.h"

enum {
  MP_LAYOUT_FIELDS = 24, /* the most fields of one layout */
  MP_LAYOUT_DEPTH = 6,   /* the deepest nesting of records and lists */
};

enum mp_field_type {
  MP_FIELD_UINT,      /* size (1..8) bytes, little-endian */
  MP_FIELD_INT,       /* the same with a sign: 1, 2, 4 or 8 bytes */
  MP_FIELD_BOOL,      /* a byte; any but zero reads as true */
  MP_FIELD_COMPACT,   /* an integer below 2^(8*size) in 1, 3, 5 or 9 bytes */
  MP_FIELD_HASH,      /* 32 bytes, shown in reverse */
  MP_FIELD_IP,        /* 16 bytes, as in struct mp_address */
  MP_FIELD_BYTES,     /* size bytes */
  MP_FIELD_VAR_BYTES, /* a compact length, then so many bytes */
  MP_FIELD_VAR_TEXT,  /* the same, meant to be read; not trusted */
  MP_FIELD_RECORD,    /* the fields of item */
  MP_FIELD_LIST,      /* a compact count, then so many items */
  /* These take no bytes, and are computed from others. */
  MP_FIELD_COUNT_OF,  /* the count of the list named in `of` */
  MP_FIELD_SIZE_OF,   /* bytes of the record it stands in */
  MP_FIELD_HASH_OF,   /* double sha256 of the record's first size bytes, or
                       * of the field named in `of`, or of all of it */
  MP_FIELD_HASHES_OF, /* a list: that of each item of the list `of` */
};

enum mp_field_flag {
  MP_BIG_ENDIAN = 1,    /* MP_FIELD_UINT: the other way round */
  MP_RANGE = 2,         /* min and max hold (for lists and variable bytes they
                         * always do, a max of 0 being none) */
  MP_TAIL = 4,          /* the payload may end before this field; then it and
                         * what follows are absent */
  MP_DEFAULT = 8,       /* when not given: initial, or zeros, or empty */
  MP_SIZED = 16,        /* MP_FIELD_RECORD: a compact length stands before it,
                         * and it fills that exactly */
  MP_LENIENT = 32,      /* absent when the payload is too short for it */
  MP_DIFFERENTIAL = 64, /* a list of MP_FIELD_COMPACT, each the distance to
                         * the one before less one: they must stay in 32 bits */
  MP_NETWORK_ADDRESS = 128, /* MP_FIELD_VAR_BYTES: an address whose kind is
                             * the byte before it (BIP155) */
  MP_QUIET = 256,           /* large: left out when a whole message is shown */
};

/* How an integer is shown where 64 bits do not pass as numbers. */
enum mp_field_show {
  MP_SHOW_NUMBER,
  MP_SHOW_HEX,      /* "0x21" */
  MP_SHOW_HEX_FULL, /* "0x00000021": two digits for each byte */
};

struct mp_layout;

/* One field of a layout. Zero members mean nothing special. */
struct mp_field {
  const char *name; /* NULL in the layout of an item that is no record but a
                     * single value */
  enum mp_field_type type;
  uint8_t size;   /* bytes, where the type says so */
  uint16_t flags; /* of enum mp_field_flag, or'ed */
  enum mp_field_show show;
  const struct mp_layout *item; /* of a record or list */
  const char *of;               /* the field that a computed one is about */
  /* The field is there only when an earlier integer of the record is at least
   * when_min, or an earlier text is one of the words of when_is. */
  const char *when, *when_is;
  uint64_t when_min;
  uint64_t min, max; /* of the value, of the bytes, or of the entries */
  int64_t initial;   /* with MP_DEFAULT */
  const char *unit;  /* for people; NULL when it has none */
};

/* Plain data, borrowed for as long as views and encoders use it. */
struct mp_layout {
  const struct mp_field *fields; /* in the order in which they lie */
  size_t count;                  /* 0 .. MP_LAYOUT_FIELDS */
};

/* When a message may come. */
enum mp_phase {
  MP_PHASE_ANY,         /* always */
  MP_PHASE_VERSION,     /* once a version has come */
  MP_PHASE_NEGOTIATION, /* after the version and before the verack */
  MP_PHASE_READY,       /* after both */
};

/* A message: its command, fields and rules. Plain data, borrowed likewise. */
struct mp_message_type {
  const char *command;            /* 1 .. 12 bytes of printable ASCII */
  const struct mp_layout *layout; /* NULL: known by name, raw bytes */
  uint64_t limit;                 /* bytes of payload; 0: the network's */
  enum mp_phase phase;
  bool is_foreign;     /* other chains' nodes send it, Bitcoin SV's never */
  const char *summary; /* for people */
  const char *source;  /* where the facts are from */
};

/* The built-in type of a command; NULL for one nobody has. Static. */
const struct mp_message_type *mp_message_find(const char *command);

/* All *n of them, by name. Static. */
const struct mp_message_type *mp_message_list(size_t *n);

/* Whether the addresses of a network of BIP155 (its id on the wire) are IP
 * addresses of 4 or 16 bytes: those of IPv4, IPv6, CJDNS and Yggdrasil. */
bool mp_network_id_is_ip(uint64_t id);

/* Whether a type made at run time obeys the rules above: names, sizes,
 * references to earlier fields, depth, no entries without bytes. 0, or
 * MP_ECONFIG with the field. What has not passed must not be used to open or
 * encode. */
int mp_message_type_check(const struct mp_message_type *type,
                          struct mp_fault *fault);

#endif
