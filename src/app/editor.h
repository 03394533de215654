/* editor - a line of input on a terminal, edited with libedit, key by key and
 * without ever waiting for one. */
#ifndef APP_EDITOR_H
#define APP_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct editor;

enum {
  EDITOR_LINE_MAX = 8192, /* characters; more are not taken */
};

/* What came of a key. */
enum editor_end {
  EDITOR_IDLE,     /* there was no whole key */
  EDITOR_MORE,     /* it was done */
  EDITOR_LINE,     /* a line is there */
  EDITOR_END,      /* Ctrl-D on an empty line */
  EDITOR_COMPLETE, /* the Tab key was pressed */
};

/* On the terminal that `in` and `out`, which stay the caller's, belong to.
 * NULL when it cannot be had. */
struct editor *editor_open(FILE *in, FILE *out);

/* Puts the terminal back into the state it was found in; NULL is fine. */
void editor_close(struct editor *editor);

/* Starts a line behind a prompt, of which it keeps a copy. */
void editor_ask(struct editor *editor, const char *prompt);

/* Ends the line that is being edited; what was typed is left behind. */
void editor_leave(struct editor *editor);
bool editor_is_asking(const struct editor *editor);

/* Where the terminal's bytes go: read at most what *place has room for. */
size_t editor_room(struct editor *editor, void **place);
void editor_came(struct editor *editor, size_t n);

/* Does the next whole key. */
enum editor_end editor_step(struct editor *editor);

/* The beginning of a key has waited too long for its rest. */
bool editor_waits(const struct editor *editor);
void editor_drop(struct editor *editor);

/* The line as UTF-8, up to the cursor or whole: yours to free. */
char *editor_text(const struct editor *editor, bool is_whole);

/* Puts text at the cursor. */
void editor_insert(struct editor *editor, const char *text);

/* Takes the line off the screen, and puts it back; both fine twice. */
void editor_hide(struct editor *editor);
void editor_draw(struct editor *editor);

/* The terminal has another size, or was used by others meanwhile. */
void editor_resize(struct editor *editor);
void editor_resume(struct editor *editor);

int editor_columns(const struct editor *editor);

/* Adds a line to those that the arrows bring back. */
void editor_remember(struct editor *editor, const char *line);

#endif
