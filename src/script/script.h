/* script - one Lua state's share of the engine: its loop, and the one way into
 * Lua. */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stdbool.h>

#include <lauxlib.h>
#include <lua.h>

#include "moonpeer/error.h"
#include "moonpeer/loop.h"
#include "moonpeer/message.h"
#include "script/meter.h"

struct guard;
struct memory_cap;
struct declared;
struct task;
struct watchdog;

/* What lies at the bottom of the hook thread, for good: message handlers of
 * protected calls, and what tells of an event. */
enum { HOOK_TRACEBACK = 1, HOOK_EXPLAIN, HOOK_TELL, HOOK_BOTTOM = HOOK_TELL };

/* Who took the last decision, and what it was. */
struct answered {
  const struct guard *guard; /* NULL: nobody, the safe answer holds */
  char answer[48], reason[120];
};

/* Something that is open on a loop and can be told to close: listed so that a
 * signal, the end of the state or of a world reaches it. */
struct closable {
  struct closable *next, *previous;
  void (*close)(struct closable *closable);
  struct mp_loop *loop;
  const char *kind; /* "engine" ...; static */
};

/* Where a walk over what is open goes on, whatever closes meanwhile. */
struct cursor {
  struct closable *next;
  struct cursor *outer;
};

/* On whose behalf Lua runs, and what that may do: it passes on to what it
 * starts. */
struct actor {
  int64_t budget;      /* nanoseconds between two waits; 0: any number */
  unsigned generation; /* of the policy; 0: none */
  bool is_confined;    /* from a file: strings are bounded */
};

struct script {
  lua_State *hooks;         /* the thread every hook runs on */
  struct mp_loop *loop;     /* the real one; opened when first needed */
  struct mp_loop *here;     /* whose Lua runs now; NULL: the real one's */
  struct mp_hasher *hasher; /* both made when first needed */
  struct mp_encoder *encoder;
  struct declared *declared;     /* message types of scripts, newest first */
  struct task *tasks;            /* all that live */
  struct task *main;             /* the one that run waits for */
  lua_State *volatile computing; /* a task or its coroutine; for signal handlers
                                    that come in between */
  struct closable *open;
  struct cursor *cursors;
  int depth;           /* of Lua entered from C: 0 at the top */
  uint64_t generation; /* changes with every entry: what was handed to a hook
                          and bears another is stale */
  int instructions;    /* that Lua may run in one go; 0: any number */
  bool is_logged;      /* events go to a log: not to stderr as well */
  bool is_overrun;     /* and has: script_push_overrun */
  bool in_world;       /* a world's Lua runs, or what it has is being made */
  bool collects;       /* a full collection before and after every entry */
  bool is_interrupted; /* a signal asked to end */
  bool has_bounded_strings;  /* a policy from a file runs */
  struct watchdog *watchdog; /* both made with the first guard; may be NULL */
  struct memory_cap *cap;
  struct answered answered;
  const struct actor *active; /* for whom Lua runs; NULL: the program */
  bool is_closing;            /* the state is being closed: no Lua any more */

  /* What consoles take of the real loop. */
  struct meter consoles;
};

/* Makes it, or finds it: one for a state, closed with it. */
struct script *script_of(lua_State *L);

/* Makes what guards need: the watchdog and the cap on memory. */
void script_protect(lua_State *L);

/* The real loop; raises when it cannot be had. */
struct mp_loop *script_loop(lua_State *L);

/* Theirs and the script's; raise when they cannot be had. */
struct mp_hasher *script_hasher(lua_State *L);
struct mp_encoder *script_encoder(lua_State *L);

/* Calls body(L) with data as its one argument, a light userdata, on the hook
 * thread, because of something on a loop: everything that can raise belongs
 * in there. 0, or LUA_ERR*; then the message with its traceback has been
 * reported. The only way from C into Lua, tasks apart. */
int script_enter(struct script *script, struct mp_loop *loop,
                 lua_CFunction body, void *data);

/* The two halves of it, for who makes protected calls of his own in between, at
 * the bottom of the hook thread. False when nothing may be entered any more. */
bool script_begin(struct script *script, struct mp_loop *loop,
                  struct mp_loop **before);
void script_end(struct script *script, struct mp_loop *before);

/* Limits what L runs from now on to `instructions`; unless somebody else, a
 * debugger for one, has hooked it. unwatch ends that. */
void script_watch(struct script *script, lua_State *L);
void script_unwatch(lua_State *L);

/* Keeps the error at the top as what is said of the overrun, unless something
 * is kept already. */
void script_keep_overrun(lua_State *L);

/* Pushes what ran too long, with a traceback, and keeps it no more. */
void script_push_overrun(lua_State *L);

void script_opened(struct script *script, struct closable *closable);
void script_closed(struct script *script, struct closable *closable);

/* Closes what is open on a loop; NULL is every loop. */
void script_close_all(struct script *script, struct mp_loop *loop);

/* Closes what is open on the loops that are meant. */
void script_close_those(struct script *script,
                        bool (*is_meant)(const void *data,
                                         const struct mp_loop *loop),
                        const void *data);

/* Pops the function that keeps the log: write(what, trace). From then on it is
 * told what events tell, and what failed where nobody could be told. */
void script_set_log(lua_State *L);

/* Says that Lua code failed, in the log if one is kept; the message is at the
 * top of L and is popped. */
void script_report(lua_State *L, const char *what);

/* A message handler: adds a traceback to what is no object of somebody's. */
int script_traceback(lua_State *L);

/* --- results ---------------------------------------------------------------
 */

/* nil, message, code: how every failure of the world is returned. */
int push_failure(lua_State *L, int code, const char *text);
int push_fault(lua_State *L, const struct mp_fault *fault);

/* true, or the failure. */
int push_result(lua_State *L, int rc, const struct mp_fault *fault);

/* --- objects ---------------------------------------------------------------
 */

/* Makes a metatable of a type: methods, metamethods (both end with a NULL
 * row) and __name. Objects whose `index` is NULL look up methods only. */
void object_type(lua_State *L, const char *name, const luaL_Reg *methods,
                 const luaL_Reg *metamethods, lua_CFunction index);

/* luaL_checkudata and luaL_setmetatable, faster: name is the very pointer that
 * object_type was given. */
void *object_check(lua_State *L, int index, const char *name);

/* How an object begins that is read at every message. */
struct object {
  const char *type; /* the pointer that object_type was given as its name; only
                       together with its metatable */
};

/* The same of the object at index 1, faster for what begins with its type and
 * has this size. */
void *object_self(lua_State *L, const char *name, size_t size);

void object_mark(lua_State *L, const char *name);

/* Pushes the table of methods of a type, for those written in Lua. */
void object_methods(lua_State *L, const char *name);

/* In an index function: pushes the method named at index 2, or nil. */
int object_method(lua_State *L);

/* The one userdata that stands for a C object, by its pointer: pushes it, or
 * nothing and false. Weak: who keeps none has none. */
bool object_find(lua_State *L, const void *pointer);
void object_remember(lua_State *L, const void *pointer);
void object_forget(lua_State *L, const void *pointer);

#endif
