/* pattern - Lua's patterns with a limit on the work that one match may take. */
#include "script/pattern.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH = 150 };

static const char *match(struct pattern *m, const char *s, const char *p);

static const char *give_up(struct pattern *m, const char *error) {
  if (!m->error)
    m->error = error;
  return NULL;
}

/* --- one character ---------------------------------------------------------
 */

/* Where the item that begins at p ends; NULL when it never does. */
static const char *item_end(struct pattern *m, const char *p) {
  char first = *p++;
  if (first == '%')
    return p < m->end ? p + 1 : give_up(m, "malformed pattern (ends with '%')");
  if (first != '[')
    return p;
  if (p < m->end && *p == '^')
    p++;
  do { /* a ] that comes first is meant literally */
    if (p >= m->end)
      return give_up(m, "malformed pattern (missing ']')");
    p += *p == '%' && p + 1 < m->end ? 2 : 1;
  } while (p >= m->end || *p != ']');
  return p + 1;
}

/* 1 or 0 for a letter that names a class, -1 for another. */
static int in_named(int c, int class) {
  static const struct {
    char letter;
    int (*is)(int c);
  } classes[] = {{'a', isalpha}, {'c', iscntrl}, {'d', isdigit}, {'g', isgraph},
                 {'l', islower}, {'p', ispunct}, {'s', isspace}, {'u', isupper},
                 {'w', isalnum}, {'x', isxdigit}};
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
    if (classes[i].letter == class)
      return classes[i].is(c) != 0;
  return -1;
}

static bool in_class(int c, int class) {
  bool is_negated = class >= 'A' && class <= 'Z';
  int is_in = in_named(c, is_negated ? class - 'A' + 'a' : class);
  if (is_in < 0)
    return class == c;
  return is_negated ? !is_in : is_in;
}

/* In a set from its [ to its last ]. */
static bool in_set(struct pattern *m, int c, const char *p, const char *last) {
  bool is_negated = p[1] == '^';
  m->steps -= last - p;
  for (p += is_negated ? 2 : 1; p < last; p++) {
    unsigned char from = (unsigned char)*p;
    if (from == '%') {
      if (in_class(c, (unsigned char)*++p))
        return !is_negated;
    } else if (p[1] == '-' && p + 2 < last) {
      if (from <= c && c <= (unsigned char)p[2])
        return !is_negated;
      p += 2;
    } else if (from == c) {
      return !is_negated;
    }
  }
  return is_negated;
}

static bool fits(struct pattern *m, const char *s, const char *p,
                 const char *behind) {
  if (s >= m->text_end || --m->steps < 0)
    return false;
  unsigned char c = (unsigned char)*s;
  switch (*p) {
  case '.': return true;
  case '%': return in_class(c, (unsigned char)p[1]);
  case '[': return in_set(m, c, p, behind - 1);
  default: return (unsigned char)*p == c;
  }
}

/* --- repetition ------------------------------------------------------------
 */

static const char *most_first(struct pattern *m, const char *s, const char *p,
                              const char *behind, ptrdiff_t least) {
  ptrdiff_t n = 0;
  while (fits(m, s + n, p, behind))
    n++;
  for (; n >= least && !m->error; n--) {
    const char *found = match(m, s + n, behind + 1);
    if (found)
      return found;
  }
  return NULL;
}

static const char *least_first(struct pattern *m, const char *s, const char *p,
                               const char *behind) {
  for (;;) {
    const char *found = match(m, s, behind + 1);
    if (found || m->error || !fits(m, s, p, behind))
      return found;
    s++;
  }
}

/* --- captures and what has a % ---------------------------------------------
 */

static const char *open_capture(struct pattern *m, const char *s, const char *p,
                                ptrdiff_t kind) {
  if (m->count == PATTERN_CAPTURES)
    return give_up(m, "too many captures");
  m->captures[m->count++] = (struct capture){s, kind};
  const char *found = match(m, s, p);
  if (!found)
    m->count--;
  return found;
}

static const char *close_capture(struct pattern *m, const char *s,
                                 const char *p) {
  int i = m->count - 1;
  while (i >= 0 && m->captures[i].length != CAPTURE_OPEN)
    i--;
  if (i < 0)
    return give_up(m, "invalid pattern capture");
  m->captures[i].length = s - m->captures[i].begin;
  const char *found = match(m, s, p);
  if (!found)
    m->captures[i].length = CAPTURE_OPEN;
  return found;
}

/* %1: what a capture has caught, once more. */
static const char *repeat_capture(struct pattern *m, const char *s,
                                  const char *p) {
  int i = *p - '1';
  if (i < 0 || i >= m->count || m->captures[i].length == CAPTURE_OPEN)
    return give_up(m, "invalid capture index");
  ptrdiff_t n = m->captures[i].length > 0 ? m->captures[i].length : 0;
  m->steps -= n;
  if (m->text_end - s < n || memcmp(s, m->captures[i].begin, (size_t)n) != 0)
    return NULL;
  return match(m, s + n, p + 1);
}

/* %bxy; p is at x. */
static const char *balance(struct pattern *m, const char *s, const char *p) {
  if (m->end - p < 2)
    return give_up(m, "malformed pattern (missing arguments to '%b')");
  if (s >= m->text_end || *s != p[0])
    return NULL;
  for (long open = 1; ++s < m->text_end && --m->steps >= 0;) {
    if (*s == p[1]) {
      if (--open == 0)
        return match(m, s + 1, p + 2);
    } else if (*s == p[0]) {
      open++;
    }
  }
  return NULL;
}

/* %f[set]; p is at the [. */
static const char *frontier(struct pattern *m, const char *s, const char *p) {
  if (p >= m->end || *p != '[')
    return give_up(m, "missing '[' after '%f' in pattern");
  const char *behind = item_end(m, p);
  if (!behind)
    return NULL;
  int before = s == m->text ? 0 : (unsigned char)s[-1];
  int here = s == m->text_end ? 0 : (unsigned char)*s;
  if (in_set(m, before, p, behind - 1) || !in_set(m, here, p, behind - 1))
    return NULL;
  return match(m, s, behind);
}

/* --- matching --------------------------------------------------------------
 */

static const char *match_item(struct pattern *m, const char *s, const char *p) {
  const char *behind = item_end(m, p);
  if (!behind)
    return NULL;
  switch (behind < m->end ? *behind : 0) {
  case '*': return most_first(m, s, p, behind, 0);
  case '+': return most_first(m, s, p, behind, 1);
  case '-': return least_first(m, s, p, behind);
  case '?':
    if (fits(m, s, p, behind)) {
      const char *found = match(m, s + 1, behind + 1);
      if (found || m->error)
        return found;
    }
    return match(m, s, behind + 1);
  default: return fits(m, s, p, behind) ? match(m, s + 1, behind) : NULL;
  }
}

static const char *match_special(struct pattern *m, const char *s,
                                 const char *p) {
  switch (p + 1 < m->end ? p[1] : 0) {
  case 'b': return balance(m, s, p + 2);
  case 'f': return frontier(m, s, p + 2);
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9': return repeat_capture(m, s, p + 1);
  default: return match_item(m, s, p);
  }
}

/* Plain characters are taken here, so that a long text is no deep one. */
static const char *skip_plain(struct pattern *m, const char **s,
                              const char *p) {
  while (p < m->end && !strchr("()%[$.*+-?", *p) &&
         (p + 1 == m->end || !strchr("*+-?", p[1]))) {
    if (!fits(m, *s, p, p + 1))
      return NULL;
    (*s)++;
    p++;
  }
  return p;
}

static const char *match_here(struct pattern *m, const char *s, const char *p) {
  p = skip_plain(m, &s, p);
  if (!p || p == m->end)
    return p ? s : NULL;
  if (*p == '(')
    return p + 1 < m->end && p[1] == ')'
               ? open_capture(m, s, p + 2, CAPTURE_POSITION)
               : open_capture(m, s, p + 1, CAPTURE_OPEN);
  if (*p == ')')
    return close_capture(m, s, p + 1);
  if (*p == '$' && p + 1 == m->end)
    return s == m->text_end ? s : NULL;
  return *p == '%' ? match_special(m, s, p) : match_item(m, s, p);
}

static const char *match(struct pattern *m, const char *s, const char *p) {
  if (m->error)
    return NULL;
  if (--m->steps < 0)
    return give_up(m, "the pattern takes too long on this text");
  if (++m->depth > DEPTH)
    return give_up(m, "pattern too complex");
  const char *found = match_here(m, s, p);
  m->depth--;
  if (m->steps < 0)
    return give_up(m, "the pattern takes too long on this text");
  return m->error ? NULL : found;
}

const char *pattern_match(struct pattern *m, const char *at,
                          const char *first) {
  m->count = m->depth = 0;
  m->error = NULL;
  return match(m, at, first);
}
