/* The journal on real files and with its real thread: what was reported durable is there,
 * whole and in order, whatever happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/result.h>

#include "daemon/journal.h"
#include "daemon/log.h"

enum {
    HEAD = 24,
    RECORD = 9
}; /* docs/journal.md */

struct world {
    char dir[64], record[80];
    struct event_base *base;
    struct journal *journal;
    struct journal_options options;
    uint64_t saved; /* how many records the state that is checkpointed knows */
};

static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int
save_state(void *arg, struct lw_packer *p)
{
    struct world *w = arg;

    lw_pack_u64(p, w->saved);
    return p->rc;
}

static void
world_open(struct world *w)
{
    assert_int_equal(journal_open(w->base, &w->options, &w->journal), 0);
    journal_on_checkpoint(w->journal, save_state, w);
}

static void
world_reopen(struct world *w)
{
    journal_close(w->journal);
    world_open(w);
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    strcpy(w->dir, "/tmp/test_journal.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->record, sizeof w->record, "%s/record", w->dir);
    w->base = event_base_new();
    w->options = (struct journal_options){
        .dir = w->dir,
        .sync_ms = 2,
        .segment_bytes = 1 << 20,
        .segment_ms = INT64_MAX,
        .keep_ms = INT64_MAX,
        .max_bytes = 1 << 30,
    };
    world_open(w);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    journal_close(w->journal);
    event_base_free(w->base);
    nftw(w->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

/* Record i: its number, then so many bytes of it that sizes differ. */
static size_t
make_record(uint64_t i, uint8_t data[512])
{
    size_t n = 8 + (size_t)(i * 37 % 300);

    memset(data, (int)(i & 0xff), n);
    memcpy(data, &i, sizeof i);
    return n;
}

static uint64_t
append(struct world *w, uint64_t i)
{
    uint8_t data[512];
    size_t n = make_record(i, data);

    w->saved = i + 1;
    return journal_append(w->journal, JOURNAL_EVENT, data, n);
}

/* Runs the loop until it is so. */
#define RUN_UNTIL(w, condition)                                                          \
    do {                                                                                 \
        while (!(condition))                                                             \
            event_base_loop((w)->base, EVLOOP_ONCE);                                     \
    } while (0)

static void
make_durable(struct world *w)
{
    RUN_UNTIL(w, journal_durable(w->journal) == journal_end(w->journal));
}

static bool
newest_is(struct world *w, uint64_t position)
{
    uint64_t at;
    void *data;
    size_t n;

    if (journal_checkpoint(w->journal, &at, &data, &n) != 0)
        return false;
    free(data);
    return at == position;
}

static uint64_t
roll(struct world *w)
{
    uint64_t end = journal_end(w->journal);

    assert_int_equal(journal_roll(w->journal), 0);
    RUN_UNTIL(w, newest_is(w, end));
    return end;
}

/* Reads event records from `position`: they are first, first + 1, ...; returns how many.
 */
static uint64_t
read_back(struct world *w, uint64_t position, uint64_t first, int *ret_damaged)
{
    struct journal_reader *reader;
    struct journal_record r;
    uint64_t i = first;
    int rc, damaged = 0;

    assert_int_equal(journal_reader_new(w->journal, position, NULL, NULL, &reader), 0);
    while ((rc = journal_next(reader, &r)) != 0) {
        uint8_t want[512];

        if (rc == LW_EPARSE) {
            damaged++;
            continue;
        }
        assert_int_equal(rc, 1);
        if (r.kind != JOURNAL_EVENT)
            continue;
        if (ret_damaged) /* numbers may be missing, never wrong or out of order */
            for (uint64_t got = *(const uint64_t *)memcpy(want, r.data, 8); i < got;)
                i++;
        assert_int_equal(r.n, make_record(i, want));
        assert_memory_equal(r.data, want, r.n);
        i++;
    }
    journal_reader_free(reader);
    if (ret_damaged)
        *ret_damaged = damaged;
    else
        assert_int_equal(damaged, 0);
    return i - first;
}

static void
path_of(const struct world *w, uint64_t position, const char *suffix, char path[160])
{
    snprintf(path, 160, "%s/%016" PRIx64 ".%s", w->dir, position, suffix);
}

static bool
is_there(const struct world *w, uint64_t position, const char *suffix)
{
    char path[160];

    path_of(w, position, suffix, path);
    return access(path, F_OK) == 0;
}

static size_t
slurp(const char *path, uint8_t *data, size_t cap)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(data, 1, cap, f);
    fclose(f);
    return n;
}

static void
spill(const char *path, const uint8_t *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void
appended_records_come_back(void **state)
{
    struct world *w = *state;

    for (uint64_t i = 0; i < 1000; i++)
        append(w, i);
    assert_int_equal(read_back(w, 0, 0, NULL), 0); /* nothing before it is on disk */
    make_durable(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 1000);
    world_reopen(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 1000);
    append(w, 1000);
    make_durable(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 1001);
}

static void
close_writes_what_is_pending(void **state)
{
    struct world *w = *state;

    for (uint64_t i = 0; i < 100; i++)
        append(w, i);
    world_reopen(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 100);
}

static void
count_call(void *arg)
{
    ++*(int *)arg;
}

static void
reader_is_told_once_there_is_something(void **state)
{
    struct world *w = *state;
    struct journal_reader *reader;
    struct journal_record r;
    int calls = 0;

    assert_int_equal(journal_reader_new(w->journal, 0, count_call, &calls, &reader), 0);
    append(w, 0);
    make_durable(w);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    assert_int_equal(calls, 0); /* it has not asked yet */
    assert_int_equal(journal_next(reader, &r), 1);
    assert_int_equal(journal_next(reader, &r), 0);
    append(w, 1);
    RUN_UNTIL(w, calls > 0);
    assert_int_equal(journal_next(reader, &r), 1);
    assert_int_equal(calls, 1);
    journal_reader_free(reader);
}

static void
reader_begins_at_any_record(void **state)
{
    struct world *w = *state;
    uint64_t after[50];

    for (uint64_t i = 0; i < 50; i++) {
        after[i] = append(w, i);
        if (i % 10 == 9) {
            make_durable(w);
            roll(w);
        }
    }
    make_durable(w);
    for (uint64_t i = 0; i < 50; i++)
        assert_int_equal(read_back(w, after[i], i + 1, NULL), 49 - i);
}

static void
large_records_come_back(void **state)
{
    struct world *w = *state;
    size_t n = 20 << 20;
    char *data = malloc(n);
    struct journal_reader *reader;
    struct journal_record r;

    memset(data, 'x', n);
    append(w, 0);
    journal_append(w->journal, JOURNAL_SETUP, data, n);
    journal_append(w->journal, JOURNAL_EVENT, NULL, 0);
    make_durable(w);
    assert_int_equal(journal_reader_new(w->journal, 0, NULL, NULL, &reader), 0);
    assert_int_equal(journal_next(reader, &r), 1);
    assert_int_equal(journal_next(reader, &r), 1);
    assert_int_equal(r.n, n);
    assert_memory_equal(r.data, data, n);
    assert_int_equal(journal_next(reader, &r), 1);
    assert_int_equal(r.n, 0);
    assert_int_equal(journal_next(reader, &r), 0);
    journal_reader_free(reader);
    free(data);
}

static void
torn_at_every_byte(void **state)
{
    struct world *w = *state;
    static uint8_t whole[65536];
    uint64_t after[5];
    char path[160];
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
            char next[160];

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
    char path[160];
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
    char path[160];
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
    char path[160];
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

static void
checkpoint_stands_for_its_position(void **state)
{
    struct world *w = *state;
    uint64_t position, first, second, known;
    char path[160];
    void *data;
    size_t n;

    assert_int_equal(journal_checkpoint(w->journal, &position, &data, &n), LW_ENOTFOUND);
    append(w, 0);
    first = roll(w);
    append(w, 1);
    append(w, 2);
    second = roll(w);
    append(w, 3);
    world_reopen(w);
    assert_int_equal(journal_checkpoint(w->journal, &position, &data, &n), 0);
    assert_int_equal(position, second);
    assert_int_equal(n, sizeof known);
    memcpy(&known, data, sizeof known);
    assert_int_equal(known, 3);
    free(data);
    assert_int_equal(read_back(w, position, known, NULL), 1);

    /* The newest one is damaged: the one before it, and everything since. */
    journal_close(w->journal);
    path_of(w, second, "ckpt", path);
    assert_int_equal(truncate(path, 30), 0);
    world_open(w);
    assert_int_equal(journal_checkpoint(w->journal, &position, &data, &n), 0);
    assert_int_equal(position, first);
    free(data);
    assert_int_equal(read_back(w, position, 1, NULL), 3);
}

static void
segments_roll_by_size(void **state)
{
    struct world *w = *state;
    struct journal_stats stats;
    uint64_t i = 0;

    w->options.segment_bytes = 4096;
    world_reopen(w);
    do {
        append(w, i++);
        make_durable(w);
        journal_stats(w->journal, &stats);
    } while (stats.segments < 5);
    assert_int_equal(stats.appended, i);
    assert_true(stats.bytes > 4 * 4096);
    assert_true(i < 1000);
    assert_int_equal(read_back(w, 0, 0, NULL), i);
    world_reopen(w);
    assert_int_equal(read_back(w, 0, 0, NULL), i);
}

static void
a_newer_format_is_refused(void **state)
{
    struct world *w = *state;
    static uint8_t data[65536];
    char path[160];
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

static void
one_daemon_a_directory(void **state)
{
    struct world *w = *state;
    struct journal *second;

    assert_int_equal(journal_open(w->base, &w->options, &second), LW_EIO);
    assert_int_equal(errno, EWOULDBLOCK);
}

static void
acks_survive_restart_and_removal(void **state)
{
    struct world *w = *state;
    uint64_t position, at[4];

    w->options.keep_ms = 0;
    world_reopen(w);
    assert_int_equal(journal_acked(w->journal, "store", &position), LW_ENOTFOUND);
    journal_ack(w->journal, "store", 0);
    for (uint64_t i = 0; i < 4; i++) {
        append(w, i);
        make_durable(w);
        at[i] = roll(w);
        /* Nothing that it has not read goes. */
        assert_int_equal(journal_start(w->journal), 0);
    }
    journal_ack(w->journal, "store", at[1]);
    journal_ack(w->journal, "sink", at[2]);
    world_reopen(w);
    assert_int_equal(journal_acked(w->journal, "store", &position), 0);
    assert_int_equal(position, at[1]);
    assert_int_equal(journal_acked(w->journal, "sink", &position), 0);
    assert_int_equal(position, at[2]);
    append(w, 4);
    make_durable(w);
    roll(w); /* a new checkpoint: what all have read goes */
    assert_int_equal(journal_start(w->journal), at[1]);
    RUN_UNTIL(w, !is_there(w, at[0], "seg"));
    assert_false(is_there(w, 0, "seg"));
    assert_true(is_there(w, at[1], "ckpt"));
    assert_true(is_there(w, at[1], "seg"));
    world_reopen(w);
    assert_int_equal(journal_start(w->journal), at[1]);
    assert_int_equal(journal_acked(w->journal, "store", &position), 0);
    assert_int_equal(position, at[1]);
    assert_int_equal(read_back(w, at[1], 2, NULL), 3);

    /* One that is no longer configured keeps nothing, and comes back as a new one. */
    journal_ack(w->journal, "store", UINT64_MAX);
    world_reopen(w);
    assert_int_equal(journal_acked(w->journal, "store", &position), LW_ENOTFOUND);
    assert_int_equal(journal_acked(w->journal, "sink", &position), 0);
    assert_int_equal(position, at[2]);
}

static void
nothing_young_is_removed(void **state)
{
    struct world *w = *state;

    w->options.keep_ms = 3600 * 1000;
    world_reopen(w);
    for (uint64_t i = 0; i < 4; i++) {
        append(w, i);
        make_durable(w);
        roll(w);
    }
    assert_int_equal(journal_start(w->journal), 0);
    assert_int_equal(read_back(w, 0, 0, NULL), 4);
}

static void
old_segments_are_removed(void **state)
{
    struct world *w = *state;
    const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    char path[160];
    uint64_t second;

    w->options.keep_ms = 3600 * 1000;
    world_reopen(w);
    append(w, 0);
    make_durable(w);
    second = roll(w);
    append(w, 1);
    make_durable(w);
    path_of(w, 0, "seg", path);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    roll(w);
    assert_int_equal(journal_start(w->journal), second);
    RUN_UNTIL(w, !is_there(w, 0, "seg"));
}

static void
acks_do_not_beget_acks(void **state)
{
    struct world *w = *state;
    struct journal_stats before, after;

    append(w, 0);
    journal_ack(w->journal, "sink", journal_end(w->journal));
    world_reopen(w);
    journal_ack(w->journal, "sink", journal_end(w->journal));
    world_reopen(w);
    journal_stats(w->journal, &before);
    for (int i = 0; i < 3; i++) {
        journal_ack(w->journal, "sink", journal_end(w->journal));
        world_reopen(w);
    }
    journal_stats(w->journal, &after);
    assert_true(after.bytes <= before.bytes + 3 * (HEAD + RECORD + 64));
}

static void
recording_is_the_same(void **state)
{
    struct world *w = *state;
    static uint8_t a[65536], b[65536];
    struct dirent *entry;
    DIR *dir;
    int files = 0;

    append(w, 0);
    journal_close(w->journal);
    w->options.record_dir = w->record;
    w->options.keep_ms = 0;
    world_open(w);
    for (uint64_t i = 1; i < 20; i++) {
        append(w, i);
        make_durable(w);
        if (i % 5 == 0)
            roll(w);
    }
    world_reopen(w); /* a restart goes on with the recording */
    append(w, 20);
    world_reopen(w);
    dir = opendir(w->record);
    while ((entry = readdir(dir))) {
        char from[400], to[400];
        size_t n;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s/%s", w->dir, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", w->record, entry->d_name);
        files++;
        if (access(from, F_OK) != 0)
            continue; /* removed there, kept here */
        n = slurp(from, a, sizeof a);
        assert_int_equal(slurp(to, b, sizeof b), n);
        assert_memory_equal(a, b, n);
    }
    closedir(dir);
    assert_true(files >= 5 + 3);
    assert_true(journal_start(w->journal) > 0);

    /* The whole of it can be read from there. */
    journal_close(w->journal);
    w->options.dir = w->record;
    w->options.record_dir = NULL;
    world_open(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 21);
    w->options.dir = w->dir;

    /* A recording of another journal is not written into. */
    journal_close(w->journal);
    snprintf(w->record + strlen(w->record), 8, "2");
    w->options.dir = w->record;
    world_open(w);
    append(w, 0);
    journal_close(w->journal);
    w->options.record_dir = w->record;
    snprintf(w->dir + strlen(w->dir), 8, "/3");
    w->options.dir = w->dir;
    assert_int_equal(journal_open(w->base, &w->options, &w->journal), LW_EIO);
    assert_int_equal(errno, EEXIST);
    w->options.record_dir = NULL;
    world_open(w);
    rmdir(w->dir);
    w->dir[strlen(w->dir) - 2] = '\0';
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

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(appended_records_come_back),
        ROW(close_writes_what_is_pending),
        ROW(reader_is_told_once_there_is_something),
        ROW(reader_begins_at_any_record),
        ROW(large_records_come_back),
        ROW(torn_at_every_byte),
        ROW(zeros_after_the_end_are_cut),
        ROW(a_flipped_bit_costs_one_record),
        ROW(a_lost_segment_is_skipped),
        ROW(checkpoint_stands_for_its_position),
        ROW(segments_roll_by_size),
        ROW(a_newer_format_is_refused),
        ROW(one_daemon_a_directory),
        ROW(acks_survive_restart_and_removal),
        ROW(nothing_young_is_removed),
        ROW(old_segments_are_removed),
        ROW(acks_do_not_beget_acks),
        ROW(recording_is_the_same),
        ROW(a_full_disk_is_waited_for),
        ROW(a_failed_checkpoint_changes_nothing),
        ROW(what_was_durable_survives_kill),
    };

    log_open("test_journal", (enum log_level)0); /* the damage is meant */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
