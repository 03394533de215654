/* backend_sqlite - a store as a SQLite file: WAL, synchronous=full, one
 * transaction a batch, only what has changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/backend.h"
#include "store/sqlite_file.h"

enum { COPY_EVERY = 12 /* saves; the first of a session is one */ };

/* Whole from the first: made under another name. */
static int create(struct sqlite_file *file, struct mp_fault *fault) {
  char beside[FILE_PATH];
  snprintf(beside, sizeof beside, "%s.new", file->path);
  if (file_exists(file->path))
    return fault_set(fault, MP_ESTORE,
                     "%.150s: was not there when the store was opened",
                     file->path);
  if (file_make(beside, fault))
    return MP_ESTORE;
  if (sqlite3_open_v2(beside, &file->db, SQLITE_OPEN_READWRITE, NULL) ||
      sqlite_run(file->db, "BEGIN IMMEDIATE") || sqlite_migrate(file->db, 0) ||
      sqlite_run(file->db, "COMMIT")) {
    sqlite_failed(fault, file->db, file->path, "cannot make it");
    sqlite_file_close(file);
    unlink(beside);
    return MP_ESTORE;
  }
  sqlite_file_close(file);
  if (file_replace(beside, file->path, NULL, fault))
    return MP_ESTORE;
  if (sqlite3_open_v2(file->path, &file->db, SQLITE_OPEN_READWRITE, NULL) ||
      sqlite_set_up(file->db)) {
    sqlite_failed(fault, file->db, file->path, "cannot open it");
    sqlite_file_close(file);
    return MP_ESTORE;
  }
  return 0;
}

/* --- writing */

/* A table that is being written, and how many rows it has. */
struct writer {
  sqlite3 *db;
  const struct sqlite_table *table;
  sqlite3_stmt *put, *drop;
  int64_t count;
};

/* An insert that found no row of that key sets the last row id. */
static int write_row(struct writer *writer, const struct mp_batch *batch,
                     uint32_t i) {
  bool is_there = writer->table->bind(writer->put, batch, i);
  sqlite3_stmt *statement = is_there ? writer->put : writer->drop;
  if (!is_there)
    writer->table->bind(writer->drop, batch, i);
  sqlite3_set_last_insert_rowid(writer->db, 0);
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_DONE && is_there)
    writer->count += sqlite3_last_insert_rowid(writer->db) != 0;
  else if (rc == SQLITE_DONE)
    writer->count -= sqlite3_changes(writer->db);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(writer->put);
  return rc == SQLITE_DONE ? 0 : rc;
}

static int write_table(sqlite3 *db, const struct sqlite_table *table,
                       const struct mp_batch *batch, int64_t *count) {
  struct writer writer = {.db = db, .table = table, .count = *count};
  int rc = sqlite3_prepare_v2(db, table->put, -1, &writer.put, NULL);
  if (rc == 0)
    rc = sqlite3_prepare_v2(db, table->remove, -1, &writer.drop, NULL);
  for (uint32_t i = 0, n = table->count(batch); i < n && rc == 0; i++)
    rc = write_row(&writer, batch, i);
  sqlite3_finalize(writer.put);
  sqlite3_finalize(writer.drop);
  *count = writer.count;
  return rc ? rc : sqlite_set_number(db, table->name, *count);
}

static int write_all(sqlite3 *db, const struct mp_batch *batch,
                     int64_t counts[SQLITE_TABLES]) {
  int rc = sqlite_run(db, "BEGIN IMMEDIATE");
  for (int i = 0; i < SQLITE_TABLES && rc == 0; i++)
    rc = write_table(db, sqlite_tables + i, batch, counts + i);
  return rc ? rc : sqlite_run(db, "COMMIT");
}

/* A copy through SQLite: another descriptor on the file, when closed, would
 * take its locks away. */
static int copy_good(struct sqlite_file *file) {
  char beside[FILE_PATH];
  sqlite3 *copy = NULL;
  int rc = SQLITE_NOMEM;
  snprintf(beside, sizeof beside, "%s.new", file->good);
  if (file_make(beside, NULL))
    return MP_ESTORE;
  if (sqlite3_open(beside, &copy) == 0 &&
      sqlite_run(copy, "PRAGMA synchronous = FULL") == 0) {
    sqlite3_backup *backup =
        sqlite3_backup_init(copy, "main", file->db, "main");
    if (backup) {
      sqlite3_backup_step(backup, -1);
      rc = sqlite3_backup_finish(backup);
    }
  }
  if (sqlite3_close(copy) || rc) {
    unlink(beside);
    return MP_ESTORE;
  }
  return file_replace(beside, file->good, NULL, NULL);
}

static int apply(void *data, const struct mp_batch *batch,
                 struct mp_fault *fault) {
  struct sqlite_file *file = data;
  int64_t counts[SQLITE_TABLES];
  memcpy(counts, file->counts, sizeof counts);
  if (!file->db && create(file, fault))
    return MP_ESTORE;
  if (write_all(file->db, batch, counts)) {
    sqlite_failed(fault, file->db, file->path, "cannot save");
    sqlite_run(file->db, "ROLLBACK");
    return MP_ESTORE;
  }
  memcpy(file->counts, counts, sizeof counts);
  if (file->saves++ % COPY_EVERY == 0)
    copy_good(file); /* the save stands; the next copy is an hour away */
  return 0;
}

static int load(void *data, struct mp_loader *loader, struct mp_fault *fault) {
  static const char *const suffixes[] = {"-wal", "-shm", NULL};
  struct sqlite_file *file = data;
  struct recovery recovery = {.path = file->path,
                              .good = file->good,
                              .suffixes = suffixes,
                              .read_only = file->read_only,
                              .load = sqlite_file_load,
                              .data = file};
  int rc = recover(&recovery, loader, fault);
  if (!file->db)
    memset(file->counts, 0, sizeof file->counts);
  return rc;
}

/* --- opening and closing */

static void close_file(void *data) {
  struct sqlite_file *file = data;
  sqlite_file_close(file);
  file_unlock(&file->lock);
  free(file->path);
  free(file->good);
  free(file);
}

static int open_file(void **data, const char *path, bool read_only,
                     struct mp_fault *fault) {
  if (!path[0] || strlen(path) > FILE_PATH - 64)
    return fault_set(fault, MP_ECONFIG, "sqlite: expected a file's name");
  struct sqlite_file *file = mem_new(sizeof *file);
  size_t n = strlen(path) + sizeof ".good";
  file->path = mem_text(path);
  file->good = mem_new(n);
  snprintf(file->good, n, "%s.good", path);
  file->read_only = read_only;
  file->lock.descriptor = -1;
  int rc = read_only ? 0 : file_lock(&file->lock, path, fault);
  if (rc)
    close_file(file);
  else
    *data = file;
  return rc;
}

const struct backend_row backend_sqlite = {
    .scheme = "sqlite",
    .open = open_file,
    .functions = {.load = load, .apply = apply, .close = close_file},
};
