/* pace_test - how often connections may come from one group. */
#include "engine/pace.h"
#include "moonpeer/loop.h"
#include "test.h"

static const uint64_t secret[2] = {1, 2};
static struct pace pace;

/* How many of 100 at one instant. */
static int take(uint32_t group, int64_t now) {
  int taken = 0;
  for (int i = 0; i < 100; i++)
    taken += pace_take(&pace, secret, &group, sizeof group, now, 5);
  return taken;
}

static void two_seconds_worth_may_come_at_once(void) {
  pace = (struct pace){0};
  CHECK_INT(take(1, 0), 10);
  CHECK_INT(take(1, 0), 0);
}

static void what_was_spent_comes_back_with_time(void) {
  pace = (struct pace){0};
  take(1, 0);
  CHECK_INT(take(1, MP_SECOND), 5);
  CHECK_INT(take(1, MP_SECOND + MP_SECOND / 5), 1);
  CHECK_INT(take(1, 100 * MP_SECOND), 10);
}

static void groups_have_each_their_own(void) {
  pace = (struct pace){0};
  CHECK_INT(take(1, 0), 10);
  CHECK_INT(take(2, 0), 10);
}

TEST_MAIN(TEST(two_seconds_worth_may_come_at_once),
          TEST(what_was_spent_comes_back_with_time),
          TEST(groups_have_each_their_own))
