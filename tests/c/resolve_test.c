/* resolve_test - names become addresses: the same on the real loop and in a
 * world. */
#include "bed.h"

struct lookup {
  struct bed *bed;
  struct mp_resolve resolve;
  bool is_done;
  int rc;
  size_t n;
  struct mp_address first;
};

static void on_resolved(void *data, int rc, const struct mp_address *list,
                        size_t n) {
  struct lookup *lookup = data;
  CHECK(!lookup->is_done);
  lookup->is_done = true;
  lookup->rc = rc;
  lookup->n = n;
  if (n)
    lookup->first = list[0];
  bed_check(lookup->bed);
}

static bool is_resolved(struct bed *bed) {
  return ((struct lookup *)bed->data)->is_done;
}

static void lookup_init(struct lookup *lookup, struct bed *bed) {
  *lookup = (struct lookup){.bed = bed};
  lookup->resolve.done = on_resolved;
  lookup->resolve.data = lookup;
  bed->data = lookup;
}

BOTH(localhost_has_a_loopback_address_and_the_port) {
  struct lookup lookup;
  lookup_init(&lookup, bed);
  CHECK_INT(mp_resolve_start(bed->near, &lookup.resolve, "localhost", 8333), 0);
  CHECK(!lookup.is_done);
  bed_run(bed, is_resolved);
  CHECK_INT(lookup.rc, 0);
  CHECK(mp_address_is_loopback(&lookup.first));
  CHECK_INT(lookup.first.port, 8333);
}

BOTH(a_number_resolves_to_itself) {
  struct lookup lookup;
  char text[MP_ADDRESS_TEXT];
  lookup_init(&lookup, bed);
  CHECK_INT(mp_resolve_start(bed->near, &lookup.resolve, "192.0.2.7", 1), 0);
  bed_run(bed, is_resolved);
  CHECK_INT(lookup.n, 1);
  CHECK_TEXT(mp_address_format(&lookup.first, text), "192.0.2.7:1");
}

BOTH(a_cancelled_lookup_says_nothing) {
  struct lookup lookup;
  lookup_init(&lookup, bed);
  CHECK_INT(mp_resolve_start(bed->near, &lookup.resolve, "localhost", 1), 0);
  mp_resolve_cancel(&lookup.resolve);
  mp_resolve_cancel(&lookup.resolve); /* twice is fine */
  bed_wait(bed, 20 * MP_MILLISECOND);
  CHECK(!lookup.is_done);
}

TEST_MAIN(TESTS(localhost_has_a_loopback_address_and_the_port),
          TESTS(a_number_resolves_to_itself),
          TESTS(a_cancelled_lookup_says_nothing))
