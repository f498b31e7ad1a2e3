/* The journal's room: where it is full or too old, segments that everybody has taken go,
 * then the oldest readings, and no alert that somebody has not taken. */
#include "tests/unit/journal_world.h"

#include <fcntl.h>

#include <lodewatch/codec.h>

#include "daemon/journal_private.h"

enum {
    READINGS = 1000, /* in one segment: more than a few blocks of the disk */
    SEGMENTS = 6,
};

/* A reading as the engine appends it, of meter "m", that arrived at `at` ms. */
static void
append_reading(struct world *w, int64_t at)
{
    struct lw_packer p;

    lw_pack_init(&p, NULL, NULL);
    lw_pack_u8(&p, 0);
    lw_pack_u8(&p, 0);
    lw_pack_u8(&p, 1);
    lw_pack_u8(&p, LW_EVENT_READING);
    lw_pack_int(&p, at);
    lw_pack_u8(&p, 1);
    lw_pack_u8(&p, 'm');
    lw_pack_int(&p, 0);
    lw_pack_int(&p, 0);
    lw_pack_int(&p, (1 << LW_QUANTITIES) - 1);
    lw_pack_int(&p, 0);
    for (int i = 0; i < LW_QUANTITIES; i++)
        lw_pack_int(&p, i * 100);
    journal_append(w->journal, JOURNAL_READING, p.buf, p.len);
}

/* Every third is for inspection: it stays as long. */
static enum journal_kind
kind_of(uint64_t i)
{
    return i % 3 == 1 ? JOURNAL_INSPECTION : JOURNAL_ALERT;
}

static void
append_alert(struct world *w, uint64_t i)
{
    char text[400];
    int n = snprintf(text, sizeof text, "%029d{\"alert\":%" PRIu64 "}", 0, i);

    journal_append(w->journal, kind_of(i), text, (size_t)n);
}

/* Segments of readings with an alert at the beginning, in the middle and at the end; each
 * but the last with its checkpoint behind it. */
static void
fill(struct world *w, uint64_t begins[SEGMENTS])
{
    for (uint64_t s = 0; s < SEGMENTS; s++) {
        begins[s] = journal_end(w->journal);
        append_alert(w, 3 * s);
        for (int i = 0; i < READINGS; i++) {
            if (i == READINGS / 2)
                append_alert(w, 3 * s + 1);
            append_reading(w, (int64_t)s * READINGS + i);
        }
        append_alert(w, 3 * s + 2);
        make_durable(w);
        if (s + 1 < SEGMENTS)
            roll(w);
    }
}

/* What a reader finds from `position` on: the alerts must be there in order. */
static void
look(struct world *w, uint64_t position, uint64_t first_alert, uint64_t *ret_readings,
     uint64_t *ret_alerts, uint64_t *ret_gone)
{
    struct journal_reader *reader;
    struct journal_record r;
    int rc;

    *ret_readings = *ret_alerts = *ret_gone = 0;
    assert_int_equal(journal_reader_new(w->journal, position, NULL, NULL, &reader), 0);
    while ((rc = journal_next(reader, &r)) != 0) {
        assert_int_equal(rc, 1);
        if (r.kind == JOURNAL_READING)
            ++*ret_readings;
        if (r.kind == JOURNAL_GAP)
            *ret_gone += get32(r.data);
        if (r.kind != JOURNAL_ALERT && r.kind != JOURNAL_INSPECTION)
            continue;
        assert_int_equal(r.kind, kind_of(first_alert + *ret_alerts));
        char want[400];
        int n = snprintf(want, sizeof want, "%029d{\"alert\":%" PRIu64 "}", 0,
                         first_alert + *ret_alerts);
        assert_int_equal(r.n, n);
        assert_memory_equal(r.data, want, r.n);
        ++*ret_alerts;
    }
    journal_reader_free(reader);
}

static uint64_t
removed(struct world *w)
{
    struct journal_stats stats;

    journal_stats(w->journal, &stats);
    return stats.removed;
}

/* Nobody has taken anything, and there is room for half. */
static void
the_oldest_readings_go(void **state)
{
    struct world *w = *state;
    uint64_t begins[SEGMENTS], readings, alerts, gone;
    struct journal_stats stats;

    w->options.keep_ms = 0;
    world_reopen(w);
    journal_ack(w->journal, "store", 0);
    fill(w, begins);
    journal_stats(w->journal, &stats);
    w->options.max_bytes = (int64_t)stats.bytes / 2;
    world_reopen(w);
    append_reading(w, 1);
    roll(w); /* which looks at the room */
    RUN_UNTIL(w, (journal_stats(w->journal, &stats), stats.bytes <= stats.max_bytes));
    while (journal_end(w->journal) != journal_durable(w->journal))
        event_base_loop(w->base, EVLOOP_ONCE);

    look(w, 0, 0, &readings, &alerts, &gone);
    assert_int_equal(alerts, 3 * SEGMENTS);
    assert_int_equal(readings + gone, READINGS * SEGMENTS + 1);
    assert_int_equal(gone, removed(w));
    assert_int_equal(gone % READINGS, 0); /* whole segments, from the oldest on */
    assert_in_range(gone, 2 * READINGS, 4 * READINGS);
    assert_int_equal(journal_start(w->journal), 0);
    look(w, begins[gone / READINGS], gone / READINGS * 3, &readings, &alerts, &gone);
    assert_int_equal(gone, 0);
    world_reopen(w); /* the same to the next daemon */
    look(w, 0, 0, &readings, &alerts, &gone);
    assert_int_equal(alerts, 3 * SEGMENTS);
    assert_int_equal(readings + gone, READINGS * SEGMENTS + 1);
    journal_stats(w->journal, &stats);
    assert_true(stats.bytes <= (uint64_t)stats.max_bytes);
}

/* A consumer in the midst of what goes, and one that stands behind it. */
static void
a_reader_goes_on_behind_a_gap(void **state)
{
    struct world *w = *state;
    uint64_t begins[SEGMENTS], readings, alerts, gone;
    struct journal_reader *reader;
    struct journal_record r;
    struct journal_stats stats;
    int rc;

    w->options.keep_ms = 0;
    world_reopen(w);
    journal_ack(w->journal, "store", 0);
    fill(w, begins);
    assert_int_equal(journal_reader_new(w->journal, 0, NULL, NULL, &reader), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(journal_next(reader, &r), 1);
    uint64_t inside = r.next;
    journal_reader_free(reader);
    w->options.max_bytes = 1;
    world_reopen(w);
    append_reading(w, 1);
    roll(w);
    RUN_UNTIL(w, removed(w) >= SEGMENTS * READINGS);
    look(w, 0, 0, &readings, &alerts, &gone);
    assert_int_equal(alerts, 3 * SEGMENTS);
    assert_int_equal(gone, SEGMENTS * READINGS);

    alerts = 0;
    assert_int_equal(journal_reader_new(w->journal, inside, NULL, NULL, &reader), 0);
    while ((rc = journal_next(reader, &r)) != 0) {
        assert_true(rc == 1 || rc == LW_EPARSE);
        alerts += rc == 1 && (r.kind == JOURNAL_ALERT || r.kind == JOURNAL_INSPECTION);
    }
    journal_reader_free(reader);
    assert_int_equal(alerts, 3 * SEGMENTS - 1);
    journal_stats(w->journal, &stats);
    assert_true(stats.full);
}

/* What everybody has taken goes first, though it is younger than `keep`. */
static void
what_is_taken_goes_first(void **state)
{
    struct world *w = *state;
    uint64_t begins[SEGMENTS];
    struct journal_stats stats;

    w->options.keep_ms = 3600 * 1000;
    world_reopen(w);
    journal_ack(w->journal, "store", 0);
    fill(w, begins);
    journal_ack(w->journal, "store", begins[4]);
    journal_stats(w->journal, &stats);
    w->options.max_bytes = (int64_t)stats.bytes / 2;
    world_reopen(w);
    append_reading(w, 1);
    roll(w);
    RUN_UNTIL(w, (journal_stats(w->journal, &stats), stats.bytes <= stats.max_bytes));
    assert_int_equal(removed(w), 0);
    assert_true(journal_start(w->journal) > 0);
    assert_true(journal_start(w->journal) <= begins[4]);
}

/* Too old, and nobody has taken them. A clock that was set ages nothing. */
static void
old_readings_go(void **state)
{
    static const struct {
        const char *name;
        int64_t segment_ms;
        uint64_t gone;
    } rows[] = {
        {"two days between two segments, which take two days", 2 * LW_DAY, 2 * READINGS},
        {"two days between them, which take an hour: the clock was set", LW_HOUR, 0},
    };

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct world *w = *state;
        uint64_t begins[SEGMENTS], readings, alerts, gone;
        char path[PATH];

        if (row > 0) {
            assert_int_equal(teardown(state), 0);
            assert_int_equal(setup(state), 0);
            w = *state;
        }
        w->options.keep_ms = 0;
        w->options.max_age_ms = LW_DAY;
        world_reopen(w);
        journal_ack(w->journal, "store", 0);
        fill(w, begins);
        for (int i = 0; i < 2; i++) {
            struct timespec old[2] = {{.tv_sec = time(NULL) - 2 * 86400},
                                      {.tv_sec = time(NULL) - 2 * 86400}};

            path_of(w, begins[i], "seg", path);
            assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
        }
        w->options.segment_ms = rows[row].segment_ms;
        world_reopen(w);
        append_reading(w, 1);
        roll(w);
        RUN_UNTIL(w, removed(w) >= rows[row].gone);
        look(w, 0, 0, &readings, &alerts, &gone);
        if (gone != rows[row].gone || alerts != 3 * SEGMENTS)
            fail_msg("%s: %d gone", rows[row].name, (int)gone);
    }
}

/* The whole segments stay in a recording. */
static void
a_recording_stays_whole(void **state)
{
    struct world *w = *state;
    uint64_t begins[SEGMENTS], readings, alerts, gone;

    journal_close(w->journal);
    w->options.record_dir = w->record;
    world_open(w);
    journal_ack(w->journal, "store", 0);
    fill(w, begins);
    w->options.max_bytes = 1;
    world_reopen(w);
    append_reading(w, 1);
    roll(w);
    RUN_UNTIL(w, removed(w) >= SEGMENTS * READINGS);
    world_reopen(w); /* which compares the recording with what there is */
    journal_close(w->journal);
    w->options.record_dir = NULL;
    w->options.max_bytes = 1 << 30;
    w->options.dir = w->record;
    world_open(w);
    look(w, 0, 0, &readings, &alerts, &gone);
    assert_int_equal(readings, SEGMENTS * READINGS + 1);
    assert_int_equal(gone, 0);
}

/* `keep` begins when the last consumer has taken a segment, not when it was written. */
static void
kept_since_it_was_taken(void **state)
{
    struct world *w = *state;
    uint64_t begins[SEGMENTS];
    struct stat st;
    char path[PATH];
    const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

    w->options.keep_ms = 3600 * 1000;
    world_reopen(w);
    journal_ack(w->journal, "store", 0);
    fill(w, begins);
    path_of(w, begins[0], "seg", path);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0); /* written long ago */
    journal_ack(w->journal, "store", begins[3]);
    roll(w);
    assert_int_equal(journal_start(w->journal), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0440);
    assert_true(st.st_mtim.tv_sec > 1000000);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0); /* and taken long ago */
    world_reopen(w);                                        /* which a restart knows */
    append_reading(w, 1);
    roll(w);
    assert_int_equal(journal_start(w->journal), begins[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(the_oldest_readings_go),   ROW(a_reader_goes_on_behind_a_gap),
        ROW(what_is_taken_goes_first), ROW(old_readings_go),
        ROW(a_recording_stays_whole),  ROW(kept_since_it_was_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
