/* config_test - the schema of a configuration: every key has a place, a type
 * and a range of its own. */
#include <math.h>

#include "moonpeer/config.h"
#include "moonpeer/loop.h"
#include "moonpeer/text.h"
#include "test.h"

static struct mp_config fresh(void) {
  struct mp_config config;
  mp_config_init(&config, mp_network_find("regtest"));
  return config;
}

static bool is_number(const struct mp_config_key *key) {
  return key->type != MP_KEY_TEXT && key->type != MP_KEY_FLAG;
}

/* The number to set a key with, of its value. */
static double number_of(const struct mp_config_key *key, int64_t value) {
  if (key->type == MP_KEY_DURATION)
    return (double)value / (double)MP_SECOND;
  return key->type == MP_KEY_NUMBER ? (double)value / 1000 : (double)value;
}

/* The least step that shows at the ends of a key's range. */
static double step_of(const struct mp_config_key *key) {
  return key->type == MP_KEY_DURATION || key->type == MP_KEY_NUMBER ? 0.001 : 1;
}

static void check_refused(const struct mp_config_key *key, double number) {
  struct mp_config config = fresh(), before = config;
  struct mp_fault fault = {.text = ""};
  CHECK_INT(mp_config_set_number(&config, key, number, &fault), MP_ECONFIG);
  CHECK_INT(fault.code, MP_ECONFIG);
  CHECK(strncmp(fault.text, key->name, strlen(key->name)) == 0);
  const struct mp_config_key *changed[1];
  CHECK_INT(mp_config_changes(&before, &config, changed, 1), 0);
  CHECK_INT(mp_config_set_number(&config, key, number, NULL), MP_ECONFIG);
}

static void check_taken(const struct mp_config_key *key, double number) {
  struct mp_config config = fresh();
  struct mp_fault fault = {.text = ""};
  mp_config_set_number(&config, key, number, &fault);
  CHECK_TEXT(fault.text, "");
}

static void every_number_has_its_range(void) {
  size_t n;
  const struct mp_config_key *keys = mp_config_keys(&n);
  for (size_t i = 0; i < n; i++) {
    const struct mp_config_key *key = keys + i;
    if (!is_number(key))
      continue;
    fprintf(stderr, "  %s\n", key->name);
    double least = number_of(key, key->least), most = number_of(key, key->most);
    check_taken(key, least);
    check_taken(key, most);
    check_refused(key, least - step_of(key));
    check_refused(key, most + step_of(key));
    check_refused(key, -1e300);
    check_refused(key, 1e300);
    check_refused(key, (double)NAN);
  }
}

static void whole_numbers_have_no_fractions(void) {
  check_refused(mp_config_key("max_connections"), 1.5);
  check_refused(mp_config_key("receive_memory"), 5000.25);
  check_refused(mp_config_key("protocol_version"), 70016.5);
  check_taken(mp_config_key("connect_timeout"), 1.5);
}

static void values_arrive_at_their_places_alone(void) {
  size_t n;
  const struct mp_config_key *keys = mp_config_keys(&n);
  for (size_t i = 0; i < n; i++) {
    const struct mp_config_key *changed[4];
    struct mp_config before = fresh(), after = fresh();
    if (!is_number(keys + i))
      continue;
    mp_config_set_number(&before, keys + i, number_of(keys + i, keys[i].least),
                         NULL);
    mp_config_set_number(&after, keys + i, number_of(keys + i, keys[i].most),
                         NULL);
    CHECK_INT(mp_config_changes(&before, &after, changed, 4), 1);
    CHECK_TEXT(changed[0]->name, keys[i].name);
  }
}

static void durations_may_be_texts(void) {
  struct mp_config config = fresh();
  const struct mp_config_key *key = mp_config_key("handshake_timeout");
  CHECK_INT(mp_config_set_text(&config, key, "250ms", NULL), 0);
  CHECK_INT(config.session.handshake_timeout, 250 * MP_MILLISECOND);
  CHECK_INT(mp_config_set_text(&config, key, "soon", NULL), MP_ECONFIG);
  CHECK_INT(mp_config_set_text(&config, key, "2h", NULL), MP_ECONFIG);
  CHECK_INT(mp_config_set_flag(&config, key, true, NULL), MP_ECONFIG);
  CHECK_INT(config.session.handshake_timeout, 250 * MP_MILLISECOND);
}

static void texts_have_a_longest(void) {
  struct mp_config config = fresh();
  const struct mp_config_key *key = mp_config_key("user_agent");
  char text[MP_USER_AGENT + 2];
  memset(text, 'x', sizeof text);
  text[MP_USER_AGENT + 1] = '\0';
  CHECK_INT(mp_config_set_text(&config, key, text, NULL), MP_ECONFIG);
  text[MP_USER_AGENT] = '\0';
  CHECK_INT(mp_config_set_text(&config, key, text, NULL), 0);
  CHECK_TEXT(config.session.user_agent, text);
  CHECK_INT(mp_config_set_text(&config, key, "", NULL), 0);
  CHECK_INT(mp_config_set_number(&config, key, 5, NULL), MP_ECONFIG);
}

static void the_defaults_are_those_that_are_promised(void) {
  const struct mp_config c = fresh();
  CHECK_INT(c.target_connections, 8);
  CHECK_INT(c.max_connections, 20);
  CHECK_INT(c.session.connect_timeout, 5 * MP_SECOND);
  CHECK_INT(c.session.handshake_timeout, 15 * MP_SECOND);
  CHECK_INT(c.session.ping_interval, 120 * MP_SECOND);
  CHECK_INT(c.session.ping_timeout, 30 * MP_SECOND);
  CHECK_INT(c.session.receive_memory, 4 << 20);
  CHECK_INT(c.session.send_memory, 1 << 20);
  CHECK_INT(c.session.protocol_version, 70016);
  CHECK_INT(c.ban_time, 24 * 3600 * MP_SECOND);
  CHECK_INT(c.inaccessible_time, 24 * 3600 * MP_SECOND);
  CHECK_INT(c.discovery_interval, 3600 * MP_SECOND);
  CHECK_INT(c.half_open, 32);
  CHECK_INT(c.per_address, 5);
  CHECK_INT(c.per_group, 0); /* a quarter */
  CHECK_INT(c.max_retries, 10);
  CHECK_INT(c.initial_backoff, 5 * MP_SECOND);
  CHECK_INT(c.max_backoff, 600 * MP_SECOND);
  CHECK(c.backoff_multiplier == 2.0 && c.session.jitter == 0.5);
  CHECK_INT(c.max_restarts, 3);
  CHECK_INT(c.restart_window, 3600 * MP_SECOND);
  CHECK_INT(c.max_peers, 65536);
  CHECK_INT(c.max_bans, 100000);
  CHECK_INT(c.receive_memory_total, 512 << 20);
  CHECK_INT(c.send_memory_total, 512 << 20);
  CHECK(!c.has_listen && !c.is_fixed);
  char agent[MP_USER_AGENT + 1];
  snprintf(agent, sizeof agent, "/moonpeer:%s/", mp_version_text());
  CHECK_TEXT(c.session.user_agent, agent);
  CHECK_INT(mp_config_check(&c, NULL), 0);
}

static void connections_must_fit_together(void) {
  struct mp_config config = fresh();
  struct mp_fault fault = {.text = ""};
  config.target_connections = 21;
  CHECK_INT(mp_config_check(&config, &fault), MP_ELIMITS);
  CHECK(strstr(fault.text, "target_connections (21)") != NULL);
  config.max_connections = 21;
  CHECK_INT(mp_config_check(&config, &fault), 0);
}

static const char *key_name(void *data, size_t i) {
  size_t n;
  (void)data;
  return mp_config_keys(&n)[i].name;
}

static void a_slip_finds_the_nearest_key(void) {
  static const char *const slips[][2] = {
      {"target_connection", "target_connections"},
      {"max_conections", "max_connections"},
      {"handshake_timout", "handshake_timeout"},
      {"Ping_Interval", "ping_interval"},
      {"usr_agent", "user_agent"},
  };
  size_t n;
  mp_config_keys(&n);
  for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
    CHECK(mp_config_key(slips[i][0]) == NULL);
    const char *nearest = mp_nearest(slips[i][0], key_name, NULL, n);
    CHECK_TEXT(nearest ? nearest : "(none)", slips[i][1]);
  }
  CHECK(mp_nearest("zzzzzzzzzzzzzzzzzzzz", key_name, NULL, n) == NULL);
}

static void every_key_is_found_by_its_name_and_says_what_it_is(void) {
  size_t n;
  const struct mp_config_key *keys = mp_config_keys(&n);
  for (size_t i = 0; i < n; i++) {
    CHECK(mp_config_key(keys[i].name) == &keys[i]);
    CHECK(keys[i].about[0] && keys[i].least <= keys[i].most);
  }
}

TEST_MAIN(TEST(every_number_has_its_range),
          TEST(whole_numbers_have_no_fractions),
          TEST(values_arrive_at_their_places_alone),
          TEST(durations_may_be_texts), TEST(texts_have_a_longest),
          TEST(the_defaults_are_those_that_are_promised),
          TEST(connections_must_fit_together),
          TEST(a_slip_finds_the_nearest_key),
          TEST(every_key_is_found_by_its_name_and_says_what_it_is))
