/* arguments - the command line of a Lua interpreter. */
#ifndef APP_ARGUMENTS_H
#define APP_ARGUMENTS_H

#include <stdbool.h>

/* What stands before the script. */
struct arguments {
  int count;
  char **words;
  int script; /* its place in words; count when there is none */
  bool is_interactive;
  bool shows_version;
  bool shows_help;
  bool has_code;       /* -e: do not wait for a script on stdin */
  bool no_environment; /* -E */
  bool has_rest;       /* "--" came before the script: "-" is a file's name */
};

/* One option: its letter, and what follows e and l. */
struct option {
  char letter;
  const char *value;
};

/* 0, or -1 when words[script] is no option, or lacks its value. */
int arguments_parse(struct arguments *arguments, int count, char **words);

/* Reads the option at *place, which moves past it. False where the options
 * end; what was parsed without complaint has no bad ones. */
bool arguments_next(const struct arguments *arguments, int *place,
                    struct option *option);

/* Says on stderr what is wrong with words[script]. */
void arguments_complain(const struct arguments *arguments);

void arguments_print_help(void);

#endif
