/* HTTP: health, metrics and the read-only API, on loopback or a Unix socket. TLS and the
 * outside world are a reverse proxy's business (docs/operations.md). */
#ifndef DAEMON_HTTP_HTTP_H
#define DAEMON_HTTP_HTTP_H

#include <stdint.h>

#include <lodewatch/fault.h>

#include "daemon/rooms.h"

struct event_base;
struct http;

struct http_options {
    const char *listen;     /* "127.0.0.1:8480", "unix:/path" */
    const char *token_file; /* "": only what needs no token */
    int64_t max_connections;
    int64_t timeout_ms; /* for a request and its reply together */
};

struct http_stats {
    uint64_t requests[6]; /* by the status' first digit */
    uint64_t timeouts;    /* connections that took too long */
    uint64_t waits;       /* times that the connections were at their limit */
    uint32_t connections;
};

/* Listens. `rooms` is read at every request and must outlive it. LW_EPARSE with faults.
 */
int http_new(struct event_base *base, const struct http_options *options,
             const struct rooms *rooms, struct lw_faults *faults, struct http **ret_http);
void http_free(struct http *http);
/* New options, whole; on any fault the old ones stay. */
int http_reload(struct http *http, const struct http_options *options,
                struct lw_faults *faults);
void http_stats(const struct http *http, struct http_stats *ret_stats);

#endif
