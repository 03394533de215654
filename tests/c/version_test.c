/* version_test - the version payload and its optional tail. */
#include "wire/version.h"

#include "base/cursor.h"
#include "wire_data.h"

static struct mp_version a_version(void) {
  struct mp_version version = {
      .version = 70016,
      .services = 0x21,
      .timestamp = 1700000000,
      .recv_services = 0x21,
      .from_services = 0x21,
      .nonce = 0x1122334455667788,
      .start_height = 900000,
      .relay = true,
      .has_association_id = true,
      .association_id = {0, 0, 0x11, 0x22},
      .association_id_size = 17,
  };
  CHECK_INT(mp_address_parse(&version.addr_recv, "203.0.113.7:8333", 0, NULL),
            0);
  strcpy(version.user_agent, "/Bitcoin SV:1.2.2/");
  version.user_agent_size = strlen(version.user_agent);
  return version;
}

/* Decodes a copy of exactly n bytes. */
static int decode(struct mp_version *version, const uint8_t *bytes, size_t n,
                  struct mp_fault *fault) {
  uint8_t *copy = malloc(n);
  memcpy(copy, bytes, n);
  int rc = version_decode(version, copy, n, fault);
  free(copy);
  return rc;
}

static void what_is_put_is_decoded(void) {
  struct mp_version version = a_version(), got;
  struct buf out = {0};
  CHECK_INT(version_put(&out, &version), 0);
  CHECK_INT(decode(&got, buf_head(&out), buf_length(&out), NULL), 0);
  struct buf again = {0};
  CHECK_INT(version_put(&again, &got), 0);
  CHECK_INT(buf_length(&again), buf_length(&out));
  CHECK(memcmp(buf_head(&again), buf_head(&out), buf_length(&out)) == 0);
  CHECK_INT(got.version, 70016);
  CHECK_INT(got.services, 0x21);
  CHECK_INT(got.timestamp, 1700000000);
  CHECK_INT(got.nonce, 0x1122334455667788);
  CHECK_TEXT(got.user_agent, "/Bitcoin SV:1.2.2/");
  CHECK_INT(got.start_height, 900000);
  CHECK(got.relay);
  CHECK_INT(got.association_id_size, 17);
  char text[MP_ADDRESS_TEXT];
  CHECK_TEXT(mp_address_format(&got.addr_recv, text), "203.0.113.7:8333");
  CHECK_TEXT(mp_address_format(&got.addr_from, text), "[::]:0");
  buf_deinit(&out);
  buf_deinit(&again);
}

static void check_defaults(const struct mp_version *version, size_t n) {
  if (n <= 46)
    CHECK_INT(version->nonce, 1);
  if (n <= 80)
    CHECK_INT(version->user_agent_size, 0);
  if (n <= 99)
    CHECK_INT(version->start_height, -1);
  if (n <= 103)
    CHECK(version->relay);
  CHECK_INT(version->has_association_id, n == 122);
}

/* The payload may end between the groups of its tail, and nowhere else. */
static void a_truncated_version_is_good_only_between_groups(void) {
  struct mp_version version = a_version(), got;
  version.relay = false;
  struct buf out = {0};
  CHECK_INT(version_put(&out, &version), 0);
  size_t length = buf_length(&out);
  CHECK_INT(length, 122);
  for (size_t n = 0; n <= length; n++) {
    struct mp_fault fault = {0};
    int rc = decode(&got, buf_head(&out), n, &fault);
    bool good =
        n == 46 || n == 80 || n == 99 || n == 103 || n == 104 || n == 122;
    CHECK_INT(rc, good ? 0 : MP_EPROTOCOL);
    CHECK_INT(fault.code, rc);
    if (!rc)
      check_defaults(&got, n);
    else
      CHECK(strstr(fault.text, " at offset ") != NULL);
  }
  buf_deinit(&out);
}

static void check_fault(const uint8_t *bytes, size_t n, const char *text) {
  struct mp_version got;
  struct mp_fault fault;
  CHECK_INT(decode(&got, bytes, n, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, text);
}

static void the_fault_names_the_field_and_the_offset(void) {
  struct mp_version version = a_version();
  struct buf out = {0};
  CHECK_INT(version_put(&out, &version), 0);
  const uint8_t *bytes = buf_head(&out);
  check_fault(bytes, 3,
              "version: expected version at offset 0, the payload of "
              "3 bytes does not hold it");
  check_fault(bytes, 45,
              "version: expected addr_recv at offset 44, the payload "
              "of 45 bytes does not hold it");
  check_fault(bytes, 79,
              "version: expected nonce at offset 72, the payload of "
              "79 bytes does not hold it");
  check_fault(bytes, 85,
              "version: expected user_agent at offset 81, the "
              "payload of 85 bytes does not hold it");
  check_fault(bytes, 121,
              "version: expected association_id at offset 105, the "
              "payload of 121 bytes does not hold it");
  buf_deinit(&out);
}

static void texts_that_are_too_long_are_refused(void) {
  uint8_t payload[500] = {0};
  struct mp_version got;
  payload[80] = 0xfd;
  put_u16(payload + 81, 256);
  memset(payload + 83, 'x', 256);
  CHECK_INT(decode(&got, payload, 83 + 256, NULL), 0);
  CHECK_INT(got.user_agent_size, 256);
  CHECK_INT(strlen(got.user_agent), 256);
  put_u16(payload + 81, 257);
  check_fault(payload, 83 + 257,
              "version: expected at most 256 bytes of "
              "user_agent at offset 80, got 257");
  payload[80] = 0xff; /* 2^64 - 1 */
  memset(payload + 81, 0xff, 8);
  check_fault(payload, 400,
              "version: expected at most 256 bytes of user_agent "
              "at offset 80, got 18446744073709551615");
  memset(payload, 0, sizeof payload);
  payload[86] = 129;
  CHECK_INT(decode(&got, payload, 87 + 129, NULL), 0);
  CHECK_INT(got.association_id_size, 129);
  payload[86] = 130;
  check_fault(payload, 87 + 130,
              "version: expected at most 129 bytes of "
              "association_id at offset 86, got 130");
}

static void sizes_that_are_longer_than_need_be_are_refused(void) {
  uint8_t payload[200] = {0};
  payload[80] = 0xfd;
  payload[81] = 5;
  check_fault(payload, sizeof payload,
              "version: expected user_agent at offset 80, the payload of 200 "
              "bytes does not hold it");
}

static void any_relay_byte_but_zero_is_true(void) {
  uint8_t payload[86] = {0};
  struct mp_version got;
  CHECK_INT(decode(&got, payload, 86, NULL), 0);
  CHECK(!got.relay);
  payload[85] = 0x80;
  CHECK_INT(decode(&got, payload, 86, NULL), 0);
  CHECK(got.relay);
}

static void bytes_after_the_last_field_are_ignored(void) {
  uint8_t payload[200] = {0};
  struct mp_version got;
  CHECK_INT(decode(&got, payload, 200, NULL), 0);
  CHECK(got.has_association_id);
  CHECK_INT(got.association_id_size, 0);
}

static void a_field_that_is_too_long_is_not_put(void) {
  struct mp_version version = a_version();
  struct buf out = {0};
  version.user_agent_size = MP_USER_AGENT + 1;
  CHECK_INT(version_put(&out, &version), MP_ELIMIT);
  version = a_version();
  version.association_id_size = MP_ASSOCIATION_ID + 1;
  CHECK_INT(version_put(&out, &version), MP_ELIMIT);
  CHECK_INT(buf_length(&out), 0);
  version = a_version();
  memset(version.user_agent, 'x', MP_USER_AGENT);
  version.user_agent_size = MP_USER_AGENT;
  version.association_id_size = MP_ASSOCIATION_ID;
  CHECK_INT(version_put(&out, &version), 0);
  CHECK_INT(buf_length(&out), 80 + 3 + 256 + 5 + 1 + 129);
  buf_deinit(&out);
}

static void nonces_take_eight_bytes(void) {
  uint8_t payload[NONCE_SIZE];
  uint64_t nonce = 0;
  struct mp_fault fault;
  nonce_put(payload, 0x0123456789abcdef);
  CHECK_INT(payload[0], 0xef);
  CHECK_INT(nonce_decode(&nonce, payload, 8, NULL), 0);
  CHECK(nonce == 0x0123456789abcdef);
  CHECK_INT(nonce_decode(&nonce, payload, 7, &fault), MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "nonce: expected 8 bytes at offset 0, got 7");
}

/* Every version vector: decoded, put again, the same bytes. */
static void the_vectors_come_back_byte_for_byte(void) {
  char *text = data_text("vectors.json");
  cJSON *vectors = cJSON_Parse(text), *vector;
  int seen = 0;
  cJSON_ArrayForEach(vector, vectors) {
    if (strcmp(text_of(vector, "command"), "version") != 0)
      continue;
    const char *name = text_of(vector, "name");
    size_t n;
    uint8_t *bytes = hex_bytes(text_of(vector, "payload_hex"), &n);
    struct mp_version got;
    bool bad = strcmp(name, "version_assoc_too_long_130") == 0;
    CHECK_INT(decode(&got, bytes, n, NULL), bad ? MP_EPROTOCOL : 0);
    if (!bad) {
      const cJSON *fields = cJSON_GetObjectItem(vector, "fields");
      CHECK_TEXT(got.user_agent, text_of(fields, "user_agent"));
      struct buf out = {0};
      CHECK_INT(version_put(&out, &got), 0);
      CHECK(memcmp(buf_head(&out), bytes, n) == 0);
      bool grows = strcmp(name, "version_no_relay_byte") == 0;
      CHECK_INT(buf_length(&out), n + grows);
      buf_deinit(&out);
    }
    free(bytes);
    seen++;
  }
  CHECK_INT(seen, 9);
  cJSON_Delete(vectors);
  free(text);
}

TEST_MAIN(TEST(what_is_put_is_decoded),
          TEST(a_truncated_version_is_good_only_between_groups),
          TEST(the_fault_names_the_field_and_the_offset),
          TEST(texts_that_are_too_long_are_refused),
          TEST(sizes_that_are_longer_than_need_be_are_refused),
          TEST(any_relay_byte_but_zero_is_true),
          TEST(bytes_after_the_last_field_are_ignored),
          TEST(a_field_that_is_too_long_is_not_put),
          TEST(nonces_take_eight_bytes),
          TEST(the_vectors_come_back_byte_for_byte))
