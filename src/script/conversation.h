/* conversation - a connection that a script talks on by itself: no engine, no
 * store, no policies behind it. Messages wait here until they are received. */
#ifndef SCRIPT_CONVERSATION_H
#define SCRIPT_CONVERSATION_H

#include "moonpeer/connection.h"
#include "script/record.h"
#include "script/script.h"
#include "script/task.h"

/* A message, or a chunk of one, that has not been received. */
struct letter {
  struct letter *next;
  char command[MP_COMMAND_SIZE + 1];
  bool is_chunk, is_last;
  int code;               /* of the last: 0, or what is wrong with it */
  uint64_t offset, total; /* of a chunk */
  size_t size;
  uint8_t payload[];
};

struct conversation {
  struct closable closable;
  struct script *script;
  struct mp_loop *loop;
  struct mp_network network;
  struct mp_session_options options;
  struct mp_hooks hooks;
  struct mp_connection *connection; /* NULL when it is gone */
  struct record *record;            /* NULL: it is not written down */
  struct waiters waiters;
  struct letter *first, *last;
  size_t held; /* bytes of letters; over receive_memory reading stops */
  bool is_established, is_complete, is_over;
  bool has_object; /* a Lua object points here */
  bool is_left;    /* we have closed it, not the remote */
  int code;        /* why it is over */
  char text[MP_FAULT_TEXT];
};

/* What a conversation is held with: the network and options are copied. */
struct conversation_setup {
  struct script *script;
  struct mp_loop *loop;
  const struct mp_network *network;
  const struct mp_session_options *options;
};

/* It is freed when its connection is gone and its object has let go. */
struct conversation *conversation_dial(const struct conversation_setup *setup,
                                       const struct mp_address *to);
struct conversation *conversation_accept(const struct conversation_setup *setup,
                                         struct mp_stream *stream);
void conversation_let_go(struct conversation *talk);

/* Writes down what is said from now on. 0, MP_EIO, or MP_EDUPLICATE: it is
 * written down already. */
int conversation_record(struct conversation *talk,
                        const struct record_setup *setup,
                        struct mp_fault *fault);

/* Reads on, unless too much has not been received. */
void conversation_listen(struct conversation *talk);

/* The first letter, taken out: the caller frees it; NULL when there is none. */
struct letter *conversation_next(struct conversation *talk);

#endif
