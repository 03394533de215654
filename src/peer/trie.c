/* trie - prefixes to numbers, and the longest one that has an address. */
#include "peer/trie.h"

#include <string.h>

#include "moonpeer/error.h"

enum { CHUNK = 512 };

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
  for (uint32_t i = 0; i < trie->chunk_room; i++)
    memory_put(trie->memory, trie->chunks[i], CHUNK * sizeof(struct trie_node));
  memory_put(trie->memory, trie->chunks,
             trie->chunk_room * sizeof *trie->chunks);
  trie_init(trie, trie->memory);
}

static struct trie_node *node_at(const struct trie *trie, uint32_t number) {
  return trie->chunks[number / CHUNK] + number % CHUNK;
}

/* Nodes up to this number have memory. */
static int reserve_to(struct trie *trie, uint32_t number) {
  uint32_t chunk = number / CHUNK;
  if (chunk >= trie->chunk_room) {
    uint32_t room = trie->chunk_room * 2 + 8;
    struct trie_node **chunks =
        memory_resize(trie->memory, trie->chunks,
                      trie->chunk_room * sizeof *chunks, room * sizeof *chunks);
    if (!chunks)
      return MP_ELIMIT;
    trie->chunks = chunks;
    trie->chunk_room = room;
  }
  if (!trie->chunks[chunk])
    trie->chunks[chunk] =
        memory_get(trie->memory, CHUNK * sizeof(struct trie_node));
  return trie->chunks[chunk] ? 0 : MP_ELIMIT;
}

int trie_reserve(struct trie *trie) {
  int rc = reserve_to(trie, trie->high + 1);
  return rc ? rc : reserve_to(trie, trie->high + 2);
}

static uint32_t take_node(struct trie *trie, const uint64_t word[2],
                          unsigned bits) {
  uint32_t number = trie->free;
  if (number)
    trie->free = node_at(trie, number)->child[0];
  else
    number = ++trie->high;
  struct trie_node *node = node_at(trie, number);
  *node = (struct trie_node){.bits = bits};
  for (unsigned i = 0; i < 2; i++) {
    unsigned kept = bits > i * 64 ? bits - i * 64 : 0;
    if (kept)
      node->ip[i] = kept >= 64 ? word[i] : word[i] & ~(~UINT64_C(0) >> kept);
  }
  return number;
}

static void give_node(struct trie *trie, uint32_t number) {
  *node_at(trie, number) = (struct trie_node){.child[0] = trie->free};
  trie->free = number;
}

/* The link that leads to where a key stands or would: the node there is the
 * first whose prefix is not a shorter one of the key. */
static uint32_t *descend(struct trie *trie, const struct key *key) {
  uint32_t *link = &trie->root;
  while (*link) {
    struct trie_node *node = node_at(trie, *link);
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
  uint32_t *link = descend(trie, &key), below = *link;
  struct trie_node *node = below ? node_at(trie, below) : NULL;
  unsigned same = node ? common(node->ip, key.word, key.bits) : 0;
  if (node && same > node->bits)
    same = node->bits;
  if (node && node->bits == key.bits && same == key.bits) {
    uint32_t old = node->value;
    node->value = value;
    return old;
  }
  uint32_t made = take_node(trie, key.word, key.bits);
  node_at(trie, made)->value = value;
  uint32_t top = made;
  if (node && same < key.bits) {
    top = take_node(trie, key.word, same);
    node_at(trie, top)->child[bit_of(key.word, same)] = made;
  }
  if (node)
    node_at(trie, top)->child[bit_of(node->ip, same)] = below;
  *link = top;
  return 0;
}

/* Takes a node out of the tree that has neither a value nor two children. */
static void prune(struct trie *trie, uint32_t *link) {
  struct trie_node *node = node_at(trie, *link);
  uint32_t number = *link;
  if (node->value || (node->child[0] && node->child[1]))
    return;
  *link = node->child[0] ? node->child[0] : node->child[1];
  give_node(trie, number);
}

static uint32_t *parent_of(struct trie *trie, const struct key *key,
                           const uint32_t *of) {
  uint32_t *link = &trie->root, *parent = NULL;
  while (link != of) {
    struct trie_node *node = node_at(trie, *link);
    parent = link;
    link = &node->child[bit_of(key->word, node->bits)];
  }
  return parent;
}

uint32_t trie_remove(struct trie *trie, const struct mp_prefix *prefix) {
  struct key key = key_of(prefix->ip, prefix->bits);
  uint32_t value = trie_get(trie, prefix);
  if (!value)
    return 0;
  uint32_t *link = descend(trie, &key);
  uint32_t *parent = parent_of(trie, &key, link);
  node_at(trie, *link)->value = 0;
  prune(trie, link);
  if (parent)
    prune(trie, parent);
  return value;
}

uint32_t trie_get(const struct trie *trie, const struct mp_prefix *prefix) {
  struct key key = key_of(prefix->ip, prefix->bits);
  uint32_t at = trie->root;
  while (at) {
    const struct trie_node *node = node_at(trie, at);
    if (node->bits >= key.bits)
      return node->bits == key.bits && node->ip[0] == key.word[0] &&
                     node->ip[1] == key.word[1]
                 ? node->value
                 : 0;
    at = node->child[bit_of(key.word, node->bits)];
  }
  return 0;
}

uint32_t trie_find(const struct trie *trie, const uint8_t ip[16]) {
  struct key key = key_of(ip, 128);
  uint32_t at = trie->root, best = 0;
  while (at) {
    const struct trie_node *node = node_at(trie, at);
    if (common(node->ip, key.word, node->bits) < node->bits)
      break;
    if (node->value)
      best = node->value;
    if (node->bits == 128)
      break;
    at = node->child[bit_of(key.word, node->bits)];
  }
  return best;
}

unsigned trie_path(const struct trie *trie, const uint8_t ip[16],
                   uint32_t values[TRIE_PATH]) {
  struct key key = key_of(ip, 128);
  uint32_t at = trie->root;
  unsigned n = 0;
  while (at) {
    const struct trie_node *node = node_at(trie, at);
    if (common(node->ip, key.word, node->bits) < node->bits)
      break;
    if (node->value)
      values[n++] = node->value;
    if (node->bits == 128)
      break;
    at = node->child[bit_of(key.word, node->bits)];
  }
  return n;
}
