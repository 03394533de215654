/* fault - filling a struct mp_fault. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "moonpeer/error.h"

/* Writes code and text (cut to what fits) and returns code, so that a
 * function can end with it. fault may be NULL. */
__attribute__((format(printf, 3, 4))) int
fault_set(struct mp_fault *fault, int code, const char *format, ...);

#endif
