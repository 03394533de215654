/* screen - everything this process prints, through one place: what is written
 * while a line is edited takes the line off the terminal first. */
#ifndef APP_SCREEN_H
#define APP_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

/* Told before and after something is printed. */
struct screen_guard {
  void (*before)(void *data);
  void (*after)(void *data);
  void *data;
};

struct screen;

/* Takes stdout and stderr over: from now on they are streams of its own; what
 * the C library, Lua and we print comes here. Before any of them has printed
 * or kept the old streams. NULL when there is no memory: nothing changes. */
struct screen *screen_open(void);

/* Puts the old ones back; NULL is fine. */
void screen_close(struct screen *screen);

/* The terminal itself, past the guard. */
FILE *screen_terminal(struct screen *screen);

/* The width of a terminal, 80 when it does not tell. */
int screen_columns(FILE *terminal);

/* NULL: none. Borrowed until another is set. */
void screen_set_guard(struct screen *screen, const struct screen_guard *guard);

/* Was something without a line end printed last? And ends that line. */
bool screen_is_in_line(const struct screen *screen);
void screen_end_line(struct screen *screen);

#endif
