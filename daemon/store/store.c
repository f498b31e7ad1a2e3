/* The store as the rest of the daemon sees it: a writer and a reader. */
#include "daemon/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lodewatch/hash.h>

#include "daemon/log.h"
#include "daemon/store/reader.h"
#include "daemon/store/writer.h"

enum {
    ID_TEXT = 32
}; /* 128 random bits */

struct store {
    struct writer *writer;
    struct reader *reader;
};

static int
read_id(const char *path, char id[ID_TEXT + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return LW_EIO;
    n = read(fd, id, ID_TEXT);
    close(fd);
    id[ID_TEXT] = '\0';
    if (n != ID_TEXT || strspn(id, "0123456789abcdef") != ID_TEXT) {
        log_error("%s: not an identifier as this program writes it", path);
        errno = EINVAL;
        return LW_EIO;
    }
    return 0;
}

static int
make_id(const char *path, char id[ID_TEXT + 1])
{
    char part[256];
    uint8_t random[ID_TEXT / 2];
    int fd = -1;
    bool written;

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return LW_EIO;
    lw_hex(random, sizeof(random), id);
    snprintf(part, sizeof(part), "%s.part", path);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return LW_EIO;
    written = write(fd, id, ID_TEXT) == ID_TEXT && fsync(fd) == 0;
    close(fd);
    return written && rename(part, path) == 0 ? 0 : LW_EIO;
}

int
store_new(struct event_base *base, struct clock *clock, struct journal *journal,
          const struct store_options *options, struct store **ret_store)
{
    struct store *store;
    char path[240];
    char id[ID_TEXT + 1];
    int rc;

    snprintf(path, sizeof(path), "%s/store.id", options->journal_dir);
    if ((rc = read_id(path, id)) < 0 && errno == ENOENT)
        rc = make_id(path, id);
    if (rc < 0)
        return rc;
    store = calloc(1, sizeof(*store));
    if (!store)
        return LW_ENOMEM;
    if ((rc = writer_new(base, clock, journal, options, id, &store->writer)) < 0 ||
        (rc = reader_new(base, options->conninfo, &store->reader)) < 0) {
        store_free(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

void
store_free(struct store *store)
{
    if (!store)
        return;
    writer_free(store->writer);
    reader_free(store->reader);
    free(store);
}

void
store_stats(const struct store *store, struct store_stats *ret_stats)
{
    writer_stats(store->writer, ret_stats);
}

void
store_flush(struct store *store, int64_t most_ms, store_done *done, void *arg)
{
    writer_flush(store->writer, most_ms, done, arg);
}

void
store_alerts(struct store *store, const struct store_alerts_query *query,
             store_answer *answer, void *arg)
{
    reader_alerts(store->reader, query, answer, arg);
}
