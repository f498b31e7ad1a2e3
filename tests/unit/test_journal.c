/* The journal on real files and with its real thread: what is appended comes back, to
 * readers, after a restart and in a recording, and nothing goes that somebody needs. */
#include "tests/unit/journal_world.h"

#include <dirent.h>
#include <fcntl.h>

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
is_for_its_owner_alone(void **state)
{
    struct world *w = *state;
    struct dirent *entry;
    struct stat st;
    DIR *dir;
    int files = 0;

    assert_int_equal(chmod(w->dir, 0750), 0); /* as it was made once */
    world_reopen(w);
    append(w, 0);
    make_durable(w);
    roll(w);
    assert_int_equal(stat(w->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    dir = opendir(w->dir);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
        if (!S_ISREG(st.st_mode))
            continue;
        files++;
        assert_int_equal(st.st_mode & 0077, 0);
    }
    assert_true(files >= 2);
    closedir(dir);
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
checkpoint_stands_for_its_position(void **state)
{
    struct world *w = *state;
    uint64_t position, first, second, known;
    char path[PATH];
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
short_lives_make_checkpoints_too(void **state)
{
    struct world *w = *state;
    uint64_t i = 0;

    w->options.segment_bytes = 4096;
    for (int life = 0; life < 5; life++) {
        world_reopen(w);
        for (int k = 0; k < 5; k++)
            append(w, i++);
    }
    world_reopen(w);
    append(w, i++);
    RUN_UNTIL(w, newest_is(w, journal_end(w->journal)));
    assert_int_equal(read_back(w, 0, 0, NULL), i);
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
    char path[PATH];
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

/* Each file of the journal stands in the recording too, the same; returns how many. */
static int
compare_recording(const struct world *w)
{
    static uint8_t a[65536], b[65536];
    DIR *dir = opendir(w->dir);
    struct dirent *entry;
    int files = 0;

    while ((entry = readdir(dir))) {
        char from[700], to[700];
        size_t n;

        if (!strstr(entry->d_name, ".seg") && !strstr(entry->d_name, ".ckpt"))
            continue;
        snprintf(from, sizeof from, "%s/%s", w->dir, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", w->record, entry->d_name);
        n = slurp(from, a, sizeof a);
        assert_int_equal(slurp(to, b, sizeof b), n);
        assert_memory_equal(a, b, n);
        files++;
    }
    closedir(dir);
    return files;
}

static void
record(struct world *w)
{
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
    journal_close(w->journal);
    assert_true(compare_recording(w) >= 3);

    /* What was removed from the journal is still in the recording. */
    w->options.record_dir = NULL;
    world_open(w);
    assert_true(journal_start(w->journal) > 0);
    journal_close(w->journal);
    w->options.dir = w->record;
    world_open(w);
    assert_int_equal(read_back(w, 0, 0, NULL), 21);
}

static void
recording_is_the_same(void **state)
{
    record(*state);
}

static void
recording_on_another_file_system(void **state)
{
    struct world *w = *state;
    struct stat here, there;

    snprintf(w->record, sizeof w->record, "/dev/shm/journal.XXXXXX");
    if (!mkdtemp(w->record))
        skip();
    assert_int_equal(stat(w->dir, &here), 0);
    assert_int_equal(stat(w->record, &there), 0);
    if (here.st_dev != there.st_dev)
        record(w);
    nftw(w->record, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    if (here.st_dev == there.st_dev)
        skip();
}

static void
recording_is_of_one_journal(void **state)
{
    struct world *w = *state;
    char other[480];

    journal_close(w->journal);
    w->options.record_dir = w->record;
    world_open(w);
    append(w, 0);
    journal_close(w->journal);
    snprintf(other, sizeof other, "%s/other", w->dir);
    w->options.dir = other;
    assert_int_equal(journal_open(w->base, &w->options, &w->journal), LW_EIO);
    assert_int_equal(errno, EEXIST);
    w->options.dir = w->dir;
    world_open(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(appended_records_come_back),
        ROW(close_writes_what_is_pending),
        ROW(reader_is_told_once_there_is_something),
        ROW(reader_begins_at_any_record),
        ROW(is_for_its_owner_alone),
        ROW(large_records_come_back),
        ROW(checkpoint_stands_for_its_position),
        ROW(segments_roll_by_size),
        ROW(short_lives_make_checkpoints_too),
        ROW(one_daemon_a_directory),
        ROW(acks_survive_restart_and_removal),
        ROW(nothing_young_is_removed),
        ROW(old_segments_are_removed),
        ROW(acks_do_not_beget_acks),
        ROW(recording_is_the_same),
        ROW(recording_on_another_file_system),
        ROW(recording_is_of_one_journal),
    };

    log_open("test_journal", (enum log_level)0); /* the damage is meant */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
