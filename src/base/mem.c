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

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

bool mem_is_checked(void) {
#ifdef __SANITIZE_ADDRESS__
  return true;
#else
  return false;
#endif
}

char *mem_text(const char *text) {
  size_t n = strlen(text) + 1;
  return memcpy(mem_new(n), text, n);
}
