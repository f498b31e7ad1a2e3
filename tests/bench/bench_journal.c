/* The journal beside what it is made of: appending beside bare writes and fsyncs of the
 * same bytes, opening after a crash beside reading the same file and checking sums of
 * records as short. */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <zlib.h>

#include "daemon/clock.h"
#include "daemon/journal.h"
#include "daemon/log.h"

enum {
    RECORDS = 2000000,
    RECORD = 120, /* of a reading with power, energy, voltages and currents */
    GROUP = 1 << 20,
};

static char dir[400];

static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void
print(const char *name, const char *unit, double value, const char *reference,
      double reference_value, double goal)
{
    double ratio = value / reference_value;

    printf("%s\t%.3g\t%s\t%s\t%.3g\t%.2f\t>= %.2f\t%s\n", name, value, unit, reference,
           reference_value, ratio, goal, ratio >= goal ? "ok" : "short");
}

static double
seconds_since(int64_t begun_us)
{
    return (double)(clock_io_us() - begun_us) / 1e6;
}

static struct journal *
open_journal(struct event_base *base)
{
    const struct journal_options options = {
        .dir = dir,
        .sync_ms = 250,
        .segment_bytes = INT64_MAX,
        .segment_ms = INT64_MAX,
        .keep_ms = INT64_MAX,
        .max_bytes = INT64_MAX,
    };
    struct journal *journal;

    if (journal_open(base, &options, &journal) != 0)
        log_fatal(1, "bench: cannot open %s: %m", dir);
    return journal;
}

/* MB a second until the last record is on disk. */
static double
append(struct event_base *base)
{
    struct journal *journal = open_journal(base);
    int64_t begun = clock_io_us();
    struct journal_stats stats;
    uint8_t record[RECORD];
    double took;

    memset(record, 'r', sizeof record);
    for (int i = 0; i < RECORDS; i++) {
        memcpy(record, &i, sizeof i);
        journal_append(journal, JOURNAL_EVENT, record, sizeof record);
        for (; i % 1000 == 0; event_base_loop(base, EVLOOP_ONCE)) {
            journal_stats(journal, &stats);
            if (stats.pending < 8 * GROUP)
                break;
        }
    }
    while (journal_durable(journal) < journal_end(journal))
        event_base_loop(base, EVLOOP_ONCE);
    took = seconds_since(begun);
    took = (double)journal_end(journal) / 1e6 / took;
    journal_close(journal);
    return took;
}

static double
write_bare(size_t n)
{
    uint8_t *group = malloc(GROUP);
    char path[480];
    int64_t begun;
    int fd;

    snprintf(path, sizeof path, "%s/bare", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || !group)
        log_fatal(1, "bench: %s: %m", path);
    memset(group, 'r', GROUP);
    begun = clock_io_us();
    for (size_t put = 0; put < n; put += GROUP)
        if (write(fd, group, GROUP) != GROUP || fdatasync(fd) != 0)
            log_fatal(1, "bench: %s: %m", path);
    close(fd);
    free(group);
    return (double)n / 1e6 / seconds_since(begun);
}

static double
recover(struct event_base *base, size_t n)
{
    int64_t begun = clock_io_us();
    struct journal *journal = open_journal(base);
    double rate = (double)n / 1e6 / seconds_since(begun);

    journal_close(journal);
    return rate;
}

static double
read_bare(size_t n)
{
    uint8_t *block = malloc(GROUP);
    int64_t begun = clock_io_us();
    char path[480];
    uLong crc = crc32(0, NULL, 0);
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "%s/0000000000000000.seg", dir);
    fd = open(path, O_RDONLY);
    if (fd < 0 || !block)
        log_fatal(1, "bench: %s: %m", path);
    while ((got = read(fd, block, GROUP)) > 0)
        for (ssize_t at = 0; at + RECORD <= got; at += RECORD + 9)
            crc ^= crc32_z(0, block + at, RECORD); /* zlib is slow on short ones */
    close(fd);
    free(block);
    return (double)n / 1e6 / seconds_since(begun) + (double)(crc == 1);
}

int
main(void)
{
    struct event_base *base = event_base_new();
    const char *tmp = getenv("TMPDIR");
    size_t n = (size_t)RECORDS * (RECORD + 9);
    double rate;

    snprintf(dir, sizeof dir, "%s/bench_journal.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        log_fatal(1, "bench: %s: %m", dir);
    rate = append(base);
    print("journal.append", "MB/s", rate, "write+fdatasync of 1 MB groups", write_bare(n),
          0.5);
    rate = recover(base, n);
    print("journal.recover", "MB/s", rate, "read+crc32 of each record", read_bare(n),
          0.5);
    event_base_free(base);
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
