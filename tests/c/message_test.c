/* message_test - what a view says, and what is refused. */
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

static void too_little_is_refused_as_too_much_is(void) {
  char hex[200] = "20";
  memset(hex + 2, '0', 160);
  check_refused("authresp", hex,
                "authresp: public_key at offset 0: expected at least 33 bytes, "
                "got 32");
  check_refused("feature",
                "03414141"
                "00",
                "feature: feature_id at offset 0: expected at least 4 bytes, "
                "got 3");
  check_refused("dsdetected",
                "0100"
                "01"
                "00",
                "dsdetected: blocks at offset 2: expected at least 2 entries, "
                "got 1");
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

TEST_MAIN(TEST(a_fault_names_the_field_its_entry_and_its_offset),
          TEST(the_way_to_a_field_may_be_long),
          TEST(a_count_is_believed_only_as_far_as_there_are_bytes),
          TEST(sizes_that_are_longer_than_need_be_are_refused),
          TEST(lists_have_the_limits_of_the_reference_node),
          TEST(numbers_have_their_range),
          TEST(too_little_is_refused_as_too_much_is),
          TEST(distances_stay_in_32_bits), TEST(a_sized_record_fills_its_size),
          TEST(an_unknown_command_is_raw),
          TEST(an_absent_tail_has_the_defaults_of_the_reference),
          TEST(a_mempool_with_a_bare_age_is_the_old_empty_form),
          TEST(signs_are_kept), TEST(entries_are_reached_in_any_order))
