/* /healthz: the process lives. /readyz: it does what it is for, or why not. */
#include <event2/buffer.h>

#include <lodewatch/codec.h>
#include <lodewatch/text.h>

#include "daemon/http/call.h"
#include "daemon/journal.h"
#include "daemon/poll/poller.h"
#include "daemon/store/store.h"

static void
reply_text(struct http_call *call, int status, const struct lw_text *text)
{
    struct evbuffer *body = evbuffer_new();

    if (body != NULL)
        evbuffer_add(body, text->data, text->len);
    http_reply(call->http, call->req, status, "application/json", body);
}

void
health_live(struct http_call *call)
{
    static const char ok[] = "{\"status\":\"ok\"}\n";

    http_reply_static(call, "application/json", ok, sizeof ok - 1);
}

/* One thing that has to work; `why` says in English what is wrong, "" where nothing is.
 */
static bool
check_database(const struct rooms *rooms, struct lw_text *why)
{
    struct store_stats stats;

    if (rooms->store == NULL)
        return true; /* none is configured */
    store_stats(rooms->store, &stats);
    if (stats.state != STORE_UP) {
        lw_text_addf(why, "%s",
                     stats.state == STORE_MIGRATING ? "the tables are being migrated"
                     : stats.error[0] != '\0' ? "PostgreSQL is away; the log says why"
                                              : "not connected yet");
    }
    return stats.state == STORE_UP;
}

static bool
check_polling(const struct rooms *rooms, struct lw_text *why)
{
    struct poller_stats stats = {0};

    if (rooms->poller != NULL)
        poller_stats(rooms->poller, &stats);
    if (stats.gateways == 0)
        lw_text_add(why, "there is no gateway to poll");
    else if (stats.gateways_up == 0)
        lw_text_addf(why, "none of %d gateways answers", stats.gateways);
    return stats.gateways_up > 0;
}

static bool
check_journal(const struct rooms *rooms, struct lw_text *why)
{
    struct journal_stats stats = {0};

    if (rooms->journal != NULL)
        journal_stats(rooms->journal, &stats);
    if (stats.failing)
        lw_text_add(why, "the disk refuses what is written");
    else if (stats.full)
        lw_text_add(why, "near its max_bytes; the oldest readings go first");
    return !stats.failing && !stats.full;
}

static const struct {
    const char *name;
    const char *zh; /* what it means that this fails */
    bool (*check)(const struct rooms *rooms, struct lw_text *why);
} checks[] = {
    {"database", "数据库不可用", check_database},
    {"polling", "没有采集到数据", check_polling},
    {"journal", "日志无法写入磁盘或将满", check_journal},
};

void
health_ready(struct http_call *call)
{
    char list[4096];
    char data[4096 + 64];
    struct lw_text items;
    struct lw_text text;
    bool ready = true;

    lw_text_init(&items, list, sizeof list);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        char reason[256];
        struct lw_text why;
        lw_text_init(&why, reason, sizeof reason);
        bool ok = checks[i].check(call->rooms, &why);
        lw_text_addf(&items, "%s{\"name\":\"%s\",\"ok\":%s", i == 0 ? "" : ",",
                     checks[i].name, ok ? "true" : "false");
        if (!ok) {
            lw_text_add(&items, ",\"reason\":");
            lw_text_add_json(&items, reason);
            lw_text_addf(&items, ",\"reason_zh\":\"%s\"", checks[i].zh);
            ready = false;
        }
        lw_text_add(&items, "}");
    }
    lw_text_init(&text, data, sizeof data);
    lw_text_addf(&text, "{\"ready\":%s,\"checks\":[%s]}\n", ready ? "true" : "false",
                 list);
    reply_text(call, ready ? 200 : 503, &text);
}
