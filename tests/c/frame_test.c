/* frame_test - cutting frames out of bytes, and making them. */
#include "wire/frame.h"

#include "wire_data.h"

static const char ping_text[] = "e3e1f3e870696e6700000000000000000800000033bc15"
                                "e5efcdab8967452301";
static const char extended_ping_text[] =
    "e3e1f3e86578746d7367000000000000ffffffff0000000070696e67000000000000000008"
    "00000000000000efcdab8967452301";

static struct hasher *the_hasher(void) {
  static struct hasher *hasher;
  if (!hasher)
    hasher = hasher_new();
  CHECK(hasher != NULL);
  return hasher;
}

static const struct mp_network *mainnet(void) {
  return mp_network_find("mainnet");
}

/* What frame_next says of a hex text, in a block of its exact size. */
static int next(const char *hex, struct frame *frame, struct mp_fault *fault) {
  size_t n;
  uint8_t *bytes = hex_bytes(hex, &n);
  int rc = frame_next(mainnet(), bytes, n, frame, fault);
  if (rc == 1)
    CHECK(frame->payload == bytes + frame->header_size);
  frame->payload = NULL;
  free(bytes);
  return rc;
}

static void a_whole_frame_is_cut_in_place(void) {
  struct frame frame;
  size_t n;
  uint8_t *bytes = hex_bytes(ping_text, &n);
  CHECK_INT(frame_next(mainnet(), bytes, n, &frame, NULL), 1);
  CHECK_TEXT(frame.command, "ping");
  CHECK(!frame.is_extended);
  CHECK_INT(frame.header_size, FRAME_HEADER);
  CHECK_INT(frame.payload_size, 8);
  CHECK(frame.payload == bytes + FRAME_HEADER);
  CHECK_INT(frame_check(the_hasher(), &frame, NULL), 0);
  free(bytes);
}

static void check_every_prefix_waits(const char *hex) {
  size_t n;
  uint8_t *bytes = hex_bytes(hex, &n);
  for (size_t i = 0; i < n; i++) {
    struct frame frame;
    uint8_t *part = malloc(i);
    memcpy(part, bytes, i);
    CHECK_INT(frame_next(mainnet(), part, i, &frame, NULL), 0);
    CHECK(frame.payload == NULL);
    size_t header = memcmp(bytes + 4, "extmsg", 6) ? 24 : 44;
    CHECK_INT(frame.header_size, i >= header ? header : 0);
    if (i >= header)
      CHECK_INT(frame.payload_size, 8);
    free(part);
  }
  free(bytes);
}

static void every_prefix_of_a_good_frame_waits(void) {
  check_every_prefix_waits(ping_text);
  check_every_prefix_waits(extended_ping_text);
}

static void bytes_after_a_frame_are_left_alone(void) {
  char text[sizeof ping_text * 2];
  snprintf(text, sizeof text, "%s%s", ping_text, "ffff");
  struct frame frame;
  CHECK_INT(next(text, &frame, NULL), 1);
  CHECK_INT(frame.payload_size, 8);
}

static void another_magic_is_judged_at_its_four_bytes(void) {
  struct frame frame;
  struct mp_fault fault;
  CHECK_INT(next("f9beb4", &frame, NULL), 0);
  CHECK_INT(next("f9beb4d9", &frame, &fault), MP_ENETWORK);
  CHECK_INT(fault.code, MP_ENETWORK);
  CHECK_TEXT(fault.text, "frame: magic at offset 0: expected e3e1f3e8 of "
                         "mainnet, got f9beb4d9");
  CHECK_INT(next("e3e1f3e9", &frame, NULL), MP_ENETWORK);
  CHECK_INT(next("63e1f3e8", &frame, NULL), MP_ENETWORK);
  CHECK_INT(next("474554202f20485454502f", &frame, NULL), MP_ENETWORK);
}

static void a_size_over_the_limit_is_judged_at_the_header(void) {
  struct frame frame;
  struct mp_fault fault;
  CHECK_INT(
      next("e3e1f3e870696e6700000000000000000100200000000000", &frame, &fault),
      MP_EOVERSIZE);
  CHECK_TEXT(fault.text, "frame: length at offset 16: expected at most 2097152 "
                         "bytes of payload in 'ping' on mainnet, the header "
                         "claims 2097153");
  CHECK_INT(next("e3e1f3e870696e67000000000000000000002000", &frame, NULL), 0);
  CHECK_INT(
      next("e3e1f3e870696e6700000000000000000000200000000000", &frame, NULL),
      0);
  CHECK_INT(frame.header_size, FRAME_HEADER);
  CHECK_INT(frame.payload_size, 2097152);
}

static void an_extended_size_has_sixty_four_bits(void) {
  const char *header = "e3e1f3e86578746d7367000000000000ffffffff00000000";
  char text[128];
  struct frame frame;
  snprintf(text, sizeof text, "%s626c6f636b000000000000000000004001000000",
           header);
  CHECK_INT(next(text, &frame, NULL), 0);
  CHECK_TEXT(frame.command, "block");
  CHECK_INT(frame.header_size, FRAME_EXTENDED_HEADER);
  CHECK_INT(frame.payload_size, INT64_C(5368709120));
  snprintf(text, sizeof text, "%s626c6f636b00000000000000ffffffffffffff7f",
           header);
  CHECK_INT(next(text, &frame, NULL), 0);
  snprintf(text, sizeof text, "%s626c6f636b000000000000000000000000000080",
           header);
  CHECK_INT(next(text, &frame, NULL), MP_EOVERSIZE);
  snprintf(text, sizeof text, "%s70696e6700000000000000000100200000000000",
           header);
  CHECK_INT(next(text, &frame, NULL), MP_EOVERSIZE);
}

static void even_an_unlimited_network_stops_at_63_bits(void) {
  const struct mp_network own = {
      .name = "own", .magic = {1, 2, 3, 4}, .max_payload = UINT64_MAX};
  uint8_t header[FRAME_EXTENDED_HEADER] = {0};
  struct frame frame;
  size_t n = frame_header(header, &own, "x", UINT64_MAX, header);
  CHECK_INT(frame_next(&own, header, n, &frame, NULL), MP_EOVERSIZE);
  n = frame_header(header, &own, "x", INT64_MAX, header);
  CHECK_INT(frame_next(&own, header, n, &frame, NULL), 0);
}

static void any_command_that_begins_with_extmsg_is_extended(void) {
  size_t n;
  uint8_t *bytes = hex_bytes(extended_ping_text, &n);
  memcpy(bytes + 10, "XYZ", 3);
  memset(bytes + 16, 0x55, 8); /* length and checksum are not looked at */
  struct frame frame;
  CHECK_INT(frame_next(mainnet(), bytes, n, &frame, NULL), 1);
  CHECK(frame.is_extended);
  CHECK_TEXT(frame.command, "ping");
  CHECK_INT(frame_check(the_hasher(), &frame, NULL), 0);
  free(bytes);
}

static int with_command(const char command[12], size_t present) {
  uint8_t bytes[FRAME_HEADER + 8];
  size_t n;
  uint8_t *ping = hex_bytes(ping_text, &n);
  memcpy(bytes, ping, sizeof bytes);
  memcpy(bytes + 4, command, 12);
  free(ping);
  struct frame frame;
  struct mp_fault fault = {0};
  int rc = frame_next(mainnet(), bytes, present, &frame, &fault);
  CHECK_INT(frame.header_size, FRAME_HEADER);
  CHECK_INT(frame.payload_size, 8);
  CHECK_INT(rc < 0, fault.code < 0);
  return rc;
}

static void a_bad_command_is_told_when_the_frame_can_be_skipped(void) {
  const char *bad[] = {"ping\0\0\0X\0\0\0\0",     "\0ping\0\0\0\0\0\0\0",
                       "pi\x7fg\0\0\0\0\0\0\0\0", "ping\x1f\0\0\0\0\0\0\0",
                       "ping\xff\0\0\0\0\0\0\0",  "12345678901\x80"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_INT(with_command(bad[i], FRAME_HEADER), 0);
    CHECK_INT(with_command(bad[i], FRAME_HEADER + 7), 0);
    CHECK_INT(with_command(bad[i], FRAME_HEADER + 8), MP_EPROTOCOL);
  }
}

static void odd_commands_that_obey_the_rules_are_good(void) {
  const char *good[] = {"\0\0\0\0\0\0\0\0\0\0\0\0", "123456789012",
                        "a b ~!\0\0\0\0\0\0", " \0\0\0\0\0\0\0\0\0\0\0"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    CHECK_INT(with_command(good[i], FRAME_HEADER + 8), 1);
}

static void a_bad_inner_command_is_told_too(void) {
  size_t n;
  uint8_t *bytes = hex_bytes(extended_ping_text, &n);
  bytes[24] = 0x80;
  struct frame frame;
  struct mp_fault fault;
  CHECK_INT(frame_next(mainnet(), bytes, n - 1, &frame, NULL), 0);
  CHECK_INT(frame_next(mainnet(), bytes, n, &frame, &fault), MP_EPROTOCOL);
  CHECK_INT(frame.header_size + frame.payload_size, n);
  CHECK_TEXT(fault.text,
             "frame: command at offset 24: expected printable ASCII and then "
             "only zero bytes, got 80696e670000000000000000");
  free(bytes);
}

/* No flip of one bit passes for the same frame. */
static void every_flipped_bit_is_noticed(void) {
  size_t n;
  uint8_t *bytes = hex_bytes(ping_text, &n);
  for (size_t bit = 0; bit < n * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    struct frame frame;
    int rc = frame_next(mainnet(), bytes, n, &frame, NULL);
    if (rc == 1)
      rc = frame_check(the_hasher(), &frame, NULL) ||
           strcmp(frame.command, "ping") != 0;
    CHECK(bit >= 32 || rc == MP_ENETWORK);
    bool waits = bit / 8 >= 16 && bit / 8 < 20; /* a longer payload */
    CHECK(rc != 0 || waits);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  free(bytes);
}

static void a_wrong_checksum_says_both(void) {
  size_t n;
  uint8_t *bytes = hex_bytes(ping_text, &n);
  bytes[31] ^= 1;
  struct frame frame;
  struct mp_fault fault;
  CHECK_INT(frame_next(mainnet(), bytes, n, &frame, NULL), 1);
  CHECK_INT(frame_check(the_hasher(), &frame, &fault), MP_ECHECKSUM);
  CHECK(strstr(fault.text, "frame: checksum at offset 20: the header of 'ping' "
                           "claims 33bc15e5, its 8 bytes have ") != NULL);
  free(bytes);
}

static void check_put(const char *command, const char *payload,
                      const char *want) {
  struct buf out = {0};
  size_t n, m;
  uint8_t *bytes = hex_bytes(payload, &n), *frame = hex_bytes(want, &m);
  CHECK_INT(buf_put(&out, "before", 6), 0);
  CHECK_INT(frame_put(&out, mainnet(), command, bytes, n, the_hasher()), 0);
  CHECK_INT(buf_length(&out), 6 + m);
  CHECK(memcmp(buf_head(&out) + 6, frame, m) == 0);
  buf_deinit(&out);
  free(bytes);
  free(frame);
}

static void a_frame_is_made_as_the_reference_makes_it(void) {
  check_put("ping", "efcdab8967452301", ping_text);
  check_put("verack", "", "e3e1f3e876657261636b000000000000000000005df6e0e2");
}

static void a_payload_can_be_put_in_place(void) {
  struct buf out = {0};
  uint8_t byte = 0;
  for (size_t n = 0; n < 3000; n++) {
    ptrdiff_t start = frame_begin(&out);
    CHECK(start != FRAME_NONE);
    for (size_t i = 0; i < n % 100; i++, byte++)
      CHECK_INT(buf_put(&out, &byte, 1), 0);
    CHECK_INT(frame_end(&out, start, mainnet(), "a", the_hasher()), 0);
    if (n % 3 == 0) { /* a reader that is one behind */
      struct frame frame;
      size_t length = buf_length(&out);
      CHECK_INT(frame_next(mainnet(), buf_head(&out), length, &frame, NULL), 1);
      CHECK_INT(frame_check(the_hasher(), &frame, NULL), 0);
      buf_consume(&out, frame.header_size + (size_t)frame.payload_size);
    }
  }
  buf_deinit(&out);
}

static void a_command_that_breaks_the_rules_is_not_sent(void) {
  const char *bad[] = {"1234567890123", "a\nb", "caf\xc3\xa9", "extmsg",
                       "extmsgs"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct buf out = {0};
    CHECK_INT(buf_put(&out, "before", 6), 0);
    CHECK_INT(frame_put(&out, mainnet(), bad[i], "x", 1, the_hasher()),
              MP_EPROTOCOL);
    CHECK_INT(buf_length(&out), 6);
    buf_deinit(&out);
  }
}

static void a_header_alone_has_the_form_its_size_needs(void) {
  uint8_t header[FRAME_EXTENDED_HEADER], sum[4] = {1, 2, 3, 4};
  CHECK_INT(frame_header(header, mainnet(), "block", UINT32_MAX, sum), 24);
  CHECK(memcmp(header + 16, "\xff\xff\xff\xff\1\2\3\4", 8) == 0);
  CHECK_INT(frame_header(header, mainnet(), "block", INT64_C(1) << 32, sum),
            44);
  size_t n;
  uint8_t *want = hex_bytes("e3e1f3e86578746d7367000000000000ffffffff00000000"
                            "626c6f636b000000000000000000000001000000",
                            &n);
  CHECK(memcmp(header, want, n) == 0);
  free(want);
}

/* Frames of every vector, glued together, come out whole however the stream
 * is cut. */
static void a_stream_gives_the_same_frames_a_byte_at_a_time(void) {
  char *text = data_text("vectors.json");
  cJSON *vectors = cJSON_Parse(text), *vector;
  int frames = 0;
  cJSON_ArrayForEach(vector, vectors) {
    const char *hex = text_of(vector, "frame_hex");
    const char *name = text_of(vector, "name");
    const struct mp_network *network = network_of(text_of(vector, "network"));
    if (!*hex || strncmp(name, "neg_", 4) == 0 ||
        strcmp(name, "extmsg_header_block_5GiB") == 0)
      continue;
    size_t n;
    uint8_t *bytes = hex_bytes(hex, &n);
    struct buf in = {0};
    struct frame frame;
    for (size_t i = 0; i < n; i++) {
      CHECK_INT(buf_put(&in, bytes + i, 1), 0);
      int rc = frame_next(network, buf_head(&in), i + 1, &frame, NULL);
      CHECK_INT(rc, i + 1 == n);
    }
    CHECK_INT(frame_check(the_hasher(), &frame, NULL), 0);
    CHECK_TEXT(frame.command, text_of(vector, "command"));
    CHECK_INT(frame.payload_size, strlen(text_of(vector, "payload_hex")) / 2);
    buf_deinit(&in);
    free(bytes);
    frames++;
  }
  CHECK_INT(frames, 72);
  cJSON_Delete(vectors);
  free(text);
}

static void check_negative(const char *name, int want, int want_check) {
  char *text = data_text("vectors.json");
  cJSON *vectors = cJSON_Parse(text), *vector;
  int seen = 0;
  cJSON_ArrayForEach(vector, vectors) {
    if (strcmp(text_of(vector, "name"), name) != 0)
      continue;
    size_t n;
    uint8_t *bytes = hex_bytes(text_of(vector, "frame_hex"), &n);
    struct frame frame;
    CHECK_INT(frame_next(mainnet(), bytes, n, &frame, NULL), want);
    if (want == 1)
      CHECK_INT(frame_check(the_hasher(), &frame, NULL), want_check);
    free(bytes);
    seen++;
  }
  CHECK_INT(seen, 1);
  cJSON_Delete(vectors);
  free(text);
}

static void the_broken_vectors_are_told_apart(void) {
  check_negative("neg_bad_checksum", 1, MP_ECHECKSUM);
  check_negative("neg_bad_magic_btc_to_bsv", MP_ENETWORK, 0);
  check_negative("neg_command_not_nul_padded", MP_EPROTOCOL, 0);
  check_negative("neg_command_empty", 1, 0);
  check_negative("neg_unknown_command", 1, 0);
  check_negative("neg_oversize_header_ping_2MiB_plus_1", MP_EOVERSIZE, 0);
}

TEST_MAIN(TEST(a_whole_frame_is_cut_in_place),
          TEST(every_prefix_of_a_good_frame_waits),
          TEST(bytes_after_a_frame_are_left_alone),
          TEST(another_magic_is_judged_at_its_four_bytes),
          TEST(a_size_over_the_limit_is_judged_at_the_header),
          TEST(an_extended_size_has_sixty_four_bits),
          TEST(even_an_unlimited_network_stops_at_63_bits),
          TEST(any_command_that_begins_with_extmsg_is_extended),
          TEST(a_bad_command_is_told_when_the_frame_can_be_skipped),
          TEST(odd_commands_that_obey_the_rules_are_good),
          TEST(a_bad_inner_command_is_told_too),
          TEST(every_flipped_bit_is_noticed), TEST(a_wrong_checksum_says_both),
          TEST(a_frame_is_made_as_the_reference_makes_it),
          TEST(a_payload_can_be_put_in_place),
          TEST(a_command_that_breaks_the_rules_is_not_sent),
          TEST(a_header_alone_has_the_form_its_size_needs),
          TEST(a_stream_gives_the_same_frames_a_byte_at_a_time),
          TEST(the_broken_vectors_are_told_apart))
