/* sqlite_file - one SQLite file: what reading and writing it share. */
#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include <sqlite3.h>

#include "store/recover.h"
#include "store/sqlite_row.h"

enum {
  SQLITE_APPLICATION = 0x6d6f6f6e, /* "moon", in the file's head */
  SQLITE_BUSY_TIME = 5000,         /* ms another connection may hold us up */
};

struct sqlite_file {
  char *path, *good;
  struct file_lock lock;
  bool read_only;
  sqlite3 *db; /* NULL before there is a file */
  int64_t counts[SQLITE_TABLES];
  unsigned saves;
};

/* MP_ESTORE, with what SQLite says. db may be NULL. */
int sqlite_failed(struct mp_fault *fault, sqlite3 *db, const char *path,
                  const char *what);

/* Runs statements; 0 or SQLite's code. */
int sqlite_run(sqlite3 *db, const char *sql);

/* The first number a query gives; false when it fails. */
bool sqlite_ask(sqlite3 *db, const char *sql, int64_t *value);

/* Sets a number in the table meta. */
int sqlite_set_number(sqlite3 *db, const char *name, int64_t value);

/* From version `from` (0: nothing there yet) to ours, inside a transaction. */
int sqlite_migrate(sqlite3 *db, int from);

/* How a writer's connection waits and syncs. */
int sqlite_set_up(sqlite3 *db);
void sqlite_file_close(struct sqlite_file *file);

/* --- sqlite_load.c: for a struct recovery; data is a struct sqlite_file. */
enum loaded sqlite_file_load(void *data, const char *path,
                             struct mp_loader *loader, struct mp_fault *fault);

#endif
