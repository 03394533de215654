/* world - a simulated network on a virtual clock. Every host of it is a loop:
 * what runs on the real one runs here unchanged, in no time, and the same seed
 * gives the same run. One thread owns a world. */
#ifndef MOONPEER_WORLD_H
#define MOONPEER_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moonpeer/address.h"
#include "moonpeer/error.h"
#include "moonpeer/loop.h"

struct mp_world;

/* What is written down of what happens. */
enum mp_trace {
  MP_TRACE_HASH, /* only its running hash */
  MP_TRACE_OFF,  /* nothing: fastest */
  MP_TRACE_TEXT, /* the text, and its hash */
};

/* {0} is a good choice. Times are nanoseconds. */
struct mp_world_options {
  uint64_t seed;
  int64_t start;     /* wall time when it begins, 1970 to 2100; 0: 2025-01-01,
                      * 00:00 UTC */
  int64_t work_time; /* what work takes, up to 1 h; 0: 1 ms */
  enum mp_trace trace;
  size_t trace_limit; /* bytes of text kept, from the beginning; 0: 16 MiB */
};

/* 0, and *world is owned: mp_world_free. MP_ECONFIG for options out of range,
 * MP_EIO when OpenSSL has no sha256; then *world is NULL. options may be
 * NULL. */
int mp_world_new(struct mp_world **world,
                 const struct mp_world_options *options,
                 struct mp_fault *fault);

/* Closes the hosts that are open, as mp_loop_close does, and frees the world.
 * NULL is fine. While it runs only by who then ends the process: nothing goes
 * back to the run. */
void mp_world_free(struct mp_world *world);

/* --- hosts -----------------------------------------------------------------
 * A host is a loop that has this ip: streams leave from it, listeners listen
 * at it, at 0.0.0.0, [::] or (seen by itself alone) a loopback address. It
 * answers dials to ports without a listener with a refusal; where no host has
 * ever been, nothing answers. Unix socket paths are each host's own.
 *
 * The address's port means nothing. 0; MP_EDUPLICATE when the ip has a host;
 * MP_ECONFIG for one that no host can have (unspecified, loopback, multicast).
 * *loop is borrowed until it is closed, by mp_loop_close (then the ip may have
 * a new host) or with the world; NULL after a failure.
 * mp_loop_run runs the whole world until nothing holds this loop or it is
 * stopped; MP_ETIMEOUT when nothing is left that could happen, or a million
 * turns have passed without time. */
int mp_world_host(struct mp_loop **loop, struct mp_world *world,
                  const struct mp_address *ip, struct mp_fault *fault);

/* The open host at an ip, or NULL. */
struct mp_loop *mp_world_find(struct mp_world *world,
                              const struct mp_address *ip);

/* The world that has this host, or NULL for a loop that is none. Only for who
 * builds worlds: what runs in one must not ask. */
struct mp_world *mp_world_of(const struct mp_loop *loop);

/* The ip of a host, with port 0. */
void mp_world_host_ip(const struct mp_loop *loop, struct mp_address *ip);

struct mp_host_limits {
  uint32_t descriptors; /* streams and listeners; 1 .. 1,000,000 */
  uint32_t window;      /* bytes that may wait unread; 1 .. 64 MiB */
  uint32_t send_buffer; /* bytes that may wait to be sent; 1 .. 64 MiB */
};

/* The defaults: 65,536 descriptors, 512 KiB, 256 KiB. */
void mp_host_limits_init(struct mp_host_limits *limits);

/* For this host, or with NULL for those that are made later. Streams that are
 * open keep theirs. limits is copied. 0, or MP_ECONFIG: out of range, or no
 * open host of this world. */
int mp_world_limit(struct mp_world *world, struct mp_loop *loop,
                   const struct mp_host_limits *limits, struct mp_fault *fault);

/* --- time ------------------------------------------------------------------
 */

/* Nanoseconds since the world began. */
int64_t mp_world_now(const struct mp_world *world);

/* Wall time, nanoseconds since 1970. */
int64_t mp_world_time(const struct mp_world *world);

/* Sets everybody's wall clock forward, or back, by nanoseconds, as happens to
 * machines; what mp_world_now tells, and timers, go on. 0, or MP_ECONFIG for a
 * time before 1970 or after 2200. */
int mp_world_jump(struct mp_world *world, int64_t by, struct mp_fault *fault);

enum mp_world_end {
  MP_WORLD_TIME = 1,  /* `until` is reached */
  MP_WORLD_CONDITION, /* the condition holds */
  MP_WORLD_IDLE,      /* nothing is left that could happen */
  MP_WORLD_STOPPED,   /* mp_world_stop was called */
  MP_WORLD_STUCK,     /* a million turns and no time has passed */
};

/* Lets happen what is due up to `until` (as mp_world_now counts), in order of
 * time, and at one time in order of scheduling; then it is `until`, unless that
 * is MP_FOREVER. condition (may be NULL) is asked first and between any two
 * events, and ends the run at once; it must change nothing. Why it ended (above
 * 0); MP_ELIMIT for a run inside a run; MP_ECONFIG for an `until` that is past.
 * mp_loop_stop of a host does not end it; mp_world_stop does. */
int mp_world_run(struct mp_world *world, int64_t until,
                 bool (*condition)(void *data), void *data,
                 struct mp_fault *fault);
void mp_world_stop(struct mp_world *world);
bool mp_world_is_running(const struct mp_world *world);

/* The next number of its one random source. */
uint64_t mp_world_random_u64(struct mp_world *world);

/* --- weather ---------------------------------------------------------------
 * What happens on the way from one host to another; the way back has its own.
 * Chances are 0 .. 1. Order within a stream is always kept. */
struct mp_weather {
  int64_t latency;    /* 0 .. 1 h */
  int64_t jitter;     /* added, evenly from 0 to this; 0 .. 1 h */
  uint64_t bandwidth; /* bytes a second, from 1, shared by all streams of the
                       * two hosts this way; UINT64_MAX: as much as comes */
  uint32_t segment;   /* bytes that travel together when bandwidth is limited;
                       * 1 .. 16 MiB */
  double split;       /* that bytes sent together are cut at a random byte */
  double merge;       /* that they wait up to 5 ms for what is sent behind */
  double loss;        /* that bytes sent break their stream: both are reset */
  double refuse;      /* that a dial this way is refused */
  double silence;     /* that nothing answers to a dial this way */
  int64_t lifetime;   /* a stream dialed this way breaks after twice this at
                       * most, evenly; > 0, MP_FOREVER: never */
};

/* The defaults: 10 ms latency and no trouble. (Between a host and itself it is
 * 20 µs, whatever the default is.) */
void mp_weather_init(struct mp_weather *weather);

/* The weather from `from` to `to`, for open streams too. Either may be NULL
 * for every host: what was said about the two of them comes first, then about
 * `from`, then about `to`, then about all. weather (copied) NULL takes it back.
 * 0, or MP_ECONFIG: out of range, or no open host of this world. */
int mp_world_link(struct mp_world *world, struct mp_loop *from,
                  struct mp_loop *to, const struct mp_weather *weather,
                  struct mp_fault *fault);

/* Some hosts; the list is borrowed until the call returns. */
struct mp_hosts {
  struct mp_loop *const *list;
  size_t n;
};

/* Cuts all ways between a and b; an empty b is everybody else. What is sent
 * waits; dials go unanswered; bytes that cannot pass for 15 minutes end their
 * stream with MP_EIO. A number > 0 to heal it with, or MP_ECONFIG: an empty a,
 * a host on both sides, or no open host of this world. */
int mp_world_partition(struct mp_world *world, struct mp_hosts a,
                       struct mp_hosts b, struct mp_fault *fault);

/* Takes one partition away, or with 0 all: what waited arrives one latency
 * later. Others are ignored. */
void mp_world_heal(struct mp_world *world, int partition);

/* Resets every stream between two hosts. The number of streams; 0 for what is
 * no open host of this world. */
size_t mp_world_break(struct mp_world *world, struct mp_loop *a,
                      struct mp_loop *b);

/* --- names -----------------------------------------------------------------
 */
struct mp_world_name {
  const char *name; /* 1 .. 253 characters, ASCII case ignored */
  const struct mp_address *answers; /* the ports mean nothing */
  size_t n;                         /* 0 .. MP_RESOLVE_MAX; 0: it fails */
  int64_t delay; /* nanoseconds, from 0; MP_FOREVER: no answer ever comes */
};

/* What a name resolves to from now on. Names nobody has said anything about
 * fail after 1 ms; "localhost" and numeric IPs are what they are everywhere.
 * All is copied. 0, or MP_ECONFIG for what is out of range. */
int mp_world_name(struct mp_world *world, const struct mp_world_name *name,
                  struct mp_fault *fault);

/* --- what happened ---------------------------------------------------------
 * The trace is JSON, one object a line: t (seconds since the beginning), from,
 * to, what, and what belongs to that: {"t":0.020000000,"from":"10.0.0.1:32768",
 * "to":"10.0.0.2:8333","what":"bytes","n":24,"head":"...","sum":"..."}. */

/* Adds a line of the host's: {"t":..,"at":"10.0.0.1","what":"note","note":..}.
 * Text is cut at 1,000 bytes. */
void mp_world_note(struct mp_world *world, const struct mp_loop *loop,
                   const char *text);

/* The text so far, borrowed until the world goes on; *n is its length. Empty
 * unless kept. Ends with a line {"what":"cut"} once the limit is reached. */
const char *mp_world_trace(struct mp_world *world, size_t *n);

/* The sha256 of all lines so far, kept or not; zero when the trace is off. */
void mp_world_hash(struct mp_world *world, uint8_t hash[32]);

/* What there is now, and was so far. */
struct mp_world_count {
  size_t hosts, streams, listeners; /* open */
  size_t lookups, works;            /* under way */
  size_t bytes;                     /* sent and not yet read */
  size_t memory;                    /* held for them */
  uint64_t events, messages;        /* so far; received calls */
};

/* Fills *count: looks at every stream. */
void mp_world_count(const struct mp_world *world, struct mp_world_count *count);

#endif
