/* store.id: the name of a journal in the database, made at the first start. */
#include "daemon/store/journal_id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lodewatch/hash.h>

#include "daemon/log.h"

static int
read_id(const char *path, char id[JOURNAL_ID + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return LW_EIO;
    n = read(fd, id, JOURNAL_ID);
    close(fd);
    id[JOURNAL_ID] = '\0';
    if (n != JOURNAL_ID || strspn(id, "0123456789abcdef") != JOURNAL_ID) {
        log_error("%s: not an identifier as this program writes it", path);
        errno = EINVAL;
        return LW_EIO;
    }
    return 0;
}

static int
make_id(const char *path, char id[JOURNAL_ID + 1])
{
    char part[256];
    uint8_t random[JOURNAL_ID / 2];
    int fd = -1;
    bool written;

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return LW_EIO;
    lw_hex(random, sizeof(random), id);
    snprintf(part, sizeof(part), "%s.part", path);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return LW_EIO;
    written = write(fd, id, JOURNAL_ID) == JOURNAL_ID && fsync(fd) == 0;
    close(fd);
    return written && rename(part, path) == 0 ? 0 : LW_EIO;
}

int
journal_id_read(const char *journal_dir, char id[JOURNAL_ID + 1])
{
    char path[240];

    snprintf(path, sizeof(path), "%s/store.id", journal_dir);
    return read_id(path, id);
}

int
journal_id_make(const char *journal_dir, char id[JOURNAL_ID + 1])
{
    char path[240];
    int rc = journal_id_read(journal_dir, id);

    snprintf(path, sizeof(path), "%s/store.id", journal_dir);
    if (rc < 0 && errno == ENOENT)
        rc = make_id(path, id);
    return rc;
}
