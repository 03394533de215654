/* status - one line at the bottom of a terminal that says how things are:
 * what is printed meanwhile goes above it. */
#ifndef APP_STATUS_H
#define APP_STATUS_H

struct screen;
struct status;

/* NULL when there is no memory. Borrows the screen. */
struct status *status_open(struct screen *screen);

/* Shows a text, of which it keeps a copy, cut to the terminal's width. */
void status_show(struct status *status, const char *text);

/* Takes the line away; NULL is fine. */
void status_close(struct status *status);

#endif
