/* The read-only API: standing alerts and sites from memory, history from PostgreSQL. */
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
#include "daemon/store/store.h"

/* A page; so long that making it keeps the poller waiting for less than 10 ms. */
enum {
    PAGE = 50,
    PAGE_MAX = 100,
    HISTORY_MAX = 1000
};

/* ---- lists ---- */

/* {"NAME":[item, …],"at":"…","next":"…"}: `next` is what `after` asks for the next page.
 */
struct list {
    struct evbuffer *body;
    int32_t n;
};

static int
list_begin(struct list *list, const char *name)
{
    *list = (struct list){.body = evbuffer_new()};
    return list->body != NULL && evbuffer_add_printf(list->body, "{\"%s\":[", name) > 0
               ? 0
               : LW_ENOMEM;
}

static int
list_add(struct list *list, const char *item, size_t n)
{
    if ((list->n++ > 0 && evbuffer_add(list->body, ",", 1) != 0) ||
        evbuffer_add(list->body, item, n) != 0)
        return LW_ENOMEM;
    return 0;
}

/* `next` NULL: this was the last page. Answers with a problem where rc is not 0. */
static void
list_reply(struct list *list, struct http_call *call, int rc, const char *next)
{
    char at[LW_TIME_TEXT];
    char data[512];
    struct lw_text end;

    lw_wall_format(clock_now(call->rooms->clock).wall, at);
    lw_text_init(&end, data, sizeof data);
    lw_text_addf(&end, "],\"at\":\"%s\",\"next\":", at);
    if (next == NULL)
        lw_text_add(&end, "null");
    else
        lw_text_add_json(&end, next);
    lw_text_add(&end, "}\n");
    if (rc == 0 && evbuffer_add(list->body, end.data, end.len) == 0) {
        http_reply(call->http, call->req, 200, "application/json", list->body);
        return;
    }
    if (list->body != NULL)
        evbuffer_free(list->body);
    http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
}

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

void
sites_get(struct http_call *call)
{
    const struct lw_core *core = engine_core(call->rooms->engine);
    const struct lw_ledger *ledger = lw_core_ledger(core);
    lw_wall now = clock_now(call->rooms->clock).wall;
    struct list list;
    int32_t limit;

    if (http_query_limit(&call->query, PAGE, PAGE_MAX, &limit) != 0) {
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
        return;
    }
    bool paged = (call->query.given & PARAM(AFTER)) != 0;
    int32_t i = paged ? site_after(ledger, call->query.value[PARAM_AFTER]) : 0;
    char *text = malloc(LW_SITE_TEXT);
    int rc = list_begin(&list, "sites");
    if (text == NULL)
        rc = LW_ENOMEM;
    for (; rc == 0 && i < ledger->nsites && list.n < limit; i++) {
        size_t n;
        rc = lw_site_json(core, i, now, text, &n);
        if (rc == 0)
            rc = list_add(&list, text, n);
    }
    list_reply(&list, call, rc,
               i < ledger->nsites && i > 0 ? ledger->site[i - 1].id : NULL);
    free(text);
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

static void
standing_get(struct http_call *call)
{
    const struct lw_core *core = engine_core(call->rooms->engine);
    char text[LW_ALERT_TEXT];
    char next[ID_TEXT] = "";
    struct list list;
    const struct lw_alarm *alarm = NULL;
    int32_t limit;

    if (http_query_limit(&call->query, PAGE, PAGE_MAX, &limit) != 0) {
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
        return;
    }
    if ((call->query.given & PARAM(AFTER)) != 0) {
        alarm = find_alarm(core, call->query.value[PARAM_AFTER]);
        if (!alarm) {
            http_reply_problem(call->http, call->req, PROBLEM_AFTER);
            return;
        }
    }
    int rc = list_begin(&list, "alerts");
    alarm = lw_core_next_alarm(core, alarm);
    while (rc == 0 && alarm && list.n < limit) {
        size_t n;

        rc = lw_alert_json(lw_core_ledger(core), lw_core_rules(core),
                           alarm->revision == 1 ? LW_ALERT_RAISED : LW_ALERT_UPDATED,
                           alarm, text, &n);
        if (rc == 0) {
            rc = list_add(&list, text, n);
            lw_hex(alarm->id, sizeof alarm->id, next);
            alarm = lw_core_next_alarm(core, alarm);
        }
    }
    list_reply(&list, call, rc, alarm ? next : NULL);
}

/* ---- alerts that were ---- */

/* A call that waits for PostgreSQL. Its connection may go away before the answer comes.
 */
struct waiting {
    struct http_call call; /* req NULL: nobody waits any more */
};

static void
on_close(struct evhttp_connection *connection, void *arg)
{
    struct waiting *waiting = arg;

    (void)connection;
    waiting->call.req = NULL;
}

static void
on_answer(void *arg, const char *rows, const char *error)
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
            evbuffer_add_printf(body, "{\"alerts\":%s,\"at\":\"%s\",\"next\":null}\n",
                                rows, at);
        }
        http_reply(call->http, call->req, body == NULL ? 500 : 200, "application/json",
                   body);
    }
    free(waiting);
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

    if (http_query_limit(&call->query, PAGE, HISTORY_MAX, &query.limit) != 0 ||
        parse_time(call, PARAM_FROM, LW_DATE_START, &query.from) != 0 ||
        parse_time(call, PARAM_TO, LW_DATE_END, &query.to) != 0 ||
        (call->query.given & PARAM(AFTER)) != 0) {
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
        return;
    }
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (call->rooms->store == NULL || waiting == NULL) {
        free(waiting);
        http_reply_problem(call->http, call->req, PROBLEM_DATABASE);
        return;
    }
    waiting->call = *call;
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), on_close,
                                  waiting);
    store_alerts(call->rooms->store, &query, on_answer, waiting);
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
        standing_get(call);
    else
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
}
