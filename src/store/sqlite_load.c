/* sqlite_load - reading a SQLite file, and telling damage from trouble. */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "store/sqlite_file.h"

/* Whether an error is the file's content's, not the machine's. */
static bool is_damage(int rc) {
  rc &= 0xff;
  return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR ||
         rc == SQLITE_MISMATCH || rc == SQLITE_TOOBIG || rc == SQLITE_SCHEMA;
}

static enum loaded stopped(sqlite3 *db, const char *path,
                           struct mp_fault *fault) {
  bool damaged = is_damage(sqlite3_errcode(db));
  sqlite_failed(fault, db, path, "cannot read it");
  return damaged ? LOAD_DAMAGED : LOAD_FAILED;
}

static enum loaded damaged(struct mp_fault *fault, const char *path,
                           const char *how) {
  fault_set(fault, MP_ESTORE, "%.150s: %s", path, how);
  return LOAD_DAMAGED;
}

/* The version of the schema, which stands in two places so that a flipped bit
 * is no newer version. */
static enum loaded check_version(sqlite3 *db, const char *path, int *version,
                                 struct mp_fault *fault) {
  int64_t application = 0, head = 0, inside = 0;
  if (!sqlite_ask(db, "PRAGMA application_id", &application) ||
      !sqlite_ask(db, "PRAGMA user_version", &head))
    return stopped(db, path, fault);
  if (application != SQLITE_APPLICATION)
    return damaged(fault, path, "is no store of ours");
  if (!sqlite_ask(db, "SELECT value FROM meta WHERE name = 'version'", &inside))
    return damaged(fault, path, "does not say its version");
  if (head != inside || head < 1)
    return damaged(fault, path, "says two things of its version");
  if (head > STORE_SCHEMA) {
    fault_set(fault, MP_ESTORE,
              "%.150s: is of version %d, this program reads up to %d", path,
              (int)head, (int)STORE_SCHEMA);
    return LOAD_FAILED;
  }
  *version = (int)head;
  return LOADED;
}

static enum loaded check_pages(sqlite3 *db, const char *path,
                               struct mp_fault *fault) {
  sqlite3_stmt *statement = NULL;
  enum loaded result = LOADED;
  if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) ||
      sqlite3_step(statement) != SQLITE_ROW)
    result = stopped(db, path, fault);
  else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
    result =
        damaged(fault, path, (const char *)sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  return result;
}

static enum loaded load_table(struct sqlite_file *file, const char *path,
                              int number, struct mp_loader *loader,
                              struct mp_fault *fault) {
  const struct sqlite_table *table = sqlite_tables + number;
  int64_t *count = file->counts + number;
  sqlite3 *db = file->db;
  struct mp_fault inner = {0};
  sqlite3_stmt *statement = NULL;
  char sql[96];
  int64_t wanted = 0;
  int rc = sqlite3_prepare_v2(db, table->select, -1, &statement, NULL), bad = 0;
  for (*count = 0; rc == 0 && !bad; ++*count) {
    if ((rc = sqlite3_step(statement)) != SQLITE_ROW)
      break;
    rc = 0;
    bad = table->load(statement, loader, &inner);
  }
  if (bad)
    fault_set(fault, MP_ESTORE, "%.100s: table %s, row %lld: %.90s", path,
              table->name, (long long)*count, inner.text);
  enum loaded result = LOADED;
  if (bad)
    result = LOAD_DAMAGED;
  else if (rc != SQLITE_DONE)
    result = stopped(db, path, fault);
  sqlite3_finalize(statement);
  snprintf(sql, sizeof sql, "SELECT value FROM meta WHERE name = '%s'",
           table->name);
  sqlite_ask(db, sql, &wanted);
  if (result == LOADED && wanted != *count) {
    fault_set(fault, MP_ESTORE,
              "%.120s: table %s: expected %lld rows, got %lld", path,
              table->name, (long long)wanted, (long long)*count);
    return LOAD_DAMAGED;
  }
  return result;
}

/* An older schema is brought up to ours; for a reader, in a copy in memory. */
static enum loaded bring_up(struct sqlite_file *file, const char *path,
                            int version, struct mp_fault *fault) {
  sqlite3 *copy = NULL;
  if (version == STORE_SCHEMA)
    return LOADED;
  if (file->read_only) {
    sqlite3_backup *backup =
        sqlite3_open(":memory:", &copy) == 0
            ? sqlite3_backup_init(copy, "main", file->db, "main")
            : NULL;
    if (backup)
      sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    sqlite3_close(file->db);
    file->db = copy;
  }
  if (sqlite_run(file->db, "BEGIN IMMEDIATE") ||
      sqlite_migrate(file->db, version) || sqlite_run(file->db, "COMMIT"))
    return stopped(file->db, path, fault);
  return LOADED;
}

/* A reader in a folder it may not write to cannot use a WAL; when there is
 * none left to read, the file stands for itself. */
static int open_db(struct sqlite_file *file, const char *path) {
  char text[FILE_PATH + 32];
  int64_t unused;
  int flags = file->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  int rc = sqlite3_open_v2(path, &file->db, flags, NULL);
  sqlite3_busy_timeout(file->db, SQLITE_BUSY_TIME);
  if (!file->read_only ||
      (rc == 0 && sqlite_ask(file->db, "PRAGMA schema_version", &unused)))
    return rc;
  rc = sqlite3_errcode(file->db) & 0xff;
  snprintf(text, sizeof text, "%s-wal", path);
  if ((rc != SQLITE_CANTOPEN && rc != SQLITE_READONLY) || file_exists(text) ||
      strpbrk(path, "%?#"))
    return 0; /* whoever asks next is told */
  sqlite_file_close(file);
  snprintf(text, sizeof text, "file:%s?immutable=1", path);
  return sqlite3_open_v2(text, &file->db, flags | SQLITE_OPEN_URI, NULL);
}

static enum loaded load_open(struct sqlite_file *file, const char *path,
                             struct mp_loader *loader, struct mp_fault *fault) {
  int version = 0;
  enum loaded result = check_version(file->db, path, &version, fault);
  if (result == LOADED)
    result = check_pages(file->db, path, fault);
  if (result == LOADED && !file->read_only && sqlite_set_up(file->db))
    result = stopped(file->db, path, fault);
  if (result == LOADED)
    result = bring_up(file, path, version, fault);
  for (int i = 0; i < SQLITE_TABLES && result == LOADED; i++)
    result = load_table(file, path, i, loader, fault);
  return result;
}

enum loaded sqlite_file_load(void *data, const char *path,
                             struct mp_loader *loader, struct mp_fault *fault) {
  struct sqlite_file *file = data;
  enum loaded result;
  if (!file_exists(path))
    return LOAD_MISSING;
  const char *odd = file_oddity(path);
  if (odd) {
    fault_set(fault, MP_ESTORE, "%.150s: is %s", path, odd);
    return LOAD_FAILED;
  }
  if (file_size(path) == 0)
    return damaged(fault, path, "is empty");
  if (open_db(file, path))
    result = stopped(file->db, path, fault);
  else
    result = load_open(file, path, loader, fault);
  if (result != LOADED || file->read_only)
    sqlite_file_close(file);
  return result;
}
