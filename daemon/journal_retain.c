/* Consumers: how far each has come, which segments nobody needs any more, and what goes
 * where there is no room. */
#include "daemon/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include <lodewatch/result.h>
#include <lodewatch/time.h>

#include "daemon/log.h"

void
journal_ack(struct journal *j, const char *name, uint64_t position)
{
    struct journal_consumer *c = journal_consumer_at(&j->consumers, name);

    if (!c) {
        log_error("journal: no room for the consumer %s", name);
        return;
    }
    c->position = position;
}

int
journal_acked(const struct journal *j, const char *name, uint64_t *ret_position)
{
    for (size_t i = 0; i < j->consumers.n; i++) {
        const struct journal_consumer *c = &j->consumers.consumer[i];

        if (strcmp(c->name, name) == 0 && c->position != JOURNAL_NOWHERE) {
            *ret_position = c->position;
            return 0;
        }
    }
    return LW_ENOTFOUND;
}

/* A memory sink for one small record. */
struct small {
    uint8_t data[64];
    size_t n;
};

static int
small_write(void *arg, const void *data, size_t n)
{
    struct small *small = arg;

    if (n > sizeof small->data - small->n)
        return LW_EFULL;
    memcpy(small->data + small->n, data, n);
    small->n += n;
    return 0;
}

void
journal_record_acks(struct journal *j)
{
    for (size_t i = 0; i < j->consumers.n; i++) {
        struct journal_consumer *c = &j->consumers.consumer[i];
        struct small small = {.n = 0};
        struct lw_packer p;

        if (c->position == c->recorded)
            continue;
        /* An acknowledgement of nothing but acknowledgements would beget the next one. */
        if (c->position != JOURNAL_NOWHERE && c->recorded != JOURNAL_NOWHERE &&
            c->recorded >= j->end_of_use)
            continue;
        lw_pack_init(&p, small_write, &small);
        lw_pack_string(&p, c->name);
        lw_pack_u64(&p, c->position);
        if (lw_pack_flush(&p) != 0)
            continue;
        c->recorded = c->position;
        journal_append(j, JOURNAL_ACK, small.data, small.n);
    }
}

/* ---- room and age ---- */

uint64_t
journal_segment_bytes(const struct journal *j, const struct journal_segment *s)
{
    uint64_t end = s->end == JOURNAL_NOWHERE ? j->durable : s->end;

    return end > s->position ? end - s->position + JOURNAL_SEGMENT_HEAD - s->holes : 0;
}

uint64_t
journal_bytes(const struct journal *j)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < j->list.n; i++)
        bytes +=
            j->list.segment[i].ckpt_bytes + journal_segment_bytes(j, &j->list.segment[i]);
    return bytes;
}

/* When the segment's file was last written, or taken by the last consumer; 0: it is not
 * there. */
static int64_t
written(const struct journal *j, const struct journal_segment *s)
{
    char name[JOURNAL_FILE_NAME];
    struct stat st;

    journal_file_name(s->position, JOURNAL_SEGMENT, name);
    if (fstatat(j->dirfd, name, &st, 0) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * LW_SECOND + st.st_mtim.tv_nsec / 1000000;
}

/* A segment's age is what the younger ones have taken to write, in the journal's own
 * time: while the daemon works a new one comes each segment_ms, so a longer step from one
 * to the next is a clock that was set or a daemon that was down, and does not age
 * anything. */
static void
find_ages(struct journal *j)
{
    int64_t step_most =
        j->options.segment_ms < INT64_MAX / 2 ? 2 * j->options.segment_ms : INT64_MAX;
    int64_t age = 0, younger = 0;

    for (size_t i = j->list.n; i-- > 0;) {
        struct journal_segment *s = &j->list.segment[i];
        int64_t at = written(j, s);
        int64_t step = at != 0 && younger != 0 && younger > at ? younger - at : 0;

        age += step < step_most ? step : step_most;
        s->age_ms = age;
        younger = at != 0 ? at : younger;
    }
}

/* The time for which a segment is kept begins once everybody has taken it. Its file
 * remembers that over a restart: it is read-only, and of that moment. */
static void
mark(struct journal *j, struct journal_segment *s, bool taken)
{
    const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    char name[JOURNAL_FILE_NAME];

    if (s->taken == taken || s->end == JOURNAL_NOWHERE || s->end == s->position)
        return;
    journal_file_name(s->position, JOURNAL_SEGMENT, name);
    if (fchmodat(j->dirfd, name, taken ? 0400 : 0600, 0) == 0 &&
        utimensat(j->dirfd, name, now, 0) == 0)
        s->taken = taken;
}

/* ---- what may go ---- */

static uint64_t
needed(const struct journal *j)
{
    uint64_t position = j->durable;

    for (size_t i = 0; i < j->consumers.n; i++)
        if (j->consumers.consumer[i].position < position)
            position = j->consumers.consumer[i].position;
    return position;
}

/* Cuts at a checkpoint before which everyone has read everything: at the newest one where
 * all that is old, else as far as there is no room. */
static void
remove_taken(struct journal *j, uint64_t limit, uint64_t most)
{
    uint64_t bytes = journal_bytes(j), before = 0;
    size_t keep_from = 0;
    bool old = true;

    for (size_t i = 1; i < j->list.n && j->list.segment[i].position <= limit; i++) {
        const struct journal_segment *s = &j->list.segment[i - 1];

        old = old && s->age_ms >= j->options.keep_ms;
        before += s->ckpt_bytes + journal_segment_bytes(j, s);
        if (j->list.segment[i].ckpt_bytes == 0)
            continue;
        if (!old && bytes <= most)
            break;
        bytes -= before;
        before = 0;
        keep_from = i;
    }
    if (keep_from == 0)
        return;
    j->remove_before = j->list.segment[keep_from].position;
    journal_list_drop(&j->list, 0, keep_from);
}

/* Takes the readings out of the oldest segment that still has them, where they are too
 * old or have no room. Never out of what a restart has to run again. */
static void
begin_thin(struct journal *j, uint64_t limit, uint64_t most)
{
    ptrdiff_t newest = (ptrdiff_t)j->list.n - 1;

    while (newest > 0 && j->list.segment[newest].ckpt_bytes == 0)
        newest--;
    for (ptrdiff_t i = 0; i < newest && !j->thin; i++) {
        const struct journal_segment *s = &j->list.segment[i];
        bool old = j->options.max_age_ms > 0 && s->age_ms > j->options.max_age_ms;

        if (s->thin || s->end == s->position)
            continue;
        if (!old && journal_bytes(j) <= most)
            break;
        j->thin = journal_thin_new(j->dirfd, s->position, s->end, limit);
    }
}

static void
note_full(struct journal *j, uint64_t most)
{
    bool full = journal_bytes(j) > most / 10 * 9;

    if (full && !j->stats.full)
        log_warn("journal: %" PRIu64 " of %" PRIu64
                 " bytes: the oldest readings go first",
                 journal_bytes(j), most);
    j->stats.full = full;
}

void
journal_retain(struct journal *j)
{
    uint64_t limit = needed(j);
    uint64_t most = (uint64_t)j->options.max_bytes;

    if (j->stats.failing && journal_bytes(j) < most) /* the disk is smaller than that */
        most = journal_bytes(j) - 1;
    for (size_t i = 0; i < j->list.n; i++)
        mark(j, &j->list.segment[i], j->list.segment[i].end <= limit);
    find_ages(j);
    if (!j->thin) {
        remove_taken(j, limit, most);
        begin_thin(j, limit, most);
    }
    j->stats.oldest_ms = 0;
    for (size_t i = j->list.n; i-- > 0;)
        if (j->list.segment[i].end > limit)
            j->stats.oldest_ms = j->list.segment[i].age_ms;
    note_full(j, (uint64_t)j->options.max_bytes);
}

void
journal_end_thin(struct journal *j, int rc)
{
    char first[LW_TIME_TEXT], last[LW_TIME_TEXT];
    struct journal_thinned thinned;
    ptrdiff_t i;

    if (rc == 1)
        return;
    journal_thin_result(j->thin, &thinned);
    journal_thin_free(j->thin);
    j->thin = NULL;
    if (rc < 0) {
        log_error("journal: the readings of %" PRIx64 " cannot be removed: %s",
                  thinned.segment,
                  rc == LW_EIO ? strerror(thinned.error) : lw_result_text(rc));
        return;
    }
    i = journal_list_find(&j->list, thinned.segment);
    if (i >= 0 && j->list.segment[i].position == thinned.segment) {
        j->list.segment[i].thin = true;
        j->list.segment[i].taken = false; /* it is another file */
        j->list.segment[i].holes = thinned.holes;
    }
    j->stats.removed += thinned.readings;
    if (thinned.readings > 0) {
        lw_wall_format((lw_wall){thinned.first_ms}, first);
        lw_wall_format((lw_wall){thinned.last_ms}, last);
        log_error("journal: %" PRIu64 " readings that arrived from %s to %s are lost: too"
                  " old, or no room",
                  thinned.readings, first, last);
    }
    journal_retain(j);
}
