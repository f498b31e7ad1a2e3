/* The socket on which a simulated clock tells its followers the time. */
#include "daemon/followers.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <lodewatch/result.h>

enum {
    FOLLOWERS = 8,
    PATIENCE_S = 5, /* for the first one to come, and for each answer */
};

struct follower {
    struct followers *all;
    struct event *readable;
    int fd; /* -1: this place is free */
    bool asked;
    size_t n;
    char line[32];
};

struct followers {
    struct event_base *base;
    struct event *acceptable;
    struct event *patience;
    followers_ready *ready;
    void *arg;
    lw_wall now;
    bool waiting;
    int listener;
    struct sockaddr_un address;
    struct follower follower[FOLLOWERS];
};

static void
drop(struct follower *f)
{
    event_free(f->readable);
    close(f->fd);
    *f = (struct follower){.all = f->all, .fd = -1};
}

static void
tell(struct follower *f)
{
    char line[32];
    int n = snprintf(line, sizeof line, "%" PRId64 "\n", f->all->now.ms);
    f->asked = true;
    /* So few bytes always fit, unless it does not read at all. */
    if (send(f->fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
        drop(f);
}

static void
wait_patiently(struct followers *all)
{
    all->waiting = true;
    event_add(all->patience, &(struct timeval){.tv_sec = PATIENCE_S});
}

static bool
anybody_asked(const struct followers *all)
{
    for (int i = 0; i < FOLLOWERS; i++)
        if (all->follower[i].asked)
            return true;
    return false;
}

static void
settle(struct followers *all)
{
    if (!all->waiting || anybody_asked(all))
        return;
    all->waiting = false;
    event_del(all->patience);
    all->ready(all->arg);
}

/* A whole line; false: it is not the answer that is due. */
static bool
answered(struct follower *f)
{
    char want[32];
    snprintf(want, sizeof want, "ok %" PRId64, f->all->now.ms);
    if (!f->asked || strcmp(f->line, want) != 0)
        return false;
    f->asked = false;
    f->n = 0;
    return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct follower *f = arg;
    struct followers *all = f->all;
    (void)what;

    ssize_t got = recv(fd, f->line + f->n, sizeof f->line - f->n, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool fine = got > 0;
    if (fine) {
        f->n += (size_t)got;
        char *end = memchr(f->line, '\n', f->n);
        if (end != NULL) {
            *end = '\0';
            fine = end == f->line + f->n - 1 && answered(f);
        } else
            fine = f->n < sizeof f->line;
    }
    if (!fine)
        drop(f);
    settle(all);
}

static void
on_acceptable(evutil_socket_t listener, short what, void *arg)
{
    struct followers *all = arg;
    (void)what;

    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct follower *f = NULL;
    for (int i = 0; i < FOLLOWERS && f == NULL; i++)
        if (all->follower[i].fd < 0)
            f = &all->follower[i];
    struct event *readable = NULL;
    if (f != NULL)
        readable = event_new(all->base, fd, EV_READ | EV_PERSIST, on_readable, f);
    if (readable == NULL) {
        close(fd);
        return;
    }
    event_add(readable, NULL);
    f->fd = fd;
    f->readable = readable;
    wait_patiently(all);
    tell(f);
    settle(all);
}

/* Nobody came, or somebody does not answer: time goes on without them. */
static void
on_impatience(evutil_socket_t fd, short what, void *arg)
{
    struct followers *all = arg;
    (void)fd;
    (void)what;

    for (int i = 0; i < FOLLOWERS; i++)
        if (all->follower[i].asked)
            drop(&all->follower[i]);
    settle(all);
}

bool
followers_tell(struct followers *all, lw_wall now)
{
    all->now = now;
    for (int i = 0; i < FOLLOWERS; i++)
        if (all->follower[i].fd >= 0)
            tell(&all->follower[i]);
    if (anybody_asked(all))
        wait_patiently(all);
    return all->waiting;
}

bool
followers_waiting(const struct followers *all)
{
    return all->waiting;
}

int
followers_new(struct event_base *base, const char *path, lw_wall now,
              followers_ready *ready, void *arg, struct followers **ret_followers)
{
    struct followers *all = calloc(1, sizeof *all);
    if (all == NULL)
        return LW_ENOMEM;
    int rc = LW_EINVAL;
    all->base = base;
    all->ready = ready;
    all->arg = arg;
    all->now = now;
    all->listener = -1;
    for (int i = 0; i < FOLLOWERS; i++)
        all->follower[i] = (struct follower){.all = all, .fd = -1};
    if (strlen(path) >= sizeof all->address.sun_path)
        goto out;
    all->address.sun_family = AF_UNIX;
    memcpy(all->address.sun_path, path, strlen(path));

    rc = LW_EIO;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        goto out;
    /* A run that was killed leaves its socket behind. */
    if ((unlink(path) != 0 && errno != ENOENT) ||
        bind(fd, (struct sockaddr *)&all->address, sizeof all->address) != 0) {
        close(fd);
        goto out;
    }
    all->listener = fd;
    if (chmod(path, 0600) != 0 || listen(fd, FOLLOWERS) != 0)
        goto out;

    rc = LW_ENOMEM;
    all->acceptable = event_new(base, fd, EV_READ | EV_PERSIST, on_acceptable, all);
    all->patience = event_new(base, -1, 0, on_impatience, all);
    if (all->acceptable == NULL || all->patience == NULL)
        goto out;
    event_add(all->acceptable, NULL);
    wait_patiently(all);
    rc = 0;
    *ret_followers = all;
    all = NULL;
out:
    followers_free(all);
    return rc;
}

void
followers_free(struct followers *all)
{
    if (all == NULL)
        return;
    for (int i = 0; i < FOLLOWERS; i++)
        if (all->follower[i].fd >= 0)
            drop(&all->follower[i]);
    if (all->acceptable != NULL)
        event_free(all->acceptable);
    if (all->patience != NULL)
        event_free(all->patience);
    if (all->listener >= 0) {
        close(all->listener);
        unlink(all->address.sun_path);
    }
    free(all);
}
