/* computed_vectors_test - the vectors that are no frames: compact sizes,
 * network groups, the short id of a transaction. Those of headers are in
 * network_test; the buckets of the reference's address manager are no thing of
 * ours, whose store draws over groups. */
#include "base/cursor.h"
#include "base/hash.h"
#include "moonpeer/address.h"
#include "moonpeer/peer.h"
#include "wire_data.h"

enum { HEADER = 80 };

static void check_compact(const cJSON *vector, const cJSON *fields) {
  size_t n;
  uint8_t *bytes = hex_bytes(text_of(vector, "payload_hex"), &n), made[9];
  uint64_t value =
      (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(fields, "value"));
  struct cursor cursor = cursor_of(bytes, n);
  CHECK(cursor_compact(&cursor) == value && !cursor.failed && cursor.at == n);
  CHECK_INT(put_compact(made, value), n);
  CHECK(memcmp(made, bytes, n) == 0);
  free(bytes);
}

static void check_group(const cJSON *fields) {
  char text[2 * MP_GROUP_SIZE + 1] = {0};
  struct mp_address address;
  struct mp_group group;
  CHECK_INT(mp_address_parse(&address, text_of(fields, "ip"), 0, NULL), 0);
  mp_group_reference(&address, &group);
  for (int i = 0; i < group.size; i++)
    snprintf(text + 2 * i, 3, "%02x", group.bytes[i]);
  CHECK_TEXT(text, text_of(fields, "group_hex"));
  CHECK_INT(mp_address_is_routable(&address),
            cJSON_IsTrue(cJSON_GetObjectItem(fields, "routable")));
}

/* The key is of a hash of the block's header and a number. */
static void check_short_id(const cJSON *fields, const uint8_t header[HEADER]) {
  struct hasher *hasher = hasher_new();
  uint8_t keyed[HEADER + 8], digest[HASH_SIZE], id[6], wanted[8];
  size_t n;
  memcpy(keyed, header, HEADER);
  put_u64(keyed + HEADER,
          strtoull(text_of(fields, "header_nonce_hex"), NULL, 16));
  hash_sha256(hasher, keyed, sizeof keyed, digest);
  const uint64_t key[2] = {get_u64(digest), get_u64(digest + 8)};
  CHECK(key[0] == strtoull(text_of(fields, "k0"), NULL, 16));
  CHECK(key[1] == strtoull(text_of(fields, "k1"), NULL, 16));
  uint8_t *shown = hex_bytes(text_of(fields, "txid"), &n), txid[HASH_SIZE];
  CHECK_INT(n, sizeof txid);
  for (size_t i = 0; i < n && i < sizeof txid; i++)
    txid[sizeof txid - 1 - i] = shown[i];
  put_u64(wanted, hash_sip(key, txid, sizeof txid));
  uint8_t *wire = hex_bytes(text_of(fields, "short_id_wire"), &n);
  CHECK_INT(n, sizeof id);
  CHECK(memcmp(wanted, wire, sizeof id) == 0);
  free(shown);
  free(wire);
  hasher_free(hasher);
}

static void find_header(const cJSON *vectors, uint8_t header[HEADER]) {
  const cJSON *vector;
  cJSON_ArrayForEach(vector, vectors) {
    if (strcmp(text_of(vector, "name"), "genesis_header_bsv-main") != 0)
      continue;
    size_t n;
    uint8_t *bytes = hex_bytes(text_of(vector, "payload_hex"), &n);
    CHECK_INT(n, HEADER);
    memcpy(header, bytes, n < HEADER ? n : HEADER);
    free(bytes);
  }
}

static void all_of_them(void) {
  char *text = data_text("vectors.json");
  cJSON *vectors = cJSON_Parse(text), *vector;
  uint8_t header[HEADER] = {0};
  int compacts = 0, groups = 0, ids = 0, others = 0;
  find_header(vectors, header);
  cJSON_ArrayForEach(vector, vectors) {
    const char *name = text_of(vector, "name");
    const cJSON *fields = cJSON_GetObjectItem(vector, "fields");
    if (strncmp(name, "compactsize_", 12) == 0)
      check_compact(vector, fields), compacts++;
    else if (strncmp(name, "netgroup_", 9) == 0)
      check_group(fields), groups++;
    else if (strncmp(name, "shortid_", 8) == 0)
      check_short_id(fields, header), ids++;
    else if (text_of(vector, "command")[0] == '(')
      others++;
  }
  CHECK_INT(compacts, 5);
  CHECK_INT(groups, 12);
  CHECK_INT(ids, 1);
  CHECK_INT(others, 6 + 2); /* headers, buckets */
  cJSON_Delete(vectors);
  free(text);
}

TEST_MAIN(TEST(all_of_them))
