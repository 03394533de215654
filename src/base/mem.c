/* mem - memory that cannot fail, and memory that may. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *mem_new(size_t n) {
  void *block = calloc(1, n ? n : 1);
  if (!block) {
    fputs("moonpeer: out of memory\n", stderr);
    abort();
  }
  return block;
}

void *mem_try(size_t n) {
  return malloc(n ? n : 1);
}

void *mem_try_resize(void *block, size_t n) {
  return realloc(block, n ? n : 1);
}

char *mem_text(const char *text) {
  size_t n = strlen(text) + 1;
  return memcpy(mem_new(n), text, n);
}
