/* arguments - the command line of a Lua interpreter. */
#include "app/arguments.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: moonpeer [options] [script [arguments]]\n"
    "       moonpeer [options] command [arguments]\n"
    "  -e text   run this text\n"
    "  -i        read from the terminal when the script is done\n"
    "  -l name   require a module into a global of that name\n"
    "  -l g=name require a module into the global g\n"
    "  -v        print the version\n"
    "  -E        do not look at the environment\n"
    "  -W        show warnings\n"
    "  --        no options follow\n"
    "  -         no options follow, the script comes on stdin\n"
    "  --help    print this; moonpeer command --help tells about a command\n"
    "commands: run, console, peers, bans, explain, decode, encode, "
    "completion,\n"
    "  version\n";

/* The option in `word`, its value if that is in the same word. */
static bool read_word(const char *word, struct option *option) {
  option->letter = word[1];
  option->value = NULL;
  if (strchr("el", word[1])) {
    option->value = word[2] ? word + 2 : NULL;
    return true;
  }
  return strchr("ivEW", word[1]) && !word[2];
}

/* Does the list of options go on at this word? */
static bool is_option(const char *word) {
  return word && word[0] == '-' && word[1] && strcmp(word, "--") != 0;
}

static int read_option(char **words, int *place, struct option *option) {
  if (!is_option(words[*place]))
    return 0;
  if (!read_word(words[*place], option))
    return -1;
  if (strchr("el", option->letter) && !option->value) {
    option->value = words[*place + 1];
    if (!option->value || option->value[0] == '-')
      return -1;
    (*place)++;
  }
  (*place)++;
  return 1;
}

static void note(struct arguments *arguments, char letter) {
  switch (letter) {
  case 'i':
    arguments->is_interactive = true;
    arguments->shows_version = true;
    break;
  case 'v': arguments->shows_version = true; break;
  case 'e': arguments->has_code = true; break;
  case 'E': arguments->no_environment = true; break;
  default: break;
  }
}

int arguments_parse(struct arguments *arguments, int count, char **words) {
  *arguments = (struct arguments){.count = count, .words = words, .script = 1};
  struct option option;
  int rc;
  while ((rc = read_option(words, &arguments->script, &option)) > 0)
    note(arguments, option.letter);
  const char *word = words[arguments->script];
  if (rc < 0) {
    arguments->shows_help = strcmp(word, "--help") == 0;
    return arguments->shows_help ? 0 : -1;
  }
  if (word && strcmp(word, "--") == 0) {
    arguments->has_rest = true;
    arguments->script++;
  }
  return 0;
}

bool arguments_next(const struct arguments *arguments, int *place,
                    struct option *option) {
  return *place < arguments->script &&
         read_option(arguments->words, place, option) > 0;
}

void arguments_complain(const struct arguments *arguments) {
  const char *word = arguments->words[arguments->script];
  bool lacks_value = strchr("el", word[1]) != NULL;
  fprintf(stderr,
          lacks_value ? "moonpeer: '%s' needs argument\n"
                      : "moonpeer: unrecognized option '%s'\n",
          word);
  fputs(usage, stderr);
}

void arguments_print_help(void) {
  fputs(usage, stdout);
}
