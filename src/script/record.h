/* record - a conversation written down: a file of JSON lines. */
#ifndef SCRIPT_RECORD_H
#define SCRIPT_RECORD_H

#include <stdint.h>

#include "moonpeer/error.h"
#include "moonpeer/hooks.h"

struct record;

struct record_setup {
  const char *path;        /* overwritten */
  const char *title;       /* the first line, without its end */
  const char *us, *remote; /* what the senders are called: no quotes */
};

/* Times are a loop's; those in the file count from now. 0, or MP_EIO. */
int record_open(struct record **record, const struct record_setup *setup,
                int64_t now, struct mp_fault *fault);

/* NULL is fine in these. */
void record_frame(struct record *record, const struct mp_frame *frame,
                  int64_t now);
void record_end(struct record *record, const char *what, bool is_ours,
                int64_t now); /* what: "closed" or "reset" */
void record_close(struct record *record);

#endif
