/* recover - loading a file that may be damaged, or the last good copy. */
#include "store/recover.h"

#include <stdio.h>

/* Sets a damaged file and those that go with it aside. */
static int set_aside(const struct recovery *recovery, const char *path,
                     const struct mp_fault *damage, struct mp_loader *loader,
                     struct mp_fault *fault) {
  char aside[FILE_PATH], other[FILE_PATH], beside[FILE_PATH];
  const char *const *suffix = recovery->suffixes;
  if (recovery->read_only) {
    loader_warn(loader, "%s", damage->text);
    return 0;
  }
  if (file_set_aside(path, aside, fault))
    return MP_ESTORE;
  loader_warn(loader, "%s; it is now %s", damage->text, aside);
  for (; suffix && *suffix; suffix++) {
    snprintf(other, sizeof other, "%.4000s%s", path, *suffix);
    snprintf(beside, sizeof beside, "%.4000s%s", aside, *suffix);
    if (file_exists(other) && rename(other, beside))
      loader_warn(loader, "%s could not follow it", other);
  }
  return 0;
}

/* Files that go with one that is not there belong to nothing. */
static void set_orphans_aside(const struct recovery *recovery,
                              struct mp_loader *loader) {
  char other[FILE_PATH], aside[FILE_PATH];
  const char *const *suffix = recovery->suffixes;
  for (; suffix && *suffix && !recovery->read_only; suffix++) {
    snprintf(other, sizeof other, "%.4000s%s", recovery->path, *suffix);
    if (file_exists(other) && file_set_aside(other, aside, NULL) == 0)
      loader_warn(loader, "%s stood without its file; it is now %s", other,
                  aside);
  }
}

/* The good copy becomes the file again; readers read it where it is. */
static enum loaded load_good(const struct recovery *recovery,
                             struct mp_loader *loader, struct mp_fault *fault) {
  if (!file_exists(recovery->good) || file_oddity(recovery->good))
    return LOAD_MISSING;
  if (recovery->read_only)
    return recovery->load(recovery->data, recovery->good, loader, fault);
  if (file_copy(recovery->good, recovery->path, fault))
    return LOAD_FAILED;
  return recovery->load(recovery->data, recovery->path, loader, fault);
}

/* After the file was missing or set aside. */
static int use_good(const struct recovery *recovery, bool was_damaged,
                    struct mp_loader *loader, struct mp_fault *fault) {
  struct mp_fault damage = {0};
  switch (load_good(recovery, loader, &damage)) {
  case LOADED:
    if (!was_damaged)
      loader_warn(loader, "%s is missing", recovery->path);
    loader_warn(loader, "used the last good copy, %s", recovery->good);
    return 0;
  case LOAD_MISSING:
    if (was_damaged)
      loader_warn(loader, "there is no good copy: begun empty");
    return 0;
  case LOAD_DAMAGED:
    loader_reset(loader);
    if (set_aside(recovery, recovery->path, &damage, loader, fault))
      return MP_ESTORE;
    loader_warn(loader, "the last good copy, %s, is damaged too: begun empty",
                recovery->good);
    return 0;
  default: break;
  }
  if (fault)
    *fault = damage;
  return MP_ESTORE;
}

int recover(const struct recovery *recovery, struct mp_loader *loader,
            struct mp_fault *fault) {
  struct mp_fault damage = {0};
  switch (recovery->load(recovery->data, recovery->path, loader, &damage)) {
  case LOADED: return 0;
  case LOAD_MISSING:
    set_orphans_aside(recovery, loader);
    return use_good(recovery, false, loader, fault);
  case LOAD_DAMAGED:
    loader_reset(loader);
    if (set_aside(recovery, recovery->path, &damage, loader, fault))
      return MP_ESTORE;
    return use_good(recovery, true, loader, fault);
  default: break;
  }
  if (fault)
    *fault = damage;
  return MP_ESTORE;
}
