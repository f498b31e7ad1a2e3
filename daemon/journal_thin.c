/* Thinning: a segment without its readings, where the journal has no room for them. The
 * thin segment has the same positions: its alerts stand where they stood, and in place of
 * everything else there are gaps, records of zeros that take no room on the disk. It is
 * written beside the whole one and takes its name at the end, so that a crash leaves the
 * one or the other, and a recording keeps the whole one. */
#include "daemon/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

enum {
    SLICE_BYTES = 4 << 20, /* of the segment in one step: alerts wait for the fsync */
    GAP_BYTES =
        256 << 10, /* a longer gap is several: what a cursor in it has to search */
    RESERVE_BYTES = 1 << 20,
    GAP_HEAD = 20, /* a gap's payload before the zeros */
    GAP_LEAST = JOURNAL_RECORD_HEAD + GAP_HEAD,
};

struct journal_thin {
    int dirfd, out;
    struct journal_segment segment;
    struct journal_list list; /* of that segment alone */
    struct journal_cursor cursor;
    uint64_t needed;
    uint64_t kept;            /* everything before it is in `out` */
    uint8_t small[GAP_LEAST]; /* the records since, while no gap has room for less */
    struct journal_thinned gap, all;
    uint8_t zeros[GAP_BYTES];
};

static void
names(const struct journal_thin *t, char name[JOURNAL_FILE_NAME],
      char fresh[JOURNAL_FILE_NAME])
{
    journal_file_name(t->segment.position, JOURNAL_SEGMENT, name);
    journal_file_name(t->segment.position, JOURNAL_SEG_NEW, fresh);
}

struct journal_thin *
journal_thin_new(int dirfd, uint64_t position, uint64_t end, uint64_t needed)
{
    struct journal_thin *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->dirfd = dirfd;
    t->out = -1;
    t->segment = (struct journal_segment){.position = position, .end = end};
    t->list = (struct journal_list){.segment = &t->segment, .n = 1, .cap = 1};
    t->needed = needed;
    t->kept = position;
    t->all.segment = position;
    journal_cursor_init(&t->cursor, dirfd, &t->list, position);
    return t;
}

void
journal_thin_free(struct journal_thin *t)
{
    char name[JOURNAL_FILE_NAME], fresh[JOURNAL_FILE_NAME];

    if (!t)
        return;
    journal_cursor_free(&t->cursor);
    if (t->out >= 0) {
        close(t->out);
        names(t, name, fresh);
        unlinkat(t->dirfd, fresh, 0);
    }
    free(t);
}

void
journal_thin_result(const struct journal_thin *t, struct journal_thinned *ret_thinned)
{
    *ret_thinned = t->all;
}

static int
write_at(const struct journal_thin *t, uint64_t position, const void *data, size_t n)
{
    off_t at = (off_t)(position - t->segment.position + JOURNAL_SEGMENT_HEAD);
    ssize_t put = pwrite(t->out, data, n, at);

    if (put >= 0 && (size_t)put < n)
        errno = ENOSPC;
    return put == (ssize_t)n ? 0 : LW_EIO;
}

/* Where the disk is full there is no room for a thin segment either, but for what was
 * kept for it. */
void
journal_reserve(int dirfd)
{
    int fd =
        openat(dirfd, JOURNAL_RESERVE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd < 0)
        return;
    if (posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
        unlinkat(dirfd, JOURNAL_RESERVE, 0);
    close(fd);
}

static int
begin(struct journal_thin *t)
{
    char name[JOURNAL_FILE_NAME], fresh[JOURNAL_FILE_NAME];
    uint8_t head[JOURNAL_SEGMENT_HEAD];

    names(t, name, fresh);
    unlinkat(t->dirfd, JOURNAL_RESERVE, 0);
    t->out = openat(t->dirfd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (t->out < 0)
        return LW_EIO;
    journal_segment_head(t->segment.position, head);
    return pwrite(t->out, head, sizeof head, 0) == (ssize_t)sizeof head ? 0 : LW_EIO;
}

static void
count(struct journal_thinned *sum, uint64_t readings, int64_t first_ms, int64_t last_ms)
{
    if (readings > 0 && (sum->readings == 0 || first_ms < sum->first_ms))
        sum->first_ms = first_ms;
    if (readings > 0 && (sum->readings == 0 || last_ms > sum->last_ms))
        sum->last_ms = last_ms;
    sum->readings += readings;
}

/* One gap of n bytes, with what is lost in it. */
static int
write_gap(struct journal_thin *t, size_t n, const struct journal_thinned *lost)
{
    uint8_t bytes[GAP_LEAST];
    int rc;

    put32(t->zeros, (uint32_t)lost->readings);
    put64(t->zeros + 4, (uint64_t)lost->first_ms);
    put64(t->zeros + 12, (uint64_t)lost->last_ms);
    journal_record_head(t->kept, JOURNAL_GAP, t->zeros, n - JOURNAL_RECORD_HEAD, bytes);
    memcpy(bytes + JOURNAL_RECORD_HEAD, t->zeros, GAP_HEAD);
    memset(t->zeros, 0, GAP_HEAD);
    rc = write_at(t, t->kept, bytes, sizeof bytes);
    t->kept += n;
    return rc;
}

/* Gaps, or the few small records themselves, in place of what was read up to `to`. */
static int
close_gap(struct journal_thin *t, uint64_t to)
{
    static const struct journal_thinned nothing = {0};
    int rc = 0;

    if (to - t->kept < GAP_LEAST) {
        rc = write_at(t, t->kept, t->small, (size_t)(to - t->kept));
        t->kept = to;
        return rc;
    }
    count(&t->all, t->gap.readings, t->gap.first_ms, t->gap.last_ms);
    while (rc == 0 && to - t->kept >= GAP_BYTES + GAP_LEAST)
        rc = write_gap(t, GAP_BYTES, &nothing);
    if (rc == 0 && to - t->kept > GAP_BYTES)
        rc = write_gap(t, GAP_BYTES / 2, &nothing);
    if (rc == 0)
        rc = write_gap(t, (size_t)(to - t->kept), &t->gap);
    t->gap = nothing;
    return rc;
}

static void
count_reading(struct journal_thin *t, const struct journal_record *r)
{
    const uint8_t *bytes = r->data;
    struct lw_reading reading;
    const char *id;
    size_t id_n;

    if (r->position >= t->needed && r->n > 2 &&
        !((bytes[0] | bytes[1] << 8) & LW_MARK_REPEATED) &&
        lw_reading_peek(bytes + 2, r->n - 2, &reading, &id, &id_n) == 0)
        count(&t->gap, 1, reading.received.ms, reading.received.ms);
}

static int
take(struct journal_thin *t, const struct journal_record *r)
{
    uint8_t head[JOURNAL_RECORD_HEAD];
    uint64_t since = r->position - t->kept;
    int rc;

    journal_record_head(r->position, r->kind, r->data, r->n, head);
    if (r->kind != JOURNAL_ALERT && r->kind != JOURNAL_INSPECTION) {
        if (r->kind == JOURNAL_READING)
            count_reading(t, r);
        if (r->next - t->kept < GAP_LEAST) {
            memcpy(t->small + since, head, sizeof head);
            memcpy(t->small + since + sizeof head, r->data, r->n);
        }
        return 0;
    }
    rc = close_gap(t, r->position);
    if (rc == 0)
        rc = write_at(t, r->position, head, sizeof head);
    if (rc == 0)
        rc = write_at(t, r->position + sizeof head, r->data, r->n);
    t->kept = r->next;
    return rc;
}

static int
finish(struct journal_thin *t)
{
    char name[JOURNAL_FILE_NAME], fresh[JOURNAL_FILE_NAME];
    struct stat st;
    int rc = close_gap(t, t->segment.end);

    names(t, name, fresh);
    if (rc == 0 &&
        (ftruncate(t->out, (off_t)(t->segment.end - t->segment.position +
                                   JOURNAL_SEGMENT_HEAD)) != 0 ||
         fsync(t->out) != 0 || fstat(t->out, &st) != 0 ||
         renameat(t->dirfd, fresh, t->dirfd, name) != 0 || fsync(t->dirfd) != 0))
        rc = LW_EIO;
    if (rc != 0)
        return rc;
    close(t->out);
    t->out = -1;
    journal_reserve(t->dirfd);
    if (st.st_size > st.st_blocks * 512)
        t->all.holes = (uint64_t)(st.st_size - st.st_blocks * 512);
    return 0;
}

static int
step(struct journal_thin *t)
{
    uint64_t stop = t->cursor.position + SLICE_BYTES;
    int rc = t->out < 0 ? begin(t) : 0;

    while (rc == 0 && t->cursor.position < stop) {
        struct journal_record record;

        rc = journal_cursor_next(&t->cursor, t->segment.end, &record);
        if (rc == 0)
            return finish(t);
        if (rc == 1)
            rc = take(t, &record);
        else if (rc == LW_EPARSE) /* what is damaged goes too */
            rc = 0;
    }
    return rc == 0 ? 1 : rc;
}

int
journal_thin_step(struct journal_thin *t)
{
    int rc = step(t);

    t->all.error = rc == LW_EIO ? errno : 0;
    return rc;
}
