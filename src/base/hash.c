/* hash - sha256 through OpenSSL. The one file that includes it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct hasher {
  EVP_MD *digest;
  EVP_MD_CTX *context;
};

struct hasher *hasher_new(void) {
  struct hasher *hasher = mem_new(sizeof *hasher);
  hasher->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
  hasher->context = EVP_MD_CTX_new();
  if (hasher->digest && hasher->context &&
      EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL))
    return hasher;
  hasher_free(hasher);
  return NULL;
}

void hasher_free(struct hasher *hasher) {
  if (!hasher)
    return;
  EVP_MD_CTX_free(hasher->context);
  EVP_MD_free(hasher->digest);
  free(hasher);
}

/* With a type of NULL the context keeps its digest: no look-up, no
 * allocation, nothing that could fail. */
void hash_start(struct hasher *hasher) {
  EVP_DigestInit_ex2(hasher->context, NULL, NULL);
}

void hash_add(struct hasher *hasher, const void *bytes, size_t n) {
  EVP_DigestUpdate(hasher->context, bytes, n);
}

static void finish(struct hasher *hasher, uint8_t digest[HASH_SIZE]) {
  EVP_DigestFinal_ex(hasher->context, digest, NULL);
}

#ifndef OPENSSL_NO_DEPRECATED_3_0
/* Up to here a fetched digest costs more to begin and to end (about 50 ns)
 * than to compute, and short messages are most of the traffic. Its older
 * interface has the same code behind it without that. */
enum { SHORT = 1024 };

static uint32_t big_endian(uint32_t word) {
  return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? word
                                                : __builtin_bswap32(word);
}

/* What fits into one block with its end, which is a mark and the length in
 * bits: as a digest always does. */
enum { ONE_BLOCK = SHA256_CBLOCK - 9 };

static void block_sha256(const void *bytes, size_t n,
                         uint8_t digest[HASH_SIZE]) {
  SHA256_CTX context;
  uint8_t block[SHA256_CBLOCK] = {0};
  if (n)
    memcpy(block, bytes, n);
  block[n] = 0x80;
  block[SHA256_CBLOCK - 2] = (uint8_t)(n >> 5);
  block[SHA256_CBLOCK - 1] = (uint8_t)(n << 3);
  SHA256_Init(&context);
  SHA256_Transform(&context, block);
  for (size_t i = 0; i < HASH_SIZE / 4; i++) {
    uint32_t word = big_endian((uint32_t)context.h[i]);
    memcpy(digest + 4 * i, &word, sizeof word);
  }
}

static void short_sha256(struct hasher *hasher, const void *bytes, size_t n,
                         uint8_t digest[HASH_SIZE]) {
  SHA256_CTX context;
  (void)hasher;
  if (n <= ONE_BLOCK) {
    block_sha256(bytes, n, digest);
    return;
  }
  SHA256_Init(&context);
  SHA256_Update(&context, bytes, n);
  SHA256_Final(digest, &context);
}
#else
enum { SHORT = 0 };

static void short_sha256(struct hasher *hasher, const void *bytes, size_t n,
                         uint8_t digest[HASH_SIZE]) {
  hash_start(hasher);
  hash_add(hasher, bytes, n);
  finish(hasher, digest);
}
#endif

void hash_finish_sha256d(struct hasher *hasher, uint8_t digest[HASH_SIZE]) {
  finish(hasher, digest);
  short_sha256(hasher, digest, HASH_SIZE, digest);
}

/* Only memory could fail, and without it there is nothing to go on with. */
void hash_peek_sha256(const struct hasher *hasher, uint8_t digest[HASH_SIZE]) {
  EVP_MD_CTX *copy = EVP_MD_CTX_new();
  if (!copy || !EVP_MD_CTX_copy_ex(copy, hasher->context))
    abort();
  EVP_DigestFinal_ex(copy, digest, NULL);
  EVP_MD_CTX_free(copy);
}

void hash_sha256(struct hasher *hasher, const void *bytes, size_t n,
                 uint8_t digest[HASH_SIZE]) {
  if (n <= SHORT) {
    short_sha256(hasher, bytes, n, digest);
    return;
  }
  hash_start(hasher);
  hash_add(hasher, bytes, n);
  finish(hasher, digest);
}

void hash_sha256d(struct hasher *hasher, const void *bytes, size_t n,
                  uint8_t digest[HASH_SIZE]) {
  hash_sha256(hasher, bytes, n, digest);
  short_sha256(hasher, digest, HASH_SIZE, digest);
}
