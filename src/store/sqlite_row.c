/* sqlite_row - peers, bans and values as rows of tables, and back.
 *
 * SQLite notices a torn page, not a flipped bit: every row has a checksum, and
 * the number of rows of each table stands beside them. */
#include "store/sqlite_row.h"

#include <string.h>

#include "base/cursor.h"
#include "base/fault.h"
#include "base/hash.h"
#include "peer/record.h"

const char *const sqlite_steps[STORE_SCHEMA] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    "CREATE TABLE peer (row INTEGER PRIMARY KEY, id BLOB, address TEXT,"
    " status TEXT, status_time INTEGER, ban_reason TEXT, source TEXT,"
    " source_address TEXT, services INTEGER, protocol_version INTEGER,"
    " start_height INTEGER, first_seen INTEGER, last_seen INTEGER,"
    " last_tried INTEGER, failures INTEGER, rtt INTEGER, user_agent BLOB,"
    " data TEXT, sum INTEGER);"
    "CREATE TABLE ban (row INTEGER PRIMARY KEY, prefix TEXT, reason TEXT,"
    " created INTEGER, expires INTEGER, origin TEXT, note TEXT, sum INTEGER);"
    "CREATE TABLE value (name TEXT PRIMARY KEY, bytes BLOB, sum INTEGER);",
    "ALTER TABLE peer ADD COLUMN unknown TEXT;",
};

/* --- checksums */

static int64_t sum_bytes(int64_t sum, const void *bytes, size_t n) {
  const uint64_t key[2] = {(uint64_t)sum, n};
  return (int64_t)hash_sip(key, bytes, n);
}

static int64_t sum_text(int64_t sum, const char *text) {
  return text[0] ? sum_bytes(sum, text, strlen(text)) : sum;
}

static int64_t sum_peer(int64_t row, const uint8_t id[MP_UUID_SIZE],
                        const struct mp_address *address,
                        const struct mp_peer_change *all) {
  const struct mp_source *source = &all->source;
  const uint64_t numbers[] = {
      (uint64_t)row,
      address->port,
      all->status,
      all->ban_reason,
      source->kind,
      source->address.port,
      all->services,
      (uint32_t)all->protocol_version,
      (uint32_t)all->start_height,
      (uint64_t)all->first_seen / RECORD_SECOND,
      (uint64_t)all->last_seen / RECORD_SECOND,
      (uint64_t)all->last_tried / RECORD_SECOND,
      (uint64_t)all->status_time / RECORD_SECOND,
      all->failures,
      (uint64_t)all->rtt / 1000,
  };
  enum { N = sizeof numbers / sizeof *numbers };
  uint8_t bytes[8 * N + 48];
  for (size_t i = 0; i < N; i++)
    put_u64(bytes + 8 * i, numbers[i]);
  const size_t at = sizeof numbers;
  memcpy(bytes + at, id, MP_UUID_SIZE);
  memcpy(bytes + at + 16, address->ip, 16);
  memcpy(bytes + at + 32, source->address.ip, 16);
  int64_t sum = sum_bytes(1, bytes, sizeof bytes);
  if (all->user_agent_size)
    sum = sum_bytes(sum, all->user_agent, all->user_agent_size);
  return sum_text(sum_text(sum, all->data), all->unknown);
}

static int64_t sum_ban(int64_t row, const struct mp_ban *ban) {
  uint8_t bytes[49];
  put_u64(bytes, (uint64_t)row);
  put_u64(bytes + 8, ban->reason);
  put_u64(bytes + 16, (uint64_t)ban->created / RECORD_SECOND);
  put_u64(bytes + 24, (uint64_t)ban->expires / RECORD_SECOND);
  memcpy(bytes + 32, ban->prefix.ip, 16);
  bytes[48] = ban->prefix.bits;
  return sum_text(sum_text(sum_bytes(2, bytes, sizeof bytes), ban->origin),
                  ban->note);
}

static int64_t sum_value(const char *name, const void *bytes, size_t size) {
  return sum_bytes(sum_text(3, name), bytes ? bytes : "", size);
}

/* --- binding */

/* Texts of the batch live until the transaction is over; "" is NULL. */
static void bind_text(sqlite3_stmt *statement, int at, const char *text) {
  if (text[0])
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_copy(sqlite3_stmt *statement, int at, const char *text) {
  sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_time(sqlite3_stmt *statement, int at, int64_t time) {
  if (time)
    sqlite3_bind_int64(statement, at, time / RECORD_SECOND);
}

static void bind_source(sqlite3_stmt *statement, int at,
                        const struct mp_source *source) {
  static const struct mp_address none;
  char text[MP_ADDRESS_TEXT];
  bind_text(statement, at, mp_source_kind_name(source->kind));
  if (!mp_address_equal(&source->address, &none))
    bind_copy(statement, at + 1, mp_address_format(&source->address, text));
}

static bool bind_peer(sqlite3_stmt *statement, const struct mp_batch *batch,
                      uint32_t i) {
  uint32_t row;
  struct mp_peer_change all;
  struct mp_address address;
  char text[MP_ADDRESS_TEXT];
  const struct mp_peer *peer = mp_batch_peer(batch, i, &row);
  sqlite3_bind_int64(statement, 1, row);
  if (!peer)
    return false;
  record_describe(peer, &all);
  mp_peer_address(peer, &address);
  sqlite3_bind_blob(statement, 2, mp_peer_id(peer), MP_UUID_SIZE,
                    SQLITE_STATIC);
  bind_copy(statement, 3, mp_address_format(&address, text));
  bind_text(statement, 4, mp_status_name(all.status));
  bind_time(statement, 5, all.status_time);
  bind_text(statement, 6, mp_ban_reason_name(all.ban_reason));
  bind_source(statement, 7, &all.source);
  sqlite3_bind_int64(statement, 9, (int64_t)all.services);
  sqlite3_bind_int64(statement, 10, all.protocol_version);
  sqlite3_bind_int64(statement, 11, all.start_height);
  bind_time(statement, 12, all.first_seen);
  bind_time(statement, 13, all.last_seen);
  bind_time(statement, 14, all.last_tried);
  sqlite3_bind_int64(statement, 15, all.failures);
  sqlite3_bind_int64(statement, 16, all.rtt / 1000);
  if (all.user_agent_size)
    sqlite3_bind_blob(statement, 17, all.user_agent, (int)all.user_agent_size,
                      SQLITE_STATIC);
  bind_text(statement, 18, all.data);
  bind_text(statement, 19, all.unknown);
  sqlite3_bind_int64(statement, 20,
                     sum_peer(row, mp_peer_id(peer), &address, &all));
  return true;
}

static bool bind_ban(sqlite3_stmt *statement, const struct mp_batch *batch,
                     uint32_t i) {
  uint32_t row;
  struct mp_ban ban;
  char text[MP_PREFIX_TEXT];
  bool is_there = mp_batch_ban(batch, i, &row, &ban);
  sqlite3_bind_int64(statement, 1, row);
  if (!is_there)
    return false;
  bind_copy(statement, 2, mp_prefix_format(&ban.prefix, text));
  bind_text(statement, 3, mp_ban_reason_name(ban.reason));
  bind_time(statement, 4, ban.created);
  if (ban.expires != MP_BAN_FOREVER)
    bind_time(statement, 5, ban.expires);
  bind_text(statement, 6, ban.origin);
  bind_text(statement, 7, ban.note);
  sqlite3_bind_int64(statement, 8, sum_ban(row, &ban));
  return true;
}

static bool bind_value(sqlite3_stmt *statement, const struct mp_batch *batch,
                       uint32_t i) {
  const void *bytes;
  size_t size;
  const char *name = mp_batch_value(batch, i, &bytes, &size);
  bind_text(statement, 1, name);
  if (!bytes)
    return false;
  sqlite3_bind_blob(statement, 2, size ? bytes : "", (int)size, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 3, sum_value(name, bytes, size));
  return true;
}

/* --- reading */

/* A row being read; the first column of a wrong type stays. */
struct reader {
  sqlite3_stmt *statement;
  const char *wrong, *wanted;
};

static bool is_type(struct reader *reader, int column, int type) {
  int got = sqlite3_column_type(reader->statement, column);
  if (got == type)
    return true;
  if (got != SQLITE_NULL && !reader->wrong) {
    reader->wrong = sqlite3_column_name(reader->statement, column);
    reader->wanted = type == SQLITE_INTEGER ? "a number" : "a text";
  }
  return false;
}

static int64_t read_number(struct reader *reader, int column, int64_t least,
                           int64_t most) {
  if (!is_type(reader, column, SQLITE_INTEGER))
    return least > 0 ? least : 0;
  int64_t value = sqlite3_column_int64(reader->statement, column);
  if (value >= least && value <= most)
    return value;
  if (!reader->wrong) {
    reader->wrong = sqlite3_column_name(reader->statement, column);
    reader->wanted = "a number in range";
  }
  return least;
}

static int64_t read_time(struct reader *reader, int column) {
  return read_number(reader, column, 0, UINT32_MAX) * RECORD_SECOND;
}

/* Text as SQLite holds it must have no zero byte. */
static const char *read_text(struct reader *reader, int column) {
  if (!is_type(reader, column, SQLITE_TEXT))
    return "";
  return (const char *)sqlite3_column_text(reader->statement, column);
}

static int read_name(struct reader *reader, int column,
                     int (*value_of)(const char *)) {
  int value = value_of(read_text(reader, column));
  if (value >= 0)
    return value;
  if (!reader->wrong) {
    reader->wrong = sqlite3_column_name(reader->statement, column);
    reader->wanted = "one of its names";
  }
  return 0;
}

static void read_address(struct reader *reader, int column,
                         struct mp_address *address) {
  const char *text = read_text(reader, column);
  if (mp_address_parse(address, text, 0, NULL) == 0 || reader->wrong)
    return;
  reader->wrong = sqlite3_column_name(reader->statement, column);
  reader->wanted = "an address";
}

static int wrong(const struct reader *reader, struct mp_fault *fault) {
  return fault_set(fault, MP_ESTORE, "%s: expected %s", reader->wrong,
                   reader->wanted);
}

static int bad_sum(struct mp_fault *fault) {
  return fault_set(fault, MP_ESTORE, "its checksum does not match");
}

static void read_source(struct reader *reader, struct mp_source *source) {
  source->kind =
      (enum mp_source_kind)read_name(reader, 6, mp_source_kind_value);
  if (sqlite3_column_type(reader->statement, 7) != SQLITE_NULL)
    read_address(reader, 7, &source->address);
}

static void read_peer(struct reader *reader, struct mp_peer_change *all) {
  sqlite3_stmt *statement = reader->statement;
  all->fields = UINT32_MAX;
  all->status = (enum mp_status)read_name(reader, 3, mp_status_value);
  all->status_time = read_time(reader, 4);
  all->ban_reason =
      (enum mp_ban_reason)read_name(reader, 5, mp_ban_reason_value);
  read_source(reader, &all->source);
  all->services = (uint64_t)read_number(reader, 8, INT64_MIN, INT64_MAX);
  all->protocol_version = (int32_t)read_number(reader, 9, INT32_MIN, INT32_MAX);
  all->start_height = (int32_t)read_number(reader, 10, INT32_MIN, INT32_MAX);
  all->first_seen = read_time(reader, 11);
  all->last_seen = read_time(reader, 12);
  all->last_tried = read_time(reader, 13);
  all->failures = (unsigned)read_number(reader, 14, 0, MP_PEER_FAILURES);
  all->rtt = read_number(reader, 15, 0, UINT32_MAX) * 1000;
  is_type(reader, 16, SQLITE_BLOB);
  all->user_agent = sqlite3_column_blob(statement, 16);
  all->user_agent_size = (size_t)sqlite3_column_bytes(statement, 16);
  if (!all->user_agent)
    all->user_agent = "";
  all->data = read_text(reader, 17);
  all->unknown = read_text(reader, 18);
}

static int load_peer(sqlite3_stmt *statement, struct mp_loader *loader,
                     struct mp_fault *fault) {
  struct reader reader = {.statement = statement};
  struct mp_peer_change all = {0};
  struct mp_address address = {0};
  int64_t row = read_number(&reader, 0, 1, UINT32_MAX);
  const uint8_t *id = is_type(&reader, 1, SQLITE_BLOB)
                          ? sqlite3_column_blob(statement, 1)
                          : NULL;
  read_address(&reader, 2, &address);
  read_peer(&reader, &all);
  if (reader.wrong)
    return wrong(&reader, fault);
  if (!id || sqlite3_column_bytes(statement, 1) != MP_UUID_SIZE)
    return fault_set(fault, MP_ESTORE, "id: expected 16 bytes");
  if (sqlite3_column_int64(statement, 19) != sum_peer(row, id, &address, &all))
    return bad_sum(fault);
  return mp_load_peer(
      loader, (uint32_t)row,
      &(struct mp_peer_new){.id = id, .address = &address, .change = &all},
      fault);
}

static int load_ban(sqlite3_stmt *statement, struct mp_loader *loader,
                    struct mp_fault *fault) {
  struct reader reader = {.statement = statement};
  struct mp_fault inner = {0};
  struct mp_ban ban = {.expires = MP_BAN_FOREVER};
  int64_t row = read_number(&reader, 0, 1, UINT32_MAX);
  const char *prefix = read_text(&reader, 1);
  ban.reason = (enum mp_ban_reason)read_name(&reader, 2, mp_ban_reason_value);
  ban.created = read_time(&reader, 3);
  if (sqlite3_column_type(statement, 4) != SQLITE_NULL)
    ban.expires = read_number(&reader, 4, 1, INT64_MAX / RECORD_SECOND - 1) *
                  RECORD_SECOND;
  ban.origin = read_text(&reader, 5);
  ban.note = read_text(&reader, 6);
  if (reader.wrong)
    return wrong(&reader, fault);
  if (mp_prefix_parse(&ban.prefix, prefix, &inner))
    return fault_set(fault, MP_ESTORE, "prefix: %.180s", inner.text);
  if (sqlite3_column_int64(statement, 7) != sum_ban(row, &ban))
    return bad_sum(fault);
  return mp_load_ban(loader, (uint32_t)row, &ban, fault);
}

static int load_value(sqlite3_stmt *statement, struct mp_loader *loader,
                      struct mp_fault *fault) {
  struct reader reader = {.statement = statement};
  const char *name = read_text(&reader, 0);
  is_type(&reader, 1, SQLITE_BLOB);
  const void *bytes = sqlite3_column_blob(statement, 1);
  size_t size = (size_t)sqlite3_column_bytes(statement, 1);
  if (reader.wrong)
    return wrong(&reader, fault);
  if (sqlite3_column_int64(statement, 2) != sum_value(name, bytes, size))
    return bad_sum(fault);
  return mp_load_value(loader, name, bytes ? bytes : "", size, fault);
}

#define PEER_COLUMNS                                                           \
  "row, id, address, status, status_time, ban_reason, source, source_address," \
  " services, protocol_version, start_height, first_seen, last_seen,"          \
  " last_tried, failures, rtt, user_agent, data, unknown, sum"

const struct sqlite_table sqlite_tables[SQLITE_TABLES] = {
    {.name = "peer",
     .put =
         "INSERT INTO peer (" PEER_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
         " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
         " ON CONFLICT (row) DO UPDATE SET id = ?2, address = ?3, status = ?4,"
         " status_time = ?5, ban_reason = ?6, source = ?7, source_address = ?8,"
         " services = ?9, protocol_version = ?10, start_height = ?11,"
         " first_seen = ?12, last_seen = ?13, last_tried = ?14, failures = ?15,"
         " rtt = ?16, user_agent = ?17, data = ?18, unknown = ?19, sum = ?20",
     .remove = "DELETE FROM peer WHERE row = ?1",
     .select = "SELECT " PEER_COLUMNS " FROM peer ORDER BY row",
     .count = mp_batch_peer_count,
     .bind = bind_peer,
     .load = load_peer},
    {.name = "ban",
     .put = "INSERT INTO ban (row, prefix, reason, created, expires, origin,"
            " note, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            " ON CONFLICT (row) DO UPDATE SET prefix = ?2, reason = ?3,"
            " created = ?4, expires = ?5, origin = ?6, note = ?7, sum = ?8",
     .remove = "DELETE FROM ban WHERE row = ?1",
     .select = "SELECT row, prefix, reason, created, expires, origin, note, sum"
               " FROM ban ORDER BY row",
     .count = mp_batch_ban_count,
     .bind = bind_ban,
     .load = load_ban},
    {.name = "value",
     .put = "INSERT INTO value (name, bytes, sum) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (name) DO UPDATE SET bytes = ?2, sum = ?3",
     .remove = "DELETE FROM value WHERE name = ?1",
     .select = "SELECT name, bytes, sum FROM value",
     .count = mp_batch_value_count,
     .bind = bind_value,
     .load = load_value},
};
