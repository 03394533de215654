/* mem - memory that cannot fail, and memory that may. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* n zeroed bytes for things that are small and ours; out of memory ends the
 * process with a message. Free with free(). */
void *mem_new(size_t n);

/* n bytes, or NULL: for sizes that a remote or a file decides. */
void *mem_try(size_t n);

/* A copy of a string; out of memory as for mem_new. */
char *mem_text(const char *text);

/* Whether this build watches who uses what was freed: then nobody keeps blocks
 * for later. */
bool mem_is_checked(void);

#endif
