/* test - what a C test needs: checks that say what they saw. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test is a function; its name says the behaviour. */
struct test {
  const char *name;
  void (*run)(void);
};

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#define CHECK_INT(got, wanted)                                                 \
  do {                                                                         \
    long long got_ = (long long)(got), wanted_ = (long long)(wanted);          \
    if (got_ != wanted_) {                                                     \
      fprintf(stderr, "%s:%d: %s: expected %lld, got %lld\n", __FILE__,        \
              __LINE__, #got, wanted_, got_);                                  \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#define CHECK_TEXT(got, wanted)                                                \
  do {                                                                         \
    const char *got_ = (got), *wanted_ = (wanted);                             \
    if (strcmp(got_, wanted_) != 0) {                                          \
      fprintf(stderr, "%s:%d: %s: expected \"%s\", got \"%s\"\n", __FILE__,    \
              __LINE__, #got, wanted_, got_);                                  \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

/* Runs the tests in order, or the one named on the command line. */
#define TEST_MAIN(...)                                                         \
  int main(int argc, char **argv) {                                            \
    const struct test tests[] = {__VA_ARGS__};                                 \
    size_t ran = 0;                                                            \
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {                \
      if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)                     \
        continue;                                                              \
      fprintf(stderr, "- %s\n", tests[i].name);                                \
      tests[i].run();                                                          \
      ran++;                                                                   \
    }                                                                          \
    return ran ? 0 : 1;                                                        \
  }

#define TEST(function)                                                         \
  { .name = #function, .run = function }

#endif
