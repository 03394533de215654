/* history - the lines that were typed, in a file that only its owner reads. */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

#include <stddef.h>

enum { HISTORY_KEPT = 1000 }; /* lines; a file of twice as many is cut */

/* Calls fn with each line of the file, oldest first; a file that is not there
 * has none. 0, or -1 with errno. */
int history_load(const char *path, void (*fn)(void *data, const char *line),
                 void *data);

/* Adds a line, making the file, mode 0600, when there is none. */
int history_add(const char *path, const char *line);

#endif
