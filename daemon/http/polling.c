/* What is polled, and how it goes: the gateways, and the meters behind one of them. */
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>
#include <lodewatch/text.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/http/call.h"
#include "daemon/http/page.h"
#include "daemon/poll/poller.h"

enum {
    ITEM_TEXT = 8192
};

static void
add_time(struct lw_text *t, const char *name, lw_wall at)
{
    char text[LW_TIME_TEXT];

    lw_wall_format(at, text);
    if (at.ms == LW_WALL_MIN.ms || at.ms == LW_WALL_MAX.ms)
        lw_text_addf(t, ",\"%s\":null", name);
    else
        lw_text_addf(t, ",\"%s\":\"%s\"", name, text);
}

/* Where it did not all fit, a list with half an item in it is no answer. */
static int
add_item(struct page *page, const char *id, const struct lw_text *t)
{
    return t->cut ? LW_EFULL : page_add(page, id, t->data, t->len);
}

/* ---- gateways ---- */

static void
add_reads(struct lw_text *t, const struct poller_gateway *g)
{
    const char *comma = "";

    for (int r = 0; r < POLL_RESULTS; r++)
        lw_text_addf(t, "%s\"%s\":%ju", r == 0 ? ",\"reads\":{" : ",",
                     poller_result_name((enum poller_result)r), (uintmax_t)g->polls[r]);
    lw_text_add(t, "},\"exceptions\":{");
    for (int code = 0; code < POLL_EXCEPTIONS; code++) {
        if (g->exceptions[code] == 0)
            continue;
        lw_text_addf(t, "%s\"%d\":%u", comma, code, g->exceptions[code]);
        comma = ",";
    }
    lw_text_add(t, "}");
}

static void
add_replies(struct lw_text *t, const struct reply_times *replies)
{
    lw_text_addf(t, ",\"replies\":{\"n\":%ju,\"sum_ms\":%ju,\"buckets\":[",
                 (uintmax_t)reply_times_count(replies),
                 (uintmax_t)(replies->sum_us / 1000));
    for (int i = 0; i < REPLY_BUCKETS; i++)
        lw_text_addf(t, "{\"le_ms\":%d,\"n\":%ju},", reply_bucket_ms[i],
                     (uintmax_t)replies->n[i]);
    lw_text_addf(t, "{\"le_ms\":null,\"n\":%ju}]}", (uintmax_t)replies->n[REPLY_BUCKETS]);
}

static void
gateway_json(const struct lw_gateway *row, const struct poller_gateway *g,
             struct lw_text *t)
{
    lw_text_add(t, "{\"id\":");
    lw_text_add_json(t, row->id);
    lw_text_addf(t, ",\"transport\":\"%s\",\"address\":",
                 lw_enum_name(LW_ENUM_TRANSPORT, (int)row->transport));
    lw_text_add_json(t, row->address);
    lw_text_addf(t, ",\"state\":\"%s\",\"retry_ms\":", link_state_name(g->state));
    if (g->retry_ms > 0)
        lw_text_addf(t, "%jd", (intmax_t)g->retry_ms);
    else
        lw_text_add(t, "null");
    add_time(t, "last_good", g->good);
    lw_text_addf(t, ",\"meters\":%d,\"meters_silent\":%d,\"queue\":%u", g->meters,
                 g->meters_silent, g->queue);
    lw_text_addf(t, ",\"load\":%.3f,\"round_ms\":%.1f,\"latency_ms\":%.1f",
                 g->load_permille / 1e3, (double)g->round_us / 1e3,
                 (double)g->latency_us / 1e3);
    add_replies(t, &g->replies);
    add_reads(t, g);
    lw_text_addf(t,
                 ",\"frames\":{\"stray\":%ju,\"wrong_unit\":%ju,\"corrupt\":%ju}"
                 ",\"connects\":%ju,\"disconnects\":%ju,\"refused\":%ju}",
                 (uintmax_t)g->link.stray, (uintmax_t)g->link.wrong_unit,
                 (uintmax_t)g->link.corrupt, (uintmax_t)g->link.connects,
                 (uintmax_t)g->link.disconnects, (uintmax_t)g->link.refused);
}

static int
fill_gateways(struct page *page, const struct rooms *rooms, const char *after)
{
    const struct lw_ledger *ledger = lw_core_ledger(engine_core(rooms->engine));
    char text[ITEM_TEXT];
    int32_t i = 0;
    int rc = 0;

    if (rooms->poller == NULL)
        return LW_EIO;
    while (i < ledger->ngateways && strcmp(ledger->gateway[i].id, after) <= 0)
        i++;
    for (; rc == 0 && i < ledger->ngateways && !page_full(page); i++) {
        struct poller_gateway g;
        struct lw_text t;
        poller_gateway(rooms->poller, i, &g);
        lw_text_init(&t, text, sizeof text);
        gateway_json(&ledger->gateway[i], &g, &t);
        rc = add_item(page, ledger->gateway[i].id, &t);
    }
    return rc != 0 ? rc : i < ledger->ngateways;
}

void
gateways_get(struct http_call *call)
{
    static const struct page_source source = {"gateways", fill_gateways};

    page_get(call, &source);
}

/* ---- the meters of a gateway ---- */

static void
meter_json(const struct lw_meter *row, const struct poller_meter *m, lw_wall last_good,
           struct lw_text *t)
{
    lw_text_add(t, "{\"id\":");
    lw_text_add_json(t, row->id);
    lw_text_addf(t, ",\"unit\":%u,\"profile\":", row->unit);
    lw_text_add_json(t, row->profile);
    lw_text_addf(t, ",\"interval_s\":%d,\"last\":", row->interval_s);
    if (m->last < POLL_RESULTS)
        lw_text_addf(t, "\"%s\"", poller_result_name(m->last));
    else
        lw_text_add(t, "null");
    if (m->last == POLL_EXCEPTION)
        lw_text_addf(t, ",\"exception\":%d", m->exception);
    else
        lw_text_add(t, ",\"exception\":null");
    add_time(t, "last_good", last_good);
    lw_text_addf(t, ",\"failures\":%u,\"backs_off\":%s", m->failures,
                 m->silent ? "true" : "false");
    add_time(t, "next", m->next);
    if (m->latency_ms > 0)
        lw_text_addf(t, ",\"latency_ms\":%d}", m->latency_ms);
    else
        lw_text_add(t, ",\"latency_ms\":null}");
}

/* Its meters that are in place, after the one named; LW_ENOTFOUND: that one is not. */
static int
skip_to(const struct lw_ledger *ledger, const int32_t *row, int32_t n, const char *after,
        lw_wall now)
{
    int32_t i = 0;

    if (after[0] == '\0')
        return 0;
    while (i < n && (strcmp(ledger->meter[row[i]].id, after) != 0 ||
                     ledger->meter[row[i]].removed.ms <= now.ms))
        i++;
    return i < n ? i + 1 : LW_ENOTFOUND;
}

static int
fill_meters(struct page *page, const struct rooms *rooms, const char *after)
{
    const struct lw_core *core = engine_core(rooms->engine);
    const struct lw_ledger *ledger = lw_core_ledger(core);
    lw_wall now = clock_now(rooms->clock).wall;
    int32_t gateway = lw_ledger_gateway(ledger, page_query(page)->value[PARAM_GATEWAY]);
    char text[ITEM_TEXT];
    int32_t n;

    if (rooms->poller == NULL)
        return LW_EIO;
    if (gateway == LW_NONE)
        return LW_ENOTFOUND;
    const int32_t *row = lw_core_gateway_meters(core, gateway, &n);
    int32_t i = skip_to(ledger, row, n, after, now);
    int rc = i < 0 ? i : 0;
    for (; rc == 0 && i < n && !page_full(page); i++) {
        const struct lw_meter *meter = &ledger->meter[row[i]];
        struct lw_meter_view view;
        struct poller_meter m;
        struct lw_text t;
        if (meter->installed.ms > now.ms || meter->removed.ms <= now.ms)
            continue;
        lw_core_meter(core, row[i], &view);
        poller_meter(rooms->poller, row[i], &m);
        lw_text_init(&t, text, sizeof text);
        meter_json(meter, &m, view.last_good, &t);
        rc = add_item(page, meter->id, &t);
    }
    return rc != 0 ? rc : i < n;
}

void
meters_get(struct http_call *call)
{
    static const struct page_source source = {"meters", fill_meters};

    if ((call->query.given & PARAM(GATEWAY)) == 0)
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
    else
        page_get(call, &source);
}
