/* store_save - saving a store without holding the loop. */
#ifndef SCRIPT_STORE_SAVE_H
#define SCRIPT_STORE_SAVE_H

#include <lua.h>

#include "moonpeer/loop.h"
#include "moonpeer/store.h"
#include "script/script.h"
#include "script/task.h"

struct store;

/* Somebody who wants to know what became of a save: a userdata. */
struct ticket {
  struct ticket *next, **place; /* place NULL: in no list */
  uint64_t number;              /* of the save */
  bool is_done;
  int rc;
  struct mp_fault fault;
  struct waiters waiters;
};

enum saver_state {
  SAVER_IDLE,
  SAVER_BLOCKED,   /* somebody else saves: looks again in a while */
  SAVER_GATHERING, /* in slices, a slice a turn */
  SAVER_WORKING,   /* in another thread, or a task */
};

/* One save at a time; who asks meanwhile gets the next. */
struct store_saver {
  struct closable closable;
  struct store *store;
  struct mp_loop *loop;
  struct mp_save *save;
  struct mp_later slice;
  struct mp_timer again;
  struct mp_work work;
  struct mp_fault fault;
  int rc;
  enum saver_state state;
  uint64_t started; /* number of the present or last save */
  bool is_wanted;   /* another one after it */
  struct ticket *tickets;
};

void store_saver_init(struct store_saver *saver, struct store *store);
bool store_saver_is_busy(const struct store_saver *saver);

/* store:save() and close(); a ticket's type with its wait(). */
int save_lua_save(lua_State *L);
int save_lua_close(lua_State *L);
int save_lua_on_close(lua_State *L);
void save_open_type(lua_State *L);

#endif
