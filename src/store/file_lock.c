/* file_lock - one writer at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/file.h"

enum { TRIES = 100 };

/* Whether the name still leads to the file we have: the last holder takes the
 * name away before it lets go. */
static bool is_current(int descriptor, const char *path) {
  struct stat ours, named;
  return fstat(descriptor, &ours) == 0 && stat(path, &named) == 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static int held(int descriptor, const char *path, struct mp_fault *fault) {
  char text[32] = "";
  ssize_t n = pread(descriptor, text, sizeof text - 1, 0);
  long pid = n > 0 ? strtol(text, NULL, 10) : 0;
  close(descriptor);
  return fault_set(fault, MP_ESTORE, "%.150s: process %ld writes it already",
                   path, pid);
}

static void sign(int descriptor) {
  char text[32];
  int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
  if (ftruncate(descriptor, 0) || pwrite(descriptor, text, (size_t)n, 0) < n)
    return; /* the lock holds; only its word to others is missing */
}

int file_lock(struct file_lock *lock, const char *path,
              struct mp_fault *fault) {
  lock->descriptor = -1;
  if (snprintf(lock->path, sizeof lock->path, "%s.lock", path) >= FILE_PATH)
    return fault_set(fault, MP_ESTORE, "%.150s: the name is too long", path);
  for (int i = 0; i < TRIES; i++) {
    int descriptor = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
      return fault_set(fault, MP_ESTORE, "%.150s: cannot lock: %s", lock->path,
                       strerror(errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB))
      return held(descriptor, path, fault);
    if (is_current(descriptor, lock->path)) {
      sign(descriptor);
      lock->descriptor = descriptor;
      return 0;
    }
    close(descriptor);
  }
  return fault_set(fault, MP_ESTORE, "%.150s: cannot lock: others come and go",
                   path);
}

void file_unlock(struct file_lock *lock) {
  if (lock->descriptor < 0)
    return;
  unlink(lock->path);
  close(lock->descriptor);
  lock->descriptor = -1;
}
