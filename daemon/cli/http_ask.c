/* One request, as HTTP/1.0: the answer ends with the connection. */
#include "daemon/cli/http_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/files.h"
#include "daemon/http/address.h"

enum {
    TOKEN_MOST = 1024,
    SILENT_S = 5,
    ACT_S = 60, /* it is answered once it is on the disk, which may be a slow one */
    ANSWER_MOST = 4 << 20,
    REQUEST = 8192
};

static int
connect_to(const struct http_address *address, int silent_s)
{
    struct timeval tv = {silent_s, 0};
    int fd = socket(address->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return LW_EIO;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 ||
        connect(fd, &address->sa, address->len) < 0) {
        int error = errno;

        close(fd);
        errno = error;
        return LW_EIO;
    }
    return fd;
}

static int
ask(int fd, const char *path, const char *token, const char *json)
{
    char request[REQUEST];
    char length[40] = "";

    if (json)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(json));

    int n = snprintf(request, sizeof(request),
                     "%s %s HTTP/1.0\r\nHost: localhost\r\n%s%s%s%s\r\n%s",
                     json ? "POST" : "GET", path, token ? "Authorization: Bearer " : "",
                     token ? token : "", token ? "\r\n" : "", length, json ? json : "");

    if (n < 0 || (size_t)n >= sizeof(request))
        return LW_EINVAL;
    return send(fd, request, (size_t)n, MSG_NOSIGNAL) == n ? 0 : LW_EIO;
}

/* All that comes until the other side closes, with a NUL. */
static int
read_all(int fd, char **ret_text)
{
    char *text = malloc(ANSWER_MOST + 1);
    size_t n = 0;
    ssize_t got = -1;

    if (!text)
        return LW_ENOMEM;
    while (n < ANSWER_MOST && (got = recv(fd, text + n, ANSWER_MOST - n, 0)) > 0)
        n += (size_t)got;
    if (got != 0) {
        free(text);
        return LW_EIO;
    }
    text[n] = '\0';
    *ret_text = text;
    return 0;
}

int
http_ask(const char *listen, const char *path, const char *token, const char *json,
         char **ret_body)
{
    struct http_address address;
    char *text = NULL;
    int status;
    int fd;
    int rc = http_address_parse(listen, &address);

    if (rc < 0)
        return rc;
    fd = connect_to(&address, json ? ACT_S : SILENT_S);
    if (fd < 0)
        return fd;
    rc = ask(fd, path, token, json);
    if (rc == 0)
        rc = read_all(fd, &text);
    close(fd);
    if (rc < 0)
        return rc;

    char *body = strstr(text, "\r\n\r\n");

    if (!body || sscanf(text, "HTTP/1.%*1d %3d", &status) != 1) {
        free(text);
        return LW_EPROTO;
    }
    memmove(text, body + 4, strlen(body + 4) + 1);
    *ret_body = text;
    return status;
}

char *
http_token(const char *file)
{
    char *token = NULL;
    size_t n;

    if (file[0] == '\0' || files_read(file, TOKEN_MOST, &token, &n) != 0)
        return NULL;
    token[strcspn(token, "\r\n")] = '\0';
    return token;
}
