/* The journal's files: their names, the list of a directory, and the form of a segment's
 * head and of a record. */
#include "daemon/journal_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include <lodewatch/result.h>

static const char segment_magic[8] = "lw.seg\r\n";

void
journal_file_name(uint64_t position, const char *suffix, char name[JOURNAL_FILE_NAME])
{
    snprintf(name, JOURNAL_FILE_NAME, "%016" PRIx64 ".%s", position, suffix);
}

void
journal_segment_head(uint64_t position, uint8_t head[JOURNAL_SEGMENT_HEAD])
{
    memcpy(head, segment_magic, sizeof segment_magic);
    put32(head + 8, JOURNAL_FORMAT);
    put32(head + 12, 0);
    put64(head + 16, position);
}

/* Over the position too: a stale record in a block that is used again is not taken. */
static uint32_t
record_crc(uint64_t position, uint8_t kind, const void *data, size_t n)
{
    uint8_t key[9];
    uLong crc;

    put64(key, position);
    key[8] = kind;
    crc = crc32(0, key, sizeof key);
    return (uint32_t)(n > 0 ? crc32_z(crc, data, n) : crc); /* NULL would begin anew */
}

void
journal_record_head(uint64_t position, enum journal_kind kind, const void *data, size_t n,
                    uint8_t head[JOURNAL_RECORD_HEAD])
{
    put32(head, (uint32_t)n);
    put32(head + 4, record_crc(position, (uint8_t)kind, data, n));
    head[8] = (uint8_t)kind;
}

bool
journal_record_check(uint64_t position, const uint8_t *record, size_t n)
{
    return get32(record + 4) ==
           record_crc(position, record[8], record + JOURNAL_RECORD_HEAD, n);
}

void
journal_list_free(struct journal_list *list)
{
    free(list->segment);
    *list = (struct journal_list){0};
}

ptrdiff_t
journal_list_find(const struct journal_list *list, uint64_t position)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (list->segment[mid].position <= position)
            low = mid + 1;
        else
            high = mid;
    }
    return (ptrdiff_t)low - 1;
}

struct journal_segment *
journal_list_add(struct journal_list *list, uint64_t position)
{
    ptrdiff_t before = journal_list_find(list, position);
    size_t at = (size_t)(before + 1);

    if (before >= 0 && list->segment[before].position == position)
        return &list->segment[before];
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        struct journal_segment *grown = realloc(list->segment, cap * sizeof *grown);

        if (!grown)
            return NULL;
        list->segment = grown;
        list->cap = cap;
    }
    memmove(list->segment + at + 1, list->segment + at,
            (list->n - at) * sizeof *list->segment);
    list->n++;
    list->segment[at] = (struct journal_segment){.position = position, .end = position};
    return &list->segment[at];
}

void
journal_list_drop(struct journal_list *list, size_t index, size_t n)
{
    memmove(list->segment + index, list->segment + index + n,
            (list->n - index - n) * sizeof *list->segment);
    list->n -= n;
}

/* "0123456789abcdef.<suffix>" */
static bool
parse_name(const char *name, uint64_t *ret_position, const char **ret_suffix)
{
    uint64_t position = 0;

    for (int i = 0; i < 16; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = name[i] ? strchr(digits, name[i]) : NULL;

        if (!digit)
            return false;
        position = position << 4 | (uint64_t)(digit - digits);
    }
    if (name[16] != '.')
        return false;
    *ret_position = position;
    *ret_suffix = name + 17;
    return true;
}

int
journal_list_read(int dirfd, struct journal_list *ret_list)
{
    struct journal_list list = {0};
    struct dirent *entry;
    int rc = LW_EIO;
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return LW_EIO;
    }
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        struct journal_segment *segment;
        struct stat st;
        const char *suffix;
        uint64_t position;
        bool ckpt;

        if (!parse_name(entry->d_name, &position, &suffix))
            continue;
        ckpt = strcmp(suffix, JOURNAL_CKPT) == 0;
        if (!ckpt && strcmp(suffix, JOURNAL_SEGMENT) != 0)
            continue;
        if (fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) /* a daemon at work has removed it */
                continue;
            goto out;
        }
        if (!S_ISREG(st.st_mode))
            continue;
        segment = journal_list_add(&list, position);
        if (!segment) {
            rc = LW_ENOMEM;
            goto out;
        }
        if (ckpt)
            segment->ckpt_bytes = (uint64_t)st.st_size;
        else if (st.st_size > JOURNAL_SEGMENT_HEAD) {
            segment->end = position + (uint64_t)st.st_size - JOURNAL_SEGMENT_HEAD;
            segment->taken = (st.st_mode & S_IWUSR) == 0;
            if (st.st_size > st.st_blocks * 512)
                segment->holes = (uint64_t)(st.st_size - st.st_blocks * 512);
        }
    }
    if (errno != 0)
        goto out;
    *ret_list = list;
    list = (struct journal_list){0};
    rc = 0;
out:
    journal_list_free(&list);
    closedir(dir);
    return rc;
}

static int
copy_file(int from, int to, const char *name)
{
    char block[65536];
    int in = openat(from, name, O_RDONLY | O_CLOEXEC);
    int out = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = LW_EIO;
    ssize_t got;

    if (in < 0 || out < 0)
        goto out;
    while ((got = read(in, block, sizeof block)) > 0)
        for (ssize_t put = 0, n; put < got; put += n)
            if ((n = write(out, block + put, (size_t)(got - put))) < 0)
                goto out;
    if (got < 0 || fsync(out) != 0)
        goto out;
    rc = 0;
out:
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return rc;
}

int
journal_file_keep(int from, int to, const char *name)
{
    struct stat a, b;

    if (linkat(from, name, to, name, 0) == 0)
        return 0;
    if (errno == EEXIST) {
        if (fstatat(from, name, &a, 0) != 0 || fstatat(to, name, &b, 0) != 0)
            return LW_EIO;
        if (a.st_size == b.st_size) /* ours may be thin by now, and theirs whole */
            return 0;
    } else if (errno != EXDEV && errno != EPERM) {
        return LW_EIO;
    }
    return copy_file(from, to, name);
}
