/* backend_rows_test - files whose rows are wrong, old, new or unknown, and
 * backends that are a set of functions. */
#include <sqlite3.h>

#include "base/hash.h"
#include "store_help.h"

static const char id_a[] = "00112233-4455-4677-8899-aabbccddeeff";
static const char id_b[] = "10112233-4455-4677-8899-aabbccddeeff";

/* Writes a json store with a right checksum around some rows. */
static void write_json(const char *path, int version, const char *peers,
                       const char *bans, const char *values) {
  static char text[65536];
  uint8_t digest[HASH_SIZE];
  int n = snprintf(text, sizeof text,
                   "{\"format\":\"moonpeer-store\",\"version\":%d,\n"
                   "\"peers\":[\n%s\n],\n\"bans\":[\n%s\n],\n"
                   "\"values\":[\n%s\n],\n",
                   version, peers, bans, values);
  struct hasher *hasher = hasher_new();
  hash_sha256d(hasher, text, (size_t)n, digest);
  hasher_free(hasher);
  n += sprintf(text + n, "\"sha256d\":\"");
  for (int i = 0; i < HASH_SIZE; i++)
    n += sprintf(text + n, "%02x", digest[i]);
  n += sprintf(text + n, "\"\n}\n");
  spit(path, text, (size_t)n);
}

static const struct {
  const char *row, *says;
} bad_rows[] = {
    {"17", "row: expected a JSON object"},
    {"{\"id\":\"x\"}", "id: expected a UUID"},
    {"{\"address\":\"1.2.3.4:1\"}", "id: expected a UUID"},
    {"{\"id\":\"%s\"}", "address: expected an address"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.400:1\"}", "address: "},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4\"}", "expected a port"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"status\":3}",
     "status: expected a text"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"status\":\"dead\"}",
     "status: there is no \"dead\""},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"status\":\"banned\"}",
     "expected a ban_reason"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"services\":9}",
     "services: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"services\":\"-1\"}",
     "services: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"start_height\":1e300}",
     "start_height: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"start_height\":1.5}",
     "start_height: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"last_seen\":-1}",
     "last_seen: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"failures\":\"no\"}",
     "failures: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"user_agent\":\"%%4\"}",
     "user_agent: expected"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"data\":[1]}",
     "data: expected a JSON object"},
    {"{\"id\":\"%s\",\"address\":\"1.2.3.4:1\",\"source\":\"me\"}",
     "source: expected"},
    {"{\"id\":\"%s\",\"address\":\"5.5.5.5:5\"}", "address 5.5.5.5:5 is"},
    {"{\"id\":\"10112233-4455-4677-8899-aabbccddeeff\","
     "\"address\":\"1.2.3.4:1\"}",
     "is there twice"},
};

static void json_says_which_line_is_wrong_and_what(void) {
  char first[200], row[400], peers[700];
  char url[256], path[256];
  snprintf(url, sizeof url, "%s", url_of("json", "wrong"));
  snprintf(path, sizeof path, "%s", path_of("wrong"));
  snprintf(first, sizeof first, "{\"id\":\"%s\",\"address\":\"5.5.5.5:5\"}",
           id_b);
  for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
    const char *mark = strstr(bad_rows[i].row, "%s");
    if (mark)
      snprintf(row, sizeof row, "%.*s%s%s", (int)(mark - bad_rows[i].row),
               bad_rows[i].row, id_a, mark + 2);
    else
      snprintf(row, sizeof row, "%s", bad_rows[i].row);
    snprintf(peers, sizeof peers, "%s,\n%s", first, row);
    write_json(path, 1, peers, "", "");
    struct mp_store *store =
        store_at(url, (struct mp_store_options){.read_only = true});
    const char *warning = mp_store_warning(store);
    if (!strstr(warning, "line 4: ") || !strstr(warning, bad_rows[i].says))
      CHECK_TEXT(warning, bad_rows[i].says);
    CHECK_INT(mp_store_count(store), 0);
    mp_store_close(store);
  }
}

static void json_says_which_ban_or_value_is_wrong(void) {
  static const struct {
    const char *bans, *values, *says;
  } bad[] = {
      {"{}", "", "line 6: prefix"},
      {"{\"prefix\":\"1.2.3.4/33\",\"reason\":\"manual\"}", "", "line 6: pref"},
      {"{\"prefix\":\"1.2.3.4\",\"reason\":\"\"}", "", "line 6: reason"},
      {"{\"prefix\":\"1.2.3.4\",\"reason\":\"manual\",\"created\":\"x\"}", "",
       "line 6: created"},
      {"{\"prefix\":\"1.2.3.4\",\"reason\":\"manual\"},\n"
       "{\"prefix\":\"1.2.3.4\",\"reason\":\"manual\"}",
       "", "line 7: the ban of 1.2.3.4 is there twice"},
      {"", "{\"name\":\"a\"}", "expected a name and a value"},
      {"", "{\"name\":\"\",\"value\":\"\"}", "line 9: value"},
      {"", "{\"name\":\"a\",\"value\":\"\"},\n{\"name\":\"a\",\"value\":\"\"}",
       "the value a is there twice"},
  };
  char url[256], path[256];
  snprintf(url, sizeof url, "%s", url_of("json", "bans"));
  snprintf(path, sizeof path, "%s", path_of("bans"));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    write_json(path, 1, "", bad[i].bans, bad[i].values);
    struct mp_store *store =
        store_at(url, (struct mp_store_options){.read_only = true});
    if (!strstr(mp_store_warning(store), bad[i].says))
      CHECK_TEXT(mp_store_warning(store), bad[i].says);
    CHECK_INT(mp_ban_count(store), 0);
    mp_store_close(store);
  }
}

static void json_keeps_fields_it_does_not_know(void) {
  const char *row = "{\"id\":\"%s\",\"score\":1234605616436508552,"
                    "\"address\":\"1.2.3.4:1\",\"nest\":{\"a\":[\"}\",2]},"
                    "\"status\":\"valid\"}";
  char peers[400], url[256], path[256];
  size_t size;
  snprintf(url, sizeof url, "%s", url_of("json", "unknown"));
  snprintf(path, sizeof path, "%s", path_of("unknown"));
  snprintf(peers, sizeof peers, row, id_a);
  write_json(path, 1, peers, "", "");
  for (int i = 0; i < 2; i++) {
    struct mp_store *store = store_at(url, (struct mp_store_options){0});
    CHECK_TEXT(mp_store_warning(store), "");
    CHECK_TEXT(mp_peer_unknown(get(store, "1.2.3.4:1")),
               "{\"score\":1234605616436508552,\"nest\":{\"a\":[\"}\",2]}}");
    set_status(store, "1.2.3.4:1", MP_STATUS_INACCESSIBLE, T0);
    CHECK_INT(mp_store_save(store, NULL), 0);
    mp_store_close(store);
  }
  char *text = slurp(path, &size);
  CHECK(strstr(text, "\"score\":1234605616436508552,\"nest\":"));
  free(text);
}

static void a_newer_json_file_is_refused_and_left_alone(void) {
  struct mp_store *store;
  struct mp_fault fault = {0};
  char url[256], path[256];
  snprintf(url, sizeof url, "%s", url_of("json", "newer"));
  snprintf(path, sizeof path, "%s", path_of("newer"));
  write_json(path, 2, "", "", "");
  CHECK_INT(mp_store_open(&store, url, NULL, &fault), MP_ESTORE);
  CHECK(strstr(fault.text, "version 2") && strstr(fault.text, path));
  const char *other = "{\"format\":\"moonpeer-store\",\"version\":3}\n";
  spit(path, other, strlen(other));
  CHECK_INT(mp_store_open(&store, url, NULL, &fault), MP_ESTORE);
  CHECK_INT(access(path, F_OK), 0);
}

/* --- sqlite */

static char db_path[256], db_url[256];

static void new_db(const char *name) {
  snprintf(db_url, sizeof db_url, "%s", url_of("sqlite", name));
  snprintf(db_path, sizeof db_path, "%s", path_of(name));
  struct mp_store *store = store_at(db_url, (struct mp_store_options){0});
  add(store, "1.2.3.4:1", T0);
  add(store, "1.2.3.4:2", T0);
  ban(store, "9.9.9.9", 0, T0);
  CHECK_INT(mp_store_save(store, NULL), 0);
  mp_store_close(store);
}

static void sql(const char *statements) {
  sqlite3 *db;
  char *error = NULL;
  CHECK_INT(sqlite3_open(db_path, &db), 0);
  if (sqlite3_exec(db, statements, NULL, NULL, &error))
    CHECK_TEXT(error, "");
  sqlite3_close(db);
}

static void sqlite_says_which_row_is_wrong_and_what(void) {
  static const struct {
    const char *change, *says;
  } bad[] = {
      {"UPDATE peer SET services = 'x' WHERE row = 2",
       "table peer, row 2: services: expected a number"},
      {"UPDATE peer SET services = 5 WHERE row = 1",
       "table peer, row 1: its checksum does not match"},
      {"UPDATE peer SET address = '1.2.3.400:1' WHERE row = 1",
       "address: expected an address"},
      {"UPDATE peer SET id = NULL", "id: expected 16 bytes"},
      {"UPDATE peer SET status = 'dead'", "status: expected one of its names"},
      {"UPDATE peer SET last_seen = -1", "last_seen: expected a number in"},
      {"UPDATE peer SET data = x'00'", "data: expected a text"},
      {"DELETE FROM peer WHERE row = 1", "table peer: expected 2 rows, got 1"},
      {"INSERT INTO peer SELECT 7, id, address, status, status_time, "
       "ban_reason,"
       " source, source_address, services, protocol_version, start_height,"
       " first_seen, last_seen, last_tried, failures, rtt, user_agent, data,"
       " sum, unknown FROM peer WHERE row = 1",
       "row 3: its checksum"},
      {"UPDATE ban SET prefix = '1.2.3.4/1'", "table ban, row 1: prefix"},
      {"DROP TABLE peer", "no such table"},
      {"PRAGMA application_id = 1", "is no store of ours"},
      {"PRAGMA user_version = 99", "says two things of its version"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char name[32];
    snprintf(name, sizeof name, "db-%zu", i);
    new_db(name);
    sql(bad[i].change);
    struct mp_store *store = store_at(db_url, (struct mp_store_options){0});
    if (!strstr(mp_store_warning(store), bad[i].says))
      CHECK_TEXT(mp_store_warning(store), bad[i].says);
    CHECK(strstr(mp_store_warning(store), "good copy"));
    CHECK_INT(mp_store_count(store), 2); /* from the good copy */
    mp_store_close(store);
  }
}

static void a_newer_sqlite_file_is_refused_and_left_alone(void) {
  struct mp_store *store;
  struct mp_fault fault = {0};
  new_db("newer-db");
  sql("PRAGMA user_version = 99; UPDATE meta SET value = 99"
      " WHERE name = 'version'");
  CHECK_INT(mp_store_open(&store, db_url, NULL, &fault), MP_ESTORE);
  CHECK(strstr(fault.text, "version 99") && strstr(fault.text, db_path));
  CHECK_INT(access(db_path, F_OK), 0);
}

static void an_older_sqlite_file_is_brought_up(void) {
  new_db("older-db");
  sql("ALTER TABLE peer DROP COLUMN unknown; PRAGMA user_version = 1;"
      " UPDATE meta SET value = 1 WHERE name = 'version'");
  for (int i = 0; i < 3; i++) { /* reading does not change the file */
    struct mp_store *store =
        store_at(db_url, (struct mp_store_options){.read_only = i < 2});
    CHECK_TEXT(mp_store_warning(store), "");
    CHECK_INT(mp_store_count(store), 2);
    mp_store_close(store);
  }
  sql("UPDATE peer SET unknown = NULL");
}

/* --- functions */

/* A backend that keeps rows in a list, as a script's table might. */
struct table {
  unsigned loads, applies, closes, peers, deleted, bans, values;
  bool fails;
};

static int table_load(void *data, struct mp_loader *loader,
                      struct mp_fault *fault) {
  struct table *table = data;
  uint8_t id[MP_UUID_SIZE] = {1};
  struct mp_address address = at("4.4.4.4:4");
  table->loads++;
  int rc = mp_load_peer(
      loader, 3,
      &(struct mp_peer_new){
          .id = id, .address = &address, .change = &(struct mp_peer_change){0}},
      fault);
  id[0] = 2;
  CHECK_INT(
      mp_load_peer(loader, 3,
                   &(struct mp_peer_new){.id = id,
                                         .address = &address,
                                         .change = &(struct mp_peer_change){0}},
                   NULL),
      MP_ESTORE);
  return rc;
}

static int table_apply(void *data, const struct mp_batch *batch,
                       struct mp_fault *fault) {
  struct table *table = data;
  (void)fault;
  table->applies++;
  for (uint32_t i = 0; i < mp_batch_peer_count(batch); i++) {
    uint32_t row;
    const struct mp_peer *peer = mp_batch_peer(batch, i, &row);
    CHECK(row > 0);
    table->peers += peer != NULL;
    table->deleted += peer == NULL;
  }
  table->bans += mp_batch_ban_count(batch);
  table->values += mp_batch_value_count(batch);
  return table->fails ? MP_ESTORE : 0;
}

static void table_close(void *data) {
  struct table *table = data;
  table->closes++;
}

static void functions_can_be_a_backend(void) {
  struct mp_backend backend = {
      .load = table_load, .apply = table_apply, .close = table_close};
  struct table table = {0};
  struct mp_store *store =
      store_at("table:", (struct mp_store_options){.backend = &backend,
                                                   .backend_data = &table});
  CHECK_INT(table.loads, 1);
  const struct mp_peer *peer = get(store, "4.4.4.4:4");
  CHECK(peer != NULL);
  add(store, "5.5.5.5", T0);
  mp_store_delete(store, mp_peer_id(peer), NULL);
  ban(store, "6.6.6.6", 0, T0);
  mp_store_set_value(store, "a", "b", 1, NULL);
  table.fails = true;
  CHECK_INT(mp_store_save(store, NULL), MP_ESTORE);
  table.fails = false;
  CHECK_INT(mp_store_save(store, NULL), 0);
  CHECK_INT(mp_store_save(store, NULL), 0); /* nothing: not asked */
  CHECK_INT(table.applies, 2);
  CHECK_INT(table.peers, 2);
  CHECK_INT(table.deleted, 2);
  CHECK_INT(table.bans, 2);
  CHECK_INT(table.values, 2);
  mp_store_close(store);
  CHECK_INT(table.closes, 1);
}

TEST_MAIN(TEST(json_says_which_line_is_wrong_and_what),
          TEST(json_says_which_ban_or_value_is_wrong),
          TEST(json_keeps_fields_it_does_not_know),
          TEST(a_newer_json_file_is_refused_and_left_alone),
          TEST(sqlite_says_which_row_is_wrong_and_what),
          TEST(a_newer_sqlite_file_is_refused_and_left_alone),
          TEST(an_older_sqlite_file_is_brought_up),
          TEST(functions_can_be_a_backend))
