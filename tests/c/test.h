/* test - what a C test needs: checks that say what they saw. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test is a function; its name says the behaviour. */
struct test {
  const char *name;
  void (*run)(void);
};

static inline void test_check(bool is_right, const char *place,
                              const char *condition) {
  if (is_right)
    return;
  fprintf(stderr, "%s: expected %s\n", place, condition);
  exit(1);
}

static inline void test_check_int(long long got, long long wanted,
                                  const char *place, const char *what) {
  if (got == wanted)
    return;
  fprintf(stderr, "%s: %s: expected %lld, got %lld\n", place, what, wanted,
          got);
  exit(1);
}

static inline void test_check_text(const char *got, const char *wanted,
                                   const char *place, const char *what) {
  if (strcmp(got, wanted) == 0)
    return;
  fprintf(stderr, "%s: %s: expected \"%s\", got \"%s\"\n", place, what, wanted,
          got);
  exit(1);
}

#define TEXT_OF(x) #x
#define LINE_OF(x) TEXT_OF(x)
#define PLACE __FILE__ ":" LINE_OF(__LINE__)

#define CHECK(condition) test_check((condition), PLACE, #condition)
#define CHECK_INT(got, wanted)                                                 \
  test_check_int((long long)(got), (long long)(wanted), PLACE, #got)
#define CHECK_TEXT(got, wanted) test_check_text((got), (wanted), PLACE, #got)

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
  { .name = #function, .run = (function) }

#endif
