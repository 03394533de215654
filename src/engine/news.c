/* news - events that happen within a call of a script. */
#include "engine/news.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "moonpeer/ban.h"

struct news_item {
  struct news_item *next;
  struct mp_event event;
  struct mp_ban ban;
  char text[MP_FAULT_TEXT], origin[MP_BAN_TEXT];
};

/* Its texts are copied: the ban may be gone when it is told. */
static void put_ban(struct news_item *item, const struct mp_ban *ban) {
  item->ban = *ban;
  snprintf(item->origin, sizeof item->origin, "%s", ban->origin);
  item->ban.origin = item->origin;
  item->ban.note = item->text;
  item->event.ban = &item->ban;
}

void news_put(struct mp_engine *engine, const struct mp_event *event) {
  struct news *news = &engine->news;
  if (!(engine->hooks->wants & UINT64_C(1) << event->type))
    return;
  if (news->count == NEWS_MAX) {
    engine->counts.events_lost++;
    return;
  }
  struct news_item *item = mem_new(sizeof *item);
  item->event = (struct mp_event){
      .type = event->type, .address = event->address, .code = event->code};
  if (event->ban)
    put_ban(item, event->ban);
  snprintf(item->text, sizeof item->text, "%s", event->text ? event->text : "");
  item->event.text = item->text;
  if (news->last)
    news->last->next = item;
  else
    news->first = item;
  news->last = item;
  news->count++;
  mp_later_post(engine->loop, &engine->turn);
}

static struct news_item *take(struct news *news) {
  struct news_item *item = news->first;
  if (!item)
    return NULL;
  news->first = item->next;
  if (!news->first)
    news->last = NULL;
  news->count--;
  return item;
}

void news_tell(struct mp_engine *engine) {
  struct news_item *item;
  while ((item = take(&engine->news))) {
    engine_tell(engine, &item->event);
    free(item);
  }
}

void news_deinit(struct mp_engine *engine) {
  struct news_item *item;
  while ((item = take(&engine->news)))
    free(item);
}
