/* Alerts as lines of JSON in a file, a FIFO or on standard output, and inspection's
 * records in a file of their own. A line is there whole or not at all: what was begun is
 * finished by the next try, and cut off a file that a crash left torn. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/log.h"
#include "daemon/notify/sink.h"

enum {
    PIECE = 4096, /* what a pipe that is writable takes without blocking: PIPE_BUF */
    TAIL = 32768, /* the longest torn line that is looked for */
};

struct ndjson {
    char *path; /* NULL: standard output */
    int fd;     /* -1: could not be opened anew */
    bool regular;
    bool secret; /* for its owner alone, and nothing of it is logged */
    size_t done; /* bytes of the line in hand that are written */
};

/* Cuts a last line without an end off a file. */
static void
cut_torn_line(const struct ndjson *sink)
{
    char tail[TAIL];
    struct stat st;

    if (fstat(sink->fd, &st) != 0 || st.st_size == 0)
        return;
    off_t from = st.st_size > TAIL ? st.st_size - TAIL : 0;
    int fd = open(sink->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, tail, sizeof tail, from);
    if (fd >= 0)
        close(fd);
    if (n <= 0 || tail[n - 1] == '\n')
        return;
    const char *end = memrchr(tail, '\n', (size_t)n);
    off_t whole = end == NULL ? from : from + (end + 1 - tail);
    if (whole == 0 ? tail[0] != '{' : end == NULL)
        return; /* not ours */
    if (!sink->secret)
        log_warn("%s: a torn last line of %jd bytes is cut off", sink->path,
                 (intmax_t)(st.st_size - whole));
    if (ftruncate(sink->fd, whole) != 0 && !sink->secret)
        log_error("%s: %m", sink->path);
}

static int
open_file(struct ndjson *sink)
{
    struct stat st;

    sink->done = 0;
    if (sink->path == NULL) {
        sink->fd = STDOUT_FILENO;
    } else {
        /* Non-blocking, since opening a FIFO waits for its reader. */
        sink->fd = open(sink->path,
                        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                        sink->secret ? 0600 : 0640);
    }
    if (sink->fd < 0 || fstat(sink->fd, &st) != 0)
        return LW_EIO;
    sink->regular = S_ISREG(st.st_mode);
    if (sink->regular && sink->path != NULL)
        cut_torn_line(sink);
    return 0;
}

static void
close_file(struct ndjson *sink)
{
    struct stat st;

    if (sink->fd >= 0 && sink->regular && sink->done > 0 && fstat(sink->fd, &st) == 0 &&
        ftruncate(sink->fd, st.st_size - (off_t)sink->done) != 0 && !sink->secret)
        log_error("alerts: a torn last line stays: %m");
    if (sink->fd >= 0 && sink->path != NULL)
        close(sink->fd);
    sink->fd = -1;
    sink->done = 0;
}

static void
ndjson_close(void *arg)
{
    struct ndjson *sink = arg;

    close_file(sink);
    free(sink->path);
    free(sink);
}

static int
open_path(const char *path, bool secret, void **ret_sink)
{
    struct ndjson *sink;

    if (path[0] == '\0')
        return LW_ENOTFOUND;
    sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return LW_ENOMEM;
    sink->secret = secret;
    if (strcmp(path, "-") != 0) {
        sink->path = strdup(path);
        if (sink->path == NULL) {
            free(sink);
            return LW_ENOMEM;
        }
    }
    if (open_file(sink) != 0 && errno != ENXIO) { /* a FIFO's reader may come later */
        log_error("[%s] ndjson %s: %m", secret ? "inspection" : "alerts", path);
        ndjson_close(sink);
        return LW_EIO;
    }
    *ret_sink = sink;
    return 0;
}

static int
ndjson_open(const struct notify_options *options, void **ret_sink)
{
    return open_path(options->ndjson, false, ret_sink);
}

static int
inspection_open(const struct notify_options *options, void **ret_sink)
{
    return open_path(options->inspection, true, ret_sink);
}

static void
ndjson_reopen(void *arg)
{
    struct ndjson *sink = arg;

    if (sink->path != NULL) {
        close_file(sink);
        /* Where it fails, the next alert tries again and says so; of the other file that
         * is said now, while there may be no record at all. */
        if (open_file(sink) != 0 && errno != ENXIO && sink->secret)
            log_error("%s: %m", sink->path);
    }
}

/* A pipe or terminal takes a piece without blocking only while it says so. */
static int
may_write(const struct ndjson *sink)
{
    struct pollfd p = {.fd = sink->fd, .events = POLLOUT};

    if (sink->regular)
        return 0;
    if (poll(&p, 1, 0) == 0)
        return LW_EAGAIN;
    if ((p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        errno = EPIPE;
        return LW_EIO;
    }
    return 0;
}

static int
ndjson_deliver(void *arg, const char *json, size_t n)
{
    struct ndjson *sink = arg;

    if (sink->fd < 0 && open_file(sink) != 0)
        return LW_EIO;
    while (sink->done < n + 1) {
        size_t left = n + 1 - sink->done;
        size_t piece = !sink->regular && left > PIECE ? PIECE : left;
        size_t of_json = sink->done >= n          ? 0
                         : n - sink->done < piece ? n - sink->done
                                                  : piece;
        struct iovec parts[2] = {
            {.iov_base = (void *)(uintptr_t)(json + sink->done), .iov_len = of_json},
            {.iov_base = (void *)(uintptr_t) "\n", .iov_len = piece - of_json},
        };
        int rc = may_write(sink);
        ssize_t written = rc != 0 ? -1 : writev(sink->fd, parts, 2);
        if (rc != 0)
            return rc;
        if (written < 0 && errno != EINTR)
            return errno == EAGAIN ? LW_EAGAIN : LW_EIO;
        sink->done += written > 0 ? (size_t)written : 0;
    }
    sink->done = 0;
    return 0;
}

static int
ndjson_flush(void *arg)
{
    const struct ndjson *sink = arg;

    return !sink->regular || sink->fd < 0 || fdatasync(sink->fd) == 0 ? 0 : LW_EIO;
}

const struct sink_type sink_ndjson = {
    .name = "ndjson",
    .open = ndjson_open,
    .deliver = ndjson_deliver,
    .flush = ndjson_flush,
    .reopen = ndjson_reopen,
    .close = ndjson_close,
};

const struct sink_type sink_inspection = {
    .name = "inspection",
    .inspection = true,
    .open = inspection_open,
    .deliver = ndjson_deliver,
    .flush = ndjson_flush,
    .reopen = ndjson_reopen,
    .close = ndjson_close,
};
