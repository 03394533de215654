/* slow_names - stands before the C library: every name takes a minute, as when
 * no name server answers. */
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **list) {
  (void)name, (void)service, (void)hints, (void)list;
  sleep(60);
  return EAI_AGAIN;
}
