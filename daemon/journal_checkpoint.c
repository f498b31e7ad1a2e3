/* Checkpoints: the consumers' positions and the caller's state at one position, written
 * by a forked child so that the loop goes on. The child publishes nothing: the file
 * counts only once the journal is durable up to its position (journal_writer.c renames
 * it). */
#include "daemon/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include <lodewatch/result.h>

#include "daemon/log.h"

static const char ckpt_magic[8] = "lw.ckp\r\n";

enum {
    CKPT_HEAD = 8 + 4 + 8,
    CKPT_TAIL = 4
};

struct journal_consumer *
journal_consumer_at(struct journal_consumers *consumers, const char *name)
{
    struct journal_consumer *c;

    for (size_t i = 0; i < consumers->n; i++)
        if (strcmp(consumers->consumer[i].name, name) == 0)
            return &consumers->consumer[i];
    if (consumers->n == JOURNAL_CONSUMERS || strlen(name) >= JOURNAL_CONSUMER_NAME)
        return NULL;
    c = &consumers->consumer[consumers->n++];
    *c = (struct journal_consumer){.position = JOURNAL_NOWHERE,
                                   .recorded = JOURNAL_NOWHERE};
    memcpy(c->name, name, strlen(name) + 1);
    return c;
}

struct sink {
    int fd;
    uLong crc;
};

/* From here on in the child: only what is async-signal-safe. */
static int
sink_write(void *arg, const void *data, size_t n)
{
    struct sink *sink = arg;
    const uint8_t *at = data;

    sink->crc = crc32_z(sink->crc, data, n);
    while (n > 0) {
        ssize_t put = write(sink->fd, at, n);

        if (put < 0 && errno != EINTR)
            return LW_EIO;
        if (put > 0) {
            at += put;
            n -= (size_t)put;
        }
    }
    return 0;
}

static int
ckpt_write(int dirfd, const char *name, uint64_t position,
           const struct journal_consumers *consumers, journal_save *save, void *arg)
{
    struct sink sink = {.crc = crc32(0, NULL, 0)};
    struct lw_packer p;
    uint8_t tail[CKPT_TAIL];

    /* A file of its own, even where a child of a daemon that died still writes to one. */
    unlinkat(dirfd, name, 0);
    sink.fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (sink.fd < 0)
        return errno;
    lw_pack_init(&p, sink_write, &sink);
    lw_pack_bytes(&p, ckpt_magic, sizeof ckpt_magic);
    lw_pack_u32(&p, JOURNAL_FORMAT);
    lw_pack_u64(&p, position);
    lw_pack_u32(&p, (uint32_t)consumers->n);
    for (size_t i = 0; i < consumers->n; i++) {
        lw_pack_string(&p, consumers->consumer[i].name);
        lw_pack_u64(&p, consumers->consumer[i].position);
    }
    errno = 0;
    if (save(arg, &p) != 0 || lw_pack_flush(&p) != 0)
        return errno ? errno : EINVAL;
    put32(tail, (uint32_t)sink.crc);
    if (sink_write(&sink, tail, sizeof tail) != 0 || fsync(sink.fd) != 0)
        return errno;
    return 0;
}

int
journal_ckpt_fork(int dirfd, int lockfd, uint64_t position,
                  const struct journal_consumers *consumers, journal_save *save,
                  void *arg, pid_t *ret_pid, int *ret_pipe)
{
    char name[JOURNAL_FILE_NAME];
    sigset_t all, before;
    int ends[2];
    pid_t pid;

    journal_file_name(position, JOURNAL_CKPT_NEW, name);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return LW_EIO;
    /* The child must not run the loop's signal handlers: they write to its sockets. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0) {
        int error;
        uint8_t status;

        close(lockfd); /* should the daemon die, the next one need not wait for us */
        error = ckpt_write(dirfd, name, position, consumers, save, arg);
        if (error)
            unlinkat(dirfd, name, 0);
        status = (uint8_t)error;
        _exit(write(ends[1], &status, 1) == 1 ? 0 : 1);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return LW_EIO;
    }
    *ret_pid = pid;
    *ret_pipe = ends[0];
    return 0;
}

static int
read_whole(int dirfd, const char *name, uint8_t **ret_data, size_t *ret_n)
{
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    uint8_t *data = NULL;
    struct stat st;
    size_t n = 0;
    int rc = LW_EIO;

    if (fd < 0 || fstat(fd, &st) != 0)
        goto out;
    data = malloc((size_t)st.st_size + 1);
    if (!data) {
        rc = LW_ENOMEM;
        goto out;
    }
    while (n < (size_t)st.st_size) {
        ssize_t got = read(fd, data + n, (size_t)st.st_size - n);

        if (got < 0)
            goto out;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret_data = data;
    *ret_n = n;
    data = NULL;
    rc = 0;
out:
    free(data);
    if (fd >= 0)
        close(fd);
    return rc;
}

int
journal_ckpt_load(int dirfd, uint64_t position, struct journal_consumers *ret_consumers,
                  void **ret_data, size_t *ret_n)
{
    struct journal_consumers consumers = {0};
    char name[JOURNAL_FILE_NAME];
    struct lw_unpacker u;
    uint8_t *data = NULL;
    size_t n;
    uint32_t count;
    int rc;

    journal_file_name(position, JOURNAL_CKPT, name);
    rc = read_whole(dirfd, name, &data, &n);
    if (rc != 0)
        return rc;
    rc = LW_EPARSE;
    if (n < CKPT_HEAD + CKPT_TAIL || memcmp(data, ckpt_magic, sizeof ckpt_magic) != 0)
        goto out;
    if (get32(data + 8) > JOURNAL_FORMAT) {
        rc = LW_EVERSION;
        goto out;
    }
    n -= CKPT_TAIL;
    if (get64(data + 12) != position || get32(data + n) != (uint32_t)crc32_z(0, data, n))
        goto out;
    lw_unpack_init(&u, data + CKPT_HEAD, n - CKPT_HEAD);
    count = lw_unpack_u32(&u);
    for (uint32_t i = 0; i < count && u.rc == 0; i++) {
        char consumer[JOURNAL_CONSUMER_NAME];
        uint64_t at;
        struct journal_consumer *c;

        lw_unpack_string(&u, consumer, sizeof consumer);
        at = lw_unpack_u64(&u);
        c = u.rc == 0 ? journal_consumer_at(&consumers, consumer) : NULL;
        if (c)
            c->position = c->recorded = at;
    }
    if (u.rc != 0)
        goto out;
    if (ret_consumers)
        *ret_consumers = consumers;
    if (ret_data) {
        *ret_n = u.n - u.at;
        memmove(data, u.data + u.at, *ret_n);
        *ret_data = data;
        data = NULL;
    }
    rc = 0;
out:
    free(data);
    if (rc == LW_EPARSE)
        log_error("journal: the checkpoint %s is damaged", name);
    return rc;
}
