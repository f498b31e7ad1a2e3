/* store.restart_seconds: from the start to a core that goes on, with a checkpoint of
 * 100,000 meters that is five minutes old and a journal of all their readings since, one
 * a minute; beside reading the same bytes and summing them up.
 *
 * bench_store_restart [METERS [MINUTES]] */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <zlib.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "tests/store_feed.h"

#define GOAL 5.0

static char dir[] = "/tmp/bench_restart.XXXXXX";

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "bench_store_restart: %s\n", what);
    exit(1);
}

/* A daemon's life: to the journal's end, then on. */
static struct engine *
start(struct event_base *base, const struct lw_ledger_text *text,
      struct journal **ret_journal)
{
    static struct lw_faults faults;
    const struct journal_options options = {.dir = dir,
                                            .sync_ms = 50,
                                            .segment_bytes = INT64_MAX,
                                            .segment_ms = INT64_MAX,
                                            .keep_ms = LW_DAY,
                                            .max_bytes = INT64_MAX};
    struct engine *engine;

    if (journal_open(base, &options, ret_journal) < 0 ||
        engine_new(*ret_journal, text, "", 0, &faults, &engine) < 0)
        die("no engine");
    return engine;
}

static bool
has_checkpoint(struct journal *journal)
{
    uint64_t position;
    void *data;
    size_t n;

    if (journal_checkpoint(journal, &position, &data, &n) < 0)
        return false;
    free(data);
    return true;
}

static double
read_all(void)
{
    static uint8_t block[1 << 20];
    int64_t began = clock_io_us();
    uLong sum = 0;
    DIR *d = opendir(dir);

    for (struct dirent *e; (e = readdir(d));) {
        int fd = openat(dirfd(d), e->d_name, O_RDONLY);

        for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;)
            sum = crc32_z(sum, block, (size_t)n);
        close(fd);
    }
    closedir(d);
    return (double)(clock_io_us() - began + (sum == 1)) / 1e6;
}

int
main(int argc, char **argv)
{
    int32_t meters = argc > 1 ? atoi(argv[1]) : 100000;
    uint64_t readings = (uint64_t)meters * (uint64_t)(argc > 2 ? atoi(argv[2]) : 5);
    char *owned, command[64];
    struct lw_ledger_text text = store_feed_text(meters, &owned);
    struct event_base *base = event_base_new();
    struct store_feed feed;
    struct journal *journal;

    if (!mkdtemp(dir))
        die(dir);
    log_open("bench_store_restart", LOG_WARN);
    store_feed_init(&feed, meters, INT64_C(1741737600000), LW_MINUTE);

    struct engine *engine = start(base, &text, &journal);

    while (!has_checkpoint(journal))
        event_base_loop(base, EVLOOP_ONCE);
    while (feed.next < readings) {
        for (int i = 0; i < 10000 && feed.next < readings; i++) {
            struct lw_event event = store_feed_event(&feed);

            engine_event(engine, &event);
        }
        while (journal_durable(journal) < journal_end(journal))
            event_base_loop(base, EVLOOP_ONCE);
    }
    engine_free(engine);
    journal_close(journal);

    int64_t began = clock_io_us();

    engine = start(base, &text, &journal);

    double took = (double)(clock_io_us() - began) / 1e6;

    engine_free(engine);
    journal_close(journal);

    double bare = read_all();

    printf("store.restart_seconds\t%.2f\ts\tread_and_crc\t%.2f\t%.1f\t%.0f\t%s\n", took,
           bare, took / bare, GOAL, took <= GOAL ? "ok" : "short");
    store_feed_clear(&feed);
    event_base_free(base);
    free(owned);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}
