/* trie - prefixes to numbers, and the longest one that has an address. */
#include "peer/trie.h"

#include <string.h>

#include "moonpeer/error.h"

enum {
  CHUNK = 512,
  STARTS = 65536,
  START_BITS = 112, /* of an IPv4 address and what comes before it */
  FEW = 1024,
};

struct trie_chunk {
  struct trie_chunk *next;
  struct trie_node nodes[CHUNK];
};

struct key {
  uint64_t word[2];
  unsigned bits;
};

static uint64_t read_word(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static struct key key_of(const uint8_t ip[16], unsigned bits) {
  return (struct key){{read_word(ip), read_word(ip + 8)}, bits};
}

static unsigned bit_of(const uint64_t word[2], unsigned at) {
  return word[at / 64] >> (63 - at % 64) & 1;
}

/* How many leading bits two have in common, `most` at most. */
static unsigned common(const uint64_t a[2], const uint64_t b[2],
                       unsigned most) {
  uint64_t high = a[0] ^ b[0], low = a[1] ^ b[1];
  unsigned n = 128;
  if (high)
    n = (unsigned)__builtin_clzll(high);
  else if (low)
    n = 64 + (unsigned)__builtin_clzll(low);
  return n < most ? n : most;
}

void trie_init(struct trie *trie, const struct mp_memory *memory) {
  *trie = (struct trie){.memory = memory};
}

void trie_deinit(struct trie *trie) {
  while (trie->chunks) {
    struct trie_chunk *chunk = trie->chunks;
    trie->chunks = chunk->next;
    memory_put(trie->memory, chunk, sizeof *chunk);
  }
  memory_put(trie->memory, trie->starts, STARTS * sizeof *trie->starts);
  trie_init(trie, trie->memory);
}

static void give_node(struct trie *trie, struct trie_node *node) {
  *node = (struct trie_node){.child[0] = trie->free};
  trie->free = node;
  trie->free_count++;
}

/* Without memory for them look-ups begin at the root. */
static void make_starts(struct trie *trie) {
  if (trie->starts || trie->count < FEW)
    return;
  trie->starts = memory_get(trie->memory, STARTS * sizeof *trie->starts);
  trie->version = 1;
}

static struct trie_start *start_of(const struct trie *trie,
                                   const uint8_t ip[16]) {
  static const uint8_t ipv4[12] = {[10] = 0xff, [11] = 0xff};
  if (!trie->starts || memcmp(ip, ipv4, sizeof ipv4) != 0)
    return NULL;
  return trie->starts + (ip[12] << 8 | ip[13]);
}

/* A prefix came or went: one start is stale, or all. */
static void forget_starts(struct trie *trie, const struct mp_prefix *prefix) {
  struct trie_start *start = start_of(trie, prefix->ip);
  if (prefix->bits < START_BITS)
    trie->version++;
  else if (start)
    start->version = trie->version - 1;
}

int trie_reserve(struct trie *trie) {
  make_starts(trie);
  if (trie->free_count >= 2)
    return 0;
  struct trie_chunk *chunk = memory_get(trie->memory, sizeof *chunk);
  if (!chunk)
    return MP_ELIMIT;
  chunk->next = trie->chunks;
  trie->chunks = chunk;
  for (int i = CHUNK; i; i--)
    give_node(trie, chunk->nodes + i - 1);
  return 0;
}

static struct trie_node *take_node(struct trie *trie, const uint64_t word[2],
                                   unsigned bits) {
  struct trie_node *node = trie->free;
  trie->free = node->child[0];
  trie->free_count--;
  *node = (struct trie_node){.bits = bits};
  for (unsigned i = 0; i < 2; i++) {
    unsigned kept = bits > i * 64 ? bits - i * 64 : 0;
    if (kept)
      node->ip[i] = kept >= 64 ? word[i] : word[i] & ~(~UINT64_C(0) >> kept);
  }
  return node;
}

/* The link that leads to where a key stands or would: the node there is the
 * first whose prefix is not a shorter one of the key. */
static struct trie_node **descend(struct trie *trie, const struct key *key) {
  struct trie_node **link = &trie->root;
  while (*link) {
    struct trie_node *node = *link;
    if (node->bits >= key->bits ||
        common(node->ip, key->word, node->bits) < node->bits)
      break;
    link = &node->child[bit_of(key->word, node->bits)];
  }
  return link;
}

uint32_t trie_put(struct trie *trie, const struct mp_prefix *prefix,
                  uint32_t value) {
  struct key key = key_of(prefix->ip, prefix->bits);
  struct trie_node **link = descend(trie, &key), *node = *link;
  unsigned same = node ? common(node->ip, key.word, key.bits) : 0;
  if (node && same > node->bits)
    same = node->bits;
  if (node && node->bits == key.bits && same == key.bits) {
    uint32_t old = node->value;
    node->value = value;
    trie->count += old == 0;
    forget_starts(trie, prefix);
    return old;
  }
  struct trie_node *made = take_node(trie, key.word, key.bits), *top = made;
  made->value = value;
  if (node && same < key.bits) {
    top = take_node(trie, key.word, same);
    top->child[bit_of(key.word, same)] = made;
  }
  if (node)
    top->child[bit_of(node->ip, same)] = node;
  *link = top;
  trie->count++;
  forget_starts(trie, prefix);
  return 0;
}

/* Takes a node out of the tree that has neither a value nor two children. */
static void prune(struct trie *trie, struct trie_node **link) {
  struct trie_node *node = *link;
  if (node->value || (node->child[0] && node->child[1]))
    return;
  *link = node->child[0] ? node->child[0] : node->child[1];
  give_node(trie, node);
}

static struct trie_node **parent_of(struct trie *trie, const struct key *key,
                                    struct trie_node *const *of) {
  struct trie_node **link = &trie->root, **parent = NULL;
  while (link != of) {
    struct trie_node *node = *link;
    parent = link;
    link = &node->child[bit_of(key->word, node->bits)];
  }
  return parent;
}

uint32_t trie_remove(struct trie *trie, const struct mp_prefix *prefix) {
  struct key key = key_of(prefix->ip, prefix->bits);
  uint32_t value = trie_get(trie, prefix);
  struct trie_node **link = descend(trie, &key);
  if (!value || !*link)
    return 0;
  struct trie_node **parent = parent_of(trie, &key, link);
  (*link)->value = 0;
  prune(trie, link);
  if (parent)
    prune(trie, parent);
  trie->count--;
  forget_starts(trie, prefix);
  return value;
}

uint32_t trie_get(const struct trie *trie, const struct mp_prefix *prefix) {
  struct key key = key_of(prefix->ip, prefix->bits);
  const struct trie_node *node = trie->root;
  while (node) {
    if (node->bits >= key.bits)
      return node->bits == key.bits && node->ip[0] == key.word[0] &&
                     node->ip[1] == key.word[1]
                 ? node->value
                 : 0;
    node = node->child[bit_of(key.word, node->bits)];
  }
  return 0;
}

static void make_start(const struct trie *trie, struct trie_start *start,
                       const struct key *key) {
  const struct trie_node *node = trie->root;
  *start = (struct trie_start){.version = trie->version};
  while (node && node->bits < START_BITS) {
    if (common(node->ip, key->word, node->bits) < node->bits)
      return;
    if (node->value)
      start->best = node->value;
    node = node->child[bit_of(key->word, node->bits)];
  }
  if (node && common(node->ip, key->word, START_BITS) == START_BITS)
    start->node = node;
}

uint32_t trie_find(struct trie *trie, const uint8_t ip[16]) {
  struct key key = key_of(ip, 128);
  struct trie_start *start = start_of(trie, ip);
  const struct trie_node *node = trie->root;
  uint32_t best = 0;
  if (start) {
    if (start->version != trie->version)
      make_start(trie, start, &key);
    node = start->node;
    best = start->best;
  }
  while (node) {
    if (common(node->ip, key.word, node->bits) < node->bits)
      break;
    if (node->value)
      best = node->value;
    if (node->bits == 128)
      break;
    node = node->child[bit_of(key.word, node->bits)];
  }
  return best;
}

unsigned trie_path(const struct trie *trie, const uint8_t ip[16],
                   uint32_t values[TRIE_PATH]) {
  struct key key = key_of(ip, 128);
  const struct trie_node *node = trie->root;
  unsigned n = 0;
  while (node) {
    if (common(node->ip, key.word, node->bits) < node->bits)
      break;
    if (node->value)
      values[n++] = node->value;
    if (node->bits == 128)
      break;
    node = node->child[bit_of(key.word, node->bits)];
  }
  return n;
}
