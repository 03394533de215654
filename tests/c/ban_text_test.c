/* ban_text_test - lists of bans that others wrote, and ours for others. */
#include "store_help.h"

static bool is_banned(struct mp_store *store, const char *text, int64_t now) {
  struct mp_address address = at(text);
  return mp_ban_find(store, &address, now, NULL);
}

static const char *banned_by(struct mp_store *store, const char *text) {
  static char prefix[MP_PREFIX_TEXT];
  struct mp_address address = at(text);
  struct mp_ban found;
  if (!mp_ban_find(store, &address, T0, &found))
    return "";
  return mp_prefix_format(&found.prefix, prefix);
}

static const char bitcoin[] =
    "{\"banned_nets\": [\n"
    "{\"version\": 1, \"ban_created\": 1799999000, \"banned_until\": "
    "1800003600, \"address\": \"1.2.3.0/24\"},\n"
    "{\"version\": 1, \"ban_created\": 1799999000, \"banned_until\": "
    "1799999999, \"address\": \"9.9.9.9/32\"},\n"
    "{\"version\": 1, \"ban_created\": 1799999000, \"banned_until\": "
    "253402300799, \"address\": \"2001:470::/32\"}]}";

static int import(struct mp_store *store, enum mp_ban_format format,
                  const char *text, struct mp_ban_import *list,
                  struct mp_fault *fault) {
  list->format = format;
  list->text = text;
  list->size = strlen(text);
  return mp_ban_import(store, list, T0, fault);
}

static void bitcoins_banlist_is_read_and_written(void) {
  struct mp_store *store = memory_store(), *other = memory_store();
  struct mp_ban_import options = {.name = "banlist.json"};
  char *text;
  size_t size;
  CHECK_INT(import(store, MP_BAN_JSON, bitcoin, &options, NULL), 0);
  CHECK_INT(options.added, 2);
  CHECK_INT(options.expired, 1);
  CHECK_TEXT(banned_by(store, "1.2.3.4"), "1.2.3.0/24");
  CHECK(!is_banned(store, "1.2.3.4", T0 + HOUR));
  CHECK(is_banned(store, "2001:470::9", T0 + 9000 * DAY));
  CHECK_INT(mp_ban_export(store, MP_BAN_JSON, &text, &size), 0);
  CHECK(strstr(text, "\"banned_until\": 253402300799"));
  CHECK(strstr(text, "\"ban_created\": 1799999000"));
  CHECK_INT(size, strlen(text));
  CHECK_INT(import(other, MP_BAN_JSON, text, &options, NULL), 0);
  CHECK_INT(mp_ban_count(other), 2);
  free(text);
  mp_store_close(store);
  mp_store_close(other);
}

static void an_end_beyond_all_clocks_is_for_ever(void) {
  struct mp_store *store = memory_store();
  struct mp_ban_import options = {0};
  struct mp_prefix prefix = prefix_at("1.2.3.4");
  struct mp_ban found;
  const char *list = "{\"banned_nets\":[{\"address\":\"1.2.3.4\","
                     "\"ban_created\":1,\"banned_until\":12900000000}]}";
  CHECK_INT(import(store, MP_BAN_JSON, list, &options, NULL), 0);
  CHECK(mp_ban_get(store, &prefix, &found));
  CHECK(found.expires == MP_BAN_FOREVER);
  mp_store_close(store);
}

static void plain_text_is_read_and_written(void) {
  struct mp_store *store = memory_store();
  struct mp_ban_import options = {.expires = MP_BAN_FOREVER};
  const char *list = "# bad ones\n\n 1.2.3.0/24 # all\r\n2001:470::\n9.9.9.9";
  char *text;
  size_t size;
  CHECK_INT(import(store, MP_BAN_PLAIN, list, &options, NULL), 0);
  CHECK_INT(options.added, 3);
  CHECK(is_banned(store, "9.9.9.9", T0 + 9000 * DAY));
  CHECK_INT(mp_ban_export(store, MP_BAN_PLAIN, &text, &size), 0);
  CHECK_TEXT(text, "1.2.3.0/24\n2001:470::\n9.9.9.9\n");
  CHECK_INT(size, strlen(text));
  free(text);
  mp_store_close(store);
}

static void a_bad_list_is_refused_whole_and_says_where(void) {
  const struct {
    enum mp_ban_format format;
    const char *text, *where;
  } bad[] = {
      {MP_BAN_PLAIN, "1.2.3.4\n1.2.3.4/33\n", "f: line 2"},
      {MP_BAN_PLAIN, "1.2.3.4 5.6.7.8\n", "f: line 1"},
      {MP_BAN_PLAIN, "\n\n1.2.3.4/8\n", "f: line 3"},
      {MP_BAN_JSON, "", "f: expected"},
      {MP_BAN_JSON, "[]", "f: expected"},
      {MP_BAN_JSON, "{\"banned_nets\":{}}", "f: expected"},
      {MP_BAN_JSON, "{\"banned_nets\":[7]}", "f: entry 1: address"},
      {MP_BAN_JSON,
       "{\"banned_nets\":[{\"address\":\"1.2.3.4\",\"ban_created\":\"x\"}]}",
       "f: entry 1: ban_created"},
      {MP_BAN_JSON,
       "{\"banned_nets\":[{\"address\":\"1.2.3.4\",\"ban_created\":1,"
       "\"banned_until\":1900000000},{\"address\":\"1.2.3.400\","
       "\"ban_created\":1,\"banned_until\":1900000000}]}",
       "f: entry 2:"},
  };
  struct mp_store *store = memory_store();
  struct mp_ban_import options = {.name = "f"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct mp_fault fault = {0};
    CHECK_INT(import(store, bad[i].format, bad[i].text, &options, &fault),
              MP_ECONFIG);
    if (strncmp(fault.text, bad[i].where, strlen(bad[i].where)) != 0)
      CHECK_TEXT(fault.text, bad[i].where);
  }
  CHECK_INT(mp_ban_count(store), 0);
  mp_store_close(store);
}

TEST_MAIN(TEST(bitcoins_banlist_is_read_and_written),
          TEST(an_end_beyond_all_clocks_is_for_ever),
          TEST(plain_text_is_read_and_written),
          TEST(a_bad_list_is_refused_whole_and_says_where))
