/* backend_test - making a store last in files. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "backend_help.h"

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
    mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address}, T0,
                    NULL);
  }
  ban(store, "1.0.0.0/32", 0, T0);
  CHECK_INT(mp_store_save_start(store, &held, NULL), 0);
  CHECK_INT(mp_store_save_start(store, &second, NULL), MP_EWOULD_BLOCK);
  CHECK(mp_save_gather(held, 10));
  /* The last one moves into a row that was copied, another into its own. */
  struct mp_address last = nth(99), first = nth(0), more = at("99.9.9.9");
  mp_store_delete(store, mp_peer_id(mp_store_find(store, &first)), NULL);
  mp_store_delete(store, mp_peer_id(mp_store_find(store, &last)), NULL);
  mp_store_create(store, NULL, &(struct mp_peer_new){.address = &more}, T0,
                  NULL);
  mp_store_create(store, NULL, &(struct mp_peer_new){.address = &last}, T0,
                  NULL);
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
  CHECK(mp_store_find(reader, &last));
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

/* To root nothing is read-only: a child becomes nobody. */
static void become_nobody(void) {
  enum { NOBODY = 65534 };
  if (geteuid())
    return;
  CHECK_INT(chown(folder(), NOBODY, NOBODY), 0);
  CHECK_INT(chown(path, NOBODY, NOBODY), 0);
  CHECK_INT(setgid(NOBODY), 0);
  CHECK_INT(setuid(NOBODY), 0);
}

/* In a child; what a check that fails ends is the child. */
static void use_a_read_only_folder(void) {
  struct mp_fault fault = {0};
  struct mp_store *store;
  become_nobody();
  CHECK_INT(chmod(folder(), 0500), 0);
  CHECK_INT(mp_store_open(&store, url, NULL, &fault), MP_ESTORE);
  CHECK(strstr(fault.text, path));
  CHECK(strstr(fault.text, strerror(EACCES)));
  store = opened_to_read();
  CHECK_TEXT(mp_store_warning(store), "");
  CHECK(get(store, "7.7.7.7"));
  mp_store_close(store);
}

static void a_read_only_folder_is_a_clear_error(void) {
  make();
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    use_a_read_only_folder();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_INT(chmod(folder(), 0700), 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
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
      mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address},
                      T0, NULL);
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
      mp_store_create(store, NULL, &(struct mp_peer_new){.address = &address},
                      T0, NULL);
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
    TEST(a_read_only_folder_is_a_clear_error),
    TEST(the_file_is_only_ours_to_read),
    TEST(a_full_disk_is_told_and_loses_nothing),
    TEST(many_saves_and_a_large_store_last),
};

BACKEND_MAIN
