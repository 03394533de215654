/* loader - what a backend fills while loading. */
#ifndef STORE_LOADER_H
#define STORE_LOADER_H

#include "store/store.h"

struct mp_loader {
  struct mp_store *store;
};

/* Forgets all that was loaded, to begin anew from another file. */
void loader_reset(struct mp_loader *loader);

/* Adds a sentence to the store's warning. */
__attribute__((format(printf, 2, 3))) void loader_warn(struct mp_loader *loader,
                                                       const char *format, ...);

#endif
