/* Dialling: look up, connect, hand over. */
#include "daemon/poll/dial.h"

#include <ctype.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/poll/stream.h"

/* libevent answers a request that was cancelled, too, some time later; so what it answers
 * to lives apart from the dial. */
struct lookup {
    struct dial *dial; /* NULL: nobody waits any more */
    struct evdns_getaddrinfo_request *request;
    bool ended;
};

struct dial {
    struct dial_pool *pool;
    connected_fn *connected;
    void *arg;
    struct dial_target target;
    char *host;
    unsigned failures; /* to connect: a name's addresses take turns with them */
    struct lookup *lookup;
    struct event *event; /* the deadline of the lookup, or the connect */
    int fd;              /* -1: none yet */
};

/* ---- addresses ---- */

static in_port_t
port_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)address)->sin6_port
               : ((const struct sockaddr_in *)address)->sin_port;
}

/* Letters, digits, `-`, `_` and dots; not digits and dots alone, which is an address with
 * a slip in it. */
static bool
is_host_name(const char *s, size_t n)
{
    bool letter = false;
    if (n == 0 || n > DIAL_HOST_MAX || s[0] == '.' || s[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x80 || (!isalnum(c) && strchr("-_.", c) == NULL))
            return false;
        if (c == '.' && i + 1 < n && s[i + 1] == '.')
            return false;
        letter |= isalpha(c) != 0;
    }
    return letter;
}

/* 1 to 65535 in digits; 0: it is none. */
static uint16_t
parse_port(const char *digits)
{
    long port = 0;
    for (; *digits != '\0'; digits++) {
        if (!isdigit((unsigned char)*digits) ||
            (port = port * 10 + (*digits - '0')) > UINT16_MAX)
            return 0;
    }
    return (uint16_t)port;
}

int
dial_target_parse(const char *text, struct dial_target *ret_target)
{
    static const char local[] = "localhost:"; /* it needs no lookup */
    const char *colon = strrchr(text, ':');
    struct dial_target t = {.port = colon == NULL ? 0 : parse_port(colon + 1)};
    int len = sizeof t.address;
    char numeric[64];
    if (t.port == 0)
        return LW_EINVAL;
    if (strncmp(text, local, sizeof local - 1) == 0) {
        snprintf(numeric, sizeof numeric, "127.0.0.1:%u", t.port);
        text = numeric;
    }
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&t.address, &len) == 0) {
        t.address_len = (socklen_t)len;
        if (port_of(&t.address) != htons(t.port)) /* an IPv6 address without one */
            return LW_EINVAL;
        *ret_target = t;
        return 0;
    }
    if (!is_host_name(text, (size_t)(colon - text)))
        return LW_EINVAL;
    memset(&t.address, 0, sizeof t.address);
    t.host = text;
    t.host_n = (size_t)(colon - text);
    *ret_target = t;
    return 0;
}

const char *
dial_error_text(int error)
{
    return error < 0 ? evutil_gai_strerror(error) : strerror(error);
}

/* ---- making and ending ---- */

int
dial_new(struct dial_pool *pool, const struct dial_target *target,
         connected_fn *connected, void *arg, struct dial **ret_dial)
{
    struct dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL)
        return LW_ENOMEM;
    dial->pool = pool;
    dial->connected = connected;
    dial->arg = arg;
    dial->target = *target;
    dial->fd = -1;
    if (target->address_len == 0 &&
        (dial->host = strndup(target->host, target->host_n)) == NULL) {
        free(dial);
        return LW_ENOMEM;
    }
    *ret_dial = dial;
    return 0;
}

void
dial_cancel(struct dial *dial)
{
    if (dial->event != NULL)
        event_free(dial->event);
    dial->event = NULL;
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
    if (dial->lookup != NULL) {
        dial->lookup->dial = NULL;
        evdns_getaddrinfo_cancel(dial->lookup->request);
        dial->lookup = NULL;
    }
}

void
dial_free(struct dial *dial)
{
    if (dial == NULL)
        return;
    dial_cancel(dial);
    free(dial->host);
    free(dial);
}

void
dial_move(struct dial *dial, struct dial_pool *pool)
{
    dial->pool = pool;
}

static void
end(struct dial *dial, int fd, int error)
{
    dial->fd = -1; /* it is no longer ours */
    dial_cancel(dial);
    dial->connected(dial->arg, fd, error);
}

static void
fail(struct dial *dial, int error)
{
    dial->failures += error > 0; /* an errno: it was tried */
    dial_cancel(dial);
    dial->connected(dial->arg, -1, error);
}

/* ---- connecting ---- */

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct dial *dial = arg;
    int error = 0;
    socklen_t len = sizeof error;

    if (what & EV_TIMEOUT)
        error = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0)
        fail(dial, error);
    else
        end(dial, fd, 0);
}

static void
connect_to(struct dial *dial, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail(dial, errno);
        return;
    }
    dial->fd = fd = stream_number(fd);
    stream_watch_cable(fd);
    if (connect(fd, address, len) != 0 && errno != EINPROGRESS) {
        fail(dial, errno);
        return;
    }
    struct timeval deadline = {.tv_sec = DIAL_CONNECT_S};
    dial->event = event_new(dial->pool->base, fd, EV_WRITE, on_connected, dial);
    if (dial->event == NULL || event_add(dial->event, &deadline) != 0)
        fail(dial, ENOMEM);
}

/* ---- names ---- */

static void
on_address(int error, struct evutil_addrinfo *list, void *arg)
{
    struct lookup *lookup = arg;
    struct dial *dial = lookup->dial;
    const struct evutil_addrinfo *one;
    unsigned n = 0;

    lookup->ended = true;
    if (dial == NULL || dial->lookup == lookup) /* else dial_begin still has it */
        free(lookup);
    if (dial == NULL) {
        if (list != NULL)
            evutil_freeaddrinfo(list);
        return;
    }
    dial->lookup = NULL;
    dial->pool->failed |= error != 0;
    event_free(dial->event);
    dial->event = NULL;
    for (one = list; one != NULL; one = one->ai_next)
        n++;
    if (error == 0 && n > 0) {
        unsigned skip = dial->failures % n;
        for (one = list; skip > 0; skip--)
            one = one->ai_next;
        connect_to(dial, one->ai_addr, (socklen_t)one->ai_addrlen);
    } else {
        fail(dial, error != 0 ? error : EVUTIL_EAI_NONAME);
    }
    if (list != NULL)
        evutil_freeaddrinfo(list);
}

static void
on_lookup_late(evutil_socket_t fd, short what, void *arg)
{
    struct dial *dial = arg;
    (void)fd;
    (void)what;
    dial->pool->failed = true;
    fail(dial, EVUTIL_EAI_AGAIN);
}

/* The system's servers and its hosts file may have changed: after a failure they are read
 * anew. Names that are still being looked up are asked for again. */
static bool
make_resolver(struct dial_pool *pool)
{
    if (pool->dns == NULL) {
        pool->dns = evdns_base_new(pool->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (pool->dns == NULL)
            return false;
    } else if (!pool->failed) {
        return true;
    }
    pool->failed = false;
    (void)evdns_base_clear_nameservers_and_suspend(pool->dns);
    evdns_base_clear_host_addresses(pool->dns);
    evdns_base_search_clear(pool->dns);
    (void)evdns_base_resolv_conf_parse(pool->dns, DNS_OPTIONS_ALL,
                                       pool->resolv_conf != NULL ? pool->resolv_conf
                                                                 : "/etc/resolv.conf");
    (void)evdns_base_set_option(pool->dns, "timeout:", "2");
    (void)evdns_base_set_option(pool->dns, "attempts:", "2");
    (void)evdns_base_resume(pool->dns);
    return true;
}

void
dial_pool_clear(struct dial_pool *pool)
{
    if (pool->dns != NULL)
        evdns_base_free(pool->dns, 1);
    pool->dns = NULL;
}

static void
look_up(struct dial *dial)
{
    /* Not AI_ADDRCONFIG: libevent looks once, perhaps before the network is up. */
    static const struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_protocol = IPPROTO_TCP,
    };
    struct timeval deadline = {.tv_sec = DIAL_LOOKUP_S};
    char port[8];
    struct lookup *lookup = calloc(1, sizeof *lookup);
    dial->event = evtimer_new(dial->pool->base, on_lookup_late, dial);
    if (lookup == NULL || dial->event == NULL || event_add(dial->event, &deadline) != 0 ||
        !make_resolver(dial->pool)) {
        free(lookup);
        fail(dial, ENOMEM);
        return;
    }
    lookup->dial = dial;
    snprintf(port, sizeof port, "%u", dial->target.port);
    lookup->request =
        evdns_getaddrinfo(dial->pool->dns, dial->host, port, &hints, on_address, lookup);
    if (lookup->ended)
        free(lookup);
    else
        dial->lookup = lookup;
}

void
dial_begin(struct dial *dial)
{
    if (dial->target.address_len != 0)
        connect_to(dial, (const struct sockaddr *)&dial->target.address,
                   dial->target.address_len);
    else
        look_up(dial);
}
