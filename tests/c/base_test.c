/* base_test - the smallest parts: buffers, cursors, addresses, globs. */
#include "base/buf.h"
#include "base/cursor.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/number.h"
#include "base/rand.h"
#include "base/siphash.h"
#include "moonpeer/address.h"
#include "moonpeer/text.h"
#include "test.h"

static void a_buffer_gives_back_what_was_put(void) {
  struct buf buf = {0};
  uint8_t in[1000];
  for (size_t i = 0; i < sizeof in; i++)
    in[i] = (uint8_t)i;
  for (size_t round = 0; round < 50; round++) {
    CHECK_INT(buf_put(&buf, in, sizeof in), 0);
    CHECK(memcmp(buf_head(&buf), in + (round * 300) % 1000, 100) == 0 ||
          round > 0);
    buf_consume(&buf, 700);
  }
  CHECK_INT(buf_length(&buf), 50 * 300);
  buf_consume(&buf, buf_length(&buf));
  buf_release(&buf);
  CHECK(buf.bytes == NULL);
}

static void a_cursor_fails_once_and_for_all(void) {
  const uint8_t bytes[] = {1, 2, 0, 3};
  struct cursor c = cursor_of(bytes, sizeof bytes);
  CHECK_INT(cursor_u8(&c), 1);
  CHECK_INT(cursor_u16(&c), 2);
  CHECK_INT(cursor_u32(&c), 0);
  CHECK(c.failed);
  CHECK_INT(c.at, 3);
  CHECK_INT(cursor_u8(&c), 0);
}

static void compact_sizes_are_read_back_and_must_be_minimal(void) {
  const uint64_t values[] = {0,     252,        253,        65535,
                             65536, 4294967295, 4294967296, UINT64_MAX};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    uint8_t bytes[9];
    size_t n = put_compact(bytes, values[i]);
    struct cursor c = cursor_of(bytes, n);
    CHECK(cursor_compact(&c) == values[i] && !c.failed && c.at == n);
    for (size_t cut = 0; cut < n; cut++) {
      c = cursor_of(bytes, cut);
      cursor_compact(&c);
      CHECK(c.failed && c.at == 0);
    }
  }
  const uint8_t longer[][9] = {{0xfd, 252}, {0xfe, 255, 255}, {0xff, 1}};
  for (size_t i = 0; i < 3; i++) {
    struct cursor c = cursor_of(longer[i], 9);
    cursor_compact(&c);
    CHECK(c.failed);
  }
}

static void addresses_are_read_in_every_form(void) {
  const struct {
    const char *text, *printed;
  } cases[] = {{"1.2.3.4", "1.2.3.4:8333"},
               {"1.2.3.4:1", "1.2.3.4:1"},
               {"::1", "[::1]:8333"},
               {"[::1]", "[::1]:8333"},
               {"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
               {"::ffff:1.2.3.4", "1.2.3.4:8333"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct mp_address address;
    char text[MP_ADDRESS_TEXT];
    CHECK_INT(mp_address_parse(&address, cases[i].text, 8333, NULL), 0);
    CHECK_TEXT(mp_address_format(&address, text), cases[i].printed);
  }
}

static void what_is_no_address_is_refused_with_words(void) {
  const char *cases[] = {
      "",          "1.2.3",    "1.2.3.4:", "1.2.3.4:x",  "1.2.3.4:65536",
      "[1.2.3.4]", "[::1",     "[::1]x",   "[::1]:",     "host:8333",
      "1.2.3.4 ",  "01.2.3.4", "::1%eth0", "1.2.3.4:-1", "999.1.1.1"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct mp_address address;
    struct mp_fault fault = {0};
    CHECK_INT(mp_address_parse(&address, cases[i], 1, &fault), MP_ECONFIG);
    CHECK(strstr(fault.text, "expected") && strstr(fault.text, cases[i]));
  }
}

static void a_prefix_holds_its_addresses_and_no_others(void) {
  struct mp_prefix prefix;
  struct mp_address address;
  char text[MP_PREFIX_TEXT];
  CHECK_INT(mp_prefix_parse(&prefix, "10.1.128.0/17", NULL), 0);
  CHECK_TEXT(mp_prefix_format(&prefix, text), "10.1.128.0/17");
  mp_address_parse(&address, "10.1.255.255", 0, NULL);
  CHECK(mp_prefix_contains(&prefix, &address));
  mp_address_parse(&address, "10.1.127.255", 0, NULL);
  CHECK(!mp_prefix_contains(&prefix, &address));
  CHECK_INT(mp_prefix_parse(&prefix, "2001:db8::/32", NULL), 0);
  mp_address_parse(&address, "2001:db8:ffff::1", 0, NULL);
  CHECK(mp_prefix_contains(&prefix, &address));
  CHECK_INT(mp_prefix_parse(&prefix, "::/0", NULL), 0);
  CHECK(mp_prefix_contains(&prefix, &address));
  CHECK_INT(mp_prefix_parse(&prefix, "1.2.3.4", NULL), 0);
  CHECK_TEXT(mp_prefix_format(&prefix, text), "1.2.3.4");
  CHECK_INT(mp_prefix_parse(&prefix, "::ffff:9.9.9.0/120", NULL), 0);
  CHECK_TEXT(mp_prefix_format(&prefix, text), "9.9.9.0/24");
  CHECK_INT(mp_prefix_parse(&prefix, "::ffff:9.9.9.0/24", NULL), 0);
  CHECK_TEXT(mp_prefix_format(&prefix, text), "9.9.9.0/24");
  CHECK_INT(mp_prefix_parse(&prefix, "::ffff:9.9.9.0/80", NULL), MP_ECONFIG);
  CHECK_INT(mp_prefix_parse(&prefix, "::ffff:9.9.9.0/129", NULL), MP_ECONFIG);
  CHECK_INT(mp_prefix_parse(&prefix, "9.9.9.0/120", NULL), MP_ECONFIG);
  CHECK_INT(mp_prefix_parse(&prefix, "1.2.3.4/24", NULL), MP_ECONFIG);
  CHECK_INT(mp_prefix_parse(&prefix, "1.2.3.0/33", NULL), MP_ECONFIG);
  CHECK_INT(mp_prefix_parse(&prefix, "1.2.3/24", NULL), MP_ECONFIG);
}

static void durations_are_read_with_their_unit(void) {
  int64_t ns;
  CHECK(mp_duration_parse(&ns, "250ms") && ns == 250000000);
  CHECK(mp_duration_parse(&ns, "1.5s") && ns == 1500000000);
  CHECK(mp_duration_parse(&ns, "10m") && ns == INT64_C(600000000000));
  CHECK(mp_duration_parse(&ns, "0.5d") && ns == INT64_C(43200000000000));
  const char *bad[] = {"",  "s",    "1",     "1 s",       "-1s", "1.2.3s",
                       ".", "1e3s", "inf s", "99999999d", ".s",  "1m30s"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK(!mp_duration_parse(&ns, bad[i]));
}

static bool match(const char *text, const char *pattern) {
  return mp_glob(text, strlen(text), pattern, strlen(pattern));
}

static void globs_match_whole_texts_in_either_case(void) {
  CHECK(match("/Bitcoin SV:1.2.2/", "/bitcoin sv*"));
  CHECK(!match("/Bitcoin Cash:1/", "/bitcoin sv*"));
  CHECK(match("abc", "a?c") && !match("ac", "a?c"));
  CHECK(match("", "*") && match("", "") && !match("a", ""));
  CHECK(match("aXbXc", "a*b*c") && !match("aXbXcd", "a*b*c"));
  CHECK(match("a[b]c%", "a[b]c%"));
}

static void a_hostile_glob_ends_soon(void) {
  char text[2000], pattern[201];
  memset(text, 'a', sizeof text);
  for (size_t i = 0; i < 200; i += 2)
    memcpy(pattern + i, "*a", 2);
  pattern[200] = 'b';
  CHECK(!mp_glob(text, sizeof text, pattern, sizeof pattern));
}

static void hashes_are_those_of_the_standards(void) {
  struct hasher *hasher = hasher_new();
  uint8_t digest[HASH_SIZE];
  const uint8_t empty[] = {0x5d, 0xf6, 0xe0, 0xe2};
  const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  uint8_t bytes[15];
  CHECK(hasher);
  hash_sha256d(hasher, "", 0, digest);
  CHECK(memcmp(digest, empty, sizeof empty) == 0);
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)i;
  CHECK(hash_sip(key, bytes, 15) == 0xa129ca6149be45e5);
  hasher_free(hasher);
}

/* The short ones have a way of their own. */
static void a_hash_in_pieces_is_that_of_the_whole(void) {
  struct hasher *hasher = hasher_new();
  uint8_t bytes[2100], whole[HASH_SIZE], pieces[HASH_SIZE], once[HASH_SIZE];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 7 + i / 256);
  for (size_t n = 0; n <= sizeof bytes; n += n < 300 ? 1 : 60) {
    hash_sha256(hasher, bytes, n, whole);
    hash_start(hasher);
    hash_add(hasher, bytes, n / 2);
    hash_add(hasher, bytes + n / 2, n - n / 2);
    hash_peek_sha256(hasher, once);
    CHECK(memcmp(whole, once, HASH_SIZE) == 0);
    hash_start(hasher);
    hash_add(hasher, bytes, n);
    hash_finish_sha256d(hasher, pieces);
    hash_sha256d(hasher, bytes, n, whole);
    CHECK(memcmp(whole, pieces, HASH_SIZE) == 0);
    hash_start(hasher);
    hash_add(hasher, once, HASH_SIZE);
    hash_peek_sha256(hasher, pieces);
    CHECK(memcmp(whole, pieces, HASH_SIZE) == 0);
  }
  hasher_free(hasher);
}

/* What OpenSSL's SIPHASH gives with one round a word and three at the end. */
static void hashes_for_tables_are_siphash_1_3(void) {
  const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  uint64_t wide[2];
  struct siphash hash = siphash_of(key);
  siphash_add(&hash, 0x0706050403020100);
  siphash_add(&hash, 0x0f0e0d0c0b0a0908);
  siphash_add(&hash, UINT64_C(16) << 56);
  CHECK(siphash_end(&hash) == 0xcc4fdd1a7d908b66);
  hash = siphash_of_wide(key);
  siphash_add(&hash, 0x0706050403020100);
  siphash_add(&hash, 0x0f0e0d0c0b0a0908);
  siphash_add(&hash, 0x1110 | UINT64_C(18) << 56);
  siphash_end_wide(&hash, wide);
  CHECK(wide[0] == 0x4d708fb73df042ef && wide[1] == 0x2b09b7169f443c02);
}

static void a_seed_gives_the_same_numbers_again(void) {
  struct rand a, b;
  rand_init(&a, 42);
  rand_init(&b, 42);
  for (int i = 0; i < 1000; i++) {
    CHECK(rand_u64(&a) == rand_u64(&b));
    CHECK(rand_below(&a, 7) < 7 && rand_below(&b, 7) < 7);
    CHECK(rand_unit(&a) < 1 && rand_unit(&b) >= 0);
  }
  CHECK_INT(rand_below(&a, 0), 0);
}

static void every_error_has_a_name_and_back(void) {
  for (int code = -5030; code <= -5001; code++)
    CHECK_INT(mp_error_code(mp_error_name(code)), code);
  CHECK_INT(mp_error_code("nonsense"), 0);
  CHECK_TEXT(mp_error_name(0), "ok");
}

TEST_MAIN(TEST(a_buffer_gives_back_what_was_put),
          TEST(a_cursor_fails_once_and_for_all),
          TEST(compact_sizes_are_read_back_and_must_be_minimal),
          TEST(addresses_are_read_in_every_form),
          TEST(what_is_no_address_is_refused_with_words),
          TEST(a_prefix_holds_its_addresses_and_no_others),
          TEST(durations_are_read_with_their_unit),
          TEST(globs_match_whole_texts_in_either_case),
          TEST(a_hostile_glob_ends_soon),
          TEST(hashes_are_those_of_the_standards),
          TEST(a_hash_in_pieces_is_that_of_the_whole),
          TEST(hashes_for_tables_are_siphash_1_3),
          TEST(a_seed_gives_the_same_numbers_again),
          TEST(every_error_has_a_name_and_back))
