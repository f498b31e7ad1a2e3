/* A list as an answer, made turn by turn. The client may go away between two of them. */
#include "daemon/http/page.h"

#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/loop.h"

enum {
    TURN_US = 2000
};

struct page {
    struct http_call call;
    const struct page_source *source;
    struct evbuffer *body;
    struct event *turn;
    int64_t turn_began_us;
    int32_t n, limit;
    char last[HTTP_VALUE + 1]; /* id of the last item, or what `after` was */
};

static void
page_free(struct page *page)
{
    if (page->turn != NULL)
        event_free(page->turn);
    if (page->body != NULL)
        evbuffer_free(page->body);
    free(page);
}

const struct http_query *
page_query(const struct page *page)
{
    return &page->call.query;
}

int
page_add(struct page *page, const char *id, const char *item, size_t n)
{
    if ((page->n > 0 && evbuffer_add(page->body, ",", 1) != 0) ||
        evbuffer_add(page->body, item, n) != 0)
        return LW_ENOMEM;
    page->n++;
    snprintf(page->last, sizeof page->last, "%s", id);
    return 0;
}

bool
page_full(const struct page *page)
{
    return page->n >= page->limit || clock_thread_us() - page->turn_began_us > TURN_US;
}

/* `rc` is what fill said last. */
static void
finish(struct page *page, int rc)
{
    struct http_call *call = &page->call;
    struct evbuffer *body = page->body;
    char at[LW_TIME_TEXT];
    char data[512];
    struct lw_text end;

    lw_wall_format(clock_now(call->rooms->clock).wall, at);
    lw_text_init(&end, data, sizeof data);
    lw_text_addf(&end, "],\"at\":\"%s\",\"next\":", at);
    if (rc == 1)
        lw_text_add_json(&end, page->last);
    else
        lw_text_add(&end, "null");
    lw_text_add(&end, "}\n");
    if (rc >= 0 && evbuffer_add(body, end.data, end.len) != 0)
        rc = LW_ENOMEM;
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), NULL, NULL);
    if (rc < 0) {
        http_reply_problem(call->http, call->req,
                           rc == LW_ENOTFOUND ? PROBLEM_AFTER
                           : rc == LW_EIO     ? PROBLEM_POLLING
                                              : PROBLEM_INTERNAL);
    } else {
        page->body = NULL;
        http_reply(call->http, call->req, 200, "application/json", body);
    }
    page_free(page);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval now = {0, 0};
    struct page *page = arg;

    (void)fd;
    (void)what;
    /* The loop's turn ends with this callback: what is due elsewhere comes before the
     * next page's part. */
    event_base_loopbreak(event_get_base(page->turn));
    page->turn_began_us = clock_thread_us();
    int rc = page->source->fill(page, page->call.rooms, page->last);
    if (rc == 1 && page->n < page->limit && event_add(page->turn, &now) == 0)
        return;
    finish(page, rc);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    page_free(arg);
}

void
page_get(struct http_call *call, const struct page_source *source)
{
    struct page *page;
    int32_t limit;

    if (http_query_limit(&call->query, PAGE_DEFAULT, PAGE_MOST, &limit) != 0) {
        http_reply_problem(call->http, call->req, PROBLEM_QUERY);
        return;
    }
    page = calloc(1, sizeof *page);
    if (page == NULL) {
        http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
        return;
    }
    page->call = *call;
    page->source = source;
    page->limit = limit;
    snprintf(page->last, sizeof page->last, "%s", call->query.value[PARAM_AFTER]);
    page->body = evbuffer_new();
    page->turn =
        event_new(evhttp_connection_get_base(evhttp_request_get_connection(call->req)),
                  -1, 0, on_turn, page);
    if (page->body == NULL || page->turn == NULL ||
        event_priority_set(page->turn, LOOP_HTTP) != 0 ||
        evbuffer_add_printf(page->body, "{\"%s\":[", source->name) < 0) {
        page_free(page);
        http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
        return;
    }
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->req), on_close,
                                  page);
    on_turn(-1, 0, page);
}
