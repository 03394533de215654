/* tsan - what the sanitizer of threads needs to follow Lua's errors. Lua as it
 * is installed jumps with __longjmp_chk, which the sanitizer does not know: the
 * functions of ours that were jumped out of would stay on its stack for good,
 * and each allocation writes that stack down. */
#undef _FORTIFY_SOURCE /* which would make longjmp the same function */
#include <setjmp.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
__attribute__((visibility("default"))) _Noreturn void
__longjmp_chk(jmp_buf place, int value);

_Noreturn void __longjmp_chk(jmp_buf place, int value) {
  longjmp(place, value); /* NOLINT(cert-err52-cpp) */
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
