/* screen - everything this process prints, through one place: what is written
 * while a line is edited takes the line off the terminal first. */
#include "app/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct stream {
  struct screen *screen;
  int descriptor;
};

struct screen {
  FILE *out, *err, *terminal; /* the streams of before, and a third */
  struct stream streams[2];
  const struct screen_guard *guard;
  bool is_in_line; /* something without a line end was printed */
};

static ssize_t write_all(int descriptor, const char *bytes, size_t n) {
  size_t done = 0;
  while (done < n) {
    ssize_t written = write(descriptor, bytes + done, n - done);
    if (written < 0 && errno != EINTR)
      return -1;
    if (written > 0)
      done += (size_t)written;
  }
  return (ssize_t)n;
}

static ssize_t on_write(void *data, const char *bytes, size_t n) {
  const struct stream *stream = data;
  struct screen *screen = stream->screen;
  const struct screen_guard *guard = screen->guard;
  if (guard)
    guard->before(guard->data);
  ssize_t written = write_all(stream->descriptor, bytes, n);
  if (n > 0)
    screen->is_in_line = bytes[n - 1] != '\n';
  if (guard)
    guard->after(guard->data);
  return written > 0 ? written : 0;
}

static FILE *take_over(struct screen *screen, int descriptor, int mode) {
  struct stream *stream = &screen->streams[descriptor - 1];
  *stream = (struct stream){screen, descriptor};
  FILE *file =
      fopencookie(stream, "w", (cookie_io_functions_t){.write = on_write});
  if (file)
    setvbuf(file, NULL, mode, BUFSIZ);
  return file;
}

struct screen *screen_open(void) {
  struct screen *screen = calloc(1, sizeof *screen);
  if (!screen)
    return NULL;
  FILE *out = take_over(screen, STDOUT_FILENO, _IOLBF);
  FILE *err = take_over(screen, STDERR_FILENO, _IONBF);
  int terminal = dup(STDOUT_FILENO);
  screen->terminal = terminal < 0 ? NULL : fdopen(terminal, "w");
  if (out && err && screen->terminal) {
    screen->out = stdout;
    screen->err = stderr;
    stdout = out;
    stderr = err;
    return screen;
  }
  if (out)
    fclose(out);
  if (err)
    fclose(err);
  if (screen->terminal)
    fclose(screen->terminal);
  free(screen);
  return NULL;
}

void screen_close(struct screen *screen) {
  if (!screen)
    return;
  fclose(stdout);
  fclose(stderr);
  stdout = screen->out;
  stderr = screen->err;
  fclose(screen->terminal);
  free(screen);
}

FILE *screen_terminal(struct screen *screen) {
  return screen->terminal;
}

int screen_columns(FILE *terminal) {
  struct winsize size = {0};
  if (ioctl(fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

void screen_set_guard(struct screen *screen, const struct screen_guard *guard) {
  fflush(stdout);
  screen->guard = guard;
}

bool screen_is_in_line(const struct screen *screen) {
  return screen->is_in_line;
}

void screen_end_line(struct screen *screen) {
  fflush(stdout);
  if (!screen->is_in_line)
    return;
  screen->is_in_line = false;
  write_all(STDOUT_FILENO, "\n", 1);
}
