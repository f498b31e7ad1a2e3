/* `[http] listen` as a socket address. */
#include "daemon/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/result.h>

/* A decimal port, 1..65535, to the string's end; 0: none. */
static uint16_t
parse_port(const char *s)
{
    unsigned port = 0;

    for (; *s >= '0' && *s <= '9' && port <= UINT16_MAX; s++)
        port = port * 10 + (unsigned)(*s - '0');
    return *s == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static int
parse_unix(const char *path, struct http_address *address)
{
    size_t n = strlen(path);

    if (path[0] != '/' || n >= sizeof address->un.sun_path)
        return LW_EINVAL;
    address->un.sun_family = AF_UNIX;
    memcpy(address->un.sun_path, path, n + 1);
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    address->local = true;
    return 0;
}

int
http_address_parse(const char *listen, struct http_address *ret_address)
{
    struct http_address address = {0};
    char host[INET6_ADDRSTRLEN + 1];
    const char *begin = listen;
    const char *colon = strrchr(listen, ':');
    size_t n;

    if (strncmp(listen, "unix:", 5) == 0) {
        int rc = parse_unix(listen + 5, &address);
        if (rc == 0)
            *ret_address = address;
        return rc;
    }
    uint16_t port = colon == NULL ? 0 : parse_port(colon + 1);
    if (port == 0)
        return LW_EINVAL;
    n = (size_t)(colon - listen);
    bool bracketed = n >= 2 && listen[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        begin++;
        n -= 2;
    }
    if (n >= sizeof host)
        return LW_EINVAL;
    memcpy(host, begin, n);
    host[n] = '\0';

    struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.storage;
    if (!bracketed && strcmp(host, "localhost") == 0)
        memcpy(host, "127.0.0.1", sizeof "127.0.0.1");
    if (!bracketed && inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        address.len = sizeof *in;
        address.local = ntohl(in->sin_addr.s_addr) >> 24 == 127;
    } else if (bracketed && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        address.len = sizeof *in6;
        address.local = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    } else {
        return LW_EINVAL;
    }
    *ret_address = address;
    return 0;
}
