/* number - numbers and durations as text; and the version. */
#include "base/number.h"

#include <stddef.h>
#include <string.h>

#include "moonpeer/text.h"

bool number_parse(uint64_t *value, const char *text) {
  uint64_t made = 0;
  if (!*text)
    return false;
  for (; *text; text++) {
    unsigned digit = (unsigned char)*text - '0';
    if (digit > 9 || made > (UINT64_MAX - digit) / 10)
      return false;
    made = made * 10 + digit;
  }
  *value = made;
  return true;
}

static const struct {
  const char *name;
  double nanoseconds;
} units[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
             {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

static bool in_range(int64_t *nanoseconds, double value) {
  if (!(value >= 0 && value < 9.2e18)) /* also refuses NaN */
    return false;
  *nanoseconds = (int64_t)value;
  return true;
}

/* Digits with at most one point. strtod would take a locale's comma, hex and
 * "inf". */
static const char *parse_decimal(double *value, const char *text) {
  double scale = 0;
  const char *start = text;
  for (*value = 0; (*text >= '0' && *text <= '9') || (*text == '.' && !scale);
       text++) {
    if (*text == '.') {
      scale = 1;
      start++;
      continue;
    }
    *value = *value * 10 + (*text - '0');
    scale *= 10;
  }
  if (scale)
    *value /= scale;
  return text > start ? text : NULL;
}

bool mp_duration_parse(int64_t *nanoseconds, const char *text) {
  double value;
  const char *unit = parse_decimal(&value, text);
  for (size_t i = 0; unit && i < sizeof units / sizeof *units; i++)
    if (strcmp(unit, units[i].name) == 0)
      return in_range(nanoseconds, value * units[i].nanoseconds);
  return false;
}

bool mp_duration_of_seconds(int64_t *nanoseconds, double seconds) {
  return in_range(nanoseconds, seconds * 1e9);
}

const char *mp_version_text(void) {
  return MOONPEER_VERSION;
}
