/* conversation - a connection that a script talks on by itself. */
#include "script/conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "script/connection.h"
#include "script/message.h"

static void finish(struct conversation *talk) {
  struct letter *letter;
  if (talk->connection || talk->has_object)
    return;
  while ((letter = conversation_next(talk)))
    free(letter);
  record_close(talk->record);
  free(talk);
}

void conversation_let_go(struct conversation *talk) {
  talk->has_object = false;
  talk->is_left = true;
  if (talk->connection)
    mp_connection_close(talk->connection, MP_ECLOSED, "nobody uses it");
  finish(talk);
}

void conversation_listen(struct conversation *talk) {
  if (talk->connection && talk->held <= (size_t)talk->options.receive_memory)
    mp_connection_pause(talk->connection, false);
}

struct letter *conversation_next(struct conversation *talk) {
  struct letter *letter = talk->first;
  if (!letter)
    return NULL;
  talk->first = letter->next;
  if (!talk->first)
    talk->last = NULL;
  talk->held -= sizeof *letter + letter->size;
  conversation_listen(talk);
  return letter;
}

/* --- hooks -----------------------------------------------------------------
 */

static struct letter *letter_new(const char *command, const uint8_t *bytes,
                                 size_t n) {
  struct letter *letter = mem_try(sizeof *letter + n);
  if (!letter)
    return NULL;
  *letter = (struct letter){.size = n};
  snprintf(letter->command, sizeof letter->command, "%s", command);
  if (n)
    memcpy(letter->payload, bytes, n);
  return letter;
}

static void keep(struct conversation *talk, struct letter *letter) {
  if (!letter) {
    mp_connection_close(talk->connection, MP_ELIMIT, "out of memory");
    return;
  }
  if (talk->last)
    talk->last->next = letter;
  else
    talk->first = letter;
  talk->last = letter;
  talk->held += sizeof *letter + letter->size;
  if (talk->held > (size_t)talk->options.receive_memory)
    mp_connection_pause(talk->connection, true);
}

static struct letter *chunk_letter(const struct mp_chunk *chunk) {
  struct letter *letter = letter_new(chunk->command, chunk->bytes, chunk->size);
  if (!letter)
    return NULL;
  letter->is_chunk = true;
  letter->is_last = chunk->is_last;
  letter->code = chunk->code;
  letter->offset = chunk->offset;
  letter->total = chunk->total;
  return letter;
}

/* Pings that were answered for the script are not its affair. */
static bool is_shown(const struct conversation *talk,
                     const struct mp_message *message) {
  return !(talk->is_complete && talk->options.keepalive &&
           strcmp(message->command, "ping") == 0);
}

static void on_event(void *data, const struct mp_event *event) {
  struct conversation *talk = data;
  switch (event->type) {
  case MP_CONNECTION_ESTABLISHED: talk->is_established = true; break;
  case MP_HANDSHAKE_COMPLETE: talk->is_complete = true; break;
  case MP_MESSAGE:
    if (is_shown(talk, event->message))
      keep(talk, letter_new(event->message->command, event->message->payload,
                            (size_t)event->message->size));
    break;
  case MP_CHUNK: keep(talk, chunk_letter(event->chunk)); break;
  case MP_CONNECTION_FAILED:
  case MP_CONNECTION_LOST:
    talk->is_over = true;
    talk->code = event->code;
    snprintf(talk->text, sizeof talk->text, "%s", event->text);
    record_end(talk->record, event->code == MP_ERESET ? "reset" : "closed",
               talk->is_left, mp_loop_now(talk->loop));
    break;
  default: return;
  }
  waiters_wake(&talk->waiters);
}

static void on_closed(void *data, struct mp_connection *connection) {
  struct conversation *talk = data;
  connection_gone(talk->script, talk->loop, connection);
  talk->connection = NULL;
  talk->is_over = true;
  script_closed(talk->script, &talk->closable);
  mp_loop_release(talk->loop);
  finish(talk);
}

static const struct mp_message_type *on_declared(void *data,
                                                 const char *command) {
  const struct conversation *talk = data;
  return declared_find(talk->script, command);
}

/* What goes and comes, when it is written down. */
static void on_frame(void *data, struct mp_connection *connection,
                     const struct mp_frame *frame) {
  struct conversation *talk = data;
  (void)connection;
  record_frame(talk->record, frame, mp_loop_now(talk->loop));
}

int conversation_record(struct conversation *talk,
                        const struct record_setup *setup,
                        struct mp_fault *fault) {
  int rc =
      talk->record
          ? fault_set(fault, MP_EDUPLICATE, "it is recorded already")
          : record_open(&talk->record, setup, mp_loop_now(talk->loop), fault);
  if (rc == 0)
    talk->hooks.frame = on_frame;
  return rc;
}

static const struct mp_hooks hooks = {
    .wants = UINT64_C(1) << MP_CONNECTION_ESTABLISHED |
             UINT64_C(1) << MP_HANDSHAKE_COMPLETE |
             UINT64_C(1) << MP_CONNECTION_FAILED |
             UINT64_C(1) << MP_CONNECTION_LOST | UINT64_C(1) << MP_MESSAGE |
             UINT64_C(1) << MP_CHUNK,
    .commands = UINT64_MAX,
    .event = on_event,
    .declared = on_declared,
    .closed = on_closed,
};

/* --- making ----------------------------------------------------------------
 */

static void close_talk(struct closable *closable) {
  struct conversation *talk = (struct conversation *)closable;
  talk->is_left = true;
  mp_connection_close(talk->connection, MP_ECLOSED, "the script ends");
}

static struct conversation *talk_new(const struct conversation_setup *setup) {
  struct conversation *talk = mem_new(sizeof *talk);
  talk->closable.close = close_talk;
  talk->closable.loop = setup->loop;
  talk->closable.kind = "connection";
  talk->script = setup->script;
  talk->loop = setup->loop;
  talk->hooks = hooks;
  talk->network = *setup->network;
  talk->options = *setup->options;
  talk->options.network = &talk->network;
  mp_loop_hold(setup->loop);
  script_opened(setup->script, &talk->closable);
  return talk;
}

static struct mp_connection_setup connection_setup(struct conversation *talk) {
  return (struct mp_connection_setup){
      .loop = talk->loop,
      .options = &talk->options,
      .hooks = &talk->hooks,
      .data = talk,
      .is_manual = true,
  };
}

struct conversation *conversation_dial(const struct conversation_setup *setup,
                                       const struct mp_address *to) {
  struct conversation *talk = talk_new(setup);
  struct mp_connection_setup made = connection_setup(talk);
  talk->connection = mp_connection_dial(&made, to);
  return talk;
}

struct conversation *conversation_accept(const struct conversation_setup *setup,
                                         struct mp_stream *stream) {
  struct conversation *talk = talk_new(setup);
  struct mp_connection_setup made = connection_setup(talk);
  talk->is_established = true;
  talk->connection = mp_connection_accept(&made, stream);
  return talk;
}
