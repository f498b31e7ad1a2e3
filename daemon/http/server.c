/* The HTTP server: libevent's evhttp, with what it lacks. A client has a deadline for
 * each request and each reply, so that dripping bytes does not keep a connection; at the
 * limit of connections the listener pauses; everything here runs after the poller's
 * events.
 *
 * evhttp tells nobody that it has dropped a connection. So every connection's bufferevent
 * is made here and held by a second reference: once evhttp has let go of it, it has no
 * callbacks any more, which the next sweep sees. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/http/address.h"
#include "daemon/http/auth.h"
#include "daemon/http/call.h"
#include "daemon/http/http.h"
#include "daemon/log.h"
#include "daemon/loop.h"

enum {
    HEADERS_MAX = 8192,
    BODY_MAX = 4096,
    BACKLOG = 32,
    SWEEP_MS = 100,
    ANSWER_MS = 60 * 1000,
    LISTEN_TEXT = 128
};

struct client {
    LIST_ENTRY(client) link;
    struct bufferevent *bev;
    lw_mono deadline;
    bool told; /* that its time is over */
};

struct http {
    struct event_base *base;
    struct evhttp *evhttp;
    struct evhttp_bound_socket *socket;
    struct event *sweep;
    const struct rooms *rooms;
    LIST_HEAD(, client) clients;
    struct auth auth;
    struct http_stats stats;
    int64_t max_connections;
    int64_t timeout_ms;
    bool paused;
    char listen[LISTEN_TEXT + 1];
};

/* ---- clients ---- */

static void
pause_listener(struct http *http, bool pause)
{
    struct evconnlistener *listener = evhttp_bound_socket_get_listener(http->socket);

    http->paused = pause;
    if (pause)
        evconnlistener_disable(listener);
    else
        evconnlistener_enable(listener);
}

static bool
is_gone(const struct client *client)
{
    bufferevent_data_cb read_cb;
    bufferevent_data_cb write_cb;
    bufferevent_event_cb event_cb;
    void *arg;

    bufferevent_getcb(client->bev, &read_cb, &write_cb, &event_cb, &arg);
    return event_cb == NULL;
}

static void
client_free(struct http *http, struct client *client)
{
    LIST_REMOVE(client, link);
    http->stats.connections--;
    bufferevent_decref(client->bev);
    free(client);
}

/* Lets go of the clients that evhttp has dropped, and shuts those down that have taken
 * too long: evhttp then sees the end of the connection and drops it itself. */
static void
sweep(struct http *http)
{
    lw_mono now = clock_io();
    struct client *next;

    for (struct client *c = LIST_FIRST(&http->clients); c != NULL; c = next) {
        next = LIST_NEXT(c, link);
        if (is_gone(c)) {
            client_free(http, c);
        } else if (!c->told && lw_mono_since(now, c->deadline) >= 0) {
            shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
            c->told = true;
            http->stats.timeouts++;
        }
    }
    if (http->paused && http->stats.connections < http->max_connections)
        pause_listener(http, false);
    if (LIST_EMPTY(&http->clients))
        event_del(http->sweep);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    sweep(arg);
}

/* evhttp asks for a bufferevent whenever it has accepted a connection. */
static struct bufferevent *
on_accept(struct event_base *base, void *arg)
{
    static const struct timeval interval = {0, SWEEP_MS * 1000};
    struct http *http = arg;
    struct client *client = calloc(1, sizeof *client);
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    if (client == NULL || bev == NULL) {
        free(client);
        return bev; /* evhttp closes the connection where it is NULL */
    }
    bufferevent_priority_set(bev, LOOP_HTTP);
    /* Requests that are sent before the reply to the first is taken wait in the kernel.
     */
    bufferevent_setwatermark(bev, EV_READ, 0, HEADERS_MAX + BODY_MAX);
    bufferevent_incref(bev);
    client->bev = bev;
    client->deadline = lw_mono_add(clock_io(), http->timeout_ms);
    LIST_INSERT_HEAD(&http->clients, client, link);
    if (++http->stats.connections >= http->max_connections) {
        pause_listener(http, true);
        http->stats.waits++;
    }
    event_add(http->sweep, &interval);
    return bev;
}

/* Our answer, its taking, and the next request on this connection each have a deadline of
 * their own: what a slow disk holds up here is not the client's fault. */
static void
renew_deadline(struct http *http, struct evhttp_request *req, int64_t ms)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(req);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
    struct client *client;

    LIST_FOREACH(client, &http->clients, link) {
        if (client->bev == bev) {
            client->deadline = lw_mono_add(clock_io(), ms);
            return;
        }
    }
}

/* ---- requests ---- */

void
http_reply(struct http *http, struct evhttp_request *req, int status, const char *type,
           struct evbuffer *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char length[24];

    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evutil_snprintf(length, sizeof length, "%zu",
                    body == NULL ? (size_t)0 : evbuffer_get_length(body));
    evhttp_add_header(headers, "Content-Length", length);
    if (body != NULL && evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
        evbuffer_drain(body, evbuffer_get_length(body));
    http->stats.requests[status / 100]++;
    renew_deadline(http, req, http->timeout_ms);
    evhttp_send_reply(req, status, NULL, body);
    if (body != NULL)
        evbuffer_free(body);
}

void
http_reply_static(struct http_call *call, const char *type, const char *data, size_t n)
{
    struct evbuffer *body = evbuffer_new();

    if (body == NULL || evbuffer_add_reference(body, data, n, NULL, NULL) != 0) {
        if (body != NULL)
            evbuffer_free(body);
        http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
        return;
    }
    http_reply(call->http, call->req, 200, type, body);
}

/* NULL: the path does not serve the method. */
static http_handler *
handler_of(const struct http_route *route, enum evhttp_cmd_type method)
{
    if (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD)
        return route->get;
    return method == EVHTTP_REQ_POST ? route->post : NULL;
}

static void
refuse_method(struct http *http, struct evhttp_request *req,
              const struct http_route *route)
{
    evhttp_add_header(evhttp_request_get_output_headers(req), "Allow",
                      route->post ? "POST" : "GET, HEAD");
    http_reply_problem(http, req, PROBLEM_METHOD);
}

static void
on_request(struct evhttp_request *req, void *arg)
{
    struct http *http = arg;
    struct http_call call = {.req = req, .http = http, .rooms = http->rooms};
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = evhttp_uri_get_path(uri);
    const struct http_route *route = path == NULL ? NULL : http_route_find(path);
    http_handler *handler =
        route == NULL ? NULL : handler_of(route, evhttp_request_get_command(req));
    const char *authorization =
        evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");

    renew_deadline(http, req, ANSWER_MS);
    if (route == NULL)
        http_reply_problem(http, req, PROBLEM_NOT_FOUND);
    else if (handler == NULL)
        refuse_method(http, req, route);
    else if (route->access == ACCESS_TOKEN && !http->auth.present)
        http_reply_problem(http, req, PROBLEM_CLOSED);
    else if (route->access != ACCESS_ANY && http->auth.present &&
             !auth_permits(&http->auth, authorization))
        http_reply_problem(http, req, PROBLEM_TOKEN);
    else if (http_query_parse(evhttp_uri_get_query(uri), route->params, &call.query) != 0)
        http_reply_problem(http, req, PROBLEM_QUERY);
    else
        handler(&call);
}

/* ---- life ---- */

/* A socket that a dead daemon left behind would keep us from listening. */
static void
remove_stale(const struct http_address *address)
{
    struct stat st;

    if (address->sa.sa_family != AF_UNIX || lstat(address->un.sun_path, &st) != 0 ||
        !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        if (connect(fd, &address->sa, address->len) != 0 && errno == ECONNREFUSED)
            unlink(address->un.sun_path);
        close(fd);
    }
}

static void
remove_own(const struct http *http)
{
    if (strncmp(http->listen, "unix:", 5) == 0)
        unlink(http->listen + 5);
}

static int
listen_at(struct http *http, const char *listen, struct lw_faults *faults,
          struct evhttp_bound_socket **ret_socket)
{
    struct http_address address;
    struct evconnlistener *listener = NULL;

    if (http_address_parse(listen, &address) != 0) {
        lw_fault_add(faults, "[http] listen", 0, 0, "'%s' is no address", listen);
        return LW_EPARSE;
    }
    remove_stale(&address);
    mode_t old = umask(0117); /* a Unix socket is for its owner and group */
    listener = evconnlistener_new_bind(http->base, NULL, NULL,
                                       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
                                           LEV_OPT_REUSEABLE,
                                       BACKLOG, &address.sa, (int)address.len);
    umask(old);
    if (listener == NULL) {
        lw_fault_add(faults, "[http] listen", 0, 0, "%s: %s", listen, strerror(errno));
        return LW_EPARSE;
    }
    *ret_socket = evhttp_bind_listener(http->evhttp, listener);
    if (*ret_socket == NULL) {
        evconnlistener_free(listener);
        return LW_ENOMEM;
    }
    return 0;
}

int
http_new(struct event_base *base, const struct http_options *options,
         const struct rooms *rooms, struct lw_faults *faults, struct http **ret_http)
{
    struct http *http = calloc(1, sizeof *http);
    int rc = LW_ENOMEM;

    if (http == NULL)
        return rc;
    http->base = base;
    http->rooms = rooms;
    LIST_INIT(&http->clients);
    http->evhttp = evhttp_new(base);
    http->sweep = event_new(base, -1, EV_PERSIST, on_sweep, http);
    if (http->evhttp == NULL || http->sweep == NULL)
        goto out;
    event_priority_set(http->sweep, LOOP_HTTP);
    evhttp_set_max_headers_size(http->evhttp, HEADERS_MAX);
    evhttp_set_max_body_size(http->evhttp, BODY_MAX);
    evhttp_set_allowed_methods(http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD |
                                                 EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                                                 EVHTTP_REQ_PATCH | EVHTTP_REQ_TRACE);
    evhttp_set_bevcb(http->evhttp, on_accept, http);
    evhttp_set_gencb(http->evhttp, on_request, http);
    rc = http_reload(http, options, faults);
    if (rc == 0) {
        *ret_http = http;
        return 0;
    }
out:
    http_free(http);
    return rc;
}

int
http_reload(struct http *http, const struct http_options *options,
            struct lw_faults *faults)
{
    struct auth auth;
    int rc = auth_load(options->token_file, &auth, faults);

    if (rc == 0 && strcmp(options->listen, http->listen) != 0) {
        struct evhttp_bound_socket *fresh;
        rc = listen_at(http, options->listen, faults, &fresh);
        if (rc == 0) {
            if (http->socket != NULL) {
                evhttp_del_accept_socket(http->evhttp, http->socket);
                remove_own(http);
            }
            http->socket = fresh;
            http->paused = false;
            snprintf(http->listen, sizeof http->listen, "%s", options->listen);
            log_info("HTTP is served at %s", http->listen);
        }
    }
    if (rc != 0)
        return rc;
    http->auth = auth;
    http->max_connections = options->max_connections;
    http->timeout_ms = options->timeout_ms;
    return 0;
}

void
http_free(struct http *http)
{
    if (http == NULL)
        return;
    if (http->evhttp != NULL)
        evhttp_free(http->evhttp); /* drops every connection */
    while (!LIST_EMPTY(&http->clients))
        client_free(http, LIST_FIRST(&http->clients));
    if (http->sweep != NULL)
        event_free(http->sweep);
    remove_own(http);
    free(http);
}

void
http_stats(const struct http *http, struct http_stats *ret_stats)
{
    *ret_stats = http->stats;
}
