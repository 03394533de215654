/* message_test - what a view says, what is refused, and declared messages. */
#include "moonpeer/message.h"

#include "wire_data.h"

/* Opens a copy of exactly the bytes of a hex text, kept until the next. */
static int open_hex(struct mp_message *message, const char *command,
                    const char *hex, struct mp_fault *fault) {
  static uint8_t *bytes;
  size_t n;
  free(bytes);
  bytes = hex_bytes(hex, &n);
  return mp_message_open(message, command, bytes, n, fault);
}

static void check_refused(const char *command, const char *hex,
                          const char *text) {
  struct mp_message message;
  struct mp_fault fault = {0};
  CHECK_INT(open_hex(&message, command, hex, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, text);
  CHECK_INT(open_hex(&message, command, hex, NULL), MP_EPROTOCOL);
}

/* --- what is refused ----------------------------------------------------- */

static void a_fault_names_the_field_its_entry_and_its_offset(void) {
  check_refused("ping", "01020304050607",
                "ping: nonce at offset 0: expected 8 bytes, 7 are left");
  check_refused("getheaders", "80110100",
                "getheaders: locator at offset 4: expected a compact size in "
                "its shortest form, 0 bytes are left");
  check_refused("addrv2",
                "02"
                "05000000"
                "09"
                "01"
                "04"
                "01020304"
                "0001"
                "05000000"
                "09"
                "01"
                "05"
                "0102030405"
                "0001",
                "addrv2: entries[1].addr at offset 20: expected 4 bytes for "
                "network 1, got 5");
  check_refused("revokemid", "",
                "revokemid: version at offset 0: expected 4 bytes, 0 are left");
}

static void the_way_to_a_field_may_be_long(void) {
  char hex[1200] = "0100"
                   "02"
                   "01";
  memset(hex + 8, '0', 160); /* a header */
  strcpy(hex + 168, "05"
                    "03"
                    "0b"
                    "01000000"
                    "01");
  memset(hex + 184, '0', 64);
  strcpy(hex + 248, "0000000009");
  memset(hex + 258, '0', 600);
  check_refused("dsdetected", hex,
                "dsdetected: blocks[0].proof.tx.inputs at offset 91: expected "
                "1 entries of at least 41 bytes, 6 bytes are left");
}

static void a_count_is_believed_only_as_far_as_there_are_bytes(void) {
  check_refused("inv", "feffffffff01",
                "inv: items at offset 0: expected 4294967295 entries of 36 "
                "bytes, 1 bytes are left");
  check_refused("inv", "ffffffffffffffffff",
                "inv: items at offset 0: expected a size of at most "
                "4294967295, got 18446744073709551615");
  check_refused("tx", "01000000feffffffff00",
                "tx: inputs at offset 4: expected 4294967295 entries of at "
                "least 41 bytes, 1 bytes are left");
  check_refused("filteradd", "feffffffff00",
                "filteradd: data at offset 0: expected at most 520 bytes, got "
                "4294967295");
  check_refused("cfilter",
                "00000000000000000000000000000000000000000000000000000000000000"
                "0000"
                "feffffffff00",
                "cfilter: filter at offset 38: expected 4294967295 bytes, 1 "
                "are left");
}

static void sizes_that_are_longer_than_need_be_are_refused(void) {
  const char *const sizes[] = {"fd0000",
                               "fdfc00",
                               "fe00000000",
                               "feffff0000",
                               "ff0000000000000000",
                               "ffffffffff00000000"};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct mp_message message;
    struct mp_fault fault;
    CHECK_INT(open_hex(&message, "inv", sizes[i], &fault), MP_EPROTOCOL);
    CHECK(strstr(fault.text, "items at offset 0: expected a compact size in "
                             "its shortest form") != NULL);
  }
}

/* A payload of so many entries of zeros. */
static int open_entries(const char *command, size_t count, size_t size,
                        struct mp_fault *fault) {
  size_t n = 3 + count * size;
  uint8_t *bytes = calloc(n, 1);
  struct mp_message message;
  bytes[0] = 0xfd;
  bytes[1] = (uint8_t)count;
  bytes[2] = (uint8_t)(count >> 8);
  int rc = mp_message_open(&message, command, bytes, n, fault);
  free(bytes);
  return rc;
}

static void lists_have_the_limits_of_the_reference_node(void) {
  struct mp_fault fault;
  CHECK_INT(open_entries("addr", 1000, 30, NULL), 0);
  CHECK_INT(open_entries("addr", 1001, 30, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "addr: entries at offset 0: expected at most 1000 "
                         "entries, got 1001");
  CHECK_INT(open_entries("headers", 2000, 81, NULL), 0);
  CHECK_INT(open_entries("headers", 2001, 81, NULL), MP_EPROTOCOL);
  CHECK_INT(open_entries("inv", 58254, 36, NULL), 0);
  CHECK_INT(open_entries("filteradd", 520, 1, NULL), 0);
  CHECK_INT(open_entries("filteradd", 521, 1, NULL), MP_EPROTOCOL);
  CHECK_INT(open_entries("getheaders", 300, 40, NULL), 0); /* any locator */
}

static void numbers_have_their_range(void) {
  check_refused("createstrm",
                "0006"
                "00",
                "createstrm: stream_type at offset 1: expected 0 to 5, got 6");
  check_refused("protoconf", "00",
                "protoconf: number_of_fields at offset 0: expected 1 to "
                "4294967295, got 0");
  check_refused("filterload",
                "00"
                "33000000"
                "00000000"
                "00",
                "filterload: n_hash_funcs at offset 1: expected 0 to 50, got "
                "51");
}

static void distances_stay_in_32_bits(void) {
  char hex[200];
  struct mp_message message;
  memset(hex, '0', 64);
  strcpy(hex + 64, "02"
                   "feffffff7f"
                   "feffffff7f");
  CHECK_INT(open_hex(&message, "getblocktxn", hex, NULL), 0);
  strcpy(hex + 64, "02"
                   "feffffff7f"
                   "fe00000080");
  check_refused("getblocktxn", hex,
                "getblocktxn: indexes[1] at offset 38: expected an index below "
                "2^32, got 4294967296");
}

static void a_sized_record_fills_its_size(void) {
  char hex[500];
  memset(hex, '0', 206);
  strcpy(hex + 206, "04"
                    "010a"
                    "010b");
  struct mp_message message;
  CHECK_INT(open_hex(&message, "revokemid", hex, NULL), 0);
  strcpy(hex + 206, "05"
                    "010a"
                    "010b"
                    "00");
  check_refused("revokemid", hex,
                "revokemid: signatures at offset 108: expected the end of its "
                "5 bytes, 1 are left");
  strcpy(hex + 206, "03"
                    "010a"
                    "010b");
  check_refused("revokemid", hex,
                "revokemid: signatures.miner at offset 107: expected 1 bytes, "
                "0 are left");
}

/* --- what a view says ---------------------------------------------------- */

static void an_unknown_command_is_raw(void) {
  struct mp_message message;
  CHECK_INT(open_hex(&message, "foobar", "010203", NULL), 0);
  CHECK(message.type == NULL && message.fields.layout == NULL);
  CHECK_TEXT(message.command, "foobar");
  CHECK_INT(message.size, 3);
  CHECK_INT(mp_record_size(&message.fields), 0);
  struct mp_value value;
  CHECK(!mp_record_find(&message.fields, "nonce", &value));
  CHECK_INT(open_hex(&message, "reconcildiff", "010203", NULL), 0);
  CHECK(message.type != NULL && message.fields.layout == NULL);
}

static void an_absent_tail_has_the_defaults_of_the_reference(void) {
  char hex[200];
  struct mp_message message;
  struct mp_value value;
  memset(hex, '0', 92);
  hex[92] = '\0';
  CHECK_INT(open_hex(&message, "version", hex, NULL), 0);
  CHECK(mp_record_find(&message.fields, "relay", &value));
  CHECK(value.kind == MP_VALUE_BOOLEAN && value.number && value.is_default);
  CHECK(mp_record_find(&message.fields, "start_height", &value));
  CHECK(value.is_signed && (int64_t)value.number == -1);
  CHECK(mp_record_find(&message.fields, "nonce", &value));
  CHECK_INT(value.number, 1);
  CHECK(mp_record_find(&message.fields, "user_agent", &value));
  CHECK(value.kind == MP_VALUE_TEXT && value.size == 0);
  CHECK(mp_record_find(&message.fields, "association_id", &value));
  CHECK_INT(value.kind, MP_VALUE_NONE);
  CHECK(mp_record_find(&message.fields, "timestamp", &value));
  CHECK(value.kind == MP_VALUE_INTEGER && !value.is_default);
}

static void a_mempool_with_a_bare_age_is_the_old_empty_form(void) {
  struct mp_message message;
  struct mp_value value;
  CHECK_INT(open_hex(&message, "mempool", "100e000000000000", NULL), 0);
  CHECK(mp_record_find(&message.fields, "age", &value));
  CHECK_INT(value.kind, MP_VALUE_NONE);
  CHECK_INT(open_hex(&message, "mempool", "01100e000000000000", NULL), 0);
  CHECK(mp_record_find(&message.fields, "age", &value));
  CHECK_INT(value.number, 3600);
}

static void signs_are_kept(void) {
  struct mp_message message;
  struct mp_value value;
  CHECK_INT(open_hex(&message, "feefilter", "feffffffffffffff", NULL), 0);
  CHECK(mp_record_find(&message.fields, "feerate_sat_per_kb", &value));
  CHECK(value.is_signed && (int64_t)value.number == -2);
  char hex[200];
  memset(hex, 'f', 92);
  hex[92] = '\0';
  CHECK_INT(open_hex(&message, "version", hex, NULL), 0);
  CHECK(mp_record_find(&message.fields, "version", &value));
  CHECK_INT((int64_t)value.number, -1);
  CHECK(mp_record_find(&message.fields, "services", &value));
  CHECK(value.number == UINT64_MAX && !value.is_signed);
}

/* Entries of one size are reached at once, others by passing those before. */
static void check_seek(const char *command, const char *hex, const char *list,
                       uint64_t count) {
  struct mp_message message;
  struct mp_value value, entry;
  struct mp_list forward, jump;
  CHECK_INT(open_hex(&message, command, hex, NULL), 0);
  CHECK(mp_record_find(&message.fields, list, &value));
  CHECK_INT(value.number, count);
  mp_value_list(&value, &forward);
  mp_value_list(&value, &jump);
  CHECK(!mp_list_seek(&jump, count));
  for (uint64_t i = 0; mp_list_next(&forward); i++) {
    mp_list_value(&forward, &entry);
    CHECK(mp_list_seek(&jump, count - 1));
    CHECK(mp_list_seek(&jump, i));
    CHECK(jump.entry.bytes == forward.entry.bytes);
    CHECK_INT(mp_record_size(&jump.entry), mp_record_size(&forward.entry));
    CHECK_INT(jump.next, i + 1);
  }
  CHECK_INT(forward.next, count);
  CHECK(!mp_list_next(&forward));
}

static void entries_are_reached_in_any_order(void) {
  char hex[400] = "03";
  memset(hex + 2, '0', 36 * 2 * 3);
  hex[2 + 36 * 2 * 3] = '\0';
  check_seek("inv", hex, "items", 3);
  memset(hex, '0', 64);
  strcpy(hex + 64, "04"
                   "05"
                   "fd0001"
                   "06"
                   "fdffff");
  check_seek("getblocktxn", hex, "indexes", 4);
}

/* --- making payloads ----------------------------------------------------- */

static struct mp_encoder *start(const char *command) {
  static struct mp_encoder *encoder;
  if (!encoder)
    encoder = mp_encoder_new();
  mp_encoder_start(encoder, mp_message_find(command));
  return encoder;
}

static void check_made(struct mp_encoder *encoder, const char *hex) {
  const uint8_t *payload;
  size_t n, m;
  struct mp_fault fault = {0};
  int rc = mp_encoder_finish(encoder, &payload, &n, &fault);
  CHECK_TEXT(fault.text, "");
  CHECK_INT(rc, 0);
  uint8_t *want = hex_bytes(hex, &m);
  CHECK_INT(n, m);
  CHECK(memcmp(payload, want, n) == 0);
  free(want);
}

static void check_not_made(struct mp_encoder *encoder, const char *text) {
  const uint8_t *payload;
  size_t n;
  struct mp_fault fault = {0};
  CHECK_INT(mp_encoder_finish(encoder, &payload, &n, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, text);
  CHECK_INT(mp_encoder_integer(encoder, "x", 1, NULL), MP_EPROTOCOL);
}

static void what_is_not_given_has_a_default(void) {
  uint8_t hash[32] = {1};
  struct mp_encoder *encoder = start("getheaders");
  mp_encoder_begin(encoder, "locator", NULL);
  mp_encoder_bytes(encoder, NULL, hash, 32, NULL);
  mp_encoder_end(encoder, NULL);
  char hex[200];
  snprintf(hex, sizeof hex,
           "80110100"
           "01"
           "01%062d%064d",
           0, 0);
  check_made(encoder, hex);
}

static void a_tail_ends_with_the_last_field_given(void) {
  struct mp_encoder *encoder = start("version");
  mp_encoder_integer(encoder, "timestamp", 5, NULL);
  char hex[300];
  snprintf(hex, sizeof hex, "80110100%016d0500000000000000%052d", 0, 0);
  check_made(encoder, hex);
  encoder = start("version");
  mp_encoder_integer(encoder, "relay", 0, NULL);
  mp_encoder_integer(encoder, "timestamp", 5, NULL);
  snprintf(hex, sizeof hex,
           "80110100%016d0500000000000000%052d%052d"
           "0100000000000000"
           "00"
           "ffffffff"
           "00",
           0, 0, 0);
  check_made(encoder, hex);
  check_made(start("ping"), "");
}

static void a_field_that_says_which_others_are_there_follows_them(void) {
  struct mp_encoder *encoder = start("protoconf");
  mp_encoder_bytes(encoder, "stream_policies", "Default", 7, NULL);
  mp_encoder_integer(encoder, "max_recv_payload_length", 2097152, NULL);
  check_made(encoder, "02"
                      "00002000"
                      "0744656661756c74");
  encoder = start("protoconf");
  mp_encoder_integer(encoder, "max_recv_payload_length", 1048576, NULL);
  check_made(encoder, "01"
                      "00001000");
  check_not_made(start("protoconf"),
                 "protoconf: number_of_fields at offset 0: expected 1 to "
                 "4294967295, got 0");
  encoder = start("mempool");
  mp_encoder_integer(encoder, "age", 3600, NULL);
  check_made(encoder, "01100e000000000000");
  check_made(start("mempool"), "");
}

static void a_given_condition_must_hold(void) {
  struct mp_encoder *encoder = start("protoconf");
  mp_encoder_integer(encoder, "number_of_fields", 1, NULL);
  mp_encoder_integer(encoder, "max_recv_payload_length", 1, NULL);
  mp_encoder_bytes(encoder, "stream_policies", "x", 1, NULL);
  check_not_made(encoder, "protoconf: stream_policies: given, but "
                          "number_of_fields says that it is absent");
  encoder = start("reject");
  mp_encoder_bytes(encoder, "message", "tx", 2, NULL);
  mp_encoder_integer(encoder, "code", 0x42, NULL);
  check_not_made(encoder, "reject: hash: expected 32 bytes, got nothing");
}

static void an_encoder_says_which_field_and_what_it_wants(void) {
  struct mp_fault fault;
  struct mp_encoder *encoder = start("ping");
  CHECK_INT(mp_encoder_integer(encoder, "nonse", 1, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "ping: nonse: there is no such field");
  CHECK_INT(mp_encoder_integer(encoder, "nonce", 1, &fault), MP_EPROTOCOL);
  encoder = start("ping");
  CHECK_INT(mp_encoder_bytes(encoder, "nonce", "12345678", 8, &fault),
            MP_EPROTOCOL);
  CHECK_TEXT(fault.text,
             "ping: nonce: expected an integer of 8 bytes, got 8 bytes");
  encoder = start("sendcmpct");
  CHECK_INT(mp_encoder_integer(encoder, "announce", 256, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text,
             "sendcmpct: announce: expected an integer of 1 bytes, got 256");
  encoder = start("sendcmpct");
  CHECK_INT(mp_encoder_integer(encoder, "announce", -1, NULL), MP_EPROTOCOL);
  encoder = start("sendcmpct");
  mp_encoder_integer(encoder, "announce", 255, NULL);
  CHECK_INT(mp_encoder_integer(encoder, "announce", 1, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "sendcmpct: announce: given twice");
  check_not_made(start("sendcmpct"),
                 "sendcmpct: announce: expected an integer of 1 bytes, got "
                 "nothing");
}

static void an_encoder_says_which_entry(void) {
  struct mp_fault fault;
  struct mp_encoder *encoder = start("inv");
  uint8_t hash[32] = {0};
  mp_encoder_begin(encoder, "items", NULL);
  for (int i = 0; i < 3; i++) {
    mp_encoder_begin(encoder, NULL, NULL);
    mp_encoder_bytes(encoder, "hash", hash, 32, NULL);
    mp_encoder_integer(encoder, "type", 1, NULL);
    CHECK_INT(mp_encoder_end(encoder, NULL), 0);
  }
  CHECK_INT(mp_encoder_begin(encoder, NULL, NULL), 0);
  CHECK_INT(mp_encoder_bytes(encoder, "hash", hash, 31, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "inv: items[3].hash: expected 32 bytes, got 31 bytes");
  encoder = start("inv");
  mp_encoder_begin(encoder, "items", NULL);
  CHECK_INT(mp_encoder_integer(encoder, NULL, 7, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "inv: items[0]: expected fields, got 7");
  encoder = start("inv");
  mp_encoder_begin(encoder, "items", NULL);
  check_not_made(encoder, "inv: items[0]: expected its end");
}

static void computed_fields_may_be_given_but_a_count_must_be_right(void) {
  struct mp_encoder *encoder = start("inv");
  mp_encoder_integer(encoder, "count", 0, NULL);
  mp_encoder_begin(encoder, "items", NULL);
  mp_encoder_end(encoder, NULL);
  check_made(encoder, "00");
  encoder = start("inv");
  mp_encoder_begin(encoder, "items", NULL);
  mp_encoder_end(encoder, NULL);
  mp_encoder_integer(encoder, "count", 2, NULL);
  check_not_made(encoder,
                 "inv: count: expected 0, the entries of items, got 2");
  encoder = start("blocktxn");
  uint8_t hash[32] = {0};
  mp_encoder_begin(encoder, "txids", NULL);
  mp_encoder_bytes(encoder, NULL, hash, 32, NULL);
  mp_encoder_end(encoder, NULL);
  mp_encoder_begin(encoder, "txs", NULL);
  mp_encoder_end(encoder, NULL);
  mp_encoder_bytes(encoder, "block_hash", hash, 32, NULL);
  char hex[100];
  snprintf(hex, sizeof hex, "%064d00", 0);
  check_made(encoder, hex);
}

static void a_record_may_be_given_as_its_bytes(void) {
  uint8_t tx[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, hash[32] = {0};
  struct mp_fault fault;
  for (int size = 9; size <= 11; size++) {
    uint8_t bytes[11] = {0};
    memcpy(bytes, tx, sizeof tx);
    struct mp_encoder *encoder = start("blocktxn");
    mp_encoder_bytes(encoder, "block_hash", hash, 32, NULL);
    mp_encoder_begin(encoder, "txs", NULL);
    int rc = mp_encoder_bytes(encoder, NULL, bytes, (size_t)size, &fault);
    CHECK_INT(rc, size == 10 ? 0 : MP_EPROTOCOL);
    if (size == 9)
      CHECK_TEXT(fault.text, "blocktxn: txs[0]: locktime at offset 6: expected "
                             "4 bytes, 3 are left");
    if (size == 11)
      CHECK_TEXT(fault.text, "blocktxn: txs[0]: expected the end after 10 "
                             "bytes, got 11 bytes");
    if (size == 10) {
      char hex[200];
      mp_encoder_end(encoder, NULL);
      snprintf(hex, sizeof hex,
               "%064d01"
               "01000000000000000000",
               0);
      check_made(encoder, hex);
    }
  }
}

static void limits_hold_for_what_is_made_too(void) {
  struct mp_encoder *encoder = start("filteradd");
  uint8_t data[521] = {0};
  mp_encoder_bytes(encoder, "data", data, 521, NULL);
  check_not_made(encoder, "filteradd: data at offset 0: expected at most 520 "
                          "bytes, got 521");
}

static void an_ipv4_address_may_be_four_bytes(void) {
  struct mp_encoder *encoder = start("addr");
  uint8_t ip[4] = {1, 2, 3, 4};
  mp_encoder_begin(encoder, "entries", NULL);
  mp_encoder_begin(encoder, NULL, NULL);
  mp_encoder_integer(encoder, "port", 8333, NULL);
  mp_encoder_bytes(encoder, "ip", ip, 4, NULL);
  mp_encoder_integer(encoder, "services", 0x21, NULL);
  mp_encoder_integer(encoder, "time", 1, NULL);
  mp_encoder_end(encoder, NULL);
  mp_encoder_end(encoder, NULL);
  check_made(encoder, "01"
                      "01000000"
                      "2100000000000000"
                      "00000000000000000000ffff01020304"
                      "208d");
}

/* --- declared messages --------------------------------------------------- */

static void a_message_declared_at_run_time_works_like_any_other(void) {
  struct mp_field pair_fields[] = {
      {.name = "key", .type = MP_FIELD_VAR_TEXT, .max = 8},
      {.name = "value", .type = MP_FIELD_INT, .size = 2},
  };
  struct mp_layout pair = {pair_fields, 2};
  struct mp_field fields[] = {
      {.name = "count", .type = MP_FIELD_COUNT_OF, .of = "pairs"},
      {.name = "pairs", .type = MP_FIELD_LIST, .item = &pair, .max = 2},
      {.name = "flag", .type = MP_FIELD_BOOL, .flags = MP_TAIL},
  };
  struct mp_layout layout = {fields, 3};
  struct mp_message_type type = {.command = "pairs", .layout = &layout};
  struct mp_fault fault = {0};
  CHECK_INT(mp_message_type_check(&type, &fault), 0);
  struct mp_encoder *encoder = mp_encoder_new();
  mp_encoder_start(encoder, &type);
  mp_encoder_begin(encoder, "pairs", NULL);
  mp_encoder_begin(encoder, NULL, NULL);
  mp_encoder_integer(encoder, "value", -2, NULL);
  mp_encoder_bytes(encoder, "key", "ab", 2, NULL);
  mp_encoder_end(encoder, NULL);
  mp_encoder_end(encoder, NULL);
  const uint8_t *payload;
  size_t n;
  CHECK_INT(mp_encoder_finish(encoder, &payload, &n, NULL), 0);
  CHECK_INT(n, 6);
  CHECK(memcmp(payload, "\1\2ab\xfe\xff", 6) == 0);
  struct mp_message message;
  CHECK_INT(mp_message_open_as(&message, &type, payload, n, &fault), 0);
  CHECK_INT(mp_message_open_as(&message, &type, "\1\2ab\xfe", 5, &fault),
            MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "pairs: pairs[0].value at offset 4: expected 2 "
                         "bytes, 1 are left");
  type.limit = 4;
  CHECK_INT(mp_message_open_as(&message, &type, "\1\2ab\xfe\xff", 6, &fault),
            MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "pairs: expected at most 4 bytes of payload, got 6");
  mp_encoder_free(encoder);
}

static void check_unsound(struct mp_field *fields, size_t n, const char *text) {
  struct mp_layout layout = {fields, n};
  struct mp_message_type type = {.command = "own", .layout = &layout};
  struct mp_fault fault = {0};
  CHECK_INT(mp_message_type_check(&type, &fault), MP_ECONFIG);
  CHECK_TEXT(fault.text, text);
}

#define UNSOUND(text, ...)                                                     \
  do {                                                                         \
    struct mp_field fields_[] = {__VA_ARGS__};                                 \
    check_unsound(fields_, sizeof fields_ / sizeof *fields_, "own: " text);    \
  } while (0)

static void unsound_declarations_are_refused(void) {
  struct mp_layout none = {0};
  struct mp_field loop_field = {.name = "a", .type = MP_FIELD_RECORD};
  struct mp_layout loop = {&loop_field, 1};
  loop_field.item = &loop;
  UNSOUND("a: expected a size of 1 to 8 bytes",
          {.name = "a", .type = MP_FIELD_UINT, .size = 9});
  UNSOUND("a: expected a size of 1, 2, 4 or 8 bytes",
          {.name = "a", .type = MP_FIELD_INT, .size = 3});
  UNSOUND("a: the name is taken", {.name = "a", .type = MP_FIELD_BOOL},
          {.name = "a", .type = MP_FIELD_BOOL});
  UNSOUND("expected a name for every field", {.type = MP_FIELD_BOOL});
  UNSOUND("a: unknown type", {.name = "a", .type = (enum mp_field_type)99});
  UNSOUND("a: expected an item", {.name = "a", .type = MP_FIELD_LIST});
  UNSOUND("a: expected entries of at least one byte",
          {.name = "a", .type = MP_FIELD_LIST, .item = &none});
  UNSOUND("a: records and lists are nested too deeply",
          {.name = "a", .type = MP_FIELD_RECORD, .item = &loop});
  UNSOUND("a: expected an earlier field in when",
          {.name = "a", .type = MP_FIELD_BOOL, .when = "b"},
          {.name = "b", .type = MP_FIELD_BOOL});
  UNSOUND("n: expected a list in of",
          {.name = "n", .type = MP_FIELD_COUNT_OF, .of = "b"},
          {.name = "b", .type = MP_FIELD_BOOL});
  UNSOUND("h: expected a size that the record always has",
          {.name = "h", .type = MP_FIELD_HASH_OF, .size = 2},
          {.name = "b", .type = MP_FIELD_BOOL});
  struct mp_field many[MP_LAYOUT_FIELDS + 1] = {{.name = "a"}};
  check_unsound(many, MP_LAYOUT_FIELDS + 1,
                "own: expected at most 24 fields in a record");
  struct mp_message_type type = {.command = "thirteenbytes"};
  CHECK_INT(mp_message_type_check(&type, NULL), MP_ECONFIG);
  type.command = "";
  CHECK_INT(mp_message_type_check(&type, NULL), MP_ECONFIG);
  type.command = "a\nb";
  CHECK_INT(mp_message_type_check(&type, NULL), MP_ECONFIG);
}

TEST_MAIN(TEST(a_fault_names_the_field_its_entry_and_its_offset),
          TEST(the_way_to_a_field_may_be_long),
          TEST(a_count_is_believed_only_as_far_as_there_are_bytes),
          TEST(sizes_that_are_longer_than_need_be_are_refused),
          TEST(lists_have_the_limits_of_the_reference_node),
          TEST(numbers_have_their_range), TEST(distances_stay_in_32_bits),
          TEST(a_sized_record_fills_its_size), TEST(an_unknown_command_is_raw),
          TEST(an_absent_tail_has_the_defaults_of_the_reference),
          TEST(a_mempool_with_a_bare_age_is_the_old_empty_form),
          TEST(signs_are_kept), TEST(entries_are_reached_in_any_order),
          TEST(what_is_not_given_has_a_default),
          TEST(a_tail_ends_with_the_last_field_given),
          TEST(a_field_that_says_which_others_are_there_follows_them),
          TEST(a_given_condition_must_hold),
          TEST(an_encoder_says_which_field_and_what_it_wants),
          TEST(an_encoder_says_which_entry),
          TEST(computed_fields_may_be_given_but_a_count_must_be_right),
          TEST(a_record_may_be_given_as_its_bytes),
          TEST(limits_hold_for_what_is_made_too),
          TEST(an_ipv4_address_may_be_four_bytes),
          TEST(a_message_declared_at_run_time_works_like_any_other),
          TEST(unsound_declarations_are_refused))
