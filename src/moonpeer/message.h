#ifndef MOONPEER_MESSAGE_H
#define MOONPEER_MESSAGE_H
#include <stdint.h>
#include "moonpeer/error.h"
struct mp_message { const char *command; const uint8_t *payload; uint64_t size; };
static inline int mp_message_open(struct mp_message *m, const char *c, const uint8_t *p, uint64_t n, struct mp_fault *f) { (void)f; m->command=c; m->payload=p; m->size=n; return 0; }
#endif
