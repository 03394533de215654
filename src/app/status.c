/* status - one line at the bottom of a terminal that says how things are:
 * what is printed meanwhile goes above it. */
#include "app/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "app/screen.h"

struct status {
  struct screen *screen;
  struct screen_guard guard;
  char *text;
  bool is_shown;
};

static void hide(void *data) {
  struct status *status = data;
  FILE *out = screen_terminal(status->screen);
  if (!status->is_shown)
    return; /* a line that comes in parts stands there by now */
  status->is_shown = false;
  fputs("\r\033[K", out);
  fflush(out);
}

/* Not behind half a line: it comes back with the next whole one. There is room
 * for the ^C that ends it. */
static void draw(void *data) {
  struct status *status = data;
  FILE *out = screen_terminal(status->screen);
  if (!status->text || screen_is_in_line(status->screen))
    return;
  int room = screen_columns(out) - 3;
  fprintf(out, "\r\033[K%.*s", room > 0 ? room : 0, status->text);
  status->is_shown = true;
  fflush(out);
}

struct status *status_open(struct screen *screen) {
  struct status *status = calloc(1, sizeof *status);
  if (!status)
    return NULL;
  status->screen = screen;
  status->guard = (struct screen_guard){hide, draw, status};
  screen_set_guard(screen, &status->guard);
  return status;
}

void status_show(struct status *status, const char *text) {
  free(status->text);
  status->text = strdup(text);
  draw(status);
}

void status_close(struct status *status) {
  if (!status)
    return;
  screen_set_guard(status->screen, NULL);
  hide(status);
  free(status->text);
  free(status);
}
