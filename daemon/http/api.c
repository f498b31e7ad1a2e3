/* The read-only API: standing alerts and sites from memory, alerts that were and readings
 * from PostgreSQL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include <lodewatch/codec.h>
#include <lodewatch/hash.h>
#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/http/call.h"
#include "daemon/http/page.h"
#include "daemon/store/store.h"

/* ---- sites ---- */

/* The first site whose id comes after `after`; sites are in the order of their ids. */
static int32_t
site_after(const struct lw_ledger *ledger, const char *after)
{
    int32_t i = 0;

    while (i < ledger->nsites && strcmp(ledger->site[i].id, after) <= 0)
        i++;
    return i;
}

static int
fill_sites(struct page *page, const struct rooms *rooms, const char *after)
{
    const struct lw_core *core = engine_core(rooms->engine);
    const struct lw_ledger *ledger = lw_core_ledger(core);
    lw_wall now = clock_now(rooms->clock).wall;
    int32_t i = after[0] == '\0' ? 0 : site_after(ledger, after);
    char *text = malloc(LW_SITE_TEXT);
    int rc = text == NULL ? LW_ENOMEM : 0;

    for (; rc == 0 && i < ledger->nsites && !page_full(page); i++) {
        size_t n;
        rc = lw_site_json(core, i, now, text, &n);
        if (rc == 0)
            rc = page_add(page, ledger->site[i].id, text, n);
    }
    free(text);
    return rc != 0 ? rc : i < ledger->nsites;
}

void
sites_get(struct http_call *call)
{
    static const struct page_source source = {"sites", fill_sites};

    page_get(call, &source);
}

/* ---- alerts that stand ---- */

enum {
    ID_TEXT = 2 * sizeof((struct lw_alarm *)0)->id + 1
};

/* The standing alarm with this id, or NULL. */
static const struct lw_alarm *
find_alarm(const struct lw_core *core, const char *id)
{
    const struct lw_alarm *alarm = NULL;
    char text[ID_TEXT];

    while ((alarm = lw_core_next_alarm(core, alarm)) != NULL) {
        lw_hex(alarm->id, sizeof alarm->id, text);
        if (strcmp(text, id) == 0)
            break;
    }
    return alarm;
}

static int
fill_standing(struct page *page, const struct rooms *rooms, const char *after)
{
    const struct lw_core *core = engine_core(rooms->engine);
    const struct lw_alarm *alarm = NULL;
    char text[LW_ALERT_TEXT];
    char id[ID_TEXT];
    int rc = 0;

    if (after[0] != '\0') {
        alarm = find_alarm(core, after);
        if (alarm == NULL)
            return LW_ENOTFOUND;
    }
    alarm = lw_core_next_alarm(core, alarm);
    while (rc == 0 && alarm != NULL && !page_full(page)) {
        size_t n;
        rc = lw_alert_json(lw_core_ledger(core), lw_core_rules(core),
                           alarm->revision == 1 ? LW_ALERT_RAISED : LW_ALERT_UPDATED,
                           alarm, text, &n);
        lw_hex(alarm->id, sizeof alarm->id, id);
        if (rc == 0)
            rc = page_add(page, id, text, n);
        alarm = lw_core_next_alarm(core, alarm);
    }
    return rc != 0 ? rc : alarm != NULL;
}

static const struct page_source standing = {"alerts", fill_standing};

/* ---- what PostgreSQL has ---- */

/* A call that waits for PostgreSQL. Its connection may go away before the answer comes.
 */
struct waiting {
    struct http_call call; /* req NULL: nobody waits any more */
    const char *name;      /* of the list's member */
};

static void
on_close(struct evhttp_connection *connection, void *arg)
{
    struct waiting *waiting = arg;

    (void)connection;
    waiting->call.req = NULL;
}

static void
on_answer(void *arg, const char *rows, const char *next, const char *error)
{
    struct waiting *waiting = arg;
    struct http_call *call = &waiting->call;

    (void)error; /* the store has logged it, and it is not for strangers */
    if (call->req != NULL) {
        evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), NULL,
                                      NULL);
    }
    if (call->req != NULL && rows == NULL) {
        http_reply_problem(call->http, call->req, PROBLEM_DATABASE);
    } else if (call->req != NULL) {
        struct evbuffer *body = evbuffer_new();
        char at[LW_TIME_TEXT];
        lw_wall_format(clock_now(call->rooms->clock).wall, at);
        if (body != NULL) {
            evbuffer_add_printf(body, "{\"%s\":%s,\"at\":\"%s\",\"next\":%s}\n",
                                waiting->name, rows, at, next);
        }
        http_reply(call->http, call->req, body == NULL ? 500 : 200, "application/json",
                   body);
    }
    free(waiting);
}

/* NULL: there is no database, and that is answered. */
static struct waiting *
wait_for_store(struct http_call *call, const char *name)
{
    struct waiting *waiting =
        call->rooms->store == NULL ? NULL : calloc(1, sizeof *waiting);

    if (waiting == NULL) {
        http_reply_problem(call->http, call->req, PROBLEM_DATABASE);
        return NULL;
    }
    waiting->call = *call;
    waiting->name = name;
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), on_close,
                                  waiting);
    return waiting;
}

/* RFC 3339, or local time of the deployment. */
static int
parse_time(const struct http_call *call, enum http_param param, enum lw_date_edge edge,
           lw_wall *time)
{
    const char *text = call->query.value[param];
    const struct lw_ledger *ledger = lw_core_ledger(engine_core(call->rooms->engine));

    if ((call->query.given & (1u << param)) == 0)
        return 0;
    return lw_wall_parse(text, strlen(text), ledger->zone, edge, time);
}

static void
history_get(struct http_call *call)
{
    struct store_alerts_query query = {.from = {LW_WALL_FIRST}, .to = {LW_WALL_LAST}};

    if (http_query_limit(&call->query, PAGE_DEFAULT, PAGE_MOST, &query.limit) != 0 ||
        parse_time(call, PARAM_FROM, LW_DATE_START, &query.from) != 0 ||
        parse_time(call, PARAM_TO, LW_DATE_END, &query.to) != 0 ||
        (call->query.given & PARAM(AFTER)) != 0) {
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
        return;
    }
    struct waiting *waiting = wait_for_store(call, "alerts");
    if (waiting != NULL)
        store_alerts(call->rooms->store, &query, on_answer, waiting);
}

void
readings_get(struct http_call *call)
{
    const uint32_t needed = PARAM(METER) | PARAM(FROM) | PARAM(TO);
    struct store_readings_query query;
    lw_wall after = {LW_WALL_FIRST - 1};

    if ((call->query.given & needed) != needed ||
        http_query_limit(&call->query, PAGE_DEFAULT, PAGE_MOST, &query.limit) != 0 ||
        parse_time(call, PARAM_FROM, LW_DATE_START, &query.from) != 0 ||
        parse_time(call, PARAM_TO, LW_DATE_END, &query.to) != 0 ||
        parse_time(call, PARAM_AFTER, LW_DATE_START, &after) != 0) {
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
        return;
    }
    if (after.ms >= query.from.ms)
        query.from.ms = after.ms + 1;
    snprintf(query.meter, sizeof query.meter, "%s", call->query.value[PARAM_METER]);
    struct waiting *waiting = wait_for_store(call, "readings");
    if (waiting != NULL)
        store_readings(call->rooms->store, &query, on_answer, waiting);
}

void
alerts_get(struct http_call *call)
{
    const char *state = (call->query.given & PARAM(STATE)) != 0
                            ? call->query.value[PARAM_STATE]
                            : "standing";

    if (strcmp(state, "all") == 0)
        history_get(call);
    else if (strcmp(state, "standing") == 0 &&
             (call->query.given & (PARAM(FROM) | PARAM(TO))) == 0)
        page_get(call, &standing);
    else
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
}
