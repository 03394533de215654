/* sim_trace - what happens in a world, as lines of JSON. Written by hand, for
 * a message must not cost more to write down than to deliver. */
#include "net/sim_trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "moonpeer/error.h"

int sim_trace_init(struct sim_trace *trace, enum mp_trace mode, size_t limit) {
  *trace = (struct sim_trace){.mode = mode, .limit = limit};
  if (mode == MP_TRACE_OFF)
    return 0;
  trace->hasher = hasher_new();
  if (!trace->hasher)
    return MP_EIO;
  hash_start(trace->hasher);
  trace->buffer = mem_new(SIM_TRACE_BUFFER + SIM_TRACE_LINE);
  return 0;
}

void sim_trace_deinit(struct sim_trace *trace) {
  hasher_free(trace->hasher);
  free(trace->buffer);
  buf_deinit(&trace->text);
}

bool sim_trace_is_on(const struct sim_trace *trace) {
  return trace->mode != MP_TRACE_OFF;
}

/* What does not fit is left out whole, so that the text stays JSON lines. */
static void keep(struct sim_trace *trace) {
  static const char cut[] = "{\"what\":\"cut\"}\n";
  size_t n = trace->n;
  if (trace->mode != MP_TRACE_TEXT || trace->is_cut)
    return;
  size_t space = trace->limit - buf_length(&trace->text);
  if (n > space) {
    trace->is_cut = true;
    for (n = space; n && trace->buffer[n - 1] != '\n'; n--)
      ;
  }
  if (buf_put(&trace->text, trace->buffer, n) != 0)
    trace->is_cut = true;
  if (trace->is_cut)
    buf_put(&trace->text, cut, sizeof cut - 1);
}

static void flush(struct sim_trace *trace) {
  hash_add(trace->hasher, trace->buffer, trace->n);
  keep(trace);
  trace->n = 0;
}

void sim_trace_raw(struct sim_trace *trace, const char *text, size_t n) {
  memcpy(trace->buffer + trace->n, text, n);
  trace->n += n;
}

static void put_char(struct sim_trace *trace, char c) {
  trace->buffer[trace->n++] = c;
}

/* Decimal digits, with zeros before them up to a width. */
static void put_digits(struct sim_trace *trace, uint64_t n, int width) {
  char digits[20];
  int i = sizeof digits;
  do
    digits[--i] = (char)('0' + n % 10);
  while (n /= 10);
  while ((int)sizeof digits - i < width)
    digits[--i] = '0';
  sim_trace_raw(trace, digits + i, sizeof digits - (size_t)i);
}

static void put_key(struct sim_trace *trace, const char *key) {
  sim_trace_raw(trace, ",\"", 2);
  sim_trace_raw(trace, key, strlen(key));
  sim_trace_raw(trace, "\":", 2);
}

static void put_hex(struct sim_trace *trace, const uint8_t *bytes, size_t n) {
  static const char digits[] = "0123456789abcdef";
  char *to = trace->buffer + trace->n;
  for (size_t i = 0; i < n; i++) {
    *to++ = digits[bytes[i] >> 4];
    *to++ = digits[bytes[i] & 15];
  }
  trace->n += 2 * n;
}

void sim_trace_start(struct sim_trace *trace, int64_t time) {
  sim_trace_raw(trace, "{\"t\":", 5);
  put_digits(trace, (uint64_t)(time / MP_SECOND), 1);
  put_char(trace, '.');
  put_digits(trace, (uint64_t)(time % MP_SECOND), 9);
}

/* Bytes above ASCII are written as if they were Latin-1: text of a remote need
 * not be UTF-8, JSON must be. */
void sim_trace_string(struct sim_trace *trace, const char *key,
                      const char *text) {
  put_key(trace, key);
  put_char(trace, '"');
  for (size_t i = 0; text[i] && i < SIM_TRACE_NOTE; i++) {
    uint8_t c = (uint8_t)text[i];
    if (c == '"' || c == '\\')
      put_char(trace, '\\');
    if (c >= 0x20 && c < 0x7f) {
      put_char(trace, (char)c);
      continue;
    }
    sim_trace_raw(trace, "\\u00", 4);
    put_hex(trace, &c, 1);
  }
  put_char(trace, '"');
}

void sim_trace_number(struct sim_trace *trace, const char *key, uint64_t n) {
  put_key(trace, key);
  put_digits(trace, n, 1);
}

void sim_trace_hex(struct sim_trace *trace, const char *key, const void *bytes,
                   size_t n) {
  put_key(trace, key);
  put_char(trace, '"');
  put_hex(trace, bytes, n);
  put_char(trace, '"');
}

void sim_trace_end(struct sim_trace *trace) {
  sim_trace_raw(trace, "}\n", 2);
  if (trace->n >= SIM_TRACE_BUFFER)
    flush(trace);
}

/* Written where lines are, and taken away again. */
char *sim_trace_label(struct sim_trace *trace, struct sim_pool *pool,
                      const char *a, const char *b, size_t *n) {
  size_t start = trace->n;
  sim_trace_string(trace, "from", a);
  sim_trace_string(trace, "to", b);
  sim_trace_string(trace, "from", b);
  sim_trace_string(trace, "to", a);
  size_t size = *n = trace->n - start;
  char *label = sim_pool_take(pool, &size);
  memcpy(label, trace->buffer + start, *n);
  trace->n = start;
  return label;
}

const char *sim_trace_text(struct sim_trace *trace, size_t *n) {
  *n = 0;
  if (trace->mode != MP_TRACE_TEXT)
    return "";
  flush(trace);
  *n = buf_length(&trace->text);
  return *n ? (const char *)buf_head(&trace->text) : "";
}

void sim_trace_hash(struct sim_trace *trace, uint8_t hash[HASH_SIZE]) {
  memset(hash, 0, HASH_SIZE);
  if (!sim_trace_is_on(trace))
    return;
  flush(trace);
  hash_peek_sha256(trace->hasher, hash);
}
