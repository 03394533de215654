/* file - reading and replacing whole files so that a crash loses nothing. */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "moonpeer/error.h"

enum { FILE_PATH = 4096 };

/* The whole file, with a zero byte behind it; yours to free(). 0,
 * MP_ENOT_FOUND, or MP_ESTORE with the reason. */
int file_read(const char *path, char **text, size_t *size,
              struct mp_fault *fault);

bool file_exists(const char *path);
/* What is there but is no plain file, in words; NULL when it is one, or when
 * there is nothing. */
const char *file_oddity(const char *path);

/* Bytes, or -1. */
long long file_size(const char *path);

/* Makes an empty file that only we may read; what was there is gone. 0 or
 * MP_ESTORE. */
int file_make(const char *path, struct mp_fault *fault);

/* A new file that is written in pieces and then made durable. */
struct file_writer {
  int descriptor;
  const char *path; /* borrowed */
  size_t n;
  bool has_failed;
  int error;
  char buffer[65536];
};

/* Makes (or empties) a file that only we may read. 0 or MP_ESTORE. */
int file_writer_open(struct file_writer *writer, const char *path,
                     struct mp_fault *fault);
void file_write(struct file_writer *writer, const void *bytes, size_t n);

/* Flushes, fsyncs and closes. 0, or MP_ESTORE for any failure till now, with
 * the file removed. */
int file_writer_close(struct file_writer *writer, struct mp_fault *fault);

/* Puts a durable file in the place of another, which lives on as `good` (NULL:
 * does not); fsyncs the folder. At every instant `path` is one or the other.
 * When it fails before that, `from` is removed. */
int file_replace(const char *from, const char *path, const char *good,
                 struct mp_fault *fault);

/* A durable copy, by way of a temporary file beside it. 0 or MP_ESTORE. */
int file_copy(const char *from, const char *to, struct mp_fault *fault);

/* Renames to path.damaged-N, N the first that is free; `aside` gets the name.
 * 0 or MP_ESTORE. */
int file_set_aside(const char *path, char aside[FILE_PATH],
                   struct mp_fault *fault);

/* The one writer of a file: PATH.lock, which names the process. */
struct file_lock {
  int descriptor; /* -1: not held */
  char path[FILE_PATH];
};

/* 0, or MP_ESTORE naming the process that holds it. It ends with the process
 * at the latest. */
int file_lock(struct file_lock *lock, const char *path, struct mp_fault *fault);
void file_unlock(struct file_lock *lock);

#endif
