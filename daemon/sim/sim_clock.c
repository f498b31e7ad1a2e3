/* Simulated time. A followed clock stands between two lines of the daemon; when the
 * socket closes, the last time stays and the connection is tried anew. */
#include "daemon/sim/sim_clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/result.h>
#include <lodewatch/text.h>

#include "daemon/clock.h"
#include "daemon/log.h"

enum {
    RETRY_MS = 100,
    PATIENCE_MS = 60000, /* for the daemon to come up; afterwards without end */
};

struct sim_clock {
    struct event_base *base;
    struct sim_clock_hooks hooks;
    lw_wall at; /* followed: the last line's; else where `began_us` stands */
    double rate;
    int64_t began_us;
    bool known;

    struct sockaddr_un address; /* sun_family 0: does not follow */
    int fd;
    struct event *readable;
    struct event *retry;
    int64_t give_up_ms;
    char line[32];
    size_t n;
};

static void
retry_later(struct sim_clock *clock)
{
    event_add(clock->retry, &(struct timeval){.tv_usec = RETRY_MS * 1000});
}

static void
disconnect(struct sim_clock *clock)
{
    if (clock->readable)
        event_free(clock->readable);
    if (clock->fd >= 0)
        close(clock->fd);
    clock->readable = NULL;
    clock->fd = -1;
    clock->n = 0;
}

/* "T": simulated time is T now. */
static bool
follow(struct sim_clock *clock, const char *line, size_t n)
{
    char answer[48];
    int64_t ms;

    if (lw_decimal_parse(line, n, 1, &ms) < 0 || ms < LW_WALL_FIRST || ms > LW_WALL_LAST)
        return false;
    clock->at = (lw_wall){ms};
    int len = snprintf(answer, sizeof answer, "ok %" PRId64 "\n", ms);
    if (!clock->known) {
        clock->known = true;
        clock->hooks.known(clock->hooks.arg);
    }
    return send(clock->fd, answer, (size_t)len, MSG_NOSIGNAL) == len;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct sim_clock *clock = arg;
    bool good = true;
    char *end;

    (void)what;
    ssize_t got = recv(fd, clock->line + clock->n, sizeof clock->line - clock->n, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        clock->n += (size_t)got;
    while (good && got > 0 && (end = memchr(clock->line, '\n', clock->n))) {
        size_t len = (size_t)(end - clock->line);
        good = follow(clock, clock->line, len);
        clock->n -= len + 1;
        memmove(clock->line, end + 1, clock->n);
    }
    if (!good || got <= 0 || clock->n == sizeof clock->line) {
        log_note("the daemon's clock is gone%s; time stands",
                 good ? "" : " (it sent what is no time)");
        disconnect(clock);
        retry_later(clock);
    }
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct sim_clock *clock = arg;

    (void)fd;
    (void)what;
    clock->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (clock->fd >= 0 && connect(clock->fd, (const struct sockaddr *)&clock->address,
                                  sizeof clock->address) == 0)
        clock->readable =
            event_new(clock->base, clock->fd, EV_READ | EV_PERSIST, on_readable, clock);
    if (clock->readable) {
        event_add(clock->readable, NULL);
        return;
    }
    disconnect(clock);
    if (!clock->known && clock_io().ms >= clock->give_up_ms)
        clock->hooks.lost(clock->hooks.arg);
    else
        retry_later(clock);
}

int
sim_clock_new(struct event_base *base, const struct sim_clock_options *options,
              const struct sim_clock_hooks *hooks, struct sim_clock **ret_clock)
{
    struct sim_clock *clock = calloc(1, sizeof *clock);
    if (!clock)
        return LW_ENOMEM;
    clock->base = base;
    clock->hooks = *hooks;
    clock->fd = -1;
    clock->at = options->start.ms == INT64_MIN ? clock_system() : options->start;
    clock->rate = options->rate;
    clock->began_us = clock_io_us();
    clock->known = !options->follow;
    if (options->follow) {
        size_t n = strlen(options->follow);
        clock->retry = evtimer_new(base, on_retry, clock);
        if (!clock->retry || n >= sizeof clock->address.sun_path) {
            int rc = clock->retry ? LW_EINVAL : LW_ENOMEM;
            sim_clock_free(clock);
            return rc;
        }
        clock->address.sun_family = AF_UNIX;
        memcpy(clock->address.sun_path, options->follow, n + 1);
        clock->give_up_ms = clock_io().ms + PATIENCE_MS;
        event_add(clock->retry, &(struct timeval){0});
    }
    *ret_clock = clock;
    return 0;
}

void
sim_clock_free(struct sim_clock *clock)
{
    if (!clock)
        return;
    disconnect(clock);
    if (clock->retry)
        event_free(clock->retry);
    free(clock);
}

bool
sim_clock_known(const struct sim_clock *clock)
{
    return clock->known;
}

lw_wall
sim_clock_now(const struct sim_clock *clock)
{
    if (clock->retry)
        return clock->at;
    double ran_ms = (double)(clock_io_us() - clock->began_us) / 1000 * clock->rate;
    return lw_wall_add(clock->at, (int64_t)ran_ms);
}
