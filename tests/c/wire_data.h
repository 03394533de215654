/* wire_data - the vectors and captures, and hex, for tests of the wire. */
#ifndef TESTS_WIRE_DATA_H
#define TESTS_WIRE_DATA_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "moonpeer/network.h"
#include "test.h"

/* A file of tests/data, with a terminator; yours to free. */
static inline char *data_text(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  size_t got = fread(text, 1, (size_t)size, file);
  fclose(file);
  text[got] = '\0';
  return text;
}

static inline int hex_digit(char c) {
  const char *digits = "0123456789abcdef", *at = strchr(digits, c);
  return c && at ? (int)(at - digits) : -1;
}

/* The bytes of a hex text in a block of exactly their size, so that a
 * sanitizer sees the first byte read too far; yours to free. */
static inline uint8_t *hex_bytes(const char *hex, size_t *n) {
  *n = strlen(hex) / 2;
  uint8_t *bytes = malloc(*n);
  for (size_t i = 0; i < *n; i++)
    bytes[i] =
        (uint8_t)(hex_digit(hex[i * 2]) << 4 | hex_digit(hex[i * 2 + 1]));
  return bytes;
}

/* A text member, "" when it is missing or another type. */
static inline const char *text_of(const cJSON *object, const char *name) {
  const char *text =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  return text ? text : "";
}

/* The vectors name the networks in their own way. */
static inline const struct mp_network *network_of(const char *name) {
  static const char *const names[][2] = {
      {"bsv-main", "mainnet"},
      {"bsv-test", "testnet"},
      {"bsv-regtest", "regtest"},
      {"bsv-teratestnet", "teratestnet"},
      {"regtest (all)", "regtest"},
      {"bsv-main / btc-main / bch-main", "mainnet"},
      {"bsv-test / bsv-stn / btc-testnet3", "testnet"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i][0], name) == 0)
      return mp_network_find(names[i][1]);
  return mp_network_find(name);
}

#endif
