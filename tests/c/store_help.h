/* store_help - what the tests of stores share. */
#ifndef TESTS_STORE_HELP_H
#define TESTS_STORE_HELP_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moonpeer/ban.h"
#include "moonpeer/loop.h"
#include "moonpeer/store.h"
#include "test.h"

/* A time for tests: some day in 2027. */
#define T0 (INT64_C(1800000000) * MP_SECOND)
#define HOUR (3600 * MP_SECOND)
#define DAY (24 * HOUR)

static inline struct mp_address at(const char *text) {
  struct mp_address address;
  CHECK(mp_address_parse(&address, text, 8333, NULL) == 0);
  return address;
}

static inline struct mp_prefix prefix_at(const char *text) {
  struct mp_prefix prefix;
  CHECK(mp_prefix_parse(&prefix, text, NULL) == 0);
  return prefix;
}

/* The i-th of many routable addresses. */
static inline struct mp_address nth(uint32_t i) {
  struct mp_address address = {.port = 8333};
  address.ip[10] = address.ip[11] = 0xff;
  address.ip[12] = (uint8_t)(1 + i % 8);
  address.ip[13] = (uint8_t)(i / 8);
  address.ip[14] = (uint8_t)(i / 8 >> 8);
  address.ip[15] = (uint8_t)(i / 8 >> 16);
  return address;
}

static inline struct mp_store *store_at(const char *url,
                                        struct mp_store_options options) {
  struct mp_store *store;
  struct mp_fault fault = {0};
  if (!options.seed[0])
    options.seed[0] = 1;
  if (mp_store_open(&store, url, &options, &fault)) {
    fprintf(stderr, "%s: %s\n", url, fault.text);
    CHECK(!"store opens");
  }
  return store;
}

static inline struct mp_store *memory_store(void) {
  return store_at("memory:", (struct mp_store_options){0});
}

static inline const struct mp_peer *add(struct mp_store *store,
                                        const char *text, int64_t now) {
  const struct mp_peer *peer;
  struct mp_address address = at(text);
  CHECK_INT(mp_store_create(store, &peer,
                            &(struct mp_peer_new){.address = &address}, now,
                            NULL),
            0);
  return peer;
}

static inline const struct mp_peer *get(struct mp_store *store,
                                        const char *text) {
  struct mp_address address = at(text);
  return mp_store_find(store, &address);
}

static inline int set_status(struct mp_store *store, const char *text,
                             enum mp_status status, int64_t now) {
  struct mp_peer_change change = {.fields = MP_PEER_STATUS, .status = status};
  return mp_store_update(store, mp_peer_id(get(store, text)), &change, now,
                         NULL);
}

static inline int ban(struct mp_store *store, const char *prefix,
                      int64_t expires, int64_t now) {
  struct mp_ban made = {.prefix = prefix_at(prefix), .expires = expires};
  return mp_ban_add(store, &made, now, NULL);
}

/* A folder of its own that goes away with the process's end. */
static char folder_path[64];

static inline void folder_remove(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", folder_path);
  if (folder_path[0] && system(command))
    fputs("the test's folder stays\n", stderr);
}

static inline const char *folder(void) {
  if (!folder_path[0]) {
    snprintf(folder_path, sizeof folder_path, "/tmp/moonpeer-test-XXXXXX");
    CHECK(mkdtemp(folder_path) != NULL);
    atexit(folder_remove);
  }
  return folder_path;
}

/* "scheme:FOLDER/name" and the path in it; good until the next call. */
static inline const char *url_of(const char *scheme, const char *name) {
  static char url[256];
  snprintf(url, sizeof url, "%s:%s/%s", scheme, folder(), name);
  return url;
}

static inline const char *path_of(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder(), name);
  return path;
}

static inline char *slurp(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 24);
  CHECK(file && text);
  *size = fread(text, 1, (1 << 24) - 1, file);
  fclose(file);
  return text;
}

static inline void spit(const char *path, const void *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  CHECK(file && fwrite(bytes, 1, n, file) == n);
  fclose(file);
}

#endif
