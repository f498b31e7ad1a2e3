/* The journal when things go wrong: whatever happens to the process, the disk or a byte,
 * what was reported durable is there, whole and in order. */
#include "tests/unit/journal_world.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "daemon/clock.h"
#include "tests/faults/steady.h"

/* In place of libc's: how often something was brought to the disk. */
static int syncs;

int
fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

/* What a daemon wrote that was killed before its fsync is in the file, but not on the
 * disk. */
static void
what_is_found_is_on_the_disk_before_it_counts(void **state)
{
    struct world *w = *state;

    append(w, 0);
    journal_close(w->journal);
    syncs = 0;
    world_open(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 1);
    assert_int_equal(syncs, 1);
}

static void
torn_at_every_byte(void **state)
{
    struct world *w = *state;
    static uint8_t whole[65536];
    uint64_t after[5];
    char path[PATH];
    size_t n;

    for (uint64_t i = 0; i < 5; i++)
        after[i] = append(w, i);
    journal_close(w->journal);
    path_of(w, 0, "seg", path);
    n = slurp(path, whole, sizeof whole);
    assert_int_equal(n, HEAD + after[4]);
    for (size_t cut = 0; cut < n; cut++) {
        uint64_t left = 0;

        while (left < 5 && HEAD + after[left] <= cut)
            left++;
        spill(path, whole, cut);
        world_open(w);
        assert_int_equal(journal_end(w->journal), left ? after[left - 1] : 0);
        append(w, left); /* and it goes on from there */
        world_reopen(w);
        assert_int_equal(read_back(w, 0, 0, NULL), left + 1);
        journal_close(w->journal);
        if (left > 0) {
            char next[PATH];

            path_of(w, after[left - 1], "seg", next);
            unlink(next);
        }
    }
    world_open(w);
}

static void
zeros_after_the_end_are_cut(void **state)
{
    struct world *w = *state;
    char path[PATH];
    uint64_t end;

    append(w, 0);
    end = append(w, 1);
    journal_close(w->journal);
    path_of(w, 0, "seg", path);
    assert_int_equal(truncate(path, 1 << 20), 0); /* a file's size can outrun its data */
    world_open(w);
    assert_int_equal(journal_end(w->journal), end);
    assert_int_equal(read_back(w, 0, 0, NULL), 2);
}

static void
a_flipped_bit_costs_one_record(void **state)
{
    struct world *w = *state;
    static uint8_t data[65536];
    uint64_t after[20], end;
    char path[PATH];
    size_t n;

    for (uint64_t i = 0; i < 20; i++) {
        after[i] = append(w, i);
        if (i == 9) {
            make_durable(w);
            roll(w);
        }
    }
    make_durable(w);
    end = journal_end(w->journal);
    journal_close(w->journal);
    for (uint64_t victim = 0; victim < 19; victim++) {
        uint64_t segment = victim < 10 ? 0 : after[9];
        uint64_t begins = victim ? after[victim - 1] : 0;
        int damaged;

        path_of(w, segment, "seg", path);
        n = slurp(path, data, sizeof data);
        data[HEAD + begins - segment + victim % (after[victim] - begins)] ^= 0x10;
        spill(path, data, n);
        world_open(w);
        assert_int_equal(journal_end(w->journal), end);
        assert_int_equal(read_back(w, 0, 0, &damaged), 20);
        assert_int_equal(damaged, 1);
        journal_close(w->journal);
        data[HEAD + begins - segment + victim % (after[victim] - begins)] ^= 0x10;
        spill(path, data, n);
    }
    world_open(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 20);
}

static void
a_lost_segment_is_skipped(void **state)
{
    struct world *w = *state;
    uint64_t second, third;
    char path[PATH];
    int damaged;

    append(w, 0);
    make_durable(w);
    second = roll(w);
    append(w, 1);
    make_durable(w);
    third = roll(w);
    append(w, 2);
    make_durable(w);
    journal_close(w->journal);
    path_of(w, second, "seg", path);
    assert_int_equal(unlink(path), 0);
    world_open(w);
    assert_int_equal(read_back(w, third, 2, NULL), 1);
    assert_int_equal(read_back(w, 0, 0, &damaged), 3);
    assert_int_equal(damaged, 1);
}

/* By somebody who wanted room, while the daemon is at work. */
static void
a_segment_that_is_taken_away_is_skipped(void **state)
{
    struct world *w = *state;
    char path[PATH];
    int damaged;

    append(w, 0);
    make_durable(w);
    roll(w);
    append(w, 1);
    make_durable(w);
    path_of(w, 0, "seg", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_back(w, 0, 0, &damaged), 2);
    assert_int_equal(damaged, 1);
}

static void
a_newer_format_is_refused(void **state)
{
    struct world *w = *state;
    static uint8_t data[65536];
    char path[PATH];
    uint64_t ckpt;
    size_t n;

    append(w, 0);
    ckpt = roll(w);
    append(w, 1);
    journal_close(w->journal);
    path_of(w, ckpt, "ckpt", path);
    n = slurp(path, data, sizeof data);
    data[8]++;
    spill(path, data, n);
    assert_int_equal(journal_open(w->base, &w->options, &w->journal), LW_EVERSION);
    data[8]--;
    spill(path, data, n);
    path_of(w, ckpt, "seg", path);
    n = slurp(path, data, sizeof data);
    data[8]++;
    spill(path, data, n);
    assert_int_equal(journal_open(w->base, &w->options, &w->journal), LW_EVERSION);
    data[8]--;
    spill(path, data, n);
    world_open(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 2);
}

/* The disk is full: a limit on the file's size stands for it. */
static void
a_full_disk_is_waited_for(void **state)
{
    struct world *w = *state;
    struct journal_stats stats;
    struct rlimit before, small;
    uint8_t reading[1000] = {0};
    uint64_t durable;

    signal(SIGXFSZ, SIG_IGN);
    append(w, 0);
    make_durable(w);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = HEAD + journal_durable(w->journal) + 10;
    setrlimit(RLIMIT_FSIZE, &small);
    append(w, 1);
    durable = journal_durable(w->journal);
    do {
        event_base_loop(w->base, EVLOOP_ONCE);
        journal_stats(w->journal, &stats);
    } while (!stats.failing);
    assert_int_equal(stats.error, EFBIG);
    assert_int_equal(journal_durable(w->journal), durable);
    /* Readings wait in memory up to a limit; what matters more goes on. */
    for (int i = 0; i < 20000; i++)
        journal_append(w->journal, JOURNAL_READING, reading, sizeof reading);
    journal_stats(w->journal, &stats);
    assert_true(stats.pending <= 16 << 20);
    assert_true(stats.dropped > 0);
    assert_false(journal_room(w->journal, JOURNAL_READING, sizeof reading));
    append(w, 2);
    assert_int_equal(read_back(w, 0, 0, NULL), 1);
    setrlimit(RLIMIT_FSIZE, &before);
    make_durable(w);
    journal_stats(w->journal, &stats);
    assert_false(stats.failing);
    assert_int_equal(read_back(w, 0, 0, NULL), 3);
    world_reopen(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 3);
}

static int
save_nothing(void *arg, struct lw_packer *p)
{
    (void)arg;
    (void)p;
    return LW_EFULL;
}

static void
a_failed_checkpoint_changes_nothing(void **state)
{
    struct world *w = *state;
    uint64_t position;
    void *data;
    size_t n;

    append(w, 0);
    journal_on_checkpoint(w->journal, save_nothing, w);
    assert_int_equal(journal_roll(w->journal), 0);
    assert_int_equal(journal_roll(w->journal), LW_EAGAIN);
    make_durable(w);
    while (journal_roll(w->journal) == LW_EAGAIN)
        event_base_loop(w->base, EVLOOP_ONCE);
    append(w, 1);
    make_durable(w);
    assert_int_equal(journal_checkpoint(w->journal, &position, &data, &n), LW_ENOTFOUND);
    world_reopen(w); /* one is under way: no child is left */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(read_back(w, 0, 0, NULL), 2);
}

/* The child of the test below: appends for ever and tells how many are durable. */
static void
write_until_killed(struct world *w, int out)
{
    enum {
        AHEAD = 256
    };
    uint64_t after[AHEAD], i, told;

    event_reinit(w->base);
    world_open(w);
    for (i = told = read_back(w, 0, 0, NULL);;) {
        uint64_t before = told;

        for (; i < told + AHEAD; i++)
            after[i % AHEAD] = append(w, i);
        event_base_loop(w->base, EVLOOP_ONCE);
        while (told < i && after[told % AHEAD] <= journal_durable(w->journal))
            told++;
        if (told > before && write(out, &told, sizeof told) != sizeof told)
            _exit(1);
    }
}

static void
what_was_durable_survives_kill(void **state)
{
    struct world *w = *state;
    unsigned seed = 1;
    uint64_t had = 0;

    w->options.segment_bytes = 20000;
    journal_close(w->journal);
    for (int round = 0; round < 20; round++) {
        uint64_t told = 0, records, position;
        int ends[2], reports;
        void *data;
        size_t n;
        pid_t pid;

        assert_int_equal(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
            close(ends[0]);
            write_until_killed(w, ends[1]);
        }
        close(ends[1]);
        seed = seed * 1103515245 + 12345;
        reports = (int)(seed >> 16) % 40 + 1;
        for (int i = 0; i < reports; i++)
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(ends[0], &records, sizeof records) == sizeof records)
            told = records;
        close(ends[0]);
        world_open(w);
        records = read_back(w, 0, 0, NULL);
        assert_true(records >= told);
        assert_true(told > had);
        had = records;
        if (journal_checkpoint(w->journal, &position, &data, &n) == 0) {
            uint64_t known;

            memcpy(&known, data, sizeof known);
            free(data);
            assert_int_equal(read_back(w, position, known, NULL), records - known);
        }
        journal_close(w->journal);
    }
    world_open(w);
}

/* The child of the test below: a record a millisecond, which says when it came; after so
 * long it says the time to the pipe, and kills itself. */
static void
write_the_time(struct world *w, int64_t lives_ms, int told)
{
    event_reinit(w->base);
    world_open(w);
    for (int64_t begin = clock_io().ms;;) {
        const struct timeval ms = {0, 1000};
        int64_t now = clock_io().ms;

        if (now - begin >= lives_ms && write(told, &now, sizeof now) == sizeof now)
            raise(SIGKILL);
        journal_append(w->journal, JOURNAL_EVENT, &now, sizeof now);
        event_base_loopexit(w->base, &ms);
        event_base_dispatch(w->base);
    }
}

/* With the longest `sync` that may be configured, on a disk that does not tarry. */
static void
a_kill_loses_less_than_250_ms(void **state)
{
    struct world *w = *state;
    char fast[] = "/dev/shm/journal.XXXXXX";

    if (!mkdtemp(fast))
        skip();
    journal_close(w->journal);
    w->options.dir = fast;
    w->options.sync_ms = 250;
    for (int round = 0; round < 4; round++) {
        struct journal_reader *reader;
        struct journal_record r;
        int64_t killed, last = 0;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0)
            write_the_time(w, 400 + 57 * round, ends[1]);
        assert_int_equal(read(ends[0], &killed, sizeof killed), sizeof killed);
        waitpid(pid, NULL, 0);
        close(ends[0]);
        close(ends[1]);
        world_open(w);
        assert_int_equal(journal_reader_new(w->journal, 0, NULL, NULL, &reader), 0);
        while (journal_next(reader, &r) == 1)
            if (r.kind == JOURNAL_EVENT)
                memcpy(&last, r.data, sizeof last);
        journal_reader_free(reader);
        journal_close(w->journal);
        assert_in_range(killed - last, 0, 250);
    }
    nftw(fast, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    w->options.dir = w->dir;
    world_open(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(what_is_found_is_on_the_disk_before_it_counts),
        ROW(torn_at_every_byte),
        ROW(zeros_after_the_end_are_cut),
        ROW(a_flipped_bit_costs_one_record),
        ROW(a_lost_segment_is_skipped),
        ROW(a_segment_that_is_taken_away_is_skipped),
        ROW(a_newer_format_is_refused),
        ROW(a_full_disk_is_waited_for),
        ROW(a_failed_checkpoint_changes_nothing),
        ROW(what_was_durable_survives_kill),
        ROW(a_kill_loses_less_than_250_ms),
    };

    log_open("test_journal_faults", (enum log_level)0); /* the damage is meant */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
