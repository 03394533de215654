/* backend_test - making a store last in files, and what can be wrong there.
 * Every test runs once per backend. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store_help.h"

static const char *scheme;
static char url[256], path[256];

/* Another file for every test. */
static void fresh(void) {
  static unsigned n;
  char name[32];
  snprintf(name, sizeof name, "store-%u", n++);
  snprintf(url, sizeof url, "%s", url_of(scheme, name));
  snprintf(path, sizeof path, "%s", path_of(name));
}

static struct mp_store *opened(void) {
  return store_at(url, (struct mp_store_options){0});
}

static struct mp_store *opened_to_read(void) {
  return store_at(url, (struct mp_store_options){.read_only = true});
}

static const char *beside(const char *suffix) {
  static char text[300];
  snprintf(text, sizeof text, "%s%s", path, suffix);
  return text;
}

static void save(struct mp_store *store) {
  struct mp_fault fault = {0};
  if (mp_store_save(store, &fault)) {
    fprintf(stderr, "%s\n", fault.text);
    CHECK(!"saved");
  }
}

/* A store with a bit of everything. */
static void fill(struct mp_store *store) {
  struct mp_peer_change all = {
      .fields = MP_PEER_STATUS | MP_PEER_SOURCE | MP_PEER_SERVICES |
                MP_PEER_PROTOCOL_VERSION | MP_PEER_START_HEIGHT |
                MP_PEER_LAST_SEEN | MP_PEER_LAST_TRIED |
                MP_PEER_FAILURES_COUNT | MP_PEER_RTT | MP_PEER_AGENT |
                MP_PEER_DATA_TEXT,
      .status = MP_STATUS_VALID,
      .source = {MP_SOURCE_PEER, at("5.6.7.8:9")},
      .services = 1234605616436508552,
      .protocol_version = 70016,
      .start_height = -7,
      .last_seen = T0 + MP_SECOND,
      .last_tried = T0 + 2 * MP_SECOND,
      .failures = 3,
      .rtt = 25000,
      .user_agent = "/\0\xff%\"\\\n/",
      .user_agent_size = 8,
      .data = "{\"big\":1234605616436508552,\"t\":\"}\\\"{\"}",
  };
  struct mp_address address = at("[2001:470::1]:18333");
  CHECK_INT(mp_store_create(store, NULL, NULL, &address, &all, T0, NULL), 0);
  add(store, "1.2.3.4:8333", T0);
  add(store, "1.2.3.5:8333", T0);
  CHECK_INT(set_status(store, "1.2.3.5:8333", MP_STATUS_BANNED, T0), 0);
  ban(store, "9.9.0.0/16", MP_BAN_FOREVER, T0);
  struct mp_ban more = {.prefix = prefix_at("2001:db8::/32"),
                        .reason = MP_REASON_MISBEHAVIOUR,
                        .origin = "policy \xc3\xa4",
                        .note = "sc\"an",
                        .expires = T0 + HOUR};
  CHECK_INT(mp_ban_add(store, &more, T0, NULL), 0);
  mp_store_set_value(store, "secret", "\0\1\2%", 4, NULL);
  mp_store_set_value(store, "empty", "", 0, NULL);
}

static void check_filled(struct mp_store *store) {
  struct mp_address address = at("[2001:470::1]:18333");
  const struct mp_peer *peer = mp_store_find(store, &address);
  struct mp_prefix prefix = prefix_at("2001:db8::/32");
  struct mp_source source;
  struct mp_ban found;
  size_t size;
  CHECK(peer != NULL);
  CHECK_INT(mp_peer_status(peer), MP_STATUS_VALID);
  CHECK_INT(mp_peer_status_time(peer), T0);
  mp_peer_source(peer, &source);
  CHECK_INT(source.kind, MP_SOURCE_PEER);
  CHECK_INT(source.address.port, 9);
  CHECK(mp_peer_services(peer) == 1234605616436508552);
  CHECK_INT(mp_peer_start_height(peer), -7);
  CHECK_INT(mp_peer_last_tried(peer), T0 + 2 * MP_SECOND);
  CHECK_INT(mp_peer_failures(peer), 3);
  CHECK_INT(mp_peer_rtt(peer), 25000);
  CHECK(memcmp(mp_peer_user_agent(peer, &size), "/\0\xff%\"\\\n/", 8) == 0);
  CHECK_INT(size, 8);
  CHECK_TEXT(mp_peer_data(peer),
             "{\"big\":1234605616436508552,\"t\":\"}\\\"{\"}");
  CHECK_INT(mp_store_count(store), 3);
  CHECK_INT(mp_store_count_by_status(store, MP_STATUS_BANNED), 1);
  CHECK_INT(mp_peer_ban_reason(get(store, "1.2.3.5:8333")), MP_REASON_MANUAL);
  CHECK_INT(mp_ban_count(store), 2);
  CHECK(mp_ban_get(store, &prefix, &found));
  CHECK_TEXT(found.origin, "policy \xc3\xa4");
  CHECK_TEXT(found.note, "sc\"an");
  CHECK_INT(found.expires, T0 + HOUR);
  CHECK(memcmp(mp_store_value(store, "secret", &size), "\0\1\2%", 4) == 0);
  CHECK_INT(size, 4);
  CHECK(mp_store_value(store, "empty", &size) && size == 0);
}

static void what_is_saved_is_loaded(void) {
  fresh();
  struct mp_store *store = opened();
  uint8_t id[MP_UUID_SIZE];
  CHECK_INT(mp_store_is_changed(store), false);
  fill(store);
  CHECK(mp_store_is_changed(store));
  memcpy(id, mp_peer_id(get(store, "1.2.3.4:8333")), sizeof id);
  save(store);
  CHECK_INT(mp_store_is_changed(store), false);
  mp_store_close(store);
  for (int i = 0; i < 3; i++) {
    store = i == 1 ? opened_to_read() : opened();
    CHECK_TEXT(mp_store_warning(store), "");
    CHECK_INT(mp_store_is_changed(store), false);
    check_filled(store);
    CHECK(mp_store_read(store, id) == get(store, "1.2.3.4:8333"));
    if (i == 0)
      save(store);
    mp_store_close(store);
  }
}

static void changes_are_saved_on_top_of_changes(void) {
  fresh();
  struct mp_store *store = opened();
  fill(store);
  save(store);
  uint8_t id[MP_UUID_SIZE];
  memcpy(id, mp_peer_id(get(store, "1.2.3.5:8333")), sizeof id);
  mp_store_delete(store, id, NULL);
  add(store, "7.7.7.7", T0); /* may take the row that is free now */
  set_status(store, "1.2.3.4:8333", MP_STATUS_INACCESSIBLE, T0 + HOUR);
  struct mp_prefix prefix = prefix_at("9.9.0.0/16");
  mp_ban_remove(store, &prefix, T0, NULL);
  mp_store_set_value(store, "secret", NULL, 0, NULL);
  mp_store_set_value(store, "empty", "x", 1, NULL);
  save(store);
  mp_store_close(store);
  store = opened();
  CHECK_INT(mp_store_count(store), 3);
  CHECK(get(store, "7.7.7.7") && !get(store, "1.2.3.5:8333"));
  CHECK(mp_peer_is_inaccessible(get(store, "1.2.3.4:8333")));
  CHECK_INT(mp_ban_count(store), 1);
  CHECK(mp_store_value(store, "secret", NULL) == NULL);
  CHECK(memcmp(mp_store_value(store, "empty", NULL), "x", 1) == 0);
  mp_store_close(store);
}

static void a_missing_file_is_an_empty_store(void) {
  fresh();
  struct mp_store *store = opened_to_read();
  CHECK_INT(mp_store_count(store), 0);
  CHECK_TEXT(mp_store_warning(store), "");
  struct mp_fault fault = {0};
  CHECK_INT(mp_store_save(store, &fault), MP_ESTORE);
  mp_store_close(store);
  CHECK(access(path, F_OK) != 0);
}

static void a_second_writer_is_told_who_the_first_is(void) {
  fresh();
  struct mp_store *store = opened(), *other, *reader;
  struct mp_fault fault = {0};
  char pid[32];
  snprintf(pid, sizeof pid, "process %ld", (long)getpid());
  fill(store);
  save(store);
  CHECK_INT(mp_store_open(&other, url, NULL, &fault), MP_ESTORE);
  CHECK(strstr(fault.text, pid) && strstr(fault.text, path));
  reader = opened_to_read();
  check_filled(reader);
  mp_store_close(reader);
  mp_store_close(store);
  CHECK(access(beside(".lock"), F_OK) != 0);
  mp_store_close(opened());
}

static void the_save_is_the_store_as_it_was_when_it_began(void) {
  fresh();
  struct mp_store *store = opened();
  struct mp_save *held, *second;
  for (uint32_t i = 0; i < 100; i++) {
    struct mp_address address = nth(i);
    mp_store_create(store, NULL, NULL, &address, NULL, T0, NULL);
  }
  ban(store, "1.0.0.0/32", 0, T0);
  CHECK_INT(mp_store_save_start(store, &held, NULL), 0);
  CHECK_INT(mp_store_save_start(store, &second, NULL), MP_EWOULD_BLOCK);
  CHECK(mp_save_gather(held, 10));
  /* The last one moves into a row that was copied, and so on. */
  struct mp_address last = nth(99), first = nth(0), more = at("99.9.9.9");
  mp_store_delete(store, mp_peer_id(mp_store_find(store, &first)), NULL);
  mp_store_delete(store, mp_peer_id(mp_store_find(store, &last)), NULL);
  mp_store_create(store, NULL, NULL, &last, NULL, T0, NULL);
  mp_store_create(store, NULL, NULL, &more, NULL, T0, NULL);
  struct mp_prefix prefix = prefix_at("1.0.0.0/32");
  mp_ban_remove(store, &prefix, T0, NULL);
  while (mp_save_gather(held, 10))
    continue;
  mp_save_finish(held, mp_save_run(held, NULL));
  CHECK(mp_store_is_changed(store));
  struct mp_store *reader = opened_to_read();
  CHECK_TEXT(mp_store_warning(reader), "");
  CHECK_INT(mp_store_count(reader), 100);
  CHECK(mp_store_find(reader, &first) && !mp_store_find(reader, &more));
  CHECK_INT(mp_ban_count(reader), 1);
  mp_store_close(reader);
  save(store);
  mp_store_close(store);
  reader = opened_to_read();
  CHECK_INT(mp_store_count(reader), 100);
  CHECK(!mp_store_find(reader, &first) && mp_store_find(reader, &more));
  CHECK_INT(mp_ban_count(reader), 0);
  mp_store_close(reader);
}

static void a_failed_save_is_made_up_for_by_the_next(void) {
  fresh();
  struct mp_store *store = opened();
  struct mp_save *held;
  fill(store);
  CHECK_INT(mp_store_save_start(store, &held, NULL), 0);
  while (mp_save_gather(held, 1))
    continue;
  mp_save_finish(held, MP_ESTORE);
  CHECK(mp_store_is_changed(store));
  save(store);
  mp_store_set_value(store, "secret", NULL, 0, NULL);
  CHECK_INT(mp_store_save_start(store, &held, NULL), 0);
  mp_save_finish(held, MP_ESTORE); /* given up before all was copied */
  mp_store_set_value(store, "secret", "\0\1\2%", 4, NULL);
  save(store);
  mp_store_close(store);
  store = opened();
  check_filled(store);
  mp_store_close(store);
}

/* --- damage */

static void make(void) {
  fresh();
  struct mp_store *store = opened();
  fill(store);
  save(store);
  add(store, "7.7.7.7", T0);
  save(store); /* the good copy has what the first save had */
  mp_store_close(store);
}

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

static void a_read_only_folder_is_a_clear_error(void) {
  make();
  struct mp_fault fault = {0};
  struct mp_store *store;
  if (geteuid() == 0) { /* nothing is read-only for root */
    char name[300];
    snprintf(name, sizeof name, "%s:/proc/no/such", scheme);
    CHECK_INT(mp_store_open(&store, name, NULL, &fault), MP_ESTORE);
    CHECK(strstr(fault.text, "/proc/no/such"));
    return;
  }
  chmod(folder(), 0500);
  unlink(beside(".lock"));
  CHECK_INT(mp_store_open(&store, url, NULL, &fault), MP_ESTORE);
  CHECK(strstr(fault.text, path));
  store = opened_to_read();
  CHECK(get(store, "7.7.7.7"));
  mp_store_close(store);
  chmod(folder(), 0700);
}

static void the_file_is_only_ours_to_read(void) {
  make();
  struct stat status;
  CHECK_INT(stat(path, &status), 0);
  CHECK_INT(status.st_mode & 077, 0);
  CHECK_INT(stat(beside(".good"), &status), 0);
  CHECK_INT(status.st_mode & 077, 0);
}

/* A disk that is full after so many bytes, in a child. */
static void a_full_disk_is_told_and_loses_nothing(void) {
  make();
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    struct mp_store *store = opened();
    struct mp_fault fault = {0};
    signal(SIGXFSZ, SIG_IGN);
    for (uint32_t i = 0; i < 20000; i++) {
      struct mp_address address = nth(i);
      mp_store_create(store, NULL, NULL, &address, NULL, T0, NULL);
    }
    struct rlimit limit = {100000, 100000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int rc = mp_store_save(store, &fault);
    bool told = rc == MP_ESTORE && strstr(fault.text, path) != NULL;
    _exit(told && mp_store_is_changed(store) ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_INT(WEXITSTATUS(status), 0);
  struct mp_store *store = opened();
  CHECK_TEXT(mp_store_warning(store), "");
  CHECK_INT(mp_store_count(store), 4);
  mp_store_close(store);
}

static void many_saves_and_a_large_store_last(void) {
  fresh();
  struct mp_store *store = opened();
  for (unsigned round = 0; round < 30; round++) {
    for (uint32_t i = round * 100; i < round * 100 + 100; i++) {
      struct mp_address address = nth(i);
      mp_store_create(store, NULL, NULL, &address, NULL, T0, NULL);
    }
    save(store);
  }
  mp_store_close(store);
  store = opened();
  CHECK_INT(mp_store_count(store), 3000);
  mp_store_close(store);
}

static const struct test shared[] = {
    TEST(what_is_saved_is_loaded),
    TEST(changes_are_saved_on_top_of_changes),
    TEST(a_missing_file_is_an_empty_store),
    TEST(a_second_writer_is_told_who_the_first_is),
    TEST(the_save_is_the_store_as_it_was_when_it_began),
    TEST(a_failed_save_is_made_up_for_by_the_next),
    TEST(an_empty_file_is_damage),
    TEST(a_foreign_file_is_damage),
    TEST(a_truncated_file_is_damage_wherever_it_ends),
    TEST(a_flipped_bit_is_found_wherever_it_is),
    TEST(a_reader_renames_nothing),
    TEST(without_a_good_copy_it_begins_empty),
    TEST(a_file_set_aside_before_a_crash_is_made_up_for),
    TEST(a_read_only_folder_is_a_clear_error),
    TEST(the_file_is_only_ours_to_read),
    TEST(a_full_disk_is_told_and_loses_nothing),
    TEST(many_saves_and_a_large_store_last),
};

static void with_json(void) {
  scheme = "json";
  for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
    fprintf(stderr, "  - %s\n", shared[i].name);
    shared[i].run();
  }
}

static void with_sqlite(void) {
  scheme = "sqlite";
  for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
    fprintf(stderr, "  - %s\n", shared[i].name);
    shared[i].run();
  }
}

TEST_MAIN(TEST(with_json), TEST(with_sqlite))
