/* group - which network an address belongs to. */
#include <string.h>

#include "moonpeer/peer.h"

/* A prefix of bytes and bits that addresses may have. */
struct range {
  uint8_t bytes[16];
  uint8_t bits;
};

#define V4(a, b, c) 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c

static const struct range unroutable[] = {
    {{V4(10, 0, 0)}, 104},       {{V4(172, 16, 0)}, 108},
    {{V4(192, 168, 0)}, 112},    {{V4(198, 18, 0)}, 111},
    {{V4(169, 254, 0)}, 112},    {{V4(100, 64, 0)}, 106},
    {{V4(192, 0, 2)}, 120},      {{V4(198, 51, 100)}, 120},
    {{V4(203, 0, 113)}, 120},    {{V4(127, 0, 0)}, 104},
    {{V4(0, 0, 0)}, 104},        {{[15] = 1}, 128},
    {{0xfe, 0x80}, 64},          {{0xfc}, 7},
    {{0x20, 0x01, 0, 0x10}, 28},
};

static const struct range invalid[] = {
    {{0}, 128},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{V4(0, 0, 0)}, 128},
    {{V4(255, 255, 255), 255}, 128},
    {{[7] = 0xff, [8] = 0xff}, 72}, /* addresses that old nodes sent shifted */
};

/* What carries an IPv4 address, and where; teredo's is inverted. */
static const struct carrier {
  struct range range;
  uint8_t at, inverted;
} carriers[] = {
    {{{V4(0, 0, 0)}, 96}, 12, 0},
    {{{[8] = 0xff, 0xff}, 96}, 12, 0}, /* ::ffff:0:a.b.c.d */
    {{{0, 0x64, 0xff, 0x9b}, 96}, 12, 0},
    {{{0x20, 0x02}, 16}, 2, 0},
    {{{0x20, 0x01}, 32}, 12, 0xff},
};

static const struct range he_net = {{0x20, 0x01, 0x04, 0x70}, 32};

static bool is_in(const struct range *range, const uint8_t ip[16]) {
  unsigned bytes = range->bits / 8, rest = range->bits % 8;
  if (memcmp(range->bytes, ip, bytes) != 0)
    return false;
  return rest == 0 || ((range->bytes[bytes] ^ ip[bytes]) >> (8 - rest)) == 0;
}

static bool is_in_any(const struct range *ranges, size_t n,
                      const uint8_t ip[16]) {
  for (size_t i = 0; i < n; i++)
    if (is_in(ranges + i, ip))
      return true;
  return false;
}

/* IPv4 that is in none of the ranges, by its first byte: nearly all. */
static bool is_plain(const uint8_t ip[16]) {
  static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
  static const bool is_special[256] = {
      [0] = true,   [10] = true,  [100] = true, [127] = true, [169] = true,
      [172] = true, [192] = true, [198] = true, [203] = true, [255] = true,
  };
  return memcmp(ip, mapped, sizeof mapped) == 0 && !is_special[ip[12]];
}

bool mp_address_is_valid(const struct mp_address *address) {
  return !is_in_any(invalid, sizeof invalid / sizeof *invalid, address->ip);
}

bool mp_address_is_routable(const struct mp_address *address) {
  return mp_address_is_valid(address) &&
         !is_in_any(unroutable, sizeof unroutable / sizeof *unroutable,
                    address->ip);
}

static void set(struct mp_group *group, uint8_t kind, const uint8_t *bytes,
                uint8_t n) {
  *group = (struct mp_group){.size = (uint8_t)(n + 1), .bytes = {kind}};
  if (n)
    memcpy(group->bytes + 1, bytes, n);
}

static bool of_carrier(struct mp_group *group, const uint8_t ip[16]) {
  for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
    const struct carrier *carrier = carriers + i;
    if (!is_in(&carrier->range, ip))
      continue;
    const uint8_t two[2] = {ip[carrier->at] ^ carrier->inverted,
                            ip[carrier->at + 1] ^ carrier->inverted};
    set(group, 1, two, 2);
    return true;
  }
  return false;
}

static void of_routable(struct mp_group *group, const uint8_t ip[16]) {
  if (of_carrier(group, ip))
    return;
  set(group, 2, ip, 4);
  if (is_in(&he_net, ip)) {
    group->bytes[5] = ip[4] | 0x0f;
    group->size = 6;
  }
}

void mp_group_reference(const struct mp_address *address,
                        struct mp_group *group) {
  if (mp_address_is_routable(address))
    of_routable(group, address->ip);
  else
    set(group, 0, NULL, 0);
}

void mp_group_of(const struct mp_address *address, struct mp_group *group) {
  if (is_plain(address->ip))
    set(group, 1, address->ip + 12, 2);
  else if (mp_address_is_routable(address))
    of_routable(group, address->ip);
  else
    set(group, 0, address->ip, 16);
}
