/* backend - what makes a store last, by the first word of its URL. */
#include "store/backend.h"

#include <string.h>

#include "base/fault.h"

static int open_memory(void **data, const char *rest, bool read_only,
                       struct mp_fault *fault) {
  (void)read_only;
  *data = NULL;
  if (rest[0])
    return fault_set(fault, MP_ECONFIG, "memory: expected nothing behind it");
  return 0;
}

static const struct backend_row backend_memory = {.scheme = "memory",
                                                  .open = open_memory};

static const struct backend_row *const rows[] = {
    &backend_memory,
    &backend_json,
    &backend_sqlite,

};

const struct backend_row *backend_find(const char *url, const char **rest) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t n = strlen(rows[i]->scheme);
    if (strncmp(url, rows[i]->scheme, n) != 0 || url[n] != ':')
      continue;
    *rest = url + n + 1;
    return rows[i];
  }
  return NULL;
}
