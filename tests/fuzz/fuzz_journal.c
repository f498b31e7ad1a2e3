/* A journal's directory of any bytes, read as a replay does. The first byte chooses what
 * is wrong: the checkpoint (its CRC is right, or nothing behind it would be reached), the
 * segment as it stands on disk, or whole records of which one byte is turned. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zlib.h>

#include "daemon/journal_private.h"
#include "daemon/log.h"

enum {
    CKPT,
    SEGMENT,
    RECORDS,
    KINDS,
    MOST = 1 << 16
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[128];
static int dirfd = -1;

static void
remove_dir(void)
{
    unlinkat(dirfd, "0000000000000000.seg", 0);
    unlinkat(dirfd, "0000000000000000.ckpt", 0);
    rmdir(dir);
}

static void
make_dir(void)
{
    const char *tmp = getenv("TMPDIR");

    log_open("fuzz_journal", (enum log_level)0);
    snprintf(dir, sizeof dir, "%s/fuzz_journal.XXXXXX", tmp ? tmp : "/dev/shm");
    if (!mkdtemp(dir) || (dirfd = open(dir, O_RDONLY | O_DIRECTORY)) < 0)
        abort();
    atexit(remove_dir);
}

static void
spill(const char *suffix, const uint8_t *data, size_t n)
{
    char name[JOURNAL_FILE_NAME];
    int fd;

    journal_file_name(0, suffix, name);
    fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n)
        abort();
    close(fd);
}

static void
make_ckpt(const uint8_t *data, size_t n)
{
    static uint8_t file[MOST + 24];

    memcpy(file, "lw.ckp\r\n", 8);
    put32(file + 8, JOURNAL_FORMAT);
    put64(file + 12, 0);
    memcpy(file + 20, data, n);
    put32(file + 20 + n, (uint32_t)crc32_z(0, file, 20 + n));
    spill(JOURNAL_CKPT, file, 24 + n);
}

/* Records of (kind, length, bytes); then the byte at `turn` is turned. */
static size_t
make_records(const uint8_t *data, size_t n, uint8_t *file)
{
    size_t turn = n >= 2 ? (size_t)(data[0] << 8 | data[1]) : 0;
    size_t at = JOURNAL_SEGMENT_HEAD;

    for (size_t i = 2; i + 2 <= n;) {
        size_t length = data[i + 1];

        if (length > n - i - 2)
            length = n - i - 2;
        journal_record_head(at - JOURNAL_SEGMENT_HEAD, (enum journal_kind)data[i],
                            data + i + 2, length, file + at);
        memcpy(file + at + JOURNAL_RECORD_HEAD, data + i + 2, length);
        at += JOURNAL_RECORD_HEAD + length;
        i += 2 + length;
    }
    if (turn < at)
        file[turn] ^= 0xff;
    return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t file[JOURNAL_SEGMENT_HEAD + 8 * MOST];
    struct journal_record record;
    struct journal_files *files;
    uint64_t end = 0;
    void *state;
    size_t state_n;
    int rc;

    if (dirfd < 0)
        make_dir();
    if (n < 1 || n > MOST)
        return 0;
    journal_segment_head(0, file);
    unlinkat(dirfd, "0000000000000000.ckpt", 0);
    switch (data[0] % KINDS) {
    case CKPT:
        make_ckpt(data + 1, n - 1);
        spill(JOURNAL_SEGMENT, file, JOURNAL_SEGMENT_HEAD);
        break;
    case SEGMENT:
        spill(JOURNAL_SEGMENT, data + 1, n - 1);
        break;
    case RECORDS:
        spill(JOURNAL_SEGMENT, file, make_records(data + 1, n - 1, file));
        break;
    }
    if (journal_files_open(dir, &files) != 0)
        return 0;
    if (journal_files_checkpoint(files, &state, &state_n) == 0) {
        assert(state_n < n);
        free(state);
    }
    while ((rc = journal_files_next(files, &record)) == 1 || rc == LW_EPARSE) {
        if (rc == LW_EPARSE)
            continue;
        assert(record.position >= end && record.next > record.position);
        assert(record.next - record.position == JOURNAL_RECORD_HEAD + record.n);
        end = record.next;
    }
    assert(rc <= 0);
    journal_files_close(files);
    return 0;
}
