/* The engine with the real core on a real journal: wherever it is cut off, the alerts
 * that its journal holds in the end are those of a run that nothing disturbed, byte for
 * byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

#include "daemon/engine.h"
#include "daemon/journal.h"
#include "daemon/log.h"

enum {
    HEAD = 24,  /* of a segment: docs/journal.md */
    ALERT = 29, /* before an alert's JSON */
    STEP_S = 900,
    STEPS = 192, /* two days */
    METERS = 3,
    EVENTS = STEPS * METERS,
    SETUP_AT = EVENTS / 2, /* a new ledger comes into force before this event */
    ROLL_AT = EVENTS / 3,  /* and a checkpoint is made before this one */
    SILENT_FROM = 60,      /* steps, of the third meter */
    SILENT_TO = 90,
};

#define START INT64_C(1736899200000) /* 2025-01-15T00:00:00Z */

struct bytes {
    char *data;
    size_t n;
};

struct world {
    char dir[400], cut[420];
    struct event_base *base;
    struct journal *journal;
    struct engine *engine;
};

static const char areas[] = "area_id,parent_id,level,name\n140000,,county,C\n";
static const char sites[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw\n"
    "a,A,coal_mine,closed,2020-01-01T00:00:00Z,140000,37.1,112.1,WGS84,500\n"
    "b,B,quarry,closed,2020-01-01T00:00:00Z,140000,37.2,112.2,WGS84,200\n"
    "c,C,sand,closed,2020-01-01T00:00:00Z,140000,37.3,112.3,WGS84,200\n";
static const char gateways[] =
    "gateway_id,transport,address\ng1,tcp,127.0.0.1:1\ng2,tcp,127.0.0.1:2\n";
static const char meters[] = "meter_id,installed_at,site_id,role,gateway_id,unit,profile,"
                             "interval_s\n"
                             "m1,2020-01-01T00:00:00Z,a,supply,g1,1,generic,900\n"
                             "m2,2020-01-01T00:00:00Z,b,supply,g1,2,generic,900\n"
                             "m3,2020-01-01T00:00:00Z,c,supply,g2,3,generic,900\n";
static const char explanations[] = "explanation_id,site_id,kind,max_kw,valid_from\n"
                                   "e1,b,dewatering,90,2025-01-16T00:00:00Z\n";

static struct lw_ledger_text
ledger_text(bool later)
{
    struct lw_ledger_text t = {.deployment = "", .holidays = ""};
    const struct {
        enum lw_table table;
        const char *text;
    } tables[] = {
        {LW_AREAS, areas},
        {LW_SITES, sites},
        {LW_GATEWAYS, gateways},
        {LW_METERS, meters},
        {LW_EXPLANATIONS, later ? explanations : ""},
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        t.table[tables[i].table].text = tables[i].text;
        t.table[tables[i].table].n = strlen(tables[i].text);
    }
    return t;
}

/* Event i: two sites draw what nothing explains, the third one's meter falls silent. */
static struct lw_event
make_event(const struct lw_ledger *ledger, int i)
{
    int step = i / METERS, m = i % METERS;
    lw_wall t = {START + (int64_t)step * STEP_S * 1000};
    int64_t kw = m == 0 ? (step > 20 && step < 120 ? 60 : 1) : m == 1 ? 80 : 0;
    char id[] = {'m', (char)('1' + m), '\0'};
    uint32_t meter = (uint32_t)lw_ledger_meter(ledger, id, 2, t);
    struct lw_event e = {.kind = LW_EVENT_READING, .at = t};

    if (m == 2 && step >= SILENT_FROM && step < SILENT_TO) {
        e.kind = LW_EVENT_READ_FAILED;
        e.failed.meter = meter;
        e.failed.why = LW_FAIL_TIMEOUT;
        return e;
    }
    e.reading.time = e.reading.received = t;
    e.reading.meter = meter;
    e.reading.have = 1 << LW_ACTIVE_POWER | 1 << LW_IMPORT;
    e.reading.value[LW_ACTIVE_POWER] = kw * 1000;
    e.reading.value[LW_IMPORT] = 1000000 + kw * 1000 * step * STEP_S / 3600;
    if (m == 0 && step >= 120) /* what it drew in between stays drawn */
        e.reading.value[LW_IMPORT] = 1000000 + INT64_C(60000) * 120 * STEP_S / 3600;
    return e;
}

static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void
clear_dir(const char *dir)
{
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int
start(struct world *w, const char *dir, bool later, struct lw_faults *faults)
{
    const struct lw_ledger_text text = ledger_text(later);
    const struct journal_options options = {
        .dir = dir,
        .sync_ms = 2,
        .segment_bytes = INT64_MAX,
        .segment_ms = INT64_MAX,
        .keep_ms = INT64_MAX,
        .max_bytes = INT64_MAX,
    };

    assert_int_equal(journal_open(w->base, &options, &w->journal), 0);
    return engine_new(w->journal, &text, "", 0, faults, &w->engine);
}

static void
stop(struct world *w)
{
    engine_free(w->engine);
    journal_close(w->journal);
    w->engine = NULL;
    w->journal = NULL;
}

/* Begins a segment and waits until its checkpoint counts. */
static void
roll(struct world *w)
{
    uint64_t end = journal_end(w->journal), at = UINT64_MAX;
    void *data;
    size_t n;

    while (journal_roll(w->journal) == LW_EAGAIN)
        event_base_loop(w->base, EVLOOP_ONCE);
    while (at != end) {
        event_base_loop(w->base, EVLOOP_ONCE);
        if (journal_checkpoint(w->journal, &at, &data, &n) == 0)
            free(data);
    }
}

/* Plays the events from `first` on, as the daemon would. */
static void
play(struct world *w, int first)
{
    const struct lw_ledger_text later = ledger_text(true);
    struct lw_faults faults = {0};

    for (int i = first; i < EVENTS; i++) {
        struct lw_event event;

        if (i == SETUP_AT)
            assert_int_equal(engine_setup(w->engine, &later, "", 0, &faults), 0);
        if (i == ROLL_AT)
            roll(w);
        event = make_event(lw_core_ledger(engine_core(w->engine)), i);
        engine_event(w->engine, &event);
    }
}

static void
add_line(struct bytes *lines, const void *json, size_t n)
{
    lines->data = realloc(lines->data, lines->n + n + 1);
    memcpy(lines->data + lines->n, json, n);
    lines->data[lines->n + n] = '\n';
    lines->n += n + 1;
}

/* What a directory holds from its oldest checkpoint on. */
struct content {
    struct bytes alerts; /* a line each */
    int events;
    uint64_t end[3 * EVENTS]; /* of each record */
    bool alert[3 * EVENTS];
    size_t n;
};

static struct content *
read_dir(const char *dir)
{
    struct content *c = calloc(1, sizeof *c);
    struct journal_files *files;
    struct journal_record record;
    int rc;

    assert_int_equal(journal_files_open(dir, &files), 0);
    while ((rc = journal_files_next(files, &record)) != 0) {
        assert_int_equal(rc, 1);
        c->events += record.kind == JOURNAL_EVENT || record.kind == JOURNAL_READING;
        c->alert[c->n] = record.kind == JOURNAL_ALERT;
        if (c->alert[c->n])
            add_line(&c->alerts, (const char *)record.data + ALERT, record.n - ALERT);
        c->end[c->n++] = record.next;
        assert_true(c->n < 3 * EVENTS);
    }
    journal_files_close(files);
    return c;
}

static void
content_free(struct content *c)
{
    free(c->alerts.data);
    free(c);
}

static int
count_lines(const struct bytes *b)
{
    int n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->data[i] == '\n';
    return n;
}

static void
expect_same(const struct bytes *got, const struct bytes *want)
{
    assert_int_equal(count_lines(got), count_lines(want));
    assert_int_equal(got->n, want->n);
    assert_memory_equal(got->data, want->data, want->n);
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    const char *tmp = getenv("TMPDIR");

    snprintf(w->dir, sizeof w->dir - 32, "%s/engine.XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->cut, sizeof w->cut, "%s.cut", w->dir);
    w->base = event_base_new();
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    event_base_free(w->base);
    clear_dir(w->dir);
    clear_dir(w->cut);
    free(w);
    return 0;
}

static void
run_undisturbed(struct world *w)
{
    struct lw_faults faults = {0};

    assert_int_equal(start(w, w->dir, false, &faults), 0);
    play(w, 0);
    stop(w);
}

static void
copy_prefix(const char *from, const char *to, uint64_t most)
{
    static char data[4 << 20];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t n;

    assert_non_null(in);
    assert_non_null(out);
    n = fread(data, 1, sizeof data, in);
    fwrite(data, 1, n < most ? n : most, out);
    fclose(in);
    fclose(out);
}

/* What a crash would leave: everything before `position`, and no more. */
static void
cut_off_at(const struct world *w, uint64_t position)
{
    DIR *dir = opendir(w->dir);
    struct dirent *entry;

    clear_dir(w->cut);
    assert_int_equal(mkdir(w->cut, 0700), 0);
    while ((entry = readdir(dir))) {
        char from[700], to[700];
        uint64_t at;

        if (sscanf(entry->d_name, "%" SCNx64, &at) != 1 || at > position)
            continue;
        snprintf(from, sizeof from, "%s/%s", w->dir, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", w->cut, entry->d_name);
        copy_prefix(from, to, strstr(from, ".seg") ? HEAD + position - at : UINT64_MAX);
    }
    closedir(dir);
}

static void
alerts_survive_any_cut(void **state)
{
    struct world *w = *state;
    struct content *want, *got;

    run_undisturbed(w);
    want = read_dir(w->dir);
    assert_int_equal(want->events, EVENTS);
    assert_true(count_lines(&want->alerts) >= 5);
    for (size_t i = 0; i < want->n; i++) {
        struct lw_faults faults = {0};
        int events;

        if (i % 11 != 0 && !want->alert[i] && !(i + 1 < want->n && want->alert[i + 1]))
            continue;
        cut_off_at(w, want->end[i] - (i % 2)); /* at a record's end or within it */
        got = read_dir(w->cut);
        events = got->events;
        content_free(got);
        assert_int_equal(start(w, w->cut, events >= SETUP_AT, &faults), 0);
        play(w, events);
        stop(w);
        got = read_dir(w->cut);
        assert_int_equal(got->events, EVENTS);
        expect_same(&got->alerts, &want->alerts);
        content_free(got);
    }
    content_free(want);
}

static void
take_line(void *arg, const struct lw_core *core, const struct lw_effect *effect)
{
    char json[LW_ALERT_TEXT];
    size_t n;

    assert_int_equal(lw_alert_json(lw_core_ledger(core), lw_core_rules(core),
                                   effect->alert.kind, effect->alert.alarm, json, &n),
                     0);
    add_line(arg, json, n);
}

static void
replay_gives_what_was_recorded(void **state)
{
    struct world *w = *state;
    struct lw_faults faults = {0};
    struct content *want;
    struct bytes got = {NULL, 0};

    run_undisturbed(w);
    want = read_dir(w->dir);
    assert_int_equal(engine_replay(w->dir, take_line, &got, &faults), 0);
    expect_same(&got, &want->alerts);
    free(got.data);
    content_free(want);
}

static void
replay_of_nothing_is_a_fault(void **state)
{
    struct world *w = *state;
    struct lw_faults faults = {0};

    assert_int_equal(engine_replay("/nowhere", take_line, NULL, &faults), LW_EIO);
    assert_int_equal(faults.n, 1);
    assert_int_equal(engine_replay(w->dir, take_line, NULL, &faults), LW_EPARSE);
    assert_int_equal(faults.n, 2);
    assert_string_equal(faults.fault[1].file, w->dir);
}

static void
a_bad_ledger_changes_nothing(void **state)
{
    struct world *w = *state;
    struct lw_ledger_text bad = ledger_text(false);
    struct lw_faults faults = {0};
    const struct lw_core *core;
    uint64_t end;

    assert_int_equal(start(w, w->dir, false, &faults), 0);
    core = engine_core(w->engine);
    end = journal_end(w->journal);
    bad.table[LW_SITES].text = "site_id,area_id\nx,nowhere\n";
    bad.table[LW_SITES].n = strlen(bad.table[LW_SITES].text);
    assert_int_equal(engine_setup(w->engine, &bad, "", 0, &faults), LW_EPARSE);
    assert_true(faults.n > 0);
    assert_ptr_equal(engine_core(w->engine), core);
    assert_int_equal(journal_end(w->journal), end);
    /* The same ledger again is not a new one. */
    bad = ledger_text(false);
    assert_int_equal(engine_setup(w->engine, &bad, "", 0, &faults), 0);
    assert_int_equal(journal_end(w->journal), end);
    stop(w);
}

static void
readings_are_stored_as_judged(void **state)
{
    struct world *w = *state;
    struct lw_faults faults = {0};
    struct journal_reader *reader;
    struct journal_record record;
    struct engine_stats stats;
    const uint8_t *bytes;
    struct lw_event event, back;
    uint64_t from;

    assert_int_equal(start(w, w->dir, false, &faults), 0);
    from = journal_end(w->journal);
    event = make_event(lw_core_ledger(engine_core(w->engine)), METERS);
    engine_event(w->engine, &event);
    event.at.ms += 1000;
    event.reading.received = event.at;
    event.reading.time.ms -= 60000; /* older than the meter's newest */
    engine_event(w->engine, &event);
    engine_stats(w->engine, &stats);
    assert_int_equal(stats.events, 2);
    assert_int_equal(stats.readings, 2);
    while (journal_durable(w->journal) < journal_end(w->journal))
        event_base_loop(w->base, EVLOOP_ONCE);
    assert_int_equal(journal_reader_new(w->journal, from, NULL, NULL, &reader), 0);
    do
        assert_int_equal(journal_next(reader, &record), 1);
    while (record.kind != JOURNAL_READING);
    do
        assert_int_equal(journal_next(reader, &record), 1);
    while (record.kind != JOURNAL_READING);
    bytes = record.data;
    assert_true((bytes[0] | bytes[1] << 8) & LW_MARK_LATE);
    assert_int_equal(lw_event_unpack(bytes + 2, record.n - 2,
                                     lw_core_ledger(engine_core(w->engine)), &back),
                     0);
    assert_int_equal(back.reading.time.ms, event.reading.time.ms);
    assert_int_equal(back.reading.q, event.reading.q);
    journal_reader_free(reader);
    stop(w);
}

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(alerts_survive_any_cut),        ROW(replay_gives_what_was_recorded),
        ROW(replay_of_nothing_is_a_fault),  ROW(a_bad_ledger_changes_nothing),
        ROW(readings_are_stored_as_judged),
    };

    log_open("test_engine", (enum log_level)0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
