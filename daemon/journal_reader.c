/* Reading records: the cursor that walks from segment to segment and over what is
 * damaged, the readers of a live journal, and the reader of a directory without a daemon.
 */
#include "daemon/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/result.h>

#include "daemon/log.h"

enum {
    BUFFER = 256 * 1024,
    SEARCHED = 64 * 1024, /* the longest record looked for behind a damaged one */
};

void
journal_cursor_init(struct journal_cursor *c, int dirfd, const struct journal_list *list,
                    uint64_t position)
{
    *c = (struct journal_cursor){
        .dirfd = dirfd, .list = list, .position = position, .fd = -1};
}

void
journal_cursor_free(struct journal_cursor *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->buf);
    *c = (struct journal_cursor){.fd = -1};
}

static int
open_segment(struct journal_cursor *c, uint64_t segment)
{
    uint8_t head[JOURNAL_SEGMENT_HEAD], want[JOURNAL_SEGMENT_HEAD];
    char name[JOURNAL_FILE_NAME];

    if (c->fd >= 0 && c->segment == segment)
        return 0;
    if (c->fd >= 0)
        close(c->fd);
    c->n = 0;
    c->segment = segment;
    journal_file_name(segment, JOURNAL_SEGMENT, name);
    c->fd = openat(c->dirfd, name, O_RDONLY | O_CLOEXEC);
    if (c->fd < 0)
        return errno == ENOENT ? LW_ENOTFOUND : LW_EIO;
    /* A damaged head costs nothing: each record proves itself and its position. */
    journal_segment_head(segment, want);
    if (pread(c->fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
        memcmp(head, want, 8) == 0 && get32(head + 8) > JOURNAL_FORMAT) {
        log_error("journal: %s was written by a newer release", name);
        return LW_EVERSION;
    }
    return 0;
}

/* The log's bytes [position, position + n), which end at or before `stop`: what is read
 * ahead never goes beyond it, since the bytes there may not be final yet. */
static int
peek(struct journal_cursor *c, uint64_t position, size_t n, uint64_t stop,
     const uint8_t **ret_bytes)
{
    if (position < c->at || position + n > c->at + c->n) {
        size_t kept = 0, cap = n > BUFFER ? n : BUFFER;

        if (position >= c->at && position < c->at + c->n) {
            kept = (size_t)(c->at + c->n - position);
            memmove(c->buf, c->buf + (position - c->at), kept);
        }
        c->at = position;
        c->n = kept;
        if (c->cap < cap) {
            uint8_t *grown = realloc(c->buf, cap);

            if (!grown)
                return LW_ENOMEM;
            c->buf = grown;
            c->cap = cap;
        }
        if (cap > stop - position)
            cap = (size_t)(stop - position);
        while (c->n < cap) {
            ssize_t got =
                pread(c->fd, c->buf + c->n, cap - c->n,
                      (off_t)(c->at + c->n - c->segment + JOURNAL_SEGMENT_HEAD));

            if (got < 0 && errno != EINTR)
                return LW_EIO;
            if (got == 0)
                break;
            if (got > 0)
                c->n += (size_t)got;
        }
        if (c->n < n)
            return LW_EPARSE;
    }
    *ret_bytes = c->buf + (position - c->at);
    return 0;
}

/* 0 with the whole record at `position`; LW_EPARSE: there is none. */
static int
record_at(struct journal_cursor *c, uint64_t position, uint64_t stop, size_t most,
          struct journal_record *ret_record)
{
    const uint8_t *bytes;
    size_t n;
    int rc;

    if (stop - position < JOURNAL_RECORD_HEAD)
        return LW_EPARSE;
    rc = peek(c, position, JOURNAL_RECORD_HEAD, stop, &bytes);
    if (rc != 0)
        return rc;
    n = get32(bytes);
    if (n > most || n > stop - position - JOURNAL_RECORD_HEAD)
        return LW_EPARSE;
    rc = peek(c, position, JOURNAL_RECORD_HEAD + n, stop, &bytes);
    if (rc != 0)
        return rc;
    if (!journal_record_check(position, bytes, n))
        return LW_EPARSE;
    *ret_record = (struct journal_record){
        .position = position,
        .next = position + JOURNAL_RECORD_HEAD + n,
        .kind = (enum journal_kind)bytes[8],
        .data = bytes + JOURNAL_RECORD_HEAD,
        .n = n,
    };
    return 0;
}

/* Goes to the next whole record behind a damaged one, or to `stop`. */
static int
skip_damage(struct journal_cursor *c, uint64_t stop)
{
    struct journal_record found;
    uint64_t position = c->position + 1;

    for (; position < stop; position++) {
        int rc = record_at(c, position, stop, SEARCHED, &found);

        if (rc == 0)
            break;
        if (rc != LW_EPARSE)
            return rc;
    }
    c->lost_from = c->position;
    c->lost_to = c->position = position;
    return LW_EPARSE;
}

int
journal_cursor_next(struct journal_cursor *c, uint64_t limit,
                    struct journal_record *ret_record)
{
    const struct journal_list *list = c->list;
    ptrdiff_t i = journal_list_find(list, c->position);
    size_t next = (size_t)(i + 1);
    uint64_t begins = next < list->n ? list->segment[next].position : JOURNAL_NOWHERE;
    uint64_t stop = i >= 0 ? list->segment[i].end : 0;
    int rc;

    if (c->position >= limit)
        return 0;
    if (stop > begins)
        stop = begins;
    if (stop > limit)
        stop = limit;
    rc = c->position < stop ? open_segment(c, list->segment[i].position) : LW_ENOTFOUND;
    if (rc == LW_ENOTFOUND) { /* a segment is gone, or somebody removed its file */
        if (begins > limit)
            begins = limit;
        c->lost_from = c->position;
        c->lost_to = c->position = begins;
        return LW_EPARSE;
    }
    if (rc == 0)
        rc = record_at(c, c->position, stop, JOURNAL_RECORD_MAX, ret_record);
    if (rc == LW_EPARSE)
        return skip_damage(c, stop);
    if (rc != 0)
        return rc;
    c->position = ret_record->next;
    return 1;
}

static void
log_lost(const struct journal_cursor *c)
{
    log_error("journal: damaged from %" PRIx64 " to %" PRIx64 ": %" PRIu64
              " bytes are skipped",
              c->lost_from, c->lost_to, c->lost_to - c->lost_from);
}

/* ---- a directory without a daemon ---- */

struct journal_files {
    int dirfd;
    struct journal_list list;
    struct journal_cursor cursor;
    uint64_t checkpoint; /* its position; NOWHERE: none */
    uint64_t end;
};

int
journal_files_open(const char *dir, struct journal_files **ret_files)
{
    struct journal_files *f = calloc(1, sizeof *f);
    uint64_t from;
    int rc;

    if (!f)
        return LW_ENOMEM;
    journal_cursor_init(&f->cursor, -1, NULL, 0);
    f->checkpoint = JOURNAL_NOWHERE;
    f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = f->dirfd < 0 ? LW_EIO : journal_list_read(f->dirfd, &f->list);
    if (rc == 0 && f->list.n == 0)
        rc = LW_ENOTFOUND;
    if (rc != 0)
        goto out;
    from = f->list.segment[0].position;
    f->end = f->list.segment[f->list.n - 1].end;
    for (size_t i = 0; i < f->list.n && f->checkpoint == JOURNAL_NOWHERE; i++) {
        if (f->list.segment[i].ckpt_bytes == 0)
            continue;
        rc = journal_ckpt_load(f->dirfd, f->list.segment[i].position, NULL, NULL, NULL);
        if (rc == 0)
            f->checkpoint = from = f->list.segment[i].position;
        else if (rc != LW_EPARSE)
            goto out;
    }
    journal_cursor_init(&f->cursor, f->dirfd, &f->list, from);
    *ret_files = f;
    f = NULL;
    rc = 0;
out:
    journal_files_close(f);
    return rc;
}

void
journal_files_close(struct journal_files *f)
{
    if (!f)
        return;
    journal_cursor_free(&f->cursor);
    journal_list_free(&f->list);
    if (f->dirfd >= 0)
        close(f->dirfd);
    free(f);
}

int
journal_files_checkpoint(struct journal_files *f, void **ret_data, size_t *ret_n)
{
    if (f->checkpoint == JOURNAL_NOWHERE)
        return LW_ENOTFOUND;
    return journal_ckpt_load(f->dirfd, f->checkpoint, NULL, ret_data, ret_n);
}

int
journal_files_next(struct journal_files *f, struct journal_record *ret_record)
{
    int rc = journal_cursor_next(&f->cursor, f->end, ret_record);

    if (rc != LW_EPARSE)
        return rc;
    if (f->cursor.lost_to == f->end) /* the tail of a daemon that was killed, or writes */
        return 0;
    log_lost(&f->cursor);
    return LW_EPARSE;
}

/* ---- a live journal ---- */

struct journal_reader {
    LIST_ENTRY(journal_reader) link;
    struct journal *journal;
    struct journal_cursor cursor;
    journal_ready *ready;
    void *arg;
    struct event *on_ready;
    bool waits; /* journal_next said that there was nothing */
};

static void
tell_ready(evutil_socket_t fd, short what, void *arg)
{
    struct journal_reader *r = arg;

    (void)fd;
    (void)what;
    r->ready(r->arg);
}

int
journal_reader_new(struct journal *journal, uint64_t position, journal_ready *ready,
                   void *arg, struct journal_reader **ret_reader)
{
    struct journal_reader *r = calloc(1, sizeof *r);

    if (!r)
        return LW_ENOMEM;
    r->journal = journal;
    r->ready = ready;
    r->arg = arg;
    if (ready) {
        r->on_ready = event_new(journal->base, -1, 0, tell_ready, r);
        if (!r->on_ready) {
            free(r);
            return LW_ENOMEM;
        }
    }
    journal_cursor_init(&r->cursor, journal->dirfd, &journal->list, position);
    LIST_INSERT_HEAD(&journal->readers, r, link);
    *ret_reader = r;
    return 0;
}

void
journal_reader_free(struct journal_reader *r)
{
    if (!r)
        return;
    LIST_REMOVE(r, link);
    if (r->on_ready)
        event_free(r->on_ready);
    journal_cursor_free(&r->cursor);
    free(r);
}

/* Through the loop, so that a reader may free itself or another one. */
void
journal_readers_wake(struct journal *journal)
{
    struct journal_reader *r;

    LIST_FOREACH(r, &journal->readers, link) {
        if (r->waits && r->on_ready)
            event_active(r->on_ready, 0, 0);
        r->waits = false;
    }
}

int
journal_next(struct journal_reader *r, struct journal_record *ret_record)
{
    int rc = journal_cursor_next(&r->cursor, r->journal->durable, ret_record);

    if (rc == 0)
        r->waits = true;
    if (rc == LW_EPARSE)
        log_lost(&r->cursor);
    return rc;
}
