/* history - the lines that were typed, in a file that only its owner reads. */
#include "app/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lines {
  char *list[2 * HISTORY_KEPT];
  size_t count, seen;
};

/* Keeps the last HISTORY_KEPT at least. */
static void keep(struct lines *lines, char *line) {
  lines->seen++;
  if (lines->count == (size_t)2 * HISTORY_KEPT) {
    for (size_t i = 0; i < HISTORY_KEPT; i++)
      free(lines->list[i]);
    memmove(lines->list, &lines->list[HISTORY_KEPT],
            HISTORY_KEPT * sizeof *lines->list);
    lines->count = HISTORY_KEPT;
  }
  lines->list[lines->count++] = line;
}

static void read_lines(struct lines *lines, FILE *file) {
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  while ((n = getline(&line, &room, file)) > 0) {
    if (line[n - 1] == '\n')
      line[n - 1] = '\0';
    keep(lines, line);
    line = NULL;
  }
  free(line);
}

static FILE *open_private(const char *path, const char *mode, int flags) {
  int descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0)
    return NULL;
  struct stat about;
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(descriptor);
    errno = EINVAL;
    return NULL;
  }
  fchmod(descriptor, 0600);
  FILE *file = fdopen(descriptor, mode);
  if (!file)
    close(descriptor);
  return file;
}

/* Writes the last ones into a file beside it, which then takes its place. */
static void cut(const char *path, const struct lines *lines) {
  char name[4096];
  if (snprintf(name, sizeof name, "%s.new", path) >= (int)sizeof name)
    return;
  FILE *file = open_private(name, "w", O_WRONLY | O_CREAT | O_TRUNC);
  if (!file)
    return;
  size_t first = lines->count > HISTORY_KEPT ? lines->count - HISTORY_KEPT : 0;
  for (size_t i = first; i < lines->count; i++)
    fprintf(file, "%s\n", lines->list[i]);
  if (fclose(file) != 0 || rename(name, path) != 0)
    unlink(name);
}

int history_load(const char *path, void (*fn)(void *data, const char *line),
                 void *data) {
  FILE *file = open_private(path, "r", O_RDONLY | O_NONBLOCK);
  if (!file)
    return errno == ENOENT ? 0 : -1;
  struct lines *lines = calloc(1, sizeof *lines);
  if (lines)
    read_lines(lines, file);
  fclose(file);
  if (!lines)
    return -1;
  if (lines->seen >= 2 * (size_t)HISTORY_KEPT)
    cut(path, lines);
  for (size_t i = 0; i < lines->count; i++) {
    fn(data, lines->list[i]);
    free(lines->list[i]);
  }
  free(lines);
  return 0;
}

int history_add(const char *path, const char *line) {
  FILE *file =
      open_private(path, "a", O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK);
  if (!file)
    return -1;
  fprintf(file, "%s\n", line);
  return fclose(file);
}
