/* asmap - which autonomous system announces a prefix. */
#include "peer/asmap.h"

#include <string.h>

#include "base/fault.h"
#include "base/number.h"

enum { LINE = 128 };

void asmap_deinit(struct asmap *map) {
  trie_deinit(&map->trie);
}

/* One line without its comment: empty, or a prefix and a number. */
static int read_line(struct asmap *map, char *line, struct mp_fault *fault) {
  struct mp_prefix prefix;
  uint64_t number;
  char *rest = NULL;
  char *name = strtok_r(line, " \t\r", &rest);
  char *system = strtok_r(NULL, " \t\r", &rest);
  if (!name)
    return 0;
  if (!system || strtok_r(NULL, " \t\r", &rest))
    return fault_set(fault, MP_ECONFIG, "expected \"prefix AS\"");
  if (strncmp(system, "AS", 2) == 0)
    system += 2;
  if (mp_prefix_parse(&prefix, name, fault))
    return MP_ECONFIG;
  if (!number_parse(&number, system) || number == 0 || number > UINT32_MAX)
    return fault_set(fault, MP_ECONFIG, "expected a number of an AS, got %.40s",
                     system);
  if (trie_reserve(&map->trie))
    return fault_set(fault, MP_ELIMIT, "no memory");
  trie_put(&map->trie, &prefix, (uint32_t)number);
  return 0;
}

/* Copies a line without its comment; false when it is too long. */
static bool copy_line(char line[LINE], const char *text, size_t n) {
  const char *comment = memchr(text, '#', n);
  if (comment)
    n = (size_t)(comment - text);
  if (n >= LINE)
    return false;
  memcpy(line, text, n);
  line[n] = '\0';
  return strlen(line) == n;
}

int asmap_init(struct asmap *map, const struct mp_memory *memory,
               const char *text, size_t size, struct mp_fault *fault) {
  struct mp_fault inner = {0};
  char line[LINE];
  int rc = 0;
  trie_init(&map->trie, memory);
  for (unsigned number = 1; size && rc == 0; number++) {
    const char *end = memchr(text, '\n', size);
    size_t n = end ? (size_t)(end - text) : size;
    rc =
        copy_line(line, text, n)
            ? read_line(map, line, &inner)
            : fault_set(&inner, MP_ECONFIG, "line too long or with zero bytes");
    if (rc)
      fault_set(fault, rc, "asmap line %u: %.160s", number, inner.text);
    size -= end ? n + 1 : n;
    text += end ? n + 1 : n;
  }
  if (rc)
    asmap_deinit(map);
  return rc;
}

uint32_t asmap_find(struct asmap *map, const struct mp_address *address) {
  return trie_find(&map->trie, address->ip);
}
