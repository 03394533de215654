/* recover - loading a file that may be damaged, or the last good copy. */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "store/file.h"
#include "store/loader.h"

/* What trying to load one file comes to. */
enum loaded {
  LOADED,
  LOAD_MISSING,
  LOAD_DAMAGED, /* the fault says how */
  LOAD_FAILED,  /* likewise; the file is left alone */
};

struct recovery {
  const char *path, *good;
  const char *const *suffixes; /* of files that go with it; ends with NULL */
  bool read_only;              /* rename nothing, copy nothing */
  enum loaded (*load)(void *data, const char *path, struct mp_loader *loader,
                      struct mp_fault *fault);
  void *data;
};

/* Loads path, else good, else nothing; what is damaged is set aside and told
 * in the loader's warning. 0 or MP_ESTORE. */
int recover(const struct recovery *recovery, struct mp_loader *loader,
            struct mp_fault *fault);

#endif
