/* network_test - the built-in networks and their limits. */
#include "moonpeer/network.h"

#include "wire/frame.h"
#include "wire_data.h"

static void every_network_is_found_by_its_own_name(void) {
  size_t n;
  const struct mp_network *list = mp_network_list(&n);
  CHECK_INT(n, 17);
  for (size_t i = 0; i < n; i++) {
    CHECK(mp_network_find(list[i].name) == &list[i]);
    CHECK(list[i].port != 0);
    CHECK(list[i].limits != NULL);
  }
  CHECK(mp_network_find("nonet") == NULL);
  CHECK(mp_network_find("") == NULL);
}

static void genesis_hashes_are_those_of_the_genesis_headers(void) {
  char *text = data_text("vectors.json");
  cJSON *vectors = cJSON_Parse(text), *vector;
  struct hasher *hasher = hasher_new();
  int seen = 0;
  cJSON_ArrayForEach(vector, vectors) {
    if (strcmp(text_of(vector, "command"), "(header)") != 0)
      continue;
    const struct mp_network *network = network_of(text_of(vector, "network"));
    CHECK(network != NULL);
    size_t n;
    uint8_t *header = hex_bytes(text_of(vector, "payload_hex"), &n);
    uint8_t digest[HASH_SIZE];
    hash_sha256d(hasher, header, n, digest);
    CHECK(memcmp(digest, network->genesis, HASH_SIZE) == 0);
    free(header);
    seen++;
  }
  CHECK_INT(seen, 6);
  hasher_free(hasher);
  cJSON_Delete(vectors);
  free(text);
}

/* A genesis block differs from the main network's in three numbers only. */
static void check_genesis(const char *name, uint32_t time, uint32_t nonce) {
  static const char header_text[] =
      "0100000000000000000000000000000000000000000000000000000000000000000000"
      "003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab"
      "5f49ffff001d1dac2b7c";
  size_t n;
  uint8_t *header = hex_bytes(header_text, &n), digest[HASH_SIZE];
  for (int i = 0; i < 4; i++) {
    header[68 + i] = (uint8_t)(time >> i * 8);
    header[76 + i] = (uint8_t)(nonce >> i * 8);
  }
  struct hasher *hasher = hasher_new();
  hash_sha256d(hasher, header, n, digest);
  CHECK(memcmp(digest, mp_network_find(name)->genesis, HASH_SIZE) == 0);
  hasher_free(hasher);
  free(header);
}

static void cash_test_networks_have_their_own_genesis(void) {
  check_genesis("bch-testnet4", 1597811185, 114152193);
  check_genesis("bch-chipnet", 1597811185, 114152193);
  check_genesis("bch-scalenet", 1598282438, (uint32_t)-1567304284);
  check_genesis("bch-main", 1231006505, 2083236893);
}

static void limits_are_per_command_and_per_network(void) {
  const struct mp_network *bsv = mp_network_find("mainnet");
  const struct mp_network *btc = mp_network_find("btc-main");
  const struct mp_network *bch = mp_network_find("bch-main");
  CHECK_INT(mp_network_limit(bsv, "ping"), 2097152);
  CHECK_INT(mp_network_limit(bsv, ""), 2097152);
  CHECK_INT(mp_network_limit(bsv, "protoconf"), 1048576);
  CHECK_INT(mp_network_limit(bsv, "tx"), 1000000000);
  CHECK_INT(mp_network_limit(bsv, "datareftx"), 1000000000);
  CHECK_INT(mp_network_limit(bsv, "block"), INT64_MAX);
  CHECK_INT(mp_network_limit(bsv, "hdrsen"), INT64_MAX);
  CHECK_INT(mp_network_limit(bsv, "getblocktxn"), INT64_MAX / 215 * 6 + 80);
  CHECK_INT(mp_network_limit(bsv, "blocks"), 2097152);
  CHECK_INT(mp_network_limit(btc, "block"), 4000000);
  CHECK_INT(mp_network_limit(btc, "protoconf"), 4000000);
  CHECK_INT(mp_network_limit(bch, "tx"), 2097152);
}

static void a_network_without_a_list_has_one_limit(void) {
  const struct mp_network own = {.name = "own", .max_payload = 100};
  CHECK_INT(mp_network_limit(&own, "block"), 100);
}

static void the_user_agent_decides_on_the_public_networks(void) {
  CHECK(mp_network_find("mainnet")->checks_user_agent);
  CHECK(mp_network_find("testnet")->checks_user_agent);
  CHECK(mp_network_find("stn")->checks_user_agent);
  CHECK(!mp_network_find("bch-main")->checks_user_agent);
  CHECK(!mp_network_find("regtest")->checks_user_agent);
  CHECK(!mp_network_find("btc-main")->checks_user_agent);
}

TEST_MAIN(TEST(every_network_is_found_by_its_own_name),
          TEST(genesis_hashes_are_those_of_the_genesis_headers),
          TEST(cash_test_networks_have_their_own_genesis),
          TEST(limits_are_per_command_and_per_network),
          TEST(a_network_without_a_list_has_one_limit),
          TEST(the_user_agent_decides_on_the_public_networks))
