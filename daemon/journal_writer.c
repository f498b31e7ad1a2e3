/* The journal's thread: writes a group to the segment files and fsyncs it. It is given
 * one order at a time, touches nothing of the loop's, and never retries by itself. */
#include "daemon/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/log.h"

struct journal_writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;        /* an order, or the end */
    pthread_cond_t idle;        /* no order any more */
    bool busy, stop;            /* under the lock */
    struct journal_order order; /* the thread's while busy */
    /* the thread's own */
    int dirfd, recordfd, done;
    int fd;
    uint64_t segment;    /* that fd is of */
    bool record_failing; /* said so already */
};

static int
write_at(int fd, const uint8_t *data, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t put = pwrite(fd, data, n, at);

        if (put < 0 && errno != EINTR)
            return errno;
        if (put > 0) {
            data += put;
            n -= (size_t)put;
            at += put;
        }
    }
    return 0;
}

static int
sync_file(struct journal_writer *w)
{
    int64_t begun = clock_io_us();
    int error = fdatasync(w->fd) == 0 ? 0 : errno;

    w->order.sync_us = clock_io_us() - begun;
    return error;
}

/* A recording is a second aim: where it fails, the journal goes on. */
static void
keep(struct journal_writer *w, uint64_t position, const char *suffix)
{
    char name[JOURNAL_FILE_NAME];

    if (w->recordfd < 0)
        return;
    journal_file_name(position, suffix, name);
    if (journal_file_keep(w->dirfd, w->recordfd, name) == 0) {
        w->record_failing = false;
        return;
    }
    if (!w->record_failing)
        log_error("journal: cannot record %s: %m", name);
    w->record_failing = true;
}

/* Done with the open segment. A link shows its bytes already; a copy is made now. */
static void
close_segment(struct journal_writer *w)
{
    if (w->fd < 0)
        return;
    close(w->fd);
    w->fd = -1;
    keep(w, w->segment, JOURNAL_SEGMENT);
}

static int
open_segment(struct journal_writer *w, uint64_t position)
{
    uint8_t head[JOURNAL_SEGMENT_HEAD];
    char name[JOURNAL_FILE_NAME];
    int fd, error = 0;

    if (w->fd >= 0 && w->segment == position)
        return 0;
    journal_file_name(position, JOURNAL_SEGMENT, name);
    journal_segment_head(position, head);
    fd = openat(w->dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    error = write_at(fd, head, sizeof head, 0);
    if (!error && (fdatasync(fd) != 0 || fsync(w->dirfd) != 0))
        error = errno;
    if (error) {
        close(fd);
        return error;
    }
    close_segment(w);
    w->fd = fd;
    w->segment = position;
    keep(w, position, JOURNAL_SEGMENT);
    return 0;
}

static int
put(struct journal_writer *w, uint64_t segment, uint64_t position, const uint8_t *data,
    size_t n)
{
    int error = open_segment(w, segment);

    if (!error && n > 0)
        error =
            write_at(w->fd, data, n, (off_t)(position - segment + JOURNAL_SEGMENT_HEAD));
    if (!error && n > 0)
        error = sync_file(w);
    return error;
}

static int
write_group(struct journal_writer *w)
{
    const struct journal_order *o = &w->order;
    size_t head = o->n;
    int error = 0;

    if (o->split != JOURNAL_NOWHERE)
        head = (size_t)(o->split - o->position);
    if (head > 0)
        error = put(w, o->segment, o->position, o->data, head);
    /* The old segment is whole on disk before the new one is there. */
    if (!error && o->split != JOURNAL_NOWHERE)
        error =
            put(w, o->split, o->split, head > 0 ? o->data + head : o->data, o->n - head);
    return error;
}

/* Everything before its position is durable now, so the checkpoint may count. */
static void
publish(struct journal_writer *w)
{
    char from[JOURNAL_FILE_NAME], to[JOURNAL_FILE_NAME];
    struct stat st;

    journal_file_name(w->order.publish, JOURNAL_CKPT_NEW, from);
    journal_file_name(w->order.publish, JOURNAL_CKPT, to);
    if (fstatat(w->dirfd, from, &st, 0) != 0 ||
        renameat(w->dirfd, from, w->dirfd, to) != 0 || fsync(w->dirfd) != 0) {
        log_error("journal: cannot bring the checkpoint %s into force: %m", to);
        unlinkat(w->dirfd, from, 0);
        return;
    }
    w->order.ckpt_bytes = (uint64_t)st.st_size;
    keep(w, w->order.publish, JOURNAL_CKPT);
}

static void
remove_old(struct journal_writer *w)
{
    struct journal_list list;

    if (w->order.remove_before == 0 || journal_list_read(w->dirfd, &list) != 0)
        return;
    for (size_t i = 0; i < list.n && list.segment[i].position < w->order.remove_before;
         i++) {
        char name[JOURNAL_FILE_NAME];
        static const char *const suffixes[] = {JOURNAL_CKPT, JOURNAL_SEGMENT};

        for (size_t s = 0; s < 2; s++) {
            journal_file_name(list.segment[i].position, suffixes[s], name);
            if (unlinkat(w->dirfd, name, 0) != 0 && errno != ENOENT)
                log_error("journal: cannot remove %s: %m", name);
        }
    }
    journal_list_free(&list);
}

static void
carry_out(struct journal_writer *w)
{
    remove_old(w); /* first: it may make the room that writing needs */
    if (w->order.thin)
        w->order.thinned = journal_thin_step(w->order.thin); /* and so may this */
    w->order.error = write_group(w);
    if (!w->order.error && w->order.publish != JOURNAL_NOWHERE)
        publish(w);
}

static void *
run(void *arg)
{
    struct journal_writer *w = arg;
    const uint64_t one = 1;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->busy && !w->stop)
            pthread_cond_wait(&w->wake, &w->lock);
        if (!w->busy)
            break;
        pthread_mutex_unlock(&w->lock);
        carry_out(w);
        pthread_mutex_lock(&w->lock);
        w->busy = false;
        pthread_cond_signal(&w->idle);
        if (write(w->done, &one, sizeof one) < 0)
            log_error("journal: cannot wake the loop: %m");
    }
    pthread_mutex_unlock(&w->lock);
    close_segment(w);
    return NULL;
}

int
journal_writer_new(int dirfd, int recordfd, int done, struct journal_writer **ret_writer)
{
    struct journal_writer *w = calloc(1, sizeof *w);
    sigset_t all, before;
    int error;

    if (!w)
        return LW_ENOMEM;
    w->dirfd = dirfd;
    w->recordfd = recordfd;
    w->done = done;
    w->fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->idle, NULL);
    /* Signals are the loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(w);
        errno = error;
        return LW_EIO;
    }
    *ret_writer = w;
    return 0;
}

void
journal_writer_free(struct journal_writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    pthread_cond_destroy(&w->idle);
    free(w);
}

void
journal_writer_give(struct journal_writer *w, const struct journal_order *order)
{
    pthread_mutex_lock(&w->lock);
    w->order = *order;
    w->order.error = 0;
    w->order.sync_us = 0;
    w->order.ckpt_bytes = 0;
    w->busy = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

bool
journal_writer_done(struct journal_writer *w, struct journal_order *ret_order)
{
    bool done;

    pthread_mutex_lock(&w->lock);
    done = !w->busy;
    if (done)
        *ret_order = w->order;
    pthread_mutex_unlock(&w->lock);
    return done;
}

void
journal_writer_wait(struct journal_writer *w, struct journal_order *ret_order)
{
    pthread_mutex_lock(&w->lock);
    while (w->busy)
        pthread_cond_wait(&w->idle, &w->lock);
    *ret_order = w->order;
    pthread_mutex_unlock(&w->lock);
}
