/* A TCP connection as a stream of bytes that comes and goes. It knows nothing of Modbus,
 * so that the same frames may later go over TLS, and other frames over TCP. */
#ifndef DAEMON_POLL_TCP_LINK_H
#define DAEMON_POLL_TCP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

struct event_base;
struct tcp_link;

enum {
    TCP_LINK_REST = 512,         /* the most bytes that may be left for the next time */
    TCP_LINK_BUFFER = 64 * 1024, /* what is read at once, by all links */
    TCP_LINK_CONNECT_S = 3,
};

/* What is read goes through one buffer, whichever link it came by. */
struct tcp_link_pool {
    struct event_base *base;
    uint8_t buffer[TCP_LINK_BUFFER];
};

struct tcp_link_owner {
    void (*up)(void *arg);
    /* Returns how many of the bytes it used; the rest comes again with what follows.
     * Negative: this is not its stream, and the link goes down with EPROTO. It must not
     * close the link itself. */
    ptrdiff_t (*bytes)(void *arg, const uint8_t *data, size_t n);
    /* Lost, or never made; the link is closed. `error` is an errno, 0: the peer closed.
     */
    void (*down)(void *arg, int error);
};

int tcp_link_new(struct tcp_link_pool *pool, const struct sockaddr *address,
                 socklen_t address_len, const struct tcp_link_owner *owner, void *arg,
                 struct tcp_link **ret_link);
void tcp_link_free(struct tcp_link *link);

/* Begins to connect. One of `up` and `down` follows from the loop, unless it fails at
 * once: LW_EIO (errno), LW_ENOMEM. */
int tcp_link_connect(struct tcp_link *link);
/* Without a call of `down`. */
void tcp_link_close(struct tcp_link *link);
/* Sends all. Where that fails, `down` follows from the loop; so it does where the peer
 * left so much unread that a few requests do not fit. */
void tcp_link_send(struct tcp_link *link, const void *data, size_t n);

#endif
