/* backend_json - a store as one readable file.
 *
 * One object, a row a line, so that the file is read and written object by
 * object; the last line is a checksum of all before it. Every save writes the
 * whole file beside the old one, which then lives on as the good copy. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/backend.h"
#include "store/json_row.h"
#include "store/json_text.h"
#include "store/recover.h"

enum { VERSION = 1, DIGITS = 2 * HASH_SIZE };

static const char head[] = "{\"format\":\"moonpeer-store\",\"version\":";
static const char tail_start[] = "\"sha256d\":\"";
static const char tail_end[] = "\"\n}\n";

struct json_file {
  char *path, *good, *beside;
  struct file_lock lock;
  bool read_only;
};

static void hex(const uint8_t digest[HASH_SIZE], char text[2 * HASH_SIZE + 1]) {
  for (int i = 0; i < HASH_SIZE; i++)
    sprintf(text + (size_t)2 * i, "%02x", digest[i]);
}

/* --- writing */

struct output {
  struct file_writer writer;
  struct hasher *hasher;
  char row[JSON_ROW];
};

static void put(struct output *out, const char *text) {
  size_t n = strlen(text);
  hash_add(out->hasher, text, n);
  file_write(&out->writer, text, n);
}

static int put_peers(struct output *out, const struct mp_batch *batch) {
  uint32_t n = mp_batch_peer_count(batch), row;
  bool is_first = true;
  put(out, "\"peers\":[");
  for (uint32_t i = 0; i < n; i++) {
    const struct mp_peer *peer = mp_batch_peer(batch, i, &row);
    if (!peer)
      continue;
    if (json_put_peer(out->row, sizeof out->row, peer))
      return MP_ESTORE;
    put(out, is_first ? "\n" : ",\n");
    put(out, out->row);
    is_first = false;
  }
  put(out, "\n],\n");
  return 0;
}

static int put_bans(struct output *out, const struct mp_batch *batch) {
  uint32_t n = mp_batch_ban_count(batch), row;
  bool is_first = true;
  put(out, "\"bans\":[");
  for (uint32_t i = 0; i < n; i++) {
    struct mp_ban ban;
    if (!mp_batch_ban(batch, i, &row, &ban))
      continue;
    if (json_put_ban(out->row, sizeof out->row, &ban))
      return MP_ESTORE;
    put(out, is_first ? "\n" : ",\n");
    put(out, out->row);
    is_first = false;
  }
  put(out, "\n],\n");
  return 0;
}

/* {"name":..,"value":..}, both escaped so that JSON has nothing to add but
 * backslashes before quotes. */
static int put_value(struct output *out, const char *name, const void *bytes,
                     size_t size) {
  char *escaped = malloc(JSON_ESCAPED * size + 1);
  cJSON *row = cJSON_CreateObject();
  int rc = MP_ESTORE;
  if (escaped && row) {
    json_escape(escaped, bytes, size);
    cJSON_AddStringToObject(row, "name", name);
    cJSON_AddStringToObject(row, "value", escaped);
    if (cJSON_PrintPreallocated(row, out->row, sizeof out->row, false))
      rc = 0;
  }
  cJSON_Delete(row);
  free(escaped);
  return rc;
}

static int put_values(struct output *out, const struct mp_batch *batch) {
  uint32_t n = mp_batch_value_count(batch);
  bool is_first = true;
  put(out, "\"values\":[");
  for (uint32_t i = 0; i < n; i++) {
    const void *bytes;
    size_t size;
    const char *name = mp_batch_value(batch, i, &bytes, &size);
    if (!bytes)
      continue;
    if (put_value(out, name, bytes, size))
      return MP_ESTORE;
    put(out, is_first ? "\n" : ",\n");
    put(out, out->row);
    is_first = false;
  }
  put(out, "\n],\n");
  return 0;
}

static int put_all(struct output *out, const struct mp_batch *batch) {
  char text[2 * HASH_SIZE + 1];
  uint8_t digest[HASH_SIZE];
  hash_start(out->hasher);
  put(out, head);
  snprintf(out->row, sizeof out->row, "%d,\n", VERSION);
  put(out, out->row);
  int rc = put_peers(out, batch);
  if (rc == 0)
    rc = put_bans(out, batch);
  if (rc == 0)
    rc = put_values(out, batch);
  hash_finish_sha256d(out->hasher, digest);
  hex(digest, text);
  file_write(&out->writer, tail_start, strlen(tail_start));
  file_write(&out->writer, text, strlen(text));
  file_write(&out->writer, tail_end, strlen(tail_end));
  return rc;
}

static int apply(void *data, const struct mp_batch *batch,
                 struct mp_fault *fault) {
  struct json_file *file = data;
  struct output *out = calloc(1, sizeof *out);
  int rc = MP_ESTORE;
  if (!out || !(out->hasher = hasher_new())) {
    fault_set(fault, rc, "%.150s: no memory to save", file->path);
    goto out;
  }
  if (file_writer_open(&out->writer, file->beside, fault))
    goto out;
  rc = put_all(out, batch);
  if (rc)
    fault_set(fault, rc, "%.150s: a row cannot be written", file->path);
  int closed = file_writer_close(&out->writer, rc ? NULL : fault);
  if (rc == 0)
    rc = closed;
  if (rc == 0)
    rc = file_replace(file->beside, file->path, file->good, fault);
out:
  if (out)
    hasher_free(out->hasher);
  free(out);
  return rc;
}

/* --- reading */

/* A text that is read line by line; lines are cut at their ends. */
struct input {
  const char *path;
  char *at;
  unsigned line;
  struct mp_loader *loader;
};

static char *next_line(struct input *in) {
  char *line = in->at, *end = strchr(line, '\n');
  if (!*line)
    return NULL;
  in->at = end ? end + 1 : line + strlen(line);
  if (end)
    *end = '\0';
  in->line++;
  return line;
}

static int load_value(const char *text, struct mp_loader *loader,
                      struct mp_fault *fault) {
  cJSON *row = cJSON_ParseWithOpts(text, NULL, true);
  const char *name =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "name"));
  const char *value =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "value"));
  char *bytes = value ? malloc(strlen(value) + 1) : NULL;
  long n = bytes ? json_unescape(bytes, value) : -1;
  int rc = n >= 0 && name
               ? mp_load_value(loader, name, bytes, (size_t)n, fault)
               : fault_set(fault, MP_ESTORE, "expected a name and a value");
  free(bytes);
  cJSON_Delete(row);
  return rc;
}

static int load_row(char section, char *line, struct mp_loader *loader,
                    struct mp_fault *fault) {
  size_t n = strlen(line);
  if (n && line[n - 1] == ',')
    line[n - 1] = '\0';
  if (section == 'p')
    return json_load_peer(line, loader, fault);
  return section == 'b' ? json_load_ban(line, loader, fault)
                        : load_value(line, loader, fault);
}

/* Rows up to the line that ends the section. */
static int load_section(struct input *in, const char *start,
                        struct mp_fault *fault) {
  struct mp_fault inner = {0};
  char *line = next_line(in);
  int rc = 0;
  if (!line || strcmp(line, start) != 0)
    return fault_set(fault, MP_ESTORE, "%.100s, line %u: expected %s", in->path,
                     in->line, start);
  while (rc == 0 && (line = next_line(in)) && strcmp(line, "],") != 0)
    if (line[0])
      rc = load_row(start[1], line, in->loader, &inner);
  if (rc)
    return fault_set(fault, rc, "%.100s, line %u: %.100s", in->path, in->line,
                     inner.text);
  return line ? 0
              : fault_set(fault, MP_ESTORE, "%.100s, line %u: ends too early",
                          in->path, in->line);
}

/* The checksum at the end: 1 when it matches, 0 when it does not, -1 when
 * there is none. */
static int check_tail(const char *text, size_t size) {
  const size_t start = sizeof tail_start - 1, end = sizeof tail_end - 1;
  const size_t whole = start + DIGITS + end;
  char wanted[2 * HASH_SIZE + 1];
  uint8_t digest[HASH_SIZE];
  const char *tail = text + size - whole;
  if (size < whole || memcmp(tail, tail_start, start) != 0 ||
      memcmp(text + size - end, tail_end, end) != 0)
    return -1;
  struct hasher *hasher = hasher_new();
  if (!hasher)
    return -1;
  hash_sha256d(hasher, text, size - whole, digest);
  hasher_free(hasher);
  hex(digest, wanted);
  return memcmp(wanted, tail + start, DIGITS) == 0;
}

static enum loaded damaged(struct mp_fault *fault, const char *path,
                           const char *how) {
  fault_set(fault, MP_ESTORE, "%.150s: %s", path, how);
  return LOAD_DAMAGED;
}

/* Whether it is ours, whole, and of a version we read. */
static enum loaded check_file(const char *path, const char *text, size_t size,
                              struct mp_fault *fault) {
  int checksum = check_tail(text, size);
  if (size == 0)
    return damaged(fault, path, "is empty");
  if (strncmp(text, head, sizeof head - 1) != 0)
    return damaged(fault, path, "line 1: is no store of ours");
  long version = strtol(text + sizeof head - 1, NULL, 10);
  if (version > VERSION && checksum != 0) {
    fault_set(fault, MP_ESTORE,
              "%.150s: is of version %ld, this program reads up to %d", path,
              version, VERSION);
    return LOAD_FAILED;
  }
  if (checksum < 0)
    return damaged(fault, path, "ends too early, without its checksum");
  if (checksum == 0)
    return damaged(fault, path, "its checksum does not match");
  if (version != VERSION || strlen(text) != size)
    return damaged(fault, path, "is no store of ours");
  return LOADED;
}

static enum loaded load_file(void *data, const char *path,
                             struct mp_loader *loader, struct mp_fault *fault) {
  char *text = NULL;
  size_t size = 0;
  (void)data;
  int rc = file_read(path, &text, &size, fault);
  if (rc)
    return rc == MP_ENOT_FOUND ? LOAD_MISSING : LOAD_FAILED;
  enum loaded result = check_file(path, text, size, fault);
  struct input in = {.path = path, .at = text, .loader = loader};
  if (result == LOADED) {
    next_line(&in);
    rc = load_section(&in, "\"peers\":[", fault);
    if (rc == 0)
      rc = load_section(&in, "\"bans\":[", fault);
    if (rc == 0)
      rc = load_section(&in, "\"values\":[", fault);
    result = rc ? LOAD_DAMAGED : LOADED;
  }
  free(text);
  return result;
}

static int load(void *data, struct mp_loader *loader, struct mp_fault *fault) {
  struct json_file *file = data;
  struct recovery recovery = {.path = file->path,
                              .good = file->good,
                              .read_only = file->read_only,
                              .load = load_file,
                              .data = file};
  return recover(&recovery, loader, fault);
}

/* --- opening and closing */

static void close_file(void *data) {
  struct json_file *file = data;
  file_unlock(&file->lock);
  free(file->path);
  free(file->good);
  free(file->beside);
  free(file);
}

static char *with_suffix(const char *path, const char *suffix) {
  size_t n = strlen(path) + strlen(suffix) + 1;
  char *text = mem_new(n);
  snprintf(text, n, "%s%s", path, suffix);
  return text;
}

static int open_file(void **data, const char *path, bool read_only,
                     struct mp_fault *fault) {
  if (!path[0] || strlen(path) > FILE_PATH - 64)
    return fault_set(fault, MP_ECONFIG, "json: expected a file's name");
  struct json_file *file = mem_new(sizeof *file);
  file->path = mem_text(path);
  file->good = with_suffix(path, ".good");
  file->beside = with_suffix(path, ".new");
  file->read_only = read_only;
  file->lock.descriptor = -1;
  int rc = read_only ? 0 : file_lock(&file->lock, path, fault);
  if (rc)
    close_file(file);
  else
    *data = file;
  return rc;
}

const struct backend_row backend_json = {
    .scheme = "json",
    .open = open_file,
    .functions = {.load = load,
                  .apply = apply,
                  .close = close_file,
                  .wants_all = true},
};
