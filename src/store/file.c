/* file - reading and replacing whole files so that a crash loses nothing. */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

static int failed(struct mp_fault *fault, const char *path, const char *what) {
  return fault_set(fault, MP_ESTORE, "%.150s: cannot %s: %s", path, what,
                   strerror(errno));
}

bool file_exists(const char *path) {
  struct stat status;
  return stat(path, &status) == 0;
}

static const char *oddity(const struct stat *status) {
  if (S_ISREG(status->st_mode))
    return NULL;
  return S_ISDIR(status->st_mode) ? "a folder" : "no plain file";
}

const char *file_oddity(const char *path) {
  struct stat status;
  return stat(path, &status) ? NULL : oddity(&status);
}

long long file_size(const char *path) {
  struct stat status;
  return stat(path, &status) ? -1 : (long long)status.st_size;
}

/* Reads to the end of the file, whatever size it claimed. */
static char *read_all(int descriptor, size_t hint, size_t *size) {
  size_t room = hint + 2;
  char *text = malloc(room), *larger;
  for (*size = 0; text;) {
    ssize_t n = read(descriptor, text + *size, room - *size - 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      text[*size] = '\0';
      if (n == 0)
        return text;
      break;
    }
    *size += (size_t)n;
    if (*size + 1 < room)
      continue;
    larger = realloc(text, room *= 2);
    if (!larger)
      break;
    text = larger;
  }
  free(text);
  return NULL;
}

int file_read(const char *path, char **text, size_t *size,
              struct mp_fault *fault) {
  struct stat status;
  const char *odd = NULL;
  /* a pipe would wait for somebody who writes */
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0 && errno == ENOENT)
    return fault_set(fault, MP_ENOT_FOUND, "%.150s: no such file", path);
  if (descriptor < 0)
    return failed(fault, path, "open");
  if (fstat(descriptor, &status) != 0 || (odd = oddity(&status)) != NULL) {
    close(descriptor);
    return fault_set(fault, MP_ESTORE, "%.150s: is %s", path,
                     odd ? odd : "not to be read");
  }
  *text = read_all(descriptor, (size_t)status.st_size, size);
  int rc = *text ? 0 : failed(fault, path, "read");
  close(descriptor);
  return rc;
}

/* --- writing */

int file_make(const char *path, struct mp_fault *fault) {
  unlink(path);
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return failed(fault, path, "write");
  close(descriptor);
  return 0;
}

int file_writer_open(struct file_writer *writer, const char *path,
                     struct mp_fault *fault) {
  writer->path = path;
  writer->n = 0;
  writer->has_failed = false;
  writer->descriptor =
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  return writer->descriptor < 0 ? failed(fault, path, "write") : 0;
}

static void flush(struct file_writer *writer) {
  size_t at = 0;
  while (at < writer->n && !writer->has_failed) {
    ssize_t n = write(writer->descriptor, writer->buffer + at, writer->n - at);
    if (n < 0 && errno != EINTR) {
      writer->has_failed = true;
      writer->error = errno;
    }
    at += n > 0 ? (size_t)n : 0;
  }
  writer->n = 0;
}

void file_write(struct file_writer *writer, const void *bytes, size_t n) {
  const char *from = bytes;
  while (n) {
    size_t room = sizeof writer->buffer - writer->n;
    size_t part = n < room ? n : room;
    memcpy(writer->buffer + writer->n, from, part);
    writer->n += part;
    from += part;
    n -= part;
    if (writer->n == sizeof writer->buffer)
      flush(writer);
  }
}

int file_writer_close(struct file_writer *writer, struct mp_fault *fault) {
  flush(writer);
  if (!writer->has_failed && fsync(writer->descriptor)) {
    writer->has_failed = true;
    writer->error = errno;
  }
  if (close(writer->descriptor) && !writer->has_failed) {
    writer->has_failed = true;
    writer->error = errno;
  }
  if (!writer->has_failed)
    return 0;
  unlink(writer->path);
  errno = writer->error;
  return failed(fault, writer->path, "write");
}

/* --- replacing */

static int sync_folder(const char *path, struct mp_fault *fault) {
  char folder[FILE_PATH];
  const char *slash = strrchr(path, '/');
  int n = slash ? (int)(slash - path) + 1 : 1;
  snprintf(folder, sizeof folder, "%.*s", n, slash ? path : ".");
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return failed(fault, folder, "open the folder");
  int rc = fsync(descriptor) ? failed(fault, folder, "fsync the folder") : 0;
  close(descriptor);
  return rc;
}

/* Gives a file a second name, in the place of what had it. */
static int keep(const char *path, const char *good, struct mp_fault *fault) {
  char beside[FILE_PATH];
  snprintf(beside, sizeof beside, "%s.new", good);
  unlink(beside);
  if (link(path, beside) == 0) {
    if (rename(beside, good) == 0)
      return 0;
    int rc = failed(fault, good, "rename to it");
    unlink(beside);
    return rc;
  }
  if (errno == ENOENT)
    return 0;                          /* nothing to keep yet */
  return file_copy(path, good, fault); /* no second names here */
}

int file_replace(const char *from, const char *path, const char *good,
                 struct mp_fault *fault) {
  int rc = good ? keep(path, good, fault) : 0;
  if (rc == 0 && rename(from, path))
    rc = failed(fault, path, "rename to it");
  if (rc == 0)
    return sync_folder(path, fault);
  unlink(from);
  return rc;
}

int file_copy(const char *from, const char *to, struct mp_fault *fault) {
  struct file_writer *writer = malloc(sizeof *writer);
  char beside[FILE_PATH];
  ssize_t n = 1;
  int source = open(from, O_RDONLY | O_CLOEXEC), rc = MP_ESTORE;
  snprintf(beside, sizeof beside, "%s.copy", to);
  if (source < 0) {
    failed(fault, from, "open");
    goto out;
  }
  if (!writer || file_writer_open(writer, beside, fault))
    goto out;
  while (n > 0) {
    n = read(source, writer->buffer, sizeof writer->buffer);
    writer->n = n > 0 ? (size_t)n : 0;
    flush(writer);
  }
  rc = file_writer_close(writer, fault);
  if (rc == 0 && n < 0) {
    rc = failed(fault, from, "read");
    unlink(beside);
  }
  if (rc == 0)
    rc = file_replace(beside, to, NULL, fault);
out:
  if (source >= 0)
    close(source);
  free(writer);
  return rc;
}

int file_set_aside(const char *path, char aside[FILE_PATH],
                   struct mp_fault *fault) {
  const char *odd = file_oddity(path);
  if (odd) /* a device of the system is nobody's damaged file */
    return fault_set(fault, MP_ESTORE, "%.150s: is %s", path, odd);
  for (unsigned i = 1; i < 100000; i++) {
    int n = snprintf(aside, FILE_PATH, "%s.damaged-%u", path, i);
    if (n >= FILE_PATH)
      break;
    if (renameat2(AT_FDCWD, path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0)
      return sync_folder(path, fault);
    if (errno == EINVAL && !file_exists(aside) && rename(path, aside) == 0)
      return sync_folder(path, fault); /* a file system without the flag */
    if (errno != EEXIST && errno != EINVAL)
      break;
  }
  return failed(fault, path, "set the damaged file aside");
}
