/* sqlite_row - peers, bans and values as rows of tables, and back. */
#ifndef STORE_SQLITE_ROW_H
#define STORE_SQLITE_ROW_H

#include <sqlite3.h>

#include "moonpeer/ban.h"
#include "moonpeer/store.h"

enum { STORE_SCHEMA = 2 };

/* The steps from one version of the schema to the next, from an empty file. */
extern const char *const sqlite_steps[STORE_SCHEMA];

enum { SQLITE_TABLES = 3 };

/* A table: how a row is put (in the place of one that is there), removed (by
 * its first parameter), and read. */
struct sqlite_table {
  const char *name;
  const char *put, *remove, *select;
  uint32_t (*count)(const struct mp_batch *batch);
  /* Binds the batch's row i; false: it is to be removed, its key is bound. */
  bool (*bind)(sqlite3_stmt *statement, const struct mp_batch *batch,
               uint32_t i);
  /* Gives the row a select stands at to the loader. 0 or MP_ESTORE. */
  int (*load)(sqlite3_stmt *statement, struct mp_loader *loader,
              struct mp_fault *fault);
};

extern const struct sqlite_table sqlite_tables[SQLITE_TABLES];

#endif
