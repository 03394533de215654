/* fault - what went wrong: the codes' names, and filling a struct mp_fault. */
#include "base/fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
  int code;
  const char *name;
} names[] = {
#define X(name, number, text) {name, text},
    MP_ERRORS(X)
#undef X
};

enum { NAMES = sizeof names / sizeof *names };

const char *mp_error_name(int code) {
  if (code == MP_OK)
    return "ok";
  for (size_t i = 0; i < NAMES; i++)
    if (names[i].code == code)
      return names[i].name;
  return "io_error";
}

int mp_error_code(const char *name) {
  for (size_t i = 0; i < NAMES; i++)
    if (strcmp(names[i].name, name) == 0)
      return names[i].code;
  return 0;
}

int fault_set(struct mp_fault *fault, int code, const char *format, ...) {
  if (!fault)
    return code;
  va_list list;
  va_start(list, format);
  vsnprintf(fault->text, sizeof fault->text, format, list);
  va_end(list);
  fault->code = code;
  return code;
}
