/* address - IPs and ports as text and back. */
#include "moonpeer/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool mp_address_is_ipv4(const struct mp_address *address) {
  return memcmp(address->ip, mapped, sizeof mapped) == 0;
}

bool mp_address_is_loopback(const struct mp_address *address) {
  static const uint8_t one[16] = {[15] = 1};
  if (mp_address_is_ipv4(address))
    return address->ip[12] == 127;
  return memcmp(address->ip, one, sizeof one) == 0;
}

bool mp_address_equal(const struct mp_address *a, const struct mp_address *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

/* An IP without brackets or port. inet_pton is strict: no octal, no short
 * forms, no zone. */
static bool parse_ip(uint8_t ip[16], const char *text) {
  if (inet_pton(AF_INET6, text, ip) == 1)
    return true;
  memcpy(ip, mapped, sizeof mapped);
  return inet_pton(AF_INET, text, ip + 12) == 1;
}

/* Cuts text into the IP (copied) and what follows the port's colon, NULL
 * without one. False when it has neither form. */
static bool split(const char *text, char ip[MP_ADDRESS_TEXT],
                  const char **port) {
  bool bracket = text[0] == '[';
  const char *colon = strchr(text, ':');
  const char *end = text + strlen(text);
  *port = NULL;
  if (bracket) {
    const char *close = strchr(text++, ']');
    if (!close || (close[1] != '\0' && close[1] != ':'))
      return false;
    if (close[1] == ':')
      *port = close + 2;
    end = close;
  } else if (colon && !strchr(colon + 1, ':')) {
    *port = colon + 1;
    end = colon;
  }
  size_t n = (size_t)(end - text);
  if (n >= MP_ADDRESS_TEXT)
    return false;
  memcpy(ip, text, n);
  ip[n] = '\0';
  return !bracket || strchr(ip, ':');
}

int mp_address_parse(struct mp_address *address, const char *text,
                     uint16_t default_port, struct mp_fault *fault) {
  char ip[MP_ADDRESS_TEXT];
  const char *port;
  struct mp_address made = {.port = default_port};
  if (!split(text, ip, &port) || !parse_ip(made.ip, ip))
    return fault_set(fault, MP_ECONFIG,
                     "expected an address such as 1.2.3.4:8333 or "
                     "[2001:db8::1]:8333, got \"%.60s\"",
                     text);
  uint64_t number;
  if (port && (!number_parse(&number, port) || number > UINT16_MAX))
    return fault_set(fault, MP_ECONFIG,
                     "expected a port from 0 to 65535, got \"%.20s\" in "
                     "\"%.60s\"",
                     port, text);
  if (port)
    made.port = (uint16_t)number;
  *address = made;
  return 0;
}

char *mp_address_format_ip(const struct mp_address *address,
                           char text[MP_ADDRESS_TEXT]) {
  if (mp_address_is_ipv4(address))
    inet_ntop(AF_INET, address->ip + 12, text, MP_ADDRESS_TEXT);
  else
    inet_ntop(AF_INET6, address->ip, text, MP_ADDRESS_TEXT);
  return text;
}

char *mp_address_format(const struct mp_address *address,
                        char text[MP_ADDRESS_TEXT]) {
  char ip[MP_ADDRESS_TEXT];
  bool v4 = mp_address_is_ipv4(address);
  mp_address_format_ip(address, ip);
  snprintf(text, MP_ADDRESS_TEXT, v4 ? "%.45s:%u" : "[%.45s]:%u", ip,
           (unsigned)address->port);
  return text;
}

/* Whether all bits of ip behind the first `bits` are zero. */
static bool is_clear_behind(const uint8_t ip[16], unsigned bits) {
  for (unsigned i = bits; i < 128; i++)
    if (ip[i / 8] & 0x80 >> i % 8)
      return false;
  return true;
}

int mp_prefix_parse(struct mp_prefix *prefix, const char *text,
                    struct mp_fault *fault) {
  char ip[MP_ADDRESS_TEXT];
  const char *slash = strchr(text, '/');
  size_t n = slash ? (size_t)(slash - text) : strlen(text);
  struct mp_address address;
  struct mp_prefix made;
  if (n >= sizeof ip)
    n = sizeof ip - 1;
  memcpy(ip, text, n);
  ip[n] = '\0';
  if (!parse_ip(address.ip, ip))
    return fault_set(fault, MP_ECONFIG,
                     "expected a prefix such as 1.2.3.0/24 or 2001:db8::/32, "
                     "got \"%.60s\"",
                     text);
  unsigned most = mp_address_is_ipv4(&address) ? 32 : 128;
  uint64_t bits = most;
  bool is_number = !slash || number_parse(&bits, slash + 1);
  if (is_number && most == 32 && strchr(ip, ':') && bits >= 96 && bits <= 128)
    bits -= 96; /* "::ffff:9.9.9.0/120" counts the bits of IPv6 */
  if (!is_number || bits > most)
    return fault_set(fault, MP_ECONFIG,
                     "expected a prefix length from 0 to %u, got \"%.60s\"",
                     most, text);
  memcpy(made.ip, address.ip, sizeof made.ip);
  made.bits = (uint8_t)(bits + 128 - most);
  if (!is_clear_behind(made.ip, made.bits))
    return fault_set(fault, MP_ECONFIG,
                     "expected no bits behind the prefix length, got "
                     "\"%.60s\"",
                     text);
  *prefix = made;
  return 0;
}

char *mp_prefix_format(const struct mp_prefix *prefix,
                       char text[MP_PREFIX_TEXT]) {
  struct mp_address address = {{0}, 0};
  char ip[MP_ADDRESS_TEXT];
  memcpy(address.ip, prefix->ip, sizeof address.ip);
  bool v4 = prefix->bits >= 96 && mp_address_is_ipv4(&address);
  if (v4)
    mp_address_format_ip(&address, ip);
  else
    inet_ntop(AF_INET6, address.ip, ip, sizeof ip);
  if (prefix->bits == 128)
    snprintf(text, MP_PREFIX_TEXT, "%.45s", ip);
  else
    snprintf(text, MP_PREFIX_TEXT, "%.45s/%u", ip,
             prefix->bits - (v4 ? 96u : 0u));
  return text;
}

bool mp_prefix_contains(const struct mp_prefix *prefix,
                        const struct mp_address *address) {
  unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
  if (memcmp(prefix->ip, address->ip, whole) != 0)
    return false;
  uint8_t mask = (uint8_t)(0xff00 >> rest);
  return rest == 0 || (prefix->ip[whole] & mask) == (address->ip[whole] & mask);
}
