/* One request, as the handlers see it, and the ways to answer it. Private to daemon/http.
 */
#ifndef DAEMON_HTTP_CALL_H
#define DAEMON_HTTP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/http/query.h"
#include "daemon/rooms.h"

struct evbuffer;
struct lw_act_fault;
struct evhttp_request;

struct http_call {
    struct evhttp_request *req;
    struct http *http;
    const struct rooms *rooms;
    struct http_query query;
};

/* Each answers its call, now or later. */
typedef void http_handler(struct http_call *call);

enum http_access {
    ACCESS_ANY,   /* needs no token */
    ACCESS_LOCAL, /* the token, where one is configured; else it is this machine that asks
                   */
    ACCESS_TOKEN, /* the token; where none is configured, nobody */
};

/* The routes, one const table (routes.c). */
struct http_route {
    const char *path;
    enum http_access access;
    uint32_t params;    /* PARAM() bits */
    http_handler *get;  /* and HEAD; NULL: not served */
    http_handler *post; /* NULL: not served */
};
/* NULL: no such path. */
const struct http_route *http_route_find(const char *path);

http_handler health_live, health_ready, metrics_get, alerts_get, readings_get, sites_get,
    gateways_get, meters_get, openapi_get, schema_get, acts_post;

/* Sends `body` (NULL: none) and counts the answer; to HEAD only what GET's head would be.
 * Takes the body over. */
void http_reply(struct http *http, struct evhttp_request *req, int status,
                const char *type, struct evbuffer *body);
/* A reply of bytes that live as long as the program. */
void http_reply_static(struct http_call *call, const char *type, const char *data,
                       size_t n);

/* RFC 9457 problems, one const table (problem.c). */
enum http_problem {
    PROBLEM_QUERY,
    PROBLEM_AFTER,
    PROBLEM_TOKEN,
    PROBLEM_CLOSED,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_ACT,
    PROBLEM_ALARM,
    PROBLEM_STATE,
    PROBLEM_INTERNAL,
    PROBLEM_JOURNAL,
    PROBLEM_DATABASE,
    PROBLEM_POLLING,
    HTTP_PROBLEMS
};
void http_reply_problem(struct http *http, struct evhttp_request *req,
                        enum http_problem problem);
/* PROBLEM_ACT, with what is wrong where. */
void http_reply_fault(struct http *http, struct evhttp_request *req,
                      const struct lw_act_fault *fault);

#endif
