/* commands - inputs that begin with twelve bytes of command: the fuzzer keeps
 * to those that are known, so that every decoder has its share, and says at
 * the end how many inputs each has had at least. */
#ifndef TESTS_FUZZ_COMMANDS_H
#define TESTS_FUZZ_COMMANDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moonpeer/layout.h"
#include "moonpeer/network.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t most,
                               unsigned seed);

enum { COMMANDS_MOST = 128, CHANGE = 32 };

static uint64_t inputs_of[COMMANDS_MOST];

static inline void print_least(void) {
  size_t n, least = 0, sum = 0;
  const struct mp_message_type *types = mp_message_list(&n);
  for (size_t i = 0; i < n; i++) {
    least = inputs_of[i] < inputs_of[least] ? i : least;
    sum += inputs_of[i];
  }
  fprintf(stderr, "commands: %zu, inputs of them: %zu, at least %llu (%s)\n", n,
          sum, (unsigned long long)inputs_of[least], types[least].command);
}

static inline void count_command(const char *command) {
  static bool is_set;
  size_t n;
  const struct mp_message_type *type = mp_message_find(command);
  if (!is_set)
    is_set = atexit(print_least) == 0;
  if (type)
    inputs_of[type - mp_message_list(&n)]++;
}

/* One in CHANGE gets another command, one whatever the fuzzer likes, and the
 * rest another payload. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t most,
                               unsigned seed) {
  size_t types_n;
  const struct mp_message_type *types = mp_message_list(&types_n);
  if (most <= MP_COMMAND_SIZE || seed % CHANGE == 1)
    return LLVMFuzzerMutate(bytes, n, most);
  if (n < MP_COMMAND_SIZE || seed % CHANGE == 0) {
    char command[MP_COMMAND_SIZE + 1] = {0};
    strcpy(command, types[seed / CHANGE % types_n].command);
    memcpy(bytes, command, MP_COMMAND_SIZE);
    n = n < MP_COMMAND_SIZE ? MP_COMMAND_SIZE : n;
  }
  return MP_COMMAND_SIZE + LLVMFuzzerMutate(bytes + MP_COMMAND_SIZE,
                                            n - MP_COMMAND_SIZE,
                                            most - MP_COMMAND_SIZE);
}

#endif
