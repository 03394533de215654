/* declare_test - messages that are declared at run time. */
#include "moonpeer/message.h"
#include "wire_data.h"

static void a_message_declared_at_run_time_works_like_any_other(void) {
  struct mp_field pair_fields[] = {
      {.name = "key", .type = MP_FIELD_VAR_TEXT, .max = 8},
      {.name = "value", .type = MP_FIELD_INT, .size = 2},
  };
  struct mp_layout pair = {pair_fields, 2};
  struct mp_field fields[] = {
      {.name = "count", .type = MP_FIELD_COUNT_OF, .of = "pairs"},
      {.name = "pairs", .type = MP_FIELD_LIST, .item = &pair, .max = 2},
      {.name = "flag", .type = MP_FIELD_BOOL, .flags = MP_TAIL},
  };
  struct mp_layout layout = {fields, 3};
  struct mp_message_type type = {.command = "pairs", .layout = &layout};
  struct mp_fault fault = {0};
  CHECK_INT(mp_message_type_check(&type, &fault), 0);
  struct mp_encoder *encoder = mp_encoder_new();
  mp_encoder_start(encoder, &type);
  mp_encoder_begin(encoder, "pairs", NULL);
  mp_encoder_begin(encoder, NULL, NULL);
  mp_encoder_integer(encoder, "value", -2, NULL);
  mp_encoder_bytes(encoder, "key", "ab", 2, NULL);
  mp_encoder_end(encoder, NULL);
  mp_encoder_end(encoder, NULL);
  const uint8_t *payload;
  size_t n;
  CHECK_INT(mp_encoder_finish(encoder, &payload, &n, NULL), 0);
  CHECK_INT(n, 6);
  CHECK(memcmp(payload, "\1\2ab\xfe\xff", 6) == 0);
  struct mp_message message;
  CHECK_INT(mp_message_open_as(&message, &type, payload, n, &fault), 0);
  CHECK_INT(mp_message_open_as(&message, &type, "\1\2ab\xfe", 5, &fault),
            MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "pairs: pairs[0].value at offset 4: expected 2 "
                         "bytes, 1 are left");
  type.limit = 4;
  CHECK_INT(mp_message_open_as(&message, &type, "\1\2ab\xfe\xff", 6, &fault),
            MP_EPROTOCOL);
  CHECK_TEXT(fault.text, "pairs: expected at most 4 bytes of payload, got 6");
  mp_encoder_free(encoder);
}

static void check_unsound(struct mp_field *fields, size_t n, const char *text) {
  struct mp_layout layout = {fields, n};
  struct mp_message_type type = {.command = "own", .layout = &layout};
  struct mp_fault fault = {0};
  CHECK_INT(mp_message_type_check(&type, &fault), MP_ECONFIG);
  CHECK_TEXT(fault.text, text);
}

#define UNSOUND(text, ...)                                                     \
  do {                                                                         \
    struct mp_field fields_[] = {__VA_ARGS__};                                 \
    check_unsound(fields_, sizeof fields_ / sizeof *fields_, "own: " text);    \
  } while (0)

/* What may be missing counts for nothing where a size must be there. */
static void a_hash_is_of_bytes_that_are_always_there(void) {
  UNSOUND("h: expected a size that the record always has",
          {.name = "h", .type = MP_FIELD_HASH_OF, .size = 8},
          {.name = "a", .type = MP_FIELD_UINT, .size = 4},
          {.name = "b", .type = MP_FIELD_BOOL, .flags = MP_TAIL},
          {.name = "c", .type = MP_FIELD_UINT, .size = 8});
  UNSOUND("h: expected a size that the record always has",
          {.name = "h", .type = MP_FIELD_HASH_OF, .size = 1},
          {.name = "a", .type = MP_FIELD_BOOL, .flags = MP_LENIENT});
  UNSOUND("b: expected an item",
          {.name = "h", .type = MP_FIELD_HASH_OF, .size = 1},
          {.name = "b", .type = MP_FIELD_RECORD});
  UNSOUND("n: only a hash may be of the first bytes",
          {.name = "n", .type = MP_FIELD_SIZE_OF, .size = 9});
}

static void an_address_has_its_kind_before_it(void) {
  UNSOUND(
      "a: expected a byte before it that says the network",
      {.name = "a", .type = MP_FIELD_VAR_BYTES, .flags = MP_NETWORK_ADDRESS});
  UNSOUND(
      "a: expected a byte before it that says the network",
      {.name = "k", .type = MP_FIELD_BOOL},
      {.name = "a", .type = MP_FIELD_VAR_BYTES, .flags = MP_NETWORK_ADDRESS});
}

/* Its default is for who reads it, and does not make others present. */
static void an_absent_field_says_nothing_about_others(void) {
  struct mp_field fields[] = {
      {.name = "a", .type = MP_FIELD_BOOL},
      {.name = "b",
       .type = MP_FIELD_BOOL,
       .flags = MP_DEFAULT,
       .initial = 1,
       .when = "a",
       .when_min = 1},
      {.name = "c", .type = MP_FIELD_BOOL, .when = "b", .when_min = 1},
  };
  struct mp_layout layout = {fields, 3};
  struct mp_message_type type = {.command = "own", .layout = &layout};
  struct mp_message message;
  struct mp_value value;
  CHECK_INT(mp_message_type_check(&type, NULL), 0);
  CHECK_INT(mp_message_open_as(&message, &type, "\0", 1, NULL), 0);
  CHECK(mp_record_find(&message.fields, "b", &value));
  CHECK(value.is_default && value.number == 1);
  CHECK(mp_record_find(&message.fields, "c", &value));
  CHECK_INT(value.kind, MP_VALUE_NONE);
}

static void unsound_declarations_are_refused(void) {
  struct mp_layout none = {0};
  struct mp_field loop_field = {.name = "a", .type = MP_FIELD_RECORD};
  struct mp_layout loop = {&loop_field, 1};
  loop_field.item = &loop;
  UNSOUND("a: expected a size of 1 to 8 bytes",
          {.name = "a", .type = MP_FIELD_UINT, .size = 9});
  UNSOUND("a: expected a size of 1, 2, 4 or 8 bytes",
          {.name = "a", .type = MP_FIELD_INT, .size = 3});
  UNSOUND("a: the name is taken", {.name = "a", .type = MP_FIELD_BOOL},
          {.name = "a", .type = MP_FIELD_BOOL});
  UNSOUND("expected a name for every field", {.type = MP_FIELD_BOOL});
  UNSOUND("a: unknown type", {.name = "a", .type = (enum mp_field_type)99});
  UNSOUND("a: expected an item", {.name = "a", .type = MP_FIELD_LIST});
  UNSOUND("a: expected entries of at least one byte",
          {.name = "a", .type = MP_FIELD_LIST, .item = &none});
  UNSOUND("a: records and lists are nested too deeply",
          {.name = "a", .type = MP_FIELD_RECORD, .item = &loop});
  UNSOUND("a: expected an earlier field in when",
          {.name = "a", .type = MP_FIELD_BOOL, .when = "b"},
          {.name = "b", .type = MP_FIELD_BOOL});
  UNSOUND("n: expected a list in of",
          {.name = "n", .type = MP_FIELD_COUNT_OF, .of = "b"},
          {.name = "b", .type = MP_FIELD_BOOL});
  UNSOUND("h: expected a size that the record always has",
          {.name = "h", .type = MP_FIELD_HASH_OF, .size = 2},
          {.name = "b", .type = MP_FIELD_BOOL});
  struct mp_field many[MP_LAYOUT_FIELDS + 1] = {{.name = "a"}};
  check_unsound(many, MP_LAYOUT_FIELDS + 1,
                "own: expected at most 24 fields in a record");
  struct mp_message_type type = {.command = "thirteenbytes"};
  CHECK_INT(mp_message_type_check(&type, NULL), MP_ECONFIG);
  type.command = "";
  CHECK_INT(mp_message_type_check(&type, NULL), MP_ECONFIG);
  type.command = "a\nb";
  CHECK_INT(mp_message_type_check(&type, NULL), MP_ECONFIG);
}

TEST_MAIN(TEST(a_message_declared_at_run_time_works_like_any_other),
          TEST(a_hash_is_of_bytes_that_are_always_there),
          TEST(an_address_has_its_kind_before_it),
          TEST(an_absent_field_says_nothing_about_others),
          TEST(unsound_declarations_are_refused))
