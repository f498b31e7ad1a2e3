/* Opening a journal's directory: the newest whole checkpoint, the consumers' positions
 * and the end. A torn tail is cut off, other damage is reported. */
#include "daemon/journal_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/log.h"

int
journal_newest(const struct journal *j, struct journal_consumers *ret_consumers,
               void **ret_data, size_t *ret_n, ptrdiff_t *ret_index)
{
    for (ptrdiff_t i = (ptrdiff_t)j->list.n - 1; i >= 0; i--) {
        int rc;

        if (j->list.segment[i].ckpt_bytes == 0)
            continue;
        rc = journal_ckpt_load(j->dirfd, j->list.segment[i].position, ret_consumers,
                               ret_data, ret_n);
        if (rc == 0)
            *ret_index = i;
        if (rc != LW_EPARSE)
            return rc;
    }
    return LW_ENOTFOUND;
}

int
journal_checkpoint(struct journal *j, uint64_t *ret_position, void **ret_data,
                   size_t *ret_n)
{
    ptrdiff_t index;
    int rc = journal_newest(j, NULL, ret_data, ret_n, &index);

    if (rc == 0)
        *ret_position = j->list.segment[index].position;
    return rc;
}

static bool
is_new(const char *name)
{
    return strlen(name) > 17 && (strcmp(name + 17, JOURNAL_CKPT_NEW) == 0 ||
                                 strcmp(name + 17, JOURNAL_SEG_NEW) == 0);
}

/* Checkpoints and thin segments that no one brought into force. */
static void
remove_unpublished(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(dir)))
        if (is_new(entry->d_name))
            unlinkat(dirfd, entry->d_name, 0);
    closedir(dir);
}

/* A segment without a record: its name will be used again. */
static int
remove_empty(int dirfd, uint64_t position)
{
    char name[JOURNAL_FILE_NAME];

    journal_file_name(position, JOURNAL_SEGMENT, name);
    return unlinkat(dirfd, name, 0) == 0 || errno == ENOENT ? 0 : LW_EIO;
}

/* A daemon that was killed may have written what it did not bring to the disk; what is
 * told from here on must outlive the power too. */
static int
sync_segment(struct journal *j, uint64_t position)
{
    char name[JOURNAL_FILE_NAME];
    int fd, rc;

    journal_file_name(position, JOURNAL_SEGMENT, name);
    fd = openat(j->dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return LW_EIO;
    rc = fdatasync(fd) == 0 ? 0 : LW_EIO;
    close(fd);
    return rc;
}

static int
cut(struct journal *j, struct journal_segment *last, uint64_t end)
{
    char name[JOURNAL_FILE_NAME];
    int fd, rc;

    log_note("journal: %" PRIu64 " bytes that were never whole are cut off at %" PRIx64,
             last->end - end, end);
    last->end = end;
    if (end == last->position)
        return remove_empty(j->dirfd, last->position);
    journal_file_name(last->position, JOURNAL_SEGMENT, name);
    fd = openat(j->dirfd, name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return LW_EIO;
    rc = ftruncate(fd, (off_t)(end - last->position + JOURNAL_SEGMENT_HEAD)) == 0 &&
                 fsync(fd) == 0
             ? 0
             : LW_EIO;
    close(fd);
    return rc;
}

static void
take_ack(struct journal *j, const struct journal_record *record)
{
    char name[JOURNAL_CONSUMER_NAME];
    struct journal_consumer *consumer;
    struct lw_unpacker u;
    uint64_t position;

    lw_unpack_init(&u, record->data, record->n);
    lw_unpack_string(&u, name, sizeof name);
    position = lw_unpack_u64(&u);
    consumer = u.rc == 0 ? journal_consumer_at(&j->consumers, name) : NULL;
    if (consumer)
        consumer->position = consumer->recorded = position;
}

/* Reads what came after the checkpoint; what is before it was read in an earlier life. */
static int
scan(struct journal *j, uint64_t from)
{
    struct journal_segment *last = &j->list.segment[j->list.n - 1];
    struct journal_record record;
    struct journal_cursor c;
    int rc;

    journal_cursor_init(&c, j->dirfd, &j->list, from);
    while ((rc = journal_cursor_next(&c, last->end, &record)) != 0) {
        if (rc == 1) {
            if (record.kind == JOURNAL_ACK)
                take_ack(j, &record);
        } else if (rc != LW_EPARSE) {
            break;
        } else if (c.lost_to == last->end && c.lost_from >= last->position) {
            rc = cut(j, last, c.lost_from);
            break;
        } else {
            log_error("journal: damaged from %" PRIx64 " to %" PRIx64
                      ": what was in it is lost",
                      c.lost_from, c.lost_to);
        }
    }
    journal_cursor_free(&c);
    return rc;
}

int
journal_recover(struct journal *j)
{
    struct journal_segment *last;
    uint64_t end = 0;
    ptrdiff_t index = 0;
    int rc;
    remove_unpublished(j->dirfd);
    journal_reserve(j->dirfd);
    rc = journal_list_read(j->dirfd, &j->list);
    if (rc != 0)
        return rc;
    rc = journal_newest(j, &j->consumers, NULL, NULL, &index);
    if (rc != 0 && rc != LW_ENOTFOUND)
        return rc;
    if (j->list.n > 0) {
        j->rolled = j->list.segment[index].position;
        rc = scan(j, j->rolled);
        if (rc != 0)
            return rc;
        last = &j->list.segment[j->list.n - 1];
        end = last->end;
        rc = end == last->position ? remove_empty(j->dirfd, end)
                                   : sync_segment(j, last->position);
        if (rc != 0)
            return rc;
    }
    /* A position is never given twice, whatever was lost. */
    for (size_t i = 0; i < j->consumers.n; i++) {
        uint64_t position = j->consumers.consumer[i].position;

        if (position != JOURNAL_NOWHERE && position > end) {
            log_error("journal: ends at %" PRIx64 ", and %s has read up to %" PRIx64, end,
                      j->consumers.consumer[i].name, position);
            end = position;
        }
    }
    j->end = j->durable = j->end_of_use = j->segment = end;
    last = journal_list_add(&j->list, end);
    if (!last)
        return LW_ENOMEM;
    last->end = JOURNAL_NOWHERE;
    return 0;
}

/* Its owner's alone: it has who read what, and what inspection is told. */
int
journal_open_dir(const char *path, int *ret_fd)
{
    bool made = mkdir(path, 0700) == 0;
    int fd, above;

    if (!made && errno != EEXIST)
        return LW_EIO;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return LW_EIO;
    if (made && (above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        fsync(above);
        close(above);
    }
    *ret_fd = fd;
    return 0;
}

int
journal_begin_recording(struct journal *j, const char *path)
{
    struct journal_list there = {0};
    char name[JOURNAL_FILE_NAME];
    int rc = journal_open_dir(path, &j->recordfd);

    if (rc == 0)
        rc = journal_list_read(j->recordfd, &there);
    if (rc != 0)
        goto out;
    for (size_t i = 0; i < there.n; i++) {
        struct journal_segment *s = &there.segment[i];

        if (s->end > s->position && s->position >= j->end) {
            log_error("journal: %s holds the recording of another journal", path);
            errno = EEXIST;
            rc = LW_EIO;
            goto out;
        }
        journal_file_name(s->position, JOURNAL_SEGMENT, name);
        if (s->end == s->position)
            unlinkat(j->recordfd, name, 0); /* empty; its name will be used again */
    }
    for (size_t i = 0; i < j->list.n && rc == 0; i++) {
        const struct journal_segment *s = &j->list.segment[i];

        journal_file_name(s->position, JOURNAL_SEGMENT, name);
        if (s->end != JOURNAL_NOWHERE && s->end > s->position)
            rc = journal_file_keep(j->dirfd, j->recordfd, name);
        journal_file_name(s->position, JOURNAL_CKPT, name);
        if (rc == 0 && s->ckpt_bytes > 0)
            rc = journal_file_keep(j->dirfd, j->recordfd, name);
    }
out:
    journal_list_free(&there);
    return rc;
}
