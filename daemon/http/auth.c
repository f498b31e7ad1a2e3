/* The bearer token: its file, and the comparison. */
#include "daemon/http/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/result.h>

static bool
is_token_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-._~+/=", c) != NULL);
}

static void
digest(const char *token, size_t n, uint8_t ret_digest[LW_SHA256_SIZE])
{
    struct lw_sha256 hash;

    lw_sha256_init(&hash);
    lw_sha256_add(&hash, token, n);
    lw_sha256_get(&hash, ret_digest);
}

int
auth_load(const char *path, struct auth *ret_auth, struct lw_faults *faults)
{
    char text[AUTH_TOKEN_MAX + 2];
    struct stat st;
    const char *why = NULL;
    ssize_t n = -1;
    size_t len = 0;

    if (path[0] == '\0') {
        *ret_auth = (struct auth){0};
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0)
        n = read(fd, text, sizeof text);
    if (n < 0) {
        why = strerror(errno);
    } else if (!S_ISREG(st.st_mode)) {
        why = "a regular file was expected";
    } else if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
        why = "others may use this file: chmod 0600 was expected";
    } else {
        while (len < (size_t)n && is_token_character(text[len]))
            len++;
        size_t end = len + (len < (size_t)n && text[len] == '\n');
        if (end != (size_t)n || len < AUTH_TOKEN_MIN || len > AUTH_TOKEN_MAX)
            why = "one line of 16 to 256 letters, digits and -._~+/= was expected";
    }
    if (fd >= 0)
        close(fd);
    if (why != NULL) {
        lw_fault_add(faults, path, 0, 0, "%s", why);
        return LW_EPARSE;
    }
    ret_auth->present = true;
    digest(text, len, ret_auth->digest);
    explicit_bzero(text, sizeof text);
    return 0;
}

bool
auth_permits(const struct auth *auth, const char *authorization)
{
    uint8_t given[LW_SHA256_SIZE];
    uint8_t differ = 0;

    if (!auth->present || authorization == NULL ||
        strncasecmp(authorization, "Bearer ", 7) != 0)
        return false;
    const char *token = authorization + 7;
    token += strspn(token, " ");
    digest(token, strlen(token), given);
    for (size_t i = 0; i < sizeof given; i++)
        differ |= (uint8_t)(given[i] ^ auth->digest[i]);
    return differ == 0;
}
