/* Finding in a journal's directory, whose daemon may be at work, what arrived since a
 * time: for those who want to have it again. */
#include "daemon/journal_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

/* When the record's readings arrived, and how many of them are gone. False: it is of
 * none. */
static bool
arrived(const struct journal_record *r, struct journal_lost *ret_lost)
{
    const uint8_t *bytes = r->data;
    struct lw_reading reading;
    const char *id;
    size_t n;

    if (r->kind == JOURNAL_GAP && r->n >= 20 && get32(bytes) > 0) {
        *ret_lost = (struct journal_lost){get32(bytes), (int64_t)get64(bytes + 4),
                                          (int64_t)get64(bytes + 12)};
        return true;
    }
    if (r->kind != JOURNAL_READING || r->n <= 2 ||
        lw_reading_peek(bytes + 2, r->n - 2, &reading, &id, &n) != 0)
        return false;
    *ret_lost = (struct journal_lost){0, reading.received.ms, reading.received.ms};
    return true;
}

/* The first arrival in the segment. 1, 0: it has none; LW_EIO and the like. */
static int
first_of(int dirfd, const struct journal_list *list, size_t i, int64_t *ret_ms)
{
    struct journal_cursor c;
    struct journal_record record;
    struct journal_lost lost;
    int rc;

    journal_cursor_init(&c, dirfd, list, list->segment[i].position);
    while ((rc = journal_cursor_next(&c, list->segment[i].end, &record)) != 0) {
        if (rc == LW_EPARSE)
            continue;
        if (rc < 0 || arrived(&record, &lost))
            break;
    }
    journal_cursor_free(&c);
    if (rc == 1)
        *ret_ms = lost.first_ms;
    return rc;
}

/* The readings that were taken out of a segment since. */
static int
add_lost(int dirfd, const struct journal_list *list, size_t i, int64_t since,
         struct journal_lost *sum)
{
    struct journal_cursor c;
    struct journal_record record;
    struct journal_lost lost;
    int rc;

    journal_cursor_init(&c, dirfd, list, list->segment[i].position);
    while ((rc = journal_cursor_next(&c, list->segment[i].end, &record)) != 0) {
        if (rc == LW_EPARSE)
            continue;
        if (rc < 0)
            break;
        if (!arrived(&record, &lost) || lost.readings == 0 || lost.last_ms < since)
            continue;
        if (sum->readings == 0 || lost.first_ms < sum->first_ms)
            sum->first_ms = lost.first_ms;
        if (sum->readings == 0 || lost.last_ms > sum->last_ms)
            sum->last_ms = lost.last_ms;
        sum->readings += lost.readings;
    }
    journal_cursor_free(&c);
    return rc;
}

int
journal_find(const char *dir, int64_t since, struct journal_found *ret_found)
{
    struct journal_found found = {.first_ms = INT64_MAX};
    struct journal_list list = {0};
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t from = 0;
    int rc = dirfd < 0 ? LW_EIO : journal_list_read(dirfd, &list);

    for (size_t i = 0; i < list.n && rc >= 0; i++) {
        int64_t first;

        rc = first_of(dirfd, &list, i, &first);
        if (rc != 1)
            continue;
        if (found.first_ms == INT64_MAX || first <= since) {
            found.position = list.segment[i].position;
            found.first_ms = first;
            from = i;
        }
        if (first > since)
            break;
    }
    for (size_t i = from; i < list.n && rc >= 0; i++)
        if (list.segment[i].holes > 0)
            rc = add_lost(dirfd, &list, i, since, &found.lost);
    journal_list_free(&list);
    if (dirfd >= 0)
        close(dirfd);
    if (rc >= 0 && found.first_ms == INT64_MAX)
        rc = LW_ENOTFOUND;
    if (rc < 0)
        return rc;
    *ret_found = found;
    return 0;
}
