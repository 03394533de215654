/* message_vectors_test - every vector, every made message and every frame of
 * the captures: decoded to the fields given, and encoded to the same bytes. */
#include "moonpeer/message.h"

#include "wire/frame.h"
#include "wire_copy.h"
#include "wire_json.h"

static struct mp_hasher *the_hasher(void) {
  static struct mp_hasher *hasher;
  if (!hasher)
    hasher = mp_hasher_new();
  CHECK(hasher != NULL);
  return hasher;
}

/* Decodes a copy of exactly n bytes. */
static int decode(const char *command, const uint8_t *bytes, size_t n,
                  struct mp_fault *fault) {
  struct mp_message message;
  uint8_t *copy = malloc(n);
  memcpy(copy, bytes, n);
  int rc = mp_message_open(&message, command, copy, n, fault);
  free(copy);
  return rc;
}

/* --- the fields given ---------------------------------------------------- */

static int is_same(const cJSON *want, const cJSON *got, const char *name);

static int is_same_object(const cJSON *want, const cJSON *got) {
  const cJSON *item;
  cJSON_ArrayForEach(item, want) {
    const char *name = item->string;
    if (strcmp(name, "nonce_hex") == 0)
      name = "nonce";
    if (strcmp(name, "salt_hex") == 0)
      name = "salt";
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(got, name);
    if (!is_same(item, own, name)) {
      char *wanted = cJSON_PrintUnformatted(item);
      char *printed = cJSON_PrintUnformatted(own);
      fprintf(stderr, "%s: expected %s, got %s\n", name, wanted,
              printed ? printed : "no such field");
      free(wanted);
      free(printed);
      return 0;
    }
  }
  return 1;
}

static int is_same_array(const cJSON *want, const cJSON *got) {
  int n = cJSON_GetArraySize(want);
  if (!cJSON_IsArray(got) || cJSON_GetArraySize(got) != n)
    return 0;
  for (int i = 0; i < n; i++)
    if (!is_same(cJSON_GetArrayItem(want, i), cJSON_GetArrayItem(got, i), ""))
      return 0;
  return 1;
}

/* What the vectors write differently from what is decoded. */
static int is_same(const cJSON *want, const cJSON *got, const char *name) {
  static const char *const notes[] = {"valid", "note", "expect", "nonce_dec",
                                      "trailing"};
  for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
    if (strcmp(notes[i], name) == 0)
      return 1;
  if (strcmp(name, "relay") == 0)
    return cJSON_IsBool(got) &&
           cJSON_IsTrue(got) == (cJSON_IsString(want) || want->valueint);
  if (cJSON_IsObject(want))
    return got && is_same_object(want, got);
  if (cJSON_IsArray(want))
    return is_same_array(want, got);
  return got && cJSON_Compare(want, got, 1);
}

/* --- one message --------------------------------------------------------- */

static void check_fields(const struct mp_message *message,
                         const cJSON *fields) {
  cJSON *json = json_record(&message->fields, the_hasher());
  CHECK(is_same_object(fields, json));
  cJSON_Delete(json);
}

static void check_round_trip(const struct mp_message *message, int backwards) {
  struct mp_encoder *encoder = mp_encoder_new();
  struct mp_fault fault = {0};
  const uint8_t *payload;
  size_t n = 0;
  mp_encoder_start(encoder, message->type);
  int rc = copy_record(encoder, &message->fields, backwards, &fault);
  if (!rc)
    rc = mp_encoder_finish(encoder, &payload, &n, &fault);
  CHECK_TEXT(fault.text, "");
  CHECK_INT(rc, 0);
  CHECK_INT(n, mp_record_size(&message->fields));
  CHECK(memcmp(payload, message->payload, n) == 0);
  mp_encoder_free(encoder);
}

/* Where a shorter payload is a good one: fields of the tail are missing, or
 * the end was trailing bytes. */
static int may_end_at(const struct mp_message *message, size_t n) {
  const struct mp_record *fields = &message->fields;
  if (n >= mp_record_size(fields))
    return 1;
  if (strcmp(message->command, "mempool") == 0)
    return 1; /* an age that is cut off is none */
  for (size_t i = 0; i < fields->layout->count; i++)
    if (fields->layout->fields[i].flags & MP_TAIL && fields->at[i] == n)
      return 1;
  return 0;
}

static void check_truncations(const struct mp_message *message) {
  for (size_t n = 0; n < message->size; n++) {
    struct mp_fault fault = {0};
    int rc = decode(message->command, message->payload, n, &fault);
    CHECK_INT(rc, may_end_at(message, n) ? 0 : MP_EPROTOCOL);
    CHECK_INT(fault.code, rc);
    char start[32];
    snprintf(start, sizeof start, "%s: ", message->command);
    if (rc)
      CHECK(strncmp(fault.text, start, strlen(start)) == 0 &&
            strstr(fault.text, " at offset ") != NULL);
  }
}

/* Bytes after a payload are ignored; only after one that ends before its tail
 * they are the tail. */
static void check_trailing(const struct mp_message *message) {
  struct mp_value from;
  if (mp_record_find(&message->fields, "addr_from", &from) && !from.kind)
    return;
  size_t n = (size_t)message->size;
  uint8_t *longer = calloc(n + 9, 1);
  struct mp_message got;
  memcpy(longer, message->payload, n);
  CHECK_INT(mp_message_open(&got, message->command, longer, n + 9, NULL), 0);
  if (message->type && message->type->layout &&
      strcmp(message->command, "mempool") != 0) {
    size_t used = mp_record_size(&got.fields);
    CHECK(used >= mp_record_size(&message->fields) && used <= n + 9);
  }
  free(longer);
}

/* Whether a payload that the reference node dislikes decodes all the same:
 * what is wrong with it is not for the decoder to say. */
static int is_session_affair(const char *name) {
  return strcmp(name, "ping_pre_bip31_empty") == 0 ||
         strcmp(name, "version_banned_ua_bch") == 0 ||
         strcmp(name, "protoconf_too_small") == 0;
}

static void check_message(const cJSON *vector) {
  const char *command = text_of(vector, "command");
  const char *name = text_of(vector, "name");
  const cJSON *fields = cJSON_GetObjectItem(vector, "fields");
  int good = cJSON_IsTrue(cJSON_GetObjectItem(fields, "valid")) ||
             is_session_affair(name);
  size_t n;
  uint8_t *bytes = hex_bytes(text_of(vector, "payload_hex"), &n);
  struct mp_message message;
  struct mp_fault fault = {0};
  int rc = mp_message_open(&message, command, bytes, n, &fault);
  CHECK_INT(rc, good ? 0 : MP_EPROTOCOL);
  CHECK_INT(fault.code, rc);
  if (good && message.fields.layout) {
    check_fields(&message, fields);
    check_round_trip(&message, 0);
    check_round_trip(&message, 1);
    check_truncations(&message);
    check_trailing(&message);
  }
  free(bytes);
}

static int check_file(const char *file) {
  char *text = data_text(file);
  cJSON *vectors = cJSON_Parse(text), *vector;
  int seen = 0;
  CHECK(vectors != NULL);
  cJSON_ArrayForEach(vector, vectors) {
    const char *name = text_of(vector, "name");
    if (text_of(vector, "command")[0] == '(' || strncmp(name, "neg_", 4) == 0 ||
        strncmp(name, "extmsg", 6) == 0)
      continue;
    fprintf(stderr, "  %s\n", name);
    check_message(vector);
    seen++;
  }
  cJSON_Delete(vectors);
  free(text);
  return seen;
}

static void every_vector_decodes_to_its_fields_and_back(void) {
  CHECK_INT(check_file("vectors.json"), 72);
}

static void so_does_a_message_of_every_other_kind(void) {
  CHECK_INT(check_file("messages.json"), 33);
}

/* --- all messages -------------------------------------------------------- */

static void mark(const char *file, int *seen) {
  char *text = data_text(file);
  cJSON *vectors = cJSON_Parse(text), *vector;
  size_t n;
  const struct mp_message_type *list = mp_message_list(&n);
  cJSON_ArrayForEach(vector, vectors) {
    const struct mp_message_type *type =
        mp_message_find(text_of(vector, "command"));
    if (type)
      seen[type - list] = 1;
  }
  cJSON_Delete(vectors);
  free(text);
}

static void every_message_with_fields_has_an_example(void) {
  size_t n;
  const struct mp_message_type *list = mp_message_list(&n);
  int *seen = calloc(n, sizeof *seen);
  mark("vectors.json", seen);
  mark("messages.json", seen);
  for (size_t i = 0; i < n; i++) {
    if (list[i].layout && !seen[i])
      fprintf(stderr, "no example of %s\n", list[i].command);
    CHECK(seen[i] || !list[i].layout);
  }
  free(seen);
}

static const char *const spoken[] = {
    "version",    "verack",      "ping",        "pong",       "addr",
    "getaddr",    "inv",         "getdata",     "notfound",   "getblocks",
    "getheaders", "headers",     "block",       "tx",         "mempool",
    "reject",     "sendheaders", "feefilter",   "sendcmpct",  "cmpctblock",
    "blocktxn",   "getblocktxn", "merkleblock", "filterload", "filteradd",
    "protoconf",  "filterclear", "createstrm",  "streamack",  "authch",
    "authresp",   "gethdrsen",   "hdrsen",      "sendhdrsen", "revokemid",
    "dsdetected", "datareftx",
};

static void everything_a_node_says_has_fields(void) {
  for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++) {
    const struct mp_message_type *type = mp_message_find(spoken[i]);
    CHECK(type && type->layout && !type->is_foreign);
  }
}

static void the_table_is_sorted_and_sound(void) {
  size_t n;
  const struct mp_message_type *list = mp_message_list(&n);
  for (size_t i = 0; i < n; i++) {
    struct mp_fault fault = {0};
    CHECK(i == 0 || strcmp(list[i - 1].command, list[i].command) < 0);
    CHECK(mp_message_find(list[i].command) == &list[i]);
    CHECK(list[i].summary && list[i].source);
    mp_message_type_check(&list[i], &fault);
    CHECK_TEXT(fault.text, "");
  }
  CHECK(mp_message_find("nosuch") == NULL);
  CHECK(mp_message_find("") == NULL);
}

/* --- captures ------------------------------------------------------------ */

static int check_frame(const struct frame *frame) {
  struct mp_message message;
  struct mp_fault fault = {0};
  int rc = mp_message_open(&message, frame->command, frame->payload,
                           frame->payload_size, &fault);
  if (rc)
    return rc;
  if (message.fields.layout) {
    check_round_trip(&message, 0);
    check_truncations(&message);
    CHECK_INT(mp_record_size(&message.fields), message.size);
  }
  return 0;
}

/* The frames in one line of a capture; what the client sent to provoke the
 * node is not all good. */
static int check_line(const char *line, struct hasher *hasher, int *refused) {
  cJSON *json = cJSON_Parse(line);
  const char *hex = text_of(json, "frame");
  size_t n, at = 0;
  uint8_t *bytes = hex_bytes(hex, &n);
  int seen = 0, rc = 1;
  while (at < n && rc == 1) {
    struct frame frame;
    rc = frame_next(mp_network_find("regtest"), bytes + at, n - at, &frame,
                    NULL);
    if (rc != 1)
      break;
    at += frame.header_size + (size_t)frame.payload_size;
    int bad = frame_check(hasher, &frame, NULL) || check_frame(&frame);
    CHECK(!bad || strcmp(text_of(json, "sender"), "us") == 0);
    *refused += bad;
    seen++;
  }
  *refused += rc != 1;
  cJSON_Delete(json);
  free(bytes);
  return seen;
}

static int check_capture(const char *name, int *refused) {
  char path[64], *text, *rest;
  snprintf(path, sizeof path, "captures/%s.jsonl", name);
  text = data_text(path);
  struct hasher *hasher = hasher_new();
  int seen = 0;
  *refused = 0;
  for (char *line = strtok_r(text, "\n", &rest); line;
       line = strtok_r(NULL, "\n", &rest))
    seen += check_line(line, hasher, refused);
  hasher_free(hasher);
  free(text);
  return seen;
}

static void captured_frames_come_back_byte_for_byte(void) {
  static const struct {
    const char *name;
    int frames, refused;
  } captures[] = {
      {"bad-checksum", 13, 1},
      {"banned-user-agent", 1, 0},
      {"drip", 10, 0},
      {"duplicate-version", 12, 0},
      {"http-get", 0, 1},
      {"inbound-full", 23, 0},
      {"inbound-no-protoconf", 10, 0},
      {"inv-unknown-block", 12, 0},
      {"obsolete-version", 2, 0},
      {"outbound-full", 13, 0},
      {"oversize", 0, 1},
      {"short-ping", 12, 1},
      {"wrong-magic", 0, 1},
  };
  for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
    int refused, seen = check_capture(captures[i].name, &refused);
    fprintf(stderr, "  %s\n", captures[i].name);
    CHECK_INT(seen, captures[i].frames);
    CHECK_INT(refused, captures[i].refused);
  }
}

TEST_MAIN(TEST(every_vector_decodes_to_its_fields_and_back),
          TEST(so_does_a_message_of_every_other_kind),
          TEST(every_message_with_fields_has_an_example),
          TEST(everything_a_node_says_has_fields),
          TEST(the_table_is_sorted_and_sound),
          TEST(captured_frames_come_back_byte_for_byte))
