/* line - lines from the terminal. */
#ifndef APP_LINE_H
#define APP_LINE_H

/* Shows the prompt and waits for a line. Yours to free, without its newline;
 * NULL at the end of input. */
char *line_read(const char *prompt);

#endif
