/* backend - what makes a store last, by the first word of its URL. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "moonpeer/store.h"

struct backend_row {
  const char *scheme;
  /* Makes the backend's data for what follows "scheme:"; nothing blocks. 0 or
   * a failure, with nothing made. */
  int (*open)(void **data, const char *rest, bool read_only,
              struct mp_fault *fault);
  struct mp_backend functions;
};

/* NULL for a scheme nobody has; *rest is what follows the colon. */
const struct backend_row *backend_find(const char *url, const char **rest);

extern const struct backend_row backend_json, backend_sqlite;

#endif
