/* hash - sha256 through OpenSSL. The one file that includes it. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

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

void hash_finish_sha256d(struct hasher *hasher, uint8_t digest[HASH_SIZE]) {
  finish(hasher, digest);
  hash_sha256(hasher, digest, HASH_SIZE, digest);
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
  hash_start(hasher);
  hash_add(hasher, bytes, n);
  finish(hasher, digest);
}

void hash_sha256d(struct hasher *hasher, const void *bytes, size_t n,
                  uint8_t digest[HASH_SIZE]) {
  hash_start(hasher);
  hash_add(hasher, bytes, n);
  hash_finish_sha256d(hasher, digest);
}
