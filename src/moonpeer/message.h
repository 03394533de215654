/* message - views on the fields of a payload, and making payloads. */
#ifndef MOONPEER_MESSAGE_H
#define MOONPEER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/error.h"
#include "moonpeer/layout.h"
#include "moonpeer/network.h"

/* --- views -----------------------------------------------------------------
 * Nothing here allocates, and everything points into the payload and its type:
 * both are borrowed as long as a view or what was read from it is used. A view
 * that was opened is good: reading its fields cannot fail. */

/* Fields that lie one after the other. */
struct mp_record {
  const struct mp_layout *layout;
  const uint8_t *bytes;
  size_t at[MP_LAYOUT_FIELDS + 1]; /* offsets of fields in bytes, then size */
  uint32_t present;                /* a bit for each field that is there */
};

/* A message; command and size are good even when no type is known. */
struct mp_message {
  char command[MP_COMMAND_SIZE + 1];
  const struct mp_message_type *type; /* NULL: declared by nobody */
  const uint8_t *payload;
  uint64_t size;
  uint64_t wrong_at;       /* in the payload: where a check has failed; 0 when
                            * no fault was given */
  struct mp_record fields; /* no layout when the payload is raw */
};

/* Checks a payload of n bytes against the built-in type of the command, or
 * against a given one. Bytes after the last field are ignored, as by the
 * reference node (bitcoin-sv 1.2.2); fields.at[layout->count] tells where they
 * begin. A command without a type or layout is good, and raw. 0, or
 * MP_EPROTOCOL with the field and its offset, or for more bytes than the type's
 * limit; then command, payload and size are good, and nothing else. */
int mp_message_open(struct mp_message *message, const char *command,
                    const void *payload, uint64_t n, struct mp_fault *fault);
int mp_message_open_as(struct mp_message *message,
                       const struct mp_message_type *type, const void *payload,
                       uint64_t n, struct mp_fault *fault);

enum mp_value_kind {
  MP_VALUE_NONE, /* the field is absent */
  MP_VALUE_INTEGER,
  MP_VALUE_BOOLEAN,
  MP_VALUE_BYTES,
  MP_VALUE_TEXT,
  MP_VALUE_HASH,   /* 32 bytes in wire order */
  MP_VALUE_IP,     /* 4 or 16 bytes in network order */
  MP_VALUE_DIGEST, /* mp_hash of bytes: computed by who wants it */
  MP_VALUE_RECORD,
  MP_VALUE_LIST,
};

/* What a field holds. */
struct mp_value {
  enum mp_value_kind kind;
  bool is_signed;       /* number is an int64_t */
  bool is_default;      /* absent, and this is what that means */
  uint64_t number;      /* the integer, 0 or 1, or the count of a list */
  const uint8_t *bytes; /* of all kinds but NONE: where it lies */
  size_t size;          /* of these */
  const struct mp_field *field;
  const struct mp_layout *item; /* of records and lists */
};

/* The place of a field in a layout, or -1 for a name it has not. */
int mp_layout_index(const struct mp_layout *layout, const char *name);

/* The field at a place of the layout: below its count. */
void mp_record_get(const struct mp_record *record, size_t index,
                   struct mp_value *value);

/* The same by name; false when there is no such field. */
bool mp_record_find(const struct mp_record *record, const char *name,
                    struct mp_value *value);

/* Bytes from its first field to behind its last; 0 when it has no layout. */
size_t mp_record_size(const struct mp_record *record);

/* Opens a value of kind MP_VALUE_RECORD. */
void mp_value_record(const struct mp_value *value, struct mp_record *record);

/* The entries of a list, in order. */
struct mp_list {
  const struct mp_layout *item;
  uint64_t count, next;   /* entries, and how many have been passed */
  struct mp_record entry; /* the present one */
  size_t stride;          /* bytes of each, when all have the same size */
  /* private from here */
  const uint8_t *first, *end;
  bool is_hashes;
};

/* Opens a value of kind MP_VALUE_LIST before its first entry. */
void mp_value_list(const struct mp_value *value, struct mp_list *list);

/* Moves to the next entry; false after the last. */
bool mp_list_next(struct mp_list *list);

/* Moves to the entry i; false when there is none. At once when entries have
 * one size, else all before it are passed. */
bool mp_list_seek(struct mp_list *list, uint64_t i);

/* The present entry: a record, or the single value it is made of. */
void mp_list_value(const struct mp_list *list, struct mp_value *value);

/* --- hashes ----------------------------------------------------------------
 */
struct mp_hasher;

/* Owned: mp_hasher_free, for which NULL is fine. NULL when OpenSSL has no
 * sha256. One for each thread. */
struct mp_hasher *mp_hasher_new(void);
void mp_hasher_free(struct mp_hasher *hasher);

/* sha256 of the sha256 of n bytes: Bitcoin's hash, in wire order. */
void mp_hash(struct mp_hasher *hasher, const void *bytes, size_t n,
             uint8_t digest[32]);

/* --- making payloads -------------------------------------------------------
 * Fields are given by name, in any order. What is not given has a default, or
 * is absent, or is an error at the end. Computed fields may be given and are
 * ignored, but a count must be right; a field that only says whether others
 * are there need not be given.
 *
 * In a list an entry is given with a name of NULL: a value, or begin, fields,
 * end. Bytes may be given for a record (a whole transaction).
 *
 * After an error every call gives it again until the next start. */
struct mp_encoder;

/* Owned: mp_encoder_free, for which NULL is fine. Good for any number of
 * payloads, one after the other. */
struct mp_encoder *mp_encoder_new(void);
void mp_encoder_free(struct mp_encoder *encoder);

/* Begins a payload; what was there before is gone. type has a layout and is
 * borrowed until the next start. */
void mp_encoder_start(struct mp_encoder *encoder,
                      const struct mp_message_type *type);

/* The field that a name means where the encoder stands (NULL: an entry), or
 * NULL: for a caller who converts by type. */
const struct mp_field *mp_encoder_field(const struct mp_encoder *encoder,
                                        const char *name);

/* A number, a flag (0 or 1) or bytes for a field; or the beginning and the end
 * of a record or list. Each is 0; MP_EPROTOCOL, with the field and what it
 * wants; or MP_ELIMIT for want of memory. Unsigned 64-bit numbers are given as
 * their bits; bytes are copied. */
int mp_encoder_integer(struct mp_encoder *encoder, const char *name,
                       int64_t value, struct mp_fault *fault);
int mp_encoder_bytes(struct mp_encoder *encoder, const char *name,
                     const void *bytes, size_t n, struct mp_fault *fault);
int mp_encoder_begin(struct mp_encoder *encoder, const char *name,
                     struct mp_fault *fault);
int mp_encoder_end(struct mp_encoder *encoder, struct mp_fault *fault);

/* Checks the whole and lends it: *payload is borrowed until the next start or
 * free. 0, MP_EPROTOCOL or MP_ELIMIT (no memory). */
int mp_encoder_finish(struct mp_encoder *encoder, const uint8_t **payload,
                      size_t *n, struct mp_fault *fault);

/* --- frames ----------------------------------------------------------------
 * Facts: bitcoin-sv 1.2.2, protocol.cpp and net.cpp. */

/* A message as it lies in a stream; payload is borrowed from there, NULL while
 * it is not whole. */
struct mp_cut {
  char command[MP_COMMAND_SIZE + 1];
  bool is_extended;   /* the header of 44 bytes, without a checksum */
  size_t header_size; /* 0 while the header is not complete */
  uint64_t payload_size;
  uint8_t checksum[4]; /* as claimed */
  const uint8_t *payload;
};

/* Looks at the first n bytes. With a hasher (may be NULL) the checksum, too.
 *  1  a whole message lies there, header_size + payload_size bytes of it
 *  0  more bytes are needed; with a header_size the header is good
 *  MP_ENETWORK, MP_EOVERSIZE, MP_EPROTOCOL  another magic, a length over the
 *     network's limit, a command that breaks the rules; of the last two the
 *     sizes are told
 *  MP_ECHECKSUM  with a hasher: the payload has another checksum */
int mp_message_cut(struct mp_cut *cut, const struct mp_network *network,
                   const void *bytes, size_t n, struct mp_hasher *hasher,
                   struct mp_fault *fault);

enum { MP_HEADER_MAX = 44 };

/* Writes the header for a payload of n bytes: the header's size, 24, or 44 for
 * payloads of 4 GiB and more, which have no checksum. 0 when the command is
 * none of at most 12 bytes of printable ASCII, or begins with "extmsg". */
size_t mp_message_header(uint8_t header[MP_HEADER_MAX],
                         const struct mp_network *network, const char *command,
                         const void *payload, uint64_t n,
                         struct mp_hasher *hasher);

#endif
