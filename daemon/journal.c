/* The journal on the loop: records are appended to one buffer while the thread writes the
 * other; checkpoints, segments and readers are moved on as it reports back. */
#include "daemon/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/log.h"

enum {
    READINGS_MOST = 16 << 20, /* bytes in memory, beyond which readings are dropped */
    PENDING_MOST = 64 << 20,  /* and everything but a setup */
    GROUP_BYTES = 1 << 20,    /* a group this large does not wait */
    BUFFER_KEPT = 4 << 20,    /* a buffer that grew larger is given back */
    RETRY_MS = 500,
    RETAIN_S = 60,
};

static struct timeval
after_ms(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static size_t
pending(const struct journal *j)
{
    return j->fill.n + j->flight.n;
}

static bool
buffer_reserve(struct journal_buffer *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 64 * 1024;
    uint8_t *grown;

    while (cap < b->n + n)
        cap *= 2;
    if (cap == b->cap)
        return true;
    grown = realloc(b->data, cap);
    if (!grown)
        return false;
    b->data = grown;
    b->cap = cap;
    return true;
}

/* ---- groups ---- */

/* Measured since the last checkpoint, not since the last start: a daemon that is
 * restarted again and again must not have ever more to run again. */
static bool
roll_due(const struct journal *j)
{
    if (!j->save || j->ckpt != JOURNAL_CKPT_NONE || j->end == j->rolled)
        return false;
    return j->end - j->rolled >= (uint64_t)j->options.segment_bytes ||
           clock_io().ms - j->rolled_at >= j->options.segment_ms;
}

/* Hands the thread what there is. Called by the loop only, never within journal_append:
 * a checkpoint must not fall between an event and its alerts. */
static void
start_group(struct journal *j)
{
    struct journal_buffer empty = j->flight;
    struct journal_order *o = &j->order;
    uint64_t begins = j->end - j->fill.n;

    if (j->ordered)
        return;
    if (roll_due(j))
        journal_roll(j);
    *o = (struct journal_order){
        .data = j->fill.data,
        .n = j->fill.n,
        .position = begins,
        .segment = j->segment,
        .split = j->split,
        .publish = j->ckpt == JOURNAL_CKPT_WRITTEN ? j->ckpt_position : JOURNAL_NOWHERE,
        .remove_before = j->remove_before,
        .thin = j->save ? j->thin : NULL, /* not while it is closed */
    };
    if (o->n == 0 && o->split == JOURNAL_NOWHERE && o->publish == JOURNAL_NOWHERE &&
        o->remove_before == 0 && !o->thin)
        return;
    j->flight = j->fill;
    j->fill = empty;
    if (j->split != JOURNAL_NOWHERE)
        j->segment = j->split;
    j->split = JOURNAL_NOWHERE;
    j->remove_before = 0;
    j->ordered = true;
    journal_writer_give(j->writer, o);
}

/* Half the time is for waiting and half for the disk. */
static void
plan_group(struct journal *j)
{
    struct timeval wait = after_ms(j->options.sync_ms / 2);

    if (j->ordered || (j->group_waits && j->fill.n < GROUP_BYTES))
        return;
    if (j->fill.n >= GROUP_BYTES || j->ckpt == JOURNAL_CKPT_WRITTEN)
        wait = after_ms(0);
    evtimer_add(j->on_group, &wait);
    j->group_waits = true;
}

static void
on_group(evutil_socket_t fd, short what, void *arg)
{
    struct journal *j = arg;

    (void)fd;
    (void)what;
    j->group_waits = false;
    start_group(j);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct journal *j = arg;

    (void)fd;
    (void)what;
    if (j->remove_before > j->order.remove_before)
        j->order.remove_before = j->remove_before;
    j->remove_before = 0;
    j->order.thin = j->thin;
    journal_writer_give(j->writer, &j->order);
}

/* The thread is done with its order. */
static void
end_group(struct journal *j, const struct journal_order *done)
{
    struct timeval retry = after_ms(RETRY_MS);

    if (done->thin)
        journal_end_thin(j, done->thinned);
    j->stats.sync_us = done->sync_us ? done->sync_us : j->stats.sync_us;
    j->stats.error = done->error;
    if (done->error) {
        if (!j->stats.failing)
            log_error("journal: cannot write to %s: %s; it will be tried again", j->dir,
                      strerror(done->error));
        j->stats.failing = true;
        if (done->error == ENOSPC || done->error == EDQUOT)
            journal_retain(j);
        evtimer_add(j->on_retry, &retry);
        return;
    }
    if (j->stats.failing)
        log_note("journal: writes to %s again; %" PRIu64 " records were dropped", j->dir,
                 j->stats.dropped);
    j->stats.failing = false;
    if (done->publish != JOURNAL_NOWHERE) {
        ptrdiff_t i = journal_list_find(&j->list, done->publish);

        if (i >= 0 && j->list.segment[i].position == done->publish)
            j->list.segment[i].ckpt_bytes = done->ckpt_bytes;
        j->ckpt = JOURNAL_CKPT_NONE;
        journal_retain(j);
    }
    j->ordered = false;
    j->durable = done->position + done->n;
    j->flight.n = 0;
    if (j->flight.cap > BUFFER_KEPT) {
        free(j->flight.data);
        j->flight = (struct journal_buffer){0};
    }
    journal_readers_wake(j);
    if (j->fill.n > 0 || j->ckpt == JOURNAL_CKPT_WRITTEN || j->remove_before > 0 ||
        j->thin)
        plan_group(j);
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
    struct journal *j = arg;
    struct journal_order done;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof count) == (ssize_t)sizeof count && j->ordered &&
        journal_writer_done(j->writer, &done))
        end_group(j, &done);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
    struct journal *j = arg;

    (void)fd;
    (void)what;
    journal_record_acks(j);
    if (++j->seconds % RETAIN_S == 0)
        journal_retain(j);
    if (roll_due(j) || j->remove_before > 0 || j->thin)
        plan_group(j);
}

bool
journal_room(struct journal *j, enum journal_kind kind, size_t n)
{
    size_t most = kind == JOURNAL_READING ? READINGS_MOST : PENDING_MOST;

    n += JOURNAL_RECORD_HEAD;
    if (n <= JOURNAL_RECORD_MAX && (kind == JOURNAL_SETUP || pending(j) + n <= most) &&
        buffer_reserve(&j->fill, n))
        return true;
    if (j->stats.dropped++ == 0)
        log_error("journal: no room for more in memory; records are dropped");
    return false;
}

uint64_t
journal_append(struct journal *j, enum journal_kind kind, const void *data, size_t n)
{
    uint8_t *at;

    if (!journal_room(j, kind, n))
        return j->end;
    at = j->fill.data + j->fill.n;
    journal_record_head(j->end, kind, data, n, at);
    if (n > 0)
        memcpy(at + JOURNAL_RECORD_HEAD, data, n);
    j->fill.n += JOURNAL_RECORD_HEAD + n;
    j->end += JOURNAL_RECORD_HEAD + n;
    if (kind != JOURNAL_ACK)
        j->end_of_use = j->end;
    j->stats.appended++;
    plan_group(j);
    return j->end;
}

/* ---- checkpoints ---- */

static void
end_ckpt(struct journal *j)
{
    uint8_t error = EIO;
    ssize_t got = read(j->ckpt_pipe, &error, 1);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (j->on_ckpt)
        event_free(j->on_ckpt);
    j->on_ckpt = NULL;
    close(j->ckpt_pipe);
    waitpid(j->ckpt_pid, NULL, 0); /* it has written its last byte */
    j->ckpt = error ? JOURNAL_CKPT_NONE : JOURNAL_CKPT_WRITTEN;
    if (error)
        log_error("journal: the checkpoint at %" PRIx64 " failed: %s", j->ckpt_position,
                  strerror(error));
    else
        plan_group(j);
}

static void
on_ckpt(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_ckpt(arg);
}

void
journal_on_checkpoint(struct journal *j, journal_save *save, void *arg)
{
    j->save = save;
    j->save_arg = arg;
}

int
journal_roll(struct journal *j)
{
    uint64_t begun = j->split == JOURNAL_NOWHERE ? j->segment : j->split;
    int rc;

    if (!j->save)
        return LW_EINVAL;
    if (j->ckpt != JOURNAL_CKPT_NONE ||
        (j->split != JOURNAL_NOWHERE && j->split != j->end))
        return LW_EAGAIN;
    if (j->end > begun) {
        struct journal_segment *next = journal_list_add(&j->list, j->end);

        if (!next)
            return LW_ENOMEM;
        next[-1].end = j->end;
        next->end = JOURNAL_NOWHERE;
        j->split = j->end;
    }
    j->rolled = j->end;
    j->rolled_at = clock_io().ms;
    plan_group(j);
    rc = journal_ckpt_fork(j->dirfd, j->lockfd, j->end, &j->consumers, j->save,
                           j->save_arg, &j->ckpt_pid, &j->ckpt_pipe);
    if (rc != 0) {
        log_error("journal: cannot fork for the checkpoint: %m");
        return rc;
    }
    j->on_ckpt = event_new(j->base, j->ckpt_pipe, EV_READ | EV_PERSIST, on_ckpt, j);
    j->ckpt_position = j->end;
    j->ckpt = JOURNAL_CKPT_FORKED;
    if (!j->on_ckpt || event_add(j->on_ckpt, NULL) != 0) {
        kill(j->ckpt_pid, SIGKILL);
        end_ckpt(j);
        return LW_ENOMEM;
    }
    return 0;
}

/* ---- opening and closing ---- */

static int
lock(struct journal *j)
{
    int rc = journal_open_dir(j->dir, &j->lockfd);

    /* An earlier release made it for the group as well. */
    if (rc == 0 && fchmod(j->lockfd, 0700) != 0)
        log_warn("journal: %s may be open to others: %m", j->dir);
    if (rc == 0 && flock(j->lockfd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            log_error("journal: %s is in use by another daemon", j->dir);
        return LW_EIO;
    }
    return rc;
}

static int
make_events(struct journal *j)
{
    const struct timeval second = {.tv_sec = 1};

    j->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (j->done < 0)
        return LW_EIO;
    j->on_done = event_new(j->base, j->done, EV_READ | EV_PERSIST, on_done, j);
    j->on_group = evtimer_new(j->base, on_group, j);
    j->on_retry = evtimer_new(j->base, on_retry, j);
    j->on_second = event_new(j->base, -1, EV_PERSIST, on_second, j);
    if (!j->on_done || !j->on_group || !j->on_retry || !j->on_second ||
        event_add(j->on_done, NULL) != 0 || event_add(j->on_second, &second) != 0)
        return LW_ENOMEM;
    return 0;
}

static void
destroy(struct journal *j)
{
    struct event *events[] = {j->on_done, j->on_group, j->on_retry, j->on_second};
    int fds[] = {j->done, j->dirfd, j->recordfd, j->lockfd};

    journal_writer_free(j->writer);
    journal_thin_free(j->thin);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i])
            event_free(events[i]);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    journal_list_free(&j->list);
    free(j->fill.data);
    free(j->flight.data);
    free(j->dir);
    free(j);
}

int
journal_open(struct event_base *base, const struct journal_options *options,
             struct journal **ret_journal)
{
    struct journal *j = calloc(1, sizeof *j);
    int rc = LW_ENOMEM;

    if (!j)
        return LW_ENOMEM;
    j->base = base;
    j->options = *options;
    j->options.dir = j->options.record_dir = NULL;
    j->dirfd = j->lockfd = j->recordfd = j->done = -1;
    j->split = JOURNAL_NOWHERE;
    j->rolled_at = clock_io().ms;
    LIST_INIT(&j->readers);
    j->dir = strdup(options->dir);
    if (!j->dir)
        goto fail;
    rc = lock(j);
    if (rc == 0)
        rc = journal_open_dir(j->dir, &j->dirfd);
    if (rc == 0)
        rc = journal_recover(j);
    if (rc == 0 && options->record_dir)
        rc = journal_begin_recording(j, options->record_dir);
    if (rc == 0)
        rc = make_events(j);
    if (rc == 0)
        rc = journal_writer_new(j->dirfd, j->recordfd, j->done, &j->writer);
    if (rc != 0)
        goto fail;
    *ret_journal = j;
    return 0;
fail:
    destroy(j);
    return rc;
}

void
journal_close(struct journal *j)
{
    struct journal_order done;

    if (!j)
        return;
    journal_record_acks(j);
    if (j->ckpt == JOURNAL_CKPT_FORKED) {
        char name[JOURNAL_FILE_NAME];

        kill(j->ckpt_pid, SIGKILL);
        waitpid(j->ckpt_pid, NULL, 0);
        event_free(j->on_ckpt);
        close(j->ckpt_pipe);
        journal_file_name(j->ckpt_position, JOURNAL_CKPT_NEW, name);
        unlinkat(j->dirfd, name, 0);
        j->ckpt = JOURNAL_CKPT_NONE;
    }
    j->save = NULL; /* no checkpoint any more */
    for (int failures = 0; failures < 2;) {
        if (!j->ordered)
            start_group(j);
        else if (evtimer_pending(j->on_retry, NULL))
            journal_writer_give(j->writer, &j->order);
        if (!j->ordered)
            break;
        evtimer_del(j->on_retry);
        journal_writer_wait(j->writer, &done);
        end_group(j, &done);
        failures += done.error != 0;
    }
    if (pending(j) > 0)
        log_error("journal: %zu bytes could not be written and are lost", pending(j));
    destroy(j);
}

/* ---- what it can tell ---- */

uint64_t
journal_end(const struct journal *j)
{
    return j->end;
}

uint64_t
journal_durable(const struct journal *j)
{
    return j->durable;
}

uint64_t
journal_start(const struct journal *j)
{
    return j->list.segment[0].position;
}

void
journal_stats(const struct journal *j, struct journal_stats *ret_stats)
{
    *ret_stats = j->stats;
    ret_stats->pending = pending(j);
    ret_stats->bytes = journal_bytes(j);
    for (size_t i = 0; i < j->list.n; i++)
        ret_stats->segments += journal_segment_bytes(j, &j->list.segment[i]) > 0;
    ret_stats->max_bytes = (uint64_t)j->options.max_bytes;
    ret_stats->full = ret_stats->bytes > (uint64_t)j->options.max_bytes / 10 * 9;
}
