/* Connecting to a gateway: its name is resolved, anew each time, and a TCP connection is
 * made, without holding up the loop and with a deadline for each. */
#ifndef DAEMON_POLL_DIAL_H
#define DAEMON_POLL_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

struct dial;
struct event_base;
struct evdns_base;

enum {
    DIAL_CONNECT_S = 3,
    DIAL_LOOKUP_S = 5,
    DIAL_HOST_MAX = 253,
};

struct dial_pool {
    struct event_base *base;
    const char *resolv_conf; /* NULL: /etc/resolv.conf */
    struct evdns_base *dns;  /* made for the first name */
    bool failed;             /* some name, since the servers were read */
};
void dial_pool_clear(struct dial_pool *pool);

/* Where to. */
struct dial_target {
    const char *host; /* borrowed, of host_n bytes */
    size_t host_n;
    uint16_t port;
    struct sockaddr_storage address; /* of a host that is no name; */
    socklen_t address_len;           /* 0: it is one */
};

/* From `host:port` or `[IPv6]:port`; the text is borrowed. LW_EINVAL. */
int dial_target_parse(const char *text, struct dial_target *ret_target);

/* How the attempt ended. `fd` is a connected socket, the callee's from now on; or -1 and
 * why: an errno, or a negative code of getaddrinfo's. */
typedef void connected_fn(void *arg, int fd, int error);
const char *dial_error_text(int error);

int dial_new(struct dial_pool *pool, const struct dial_target *target,
             connected_fn *connected, void *arg, struct dial **ret_dial);
/* Cancels an attempt, without a word. */
void dial_free(struct dial *dial);
/* While nothing is attempted: it goes on with another pool. */
void dial_move(struct dial *dial, struct dial_pool *pool);
/* `connected` follows, once, perhaps before this returns. */
void dial_begin(struct dial *dial);
void dial_cancel(struct dial *dial);

#endif
