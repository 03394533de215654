/* encoder_test - payloads from named fields. */
#include "moonpeer/message.h"
#include "wire_data.h"

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
  CHECK_TEXT(fault.text,
             "ping: nonse: there is no such field; the nearest is nonce");
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

TEST_MAIN(TEST(what_is_not_given_has_a_default),
          TEST(a_tail_ends_with_the_last_field_given),
          TEST(a_field_that_says_which_others_are_there_follows_them),
          TEST(a_given_condition_must_hold),
          TEST(an_encoder_says_which_field_and_what_it_wants),
          TEST(an_encoder_says_which_entry),
          TEST(computed_fields_may_be_given_but_a_count_must_be_right),
          TEST(a_record_may_be_given_as_its_bytes),
          TEST(limits_hold_for_what_is_made_too),
          TEST(an_ipv4_address_may_be_four_bytes))
