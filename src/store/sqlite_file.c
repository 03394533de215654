/* sqlite_file - one SQLite file: what reading and writing it share. */
#include "store/sqlite_file.h"

#include <stdio.h>

#include "base/fault.h"

int sqlite_failed(struct mp_fault *fault, sqlite3 *db, const char *path,
                  const char *what) {
  return fault_set(fault, MP_ESTORE, "%.130s: %s: %.80s", path, what,
                   db ? sqlite3_errmsg(db) : "no memory");
}

int sqlite_run(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

bool sqlite_ask(sqlite3 *db, const char *sql, int64_t *value) {
  sqlite3_stmt *statement = NULL;
  bool is_there = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == 0 &&
                  sqlite3_step(statement) == SQLITE_ROW;
  if (is_there)
    *value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return is_there;
}

void sqlite_file_close(struct sqlite_file *file) {
  sqlite3_close(file->db);
  file->db = NULL;
}

int sqlite_set_number(sqlite3 *db, const char *name, int64_t value) {
  char sql[128];
  snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO meta VALUES ('%s', %lld)",
           name, (long long)value);
  return sqlite_run(db, sql);
}

int sqlite_migrate(sqlite3 *db, int from) {
  char sql[96];
  int rc = 0;
  for (int i = from; i < STORE_SCHEMA && rc == 0; i++)
    rc = sqlite_run(db, sqlite_steps[i]);
  snprintf(sql, sizeof sql,
           "PRAGMA application_id = %d; PRAGMA user_version = %d",
           (int)SQLITE_APPLICATION, (int)STORE_SCHEMA);
  if (rc == 0)
    rc = sqlite_run(db, sql);
  return rc ? rc : sqlite_set_number(db, "version", STORE_SCHEMA);
}

int sqlite_set_up(sqlite3 *db) {
  sqlite3_busy_timeout(db, SQLITE_BUSY_TIME);
  return sqlite_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
}
