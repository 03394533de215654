/* backend_damage_test - files that are not what was saved. */
#include "backend_help.h"

/* The damaged file is aside and told of; the good copy is used. */
static void check_recovered(void) {
  struct mp_store *store = opened();
  const char *warning = mp_store_warning(store);
  CHECK(strstr(warning, path) != NULL);
  CHECK(strstr(warning, "good copy") != NULL);
  CHECK(access(beside(".damaged-1"), F_OK) == 0);
  CHECK(mp_store_count(store) >= 3);
  CHECK(get(store, "1.2.3.4:8333"));
  save(store);
  mp_store_close(store);
  store = opened();
  CHECK_TEXT(mp_store_warning(store), "");
  mp_store_close(store);
}

static void an_empty_file_is_damage(void) {
  make();
  spit(path, "", 0);
  check_recovered();
}

static void a_foreign_file_is_damage(void) {
  make();
  spit(path, "hello, I am a text\n", 19);
  check_recovered();
}

static void a_truncated_file_is_damage_wherever_it_ends(void) {
  make();
  size_t size;
  char *text = slurp(path, &size);
  for (size_t n = 1; n < size; n += size / 13 + 1) {
    unlink(beside(".damaged-1"));
    spit(path, text, n);
    check_recovered();
  }
  free(text);
}

/* Any single flipped bit is found, or changes nothing. */
static void a_flipped_bit_is_found_wherever_it_is(void) {
  make();
  size_t size, found = 0, harmless = 0;
  char *text = slurp(path, &size);
  uint32_t seed = 7;
  for (unsigned i = 0; i < 400; i++) {
    seed = seed * 1664525 + 1013904223;
    size_t place = (seed >> 4) % size;
    text[place] ^= (char)(1 << i % 8);
    spit(path, text, size);
    text[place] ^= (char)(1 << i % 8);
    struct mp_store *store;
    struct mp_store_options options = {.read_only = true};
    struct mp_fault fault = {0};
    CHECK_INT(mp_store_open(&store, url, &options, &fault), 0);
    if (mp_store_warning(store)[0]) {
      found++;
    } else {
      harmless++;
      struct mp_address more = at("7.7.7.7");
      CHECK(mp_store_find(store, &more));
      CHECK_INT(mp_store_count(store), 4);
    }
    mp_store_close(store);
  }
  CHECK(found > 0);
  if (strcmp(scheme, "json") == 0)
    CHECK_INT(harmless, 0);
  free(text);
}

static void a_reader_renames_nothing(void) {
  make();
  spit(path, "?", 1);
  struct mp_store *store = opened_to_read();
  CHECK(strstr(mp_store_warning(store), "good copy"));
  CHECK(get(store, "1.2.3.4:8333"));
  mp_store_close(store);
  CHECK(access(path, F_OK) == 0);
  CHECK(access(beside(".damaged-1"), F_OK) != 0);
}

static void without_a_good_copy_it_begins_empty(void) {
  make();
  spit(path, "?", 1);
  spit(beside(".good"), "?", 1);
  struct mp_store *store = opened();
  CHECK_INT(mp_store_count(store), 0);
  CHECK(strstr(mp_store_warning(store), "begun empty"));
  CHECK(access(beside(".good"), F_OK) == 0); /* nothing is deleted */
  mp_store_close(store);
  unlink(beside(".good"));
  spit(path, "??", 2);
  store = opened();
  CHECK(strstr(mp_store_warning(store), "there is no good copy"));
  CHECK(access(beside(".damaged-1"), F_OK) == 0);
  CHECK(access(beside(".damaged-2"), F_OK) == 0);
  CHECK(access(beside(".damaged-3"), F_OK) == 0);
  mp_store_close(store);
}

static void a_file_set_aside_before_a_crash_is_made_up_for(void) {
  make();
  unlink(path);
  struct mp_store *store = opened();
  CHECK(strstr(mp_store_warning(store), "missing"));
  CHECK(get(store, "1.2.3.4:8333"));
  mp_store_close(store);
}

static const struct test shared[] = {
    TEST(an_empty_file_is_damage),
    TEST(a_foreign_file_is_damage),
    TEST(a_truncated_file_is_damage_wherever_it_ends),
    TEST(a_flipped_bit_is_found_wherever_it_is),
    TEST(a_reader_renames_nothing),
    TEST(without_a_good_copy_it_begins_empty),
    TEST(a_file_set_aside_before_a_crash_is_made_up_for),
};

BACKEND_MAIN
