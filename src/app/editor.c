/* editor - a line of input on a terminal, edited with libedit, key by key and
 * without ever waiting for one. */
#include "app/editor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <histedit.h>

#include "app/keys.h"
#include "app/screen.h"

enum { HISTORY_MAX = 1000, TAB = 9, CONTROL_D = 4 };

struct editor {
  EditLine *line;
  HistoryW *history;
  FILE *out;
  char *prompt;
  struct keys keys;
  wchar_t key[KEY_MAX]; /* that libedit is being given */
  int key_size, key_place;
  bool is_asking;
  bool is_hidden;
  bool is_dumb;        /* the terminal only prints */
  bool has_ended;      /* by Ctrl-D */
  bool wants_complete; /* by the Tab key */
};

static struct editor *of(EditLine *line) {
  void *data = NULL;
  el_get(line, EL_CLIENTDATA, &data);
  return data;
}

/* --- what libedit calls ----------------------------------------------------
 */

/* Whole keys only: it never asks for what is not there, but for the functions
 * that are unbound below. */
static int give_character(EditLine *line, wchar_t *character) {
  struct editor *editor = of(line);
  if (editor->key_place >= editor->key_size)
    return 0;
  *character = editor->key[editor->key_place++];
  return 1;
}

static char *give_prompt(EditLine *line) {
  return of(line)->prompt;
}

static size_t line_size(EditLine *line) {
  const LineInfoW *info = el_wline(line);
  return (size_t)(info->lastchar - info->buffer);
}

static unsigned char on_tab(EditLine *line, int key) {
  (void)key;
  of(line)->wants_complete = true;
  return CC_NORM;
}

/* Its own function gives the end in the line itself when it is unbuffered. */
static unsigned char on_control_d(EditLine *line, int key) {
  (void)key;
  const LineInfoW *info = el_wline(line);
  if (line_size(line) == 0) {
    of(line)->has_ended = true;
    return CC_NORM;
  }
  if (info->cursor == info->lastchar)
    return CC_ERROR;
  el_cursor(line, 1);
  el_wdeletestr(line, 1);
  return CC_REFRESH;
}

/* --- life ------------------------------------------------------------------
 */

/* What waits for another key inside libedit is taken away: quoting, searching,
 * commands by name. */
static void unbind(EditLine *line) {
  static const char *const keys[] = {"^R", "^S",     "^V",     "^Q",    "^O",
                                     "^X", "\\033x", "\\033X", "\\033v"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    el_set(line, EL_BIND, keys[i], "ed-unassigned", NULL);
}

static void bind(EditLine *line) {
  static const char *const keys[][2] = {
      {"\t", "moonpeer-complete"},         {"^D", "moonpeer-end"},
      {"\\033[3~", "ed-delete-next-char"}, {"\\033[1~", "ed-move-to-beg"},
      {"\\033[7~", "ed-move-to-beg"},      {"\\033[4~", "ed-move-to-end"},
      {"\\033[8~", "ed-move-to-end"},      {"\\033[1;5C", "em-next-word"},
      {"\\033[1;5D", "ed-prev-word"},
  };
  el_set(line, EL_EDITOR, "emacs");
  unbind(line);
  /* the narrow form of this copies the names and never frees them */
  el_wset(line, EL_ADDFN, L"moonpeer-complete", L"completes", on_tab);
  el_wset(line, EL_ADDFN, L"moonpeer-end", L"deletes or ends", on_control_d);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    el_set(line, EL_BIND, keys[i][0], keys[i][1], NULL);
  /* Ctrl-S would stop whoever writes to the terminal: the loop */
  el_set(line, EL_SETTY, "-d", "-ixon", NULL);
  el_set(line, EL_SETTY, "-x", "-ixon", NULL);
}

static bool is_dumb_terminal(const char *name) {
  return !name || !*name || strcmp(name, "dumb") == 0;
}

struct editor *editor_open(FILE *in, FILE *out) {
  struct editor *editor = calloc(1, sizeof *editor);
  if (!editor)
    return NULL;
  editor->out = out;
  editor->is_dumb = is_dumb_terminal(getenv("TERM"));
  editor->line = el_init("moonpeer", in, out, out);
  editor->history = history_winit();
  if (!editor->line || !editor->history) {
    editor_close(editor);
    return NULL;
  }
  HistEventW event;
  history_w(editor->history, &event, H_SETSIZE, HISTORY_MAX);
  history_w(editor->history, &event, H_SETUNIQUE, 1);
  el_set(editor->line, EL_CLIENTDATA, editor);
  el_set(editor->line, EL_SIGNAL, 0);
  el_set(editor->line, EL_PROMPT, give_prompt);
  el_wset(editor->line, EL_HIST, history_w, editor->history);
  el_set(editor->line, EL_GETCFN, give_character);
  bind(editor->line);
  return editor;
}

void editor_close(struct editor *editor) {
  if (!editor)
    return;
  editor_leave(editor);
  if (editor->line)
    el_end(editor->line);
  if (editor->history)
    history_wend(editor->history);
  free(editor->prompt);
  free(editor);
}

/* --- asking ----------------------------------------------------------------
 */

void editor_ask(struct editor *editor, const char *prompt) {
  editor_leave(editor);
  free(editor->prompt);
  editor->prompt = strdup(prompt);
  editor->is_hidden = false;
  editor->has_ended = editor->wants_complete = false;
  editor->is_asking = true;
  el_set(editor->line, EL_UNBUFFERED, 1); /* raw; shows the prompt */
}

void editor_leave(struct editor *editor) {
  if (!editor->is_asking)
    return;
  editor->is_asking = false;
  el_set(editor->line, EL_UNBUFFERED, 0); /* as it was found */
  fflush(editor->out);
}

bool editor_is_asking(const struct editor *editor) {
  return editor->is_asking;
}

size_t editor_room(struct editor *editor, void **place) {
  return keys_room(&editor->keys, place);
}

void editor_came(struct editor *editor, size_t n) {
  keys_came(&editor->keys, n);
}

bool editor_waits(const struct editor *editor) {
  return keys_wait(&editor->keys);
}

void editor_drop(struct editor *editor) {
  keys_drop(&editor->keys);
}

/* Text over the limit is not taken: what a line costs grows with its square. */
static bool is_too_long(const struct editor *editor) {
  return line_size(editor->line) >= EDITOR_LINE_MAX && editor->key[0] >= ' ' &&
         editor->key[0] != 0x7f;
}

enum editor_end editor_step(struct editor *editor) {
  editor->key_size = keys_next(&editor->keys, editor->key);
  editor->key_place = 0;
  if (editor->key_size == 0)
    return EDITOR_IDLE;
  if (is_too_long(editor))
    return EDITOR_MORE;
  editor_draw(editor);
  int n = 0;
  const wchar_t *line = el_wgets(editor->line, &n);
  if (editor->has_ended)
    return EDITOR_END;
  if (line && n > 0 && (line[n - 1] == L'\n' || line[n - 1] == L'\r'))
    return EDITOR_LINE;
  if (!editor->wants_complete)
    return EDITOR_MORE;
  editor->wants_complete = false;
  return EDITOR_COMPLETE;
}

/* --- the line --------------------------------------------------------------
 */

static char *put_utf8(char *at, unsigned long code) {
  if (code < 0x80) {
    *at++ = (char)code;
    return at;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *at++ = (char)((0xff00 >> (more + 1) & 0xff) | code >> 6 * more);
  while (more-- > 0)
    *at++ = (char)(0x80 | (code >> 6 * more & 0x3f));
  return at;
}

char *editor_text(const struct editor *editor, bool is_whole) {
  const LineInfoW *info = el_wline(editor->line);
  const wchar_t *end = is_whole ? info->lastchar : info->cursor;
  char *text = malloc((size_t)(end - info->buffer) * 4 + 1), *at = text;
  if (!text)
    return NULL;
  for (const wchar_t *from = info->buffer; from < end; from++)
    if (*from != L'\n' && *from != L'\r')
      at = put_utf8(at, (unsigned long)*from);
  *at = '\0';
  return text;
}

void editor_insert(struct editor *editor, const char *text) {
  editor_hide(editor);
  if (line_size(editor->line) + strlen(text) < EDITOR_LINE_MAX)
    el_insertstr(editor->line, text);
  editor_draw(editor);
}

int editor_columns(const struct editor *editor) {
  return screen_columns(editor->out);
}

/* Columns from the beginning of the prompt to the cursor. */
static int cursor_column(const struct editor *editor) {
  const LineInfoW *info = el_wline(editor->line);
  int column = (int)strlen(editor->prompt);
  for (const wchar_t *at = info->buffer; at < info->cursor; at++) {
    int width = wcwidth(*at);
    column += width >= 0 ? width : 2;
  }
  return column;
}

void editor_hide(struct editor *editor) {
  if (!editor->is_asking || editor->is_hidden)
    return;
  editor->is_hidden = true;
  int rows = cursor_column(editor) / editor_columns(editor);
  if (rows > 0 && !editor->is_dumb)
    fprintf(editor->out, "\033[%dA", rows);
  fputs(editor->is_dumb ? "\n" : "\r\033[J", editor->out);
  fflush(editor->out);
}

void editor_draw(struct editor *editor) {
  if (!editor->is_asking || !editor->is_hidden)
    return;
  editor->is_hidden = false;
  el_set(editor->line, EL_REFRESH);
}

void editor_resize(struct editor *editor) {
  editor_hide(editor);
  el_resize(editor->line);
  editor_draw(editor);
}

void editor_resume(struct editor *editor) {
  if (!editor->is_asking)
    return;
  el_set(editor->line, EL_PREP_TERM, 1);
  editor->is_hidden = true;
  editor_draw(editor);
}

void editor_remember(struct editor *editor, const char *line) {
  HistEventW event;
  size_t n = strlen(line);
  wchar_t *wide = calloc(n + 2, sizeof *wide);
  if (wide && mbstowcs(wide, line, n + 1) != (size_t)-1 && *wide)
    history_w(editor->history, &event, H_ENTER, wide);
  free(wide);
}
