/* hash - sha256 through OpenSSL, and siphash for tables. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_SIZE = 32 };

/* A digest fetched once and its working state. One per thread that hashes:
 * fetching costs milliseconds, hashing then costs no allocation. */
struct hasher;

/* NULL when OpenSSL has no sha256 (a broken installation). */
struct hasher *hasher_new(void);
void hasher_free(struct hasher *hasher);

/* sha256, and sha256 of the sha256 (Bitcoin's hash), of n bytes. */
void hash_sha256(struct hasher *hasher, const void *bytes, size_t n,
                 uint8_t digest[HASH_SIZE]);
void hash_sha256d(struct hasher *hasher, const void *bytes, size_t n,
                  uint8_t digest[HASH_SIZE]);

/* The same in pieces: start, add any number of times, finish. One at a time
 * on a hasher, and no other hash between. */
void hash_start(struct hasher *hasher);
void hash_add(struct hasher *hasher, const void *bytes, size_t n);
void hash_finish_sha256d(struct hasher *hasher, uint8_t digest[HASH_SIZE]);

/* The sha256 of what was added so far; more can be added. */
void hash_peek_sha256(const struct hasher *hasher, uint8_t digest[HASH_SIZE]);

/* SipHash-2-4 (Aumasson, Bernstein) under a 128-bit key: for tables whose
 * keys a remote chooses. */
uint64_t hash_sip(const uint64_t key[2], const void *bytes, size_t n);

#endif
