/* What people do to alarms: an event like any other, answered once it is on disk. */
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include <lodewatch/codec.h>
#include <lodewatch/hash.h>
#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/http/call.h"
#include "daemon/journal.h"
#include "daemon/log.h"

/* An answer that waits for the disk. Its connection may go away before. */
struct waiting {
    struct http_call call;
    struct journal_reader *reader; /* stands at the act; ready once that is durable */
    struct evbuffer *body;
};

static void
waiting_free(struct waiting *w)
{
    journal_reader_free(w->reader);
    if (w->body)
        evbuffer_free(w->body);
    free(w);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    waiting_free(arg);
}

/* More is durable. What followed from the act need not be: it is made again from the act.
 */
static void
on_durable(void *arg)
{
    struct waiting *w = arg;
    struct http_call *call = &w->call;
    struct journal_record record;

    if (journal_next(w->reader, &record) == 0)
        return; /* not yet the act, but what was written before it */
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), NULL, NULL);
    http_reply(call->http, call->req, 200, "application/json", w->body);
    w->body = NULL;
    waiting_free(w);
}

static struct evbuffer *
alarm_body(const struct lw_core *core, const struct lw_alarm *alarm)
{
    static char text[LW_ALERT_TEXT];
    struct evbuffer *body = evbuffer_new();
    size_t n;

    if (body && (lw_alert_json(lw_core_ledger(core), lw_core_rules(core),
                               LW_ALERT_UPDATED, alarm, text, &n) != 0 ||
                 evbuffer_add(body, text, n) != 0 || evbuffer_add(body, "\n", 1) != 0)) {
        evbuffer_free(body);
        return NULL;
    }
    return body;
}

static void
answer_durable(struct http_call *call, uint64_t position, const struct lw_alarm *alarm)
{
    struct waiting *w = calloc(1, sizeof *w);

    if (!w) {
        http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
        return;
    }
    w->call = *call;
    w->body = alarm_body(engine_core(call->rooms->engine), alarm);
    if (!w->body || journal_reader_new(call->rooms->journal, position, on_durable, w,
                                       &w->reader) != 0) {
        waiting_free(w);
        http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
        return;
    }
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), on_close, w);
    on_durable(w);
}

/* What is due by now has happened before the act is judged. */
static void
catch_up(struct engine *engine, lw_wall now)
{
    struct lw_event tick = {.kind = LW_EVENT_TICK, .at = now};

    engine_event(engine, &tick);
}

static void
do_act(struct http_call *call, const struct lw_act *act)
{
    struct engine *engine = call->rooms->engine;
    struct journal *journal = call->rooms->journal;
    struct lw_event event = {
        .kind = LW_EVENT_ACT, .at = clock_now(call->rooms->clock).wall, .act = *act};
    struct lw_act_fault fault;
    char id[2 * LW_ACT_ALARM + 1];
    uint64_t position;

    catch_up(engine, event.at);
    switch (lw_core_may(engine_core(engine), act)) {
    case 0:
        break;
    case LW_ENOTFOUND:
        http_reply_problem(call->http, call->req, PROBLEM_ALARM);
        return;
    case LW_ERANGE:
        lw_act_until_fault(&fault);
        http_reply_fault(call->http, call->req, &fault);
        return;
    default:
        http_reply_problem(call->http, call->req, PROBLEM_STATE);
        return;
    }
    position = journal_end(journal);
    engine_event(engine, &event);
    if (journal_end(journal) == position) {
        http_reply_problem(call->http, call->req, PROBLEM_JOURNAL);
        return;
    }
    lw_hex(act->alarm, LW_ACT_ALARM, id);
    if (act->kind != LW_ACT_READ) /* who looks at what is the journal's alone */
        log_note("alarm %s: %s, by %s", id, lw_act_name(act->kind), act->by);
    answer_durable(call, position, lw_core_alarm(engine_core(engine), act->alarm));
}

void
acts_post(struct http_call *call)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(call->req);
    const struct lw_ledger *ledger = lw_core_ledger(engine_core(call->rooms->engine));
    size_t n = evbuffer_get_length(in);
    const char *json = (const char *)evbuffer_pullup(in, -1);
    struct lw_act_fault fault;
    struct lw_act act;

    if (lw_act_parse(json ? json : "", n, ledger->zone, &act, &fault) != 0)
        http_reply_fault(call->http, call->req, &fault);
    else
        do_act(call, &act);
}
