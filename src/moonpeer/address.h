/* address - where a peer is: an IP and a port; and prefixes of addresses. */
#ifndef MOONPEER_ADDRESS_H
#define MOONPEER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/error.h"

enum {
  MP_ADDRESS_TEXT = 56, /* "[ipv6]:port" and its terminator */
  MP_PREFIX_TEXT = 52,  /* "ipv6/128" and its terminator */
};

/* The IP in network order, IPv4 as ::ffff:a.b.c.d (so IPv4-mapped is IPv4:
 * RFC 4291, 2.5.5.2); the port in host order, 0 .. 65,535. No padding: 18 bytes
 * that may be hashed and compared as bytes. All zero is "none". */
struct mp_address {
  uint8_t ip[16];
  uint16_t port;
};

/* The first bits (0 .. 128, for IPv4 from 96 on) of an ip in the form above;
 * the rest is zero. */
struct mp_prefix {
  uint8_t ip[16];
  uint8_t bits;
};

/* Reads "1.2.3.4", "1.2.3.4:8333", "::1", "[::1]" or "[::1]:8333"; without a
 * port the given one is used. 0, or MP_ECONFIG with the reason and *address as
 * it was. text is borrowed. */
int mp_address_parse(struct mp_address *address, const char *text,
                     uint16_t default_port, struct mp_fault *fault);

/* Writes "1.2.3.4:8333" or "[::1]:8333"; returns text. */
char *mp_address_format(const struct mp_address *address,
                        char text[MP_ADDRESS_TEXT]);

/* The same without the port: "1.2.3.4" or "::1". */
char *mp_address_format_ip(const struct mp_address *address,
                           char text[MP_ADDRESS_TEXT]);

/* Of the ip alone: whether it is IPv4, and whether it is in 127.0.0.0/8 or
 * ::1. */
bool mp_address_is_ipv4(const struct mp_address *address);
bool mp_address_is_loopback(const struct mp_address *address);

/* Whether ip and port are the same. */
bool mp_address_equal(const struct mp_address *a, const struct mp_address *b);

/* Reads "1.2.3.0/24", "2001:db8::/32" or a bare IP (all its bits); of an
 * IPv4-mapped one ("::ffff:1.2.3.0/120") the length counts from 96, or from 0
 * as that of IPv4 does. Bits that lie behind the prefix must be zero. 0, or
 * MP_ECONFIG with the reason and *prefix as it was. text is borrowed. */
int mp_prefix_parse(struct mp_prefix *prefix, const char *text,
                    struct mp_fault *fault);

/* Writes "1.2.3.0/24", or "1.2.3.4" when all bits count; returns text. */
char *mp_prefix_format(const struct mp_prefix *prefix,
                       char text[MP_PREFIX_TEXT]);

/* Whether the ip begins with the prefix; the port is not looked at. */
bool mp_prefix_contains(const struct mp_prefix *prefix,
                        const struct mp_address *address);

#endif
