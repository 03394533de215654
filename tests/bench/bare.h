/* bare - the same handshakes with epoll and nothing else: no frames are cut, no
 * checksums made, no clock is read. What any engine is measured against. */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BARE_VERSION = 24 + 103, /* bytes of a version message, header included */
  BARE_VERACK = 24,
  BARE_EVENTS = 256,
  BARE_DESCRIPTORS = 4096, /* more than are ever open at once */
};

static const char bare_bytes[BARE_VERSION + BARE_VERACK];

struct bare {
  int epoll;
  const struct sockaddr_in *to; /* of those who dial */
  int addresses, at_once, total, begun, open, done;
  int got[BARE_DESCRIPTORS]; /* bytes, by descriptor; -1 for a listener */
};

static inline void bare_watch(const struct bare *bare, int fd, uint32_t what) {
  struct epoll_event event = {.events = what, .data.fd = fd};
  if (fd >= BARE_DESCRIPTORS ||
      (epoll_ctl(bare->epoll, EPOLL_CTL_ADD, fd, &event) != 0 &&
       epoll_ctl(bare->epoll, EPOLL_CTL_MOD, fd, &event) != 0))
    _exit(1);
}

/* How many bytes have come in all; 0 at the end. */
static inline int bare_read(struct bare *bare, int fd) {
  char bytes[1024];
  ssize_t n = recv(fd, bytes, sizeof bytes, 0);
  return n > 0 ? bare->got[fd] += (int)n : 0;
}

static inline void bare_say(int fd, size_t n) {
  if (send(fd, bare_bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
    _exit(1);
}

/* --- who answers -----------------------------------------------------------
 */

static inline void bare_accept(struct bare *bare, int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    bare->got[fd] = 0;
    bare_watch(bare, fd, EPOLLIN);
  }
}

static inline void bare_answer_one(struct bare *bare, int fd) {
  int before = bare->got[fd], now;
  if (before < 0) {
    bare_accept(bare, fd);
  } else if ((now = bare_read(bare, fd)) == 0) {
    close(fd);
  } else if (before < BARE_VERSION && now >= BARE_VERSION) {
    (void)!send(fd, bare_bytes, BARE_VERSION + BARE_VERACK, MSG_NOSIGNAL);
  }
}

static inline int bare_listen(uint32_t ip, struct sockaddr_in *at) {
  socklen_t size = sizeof *at;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  *at =
      (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
  if (fd < 0 || bind(fd, (struct sockaddr *)at, size) != 0 ||
      listen(fd, 511) != 0 || getsockname(fd, (struct sockaddr *)at, &size))
    _exit(1);
  return fd;
}

/* Never returns: listens at so many addresses and tells them to the pipe. */
static inline void bare_answer(int pipe, int addresses) {
  struct bare *bare = calloc(1, sizeof *bare);
  struct epoll_event events[BARE_EVENTS];
  bare->epoll = epoll_create1(0);
  for (int i = 0; i < addresses; i++) {
    struct sockaddr_in at;
    int fd = bare_listen(INADDR_LOOPBACK + (uint32_t)i, &at);
    bare->got[fd] = -1;
    bare_watch(bare, fd, EPOLLIN);
    if (write(pipe, &at, sizeof at) != sizeof at)
      _exit(1);
  }
  for (;;) {
    int n = epoll_wait(bare->epoll, events, BARE_EVENTS, -1);
    for (int i = 0; i < n; i++)
      bare_answer_one(bare, events[i].data.fd);
  }
}

/* --- who dials -------------------------------------------------------------
 */

static inline void bare_dial(struct bare *bare) {
  while (bare->open < bare->at_once && bare->begun < bare->total) {
    const struct sockaddr_in *to = &bare->to[bare->begun % bare->addresses];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
      _exit(1);
    (void)!connect(fd, (const struct sockaddr *)to, sizeof *to);
    bare->got[fd] = 0;
    bare_watch(bare, fd, EPOLLOUT);
    bare->begun++;
    bare->open++;
  }
}

/* A reset leaves no TIME_WAIT. */
static inline void bare_end(struct bare *bare, int fd) {
  const struct linger linger = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(fd);
  bare->open--;
  bare_dial(bare);
}

static inline void bare_dial_one(struct bare *bare,
                                 const struct epoll_event *event) {
  int fd = event->data.fd, now;
  if (event->events & (EPOLLERR | EPOLLHUP)) {
    bare_end(bare, fd);
  } else if (event->events & EPOLLOUT) {
    bare_say(fd, BARE_VERSION);
    bare_watch(bare, fd, EPOLLIN);
  } else if ((now = bare_read(bare, fd)) >= BARE_VERSION + BARE_VERACK) {
    bare_say(fd, BARE_VERACK);
    bare->done++;
    bare_end(bare, fd);
  } else if (now == 0) {
    bare_end(bare, fd);
  }
}

/* So many handshakes with who listens there; how many were complete. */
static inline int bare_handshakes(const struct sockaddr_in *to, int addresses,
                                  int at_once, int total) {
  struct bare *bare = calloc(1, sizeof *bare);
  struct epoll_event events[BARE_EVENTS];
  bare->epoll = epoll_create1(0);
  bare->to = to;
  bare->addresses = addresses;
  bare->at_once = at_once;
  bare->total = total;
  bare_dial(bare);
  while (bare->open > 0) {
    int n = epoll_wait(bare->epoll, events, BARE_EVENTS, -1);
    for (int i = 0; i < n; i++)
      bare_dial_one(bare, &events[i]);
  }
  int done = bare->done;
  close(bare->epoll);
  free(bare);
  return done;
}

#endif
