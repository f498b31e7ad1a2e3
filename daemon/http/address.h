/* `[http] listen` as a socket address. */
#ifndef DAEMON_HTTP_ADDRESS_H
#define DAEMON_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct http_address {
    union {
        struct sockaddr sa;
        struct sockaddr_storage storage;
        struct sockaddr_un un;
    };
    socklen_t len;
    bool local; /* reachable from this machine only: loopback or a Unix socket */
};

/* "127.0.0.1:8480", "[::1]:8480", "localhost:8480", "unix:/path"; a numeric address,
 * since a name would need DNS. LW_EINVAL. */
int http_address_parse(const char *listen, struct http_address *ret_address);

#endif
