/* A journal in a directory of its own, and records of which each says which it is. */
#ifndef TESTS_JOURNAL_WORLD_H
#define TESTS_JOURNAL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/result.h>

#include "daemon/journal.h"
#include "daemon/log.h"

enum {
    HEAD = 24, /* of a segment, and of a record: docs/journal.md */
    RECORD = 9,
    PATH = 480,
};

struct world {
    char dir[400], record[440];
    struct event_base *base;
    struct journal *journal;
    struct journal_options options;
    uint64_t saved; /* how many records the state that is checkpointed knows */
};

static inline int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int
save_state(void *arg, struct lw_packer *p)
{
    struct world *w = arg;

    lw_pack_u64(p, w->saved);
    return p->rc;
}

static inline void
world_open(struct world *w)
{
    assert_int_equal(journal_open(w->base, &w->options, &w->journal), 0);
    journal_on_checkpoint(w->journal, save_state, w);
}

static inline void
world_reopen(struct world *w)
{
    journal_close(w->journal);
    world_open(w);
}

static inline int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    const char *tmp = getenv("TMPDIR");

    snprintf(w->dir, sizeof w->dir - 32, "%s/journal.XXXXXX", tmp ? tmp : "/tmp");
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

static inline int
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
static inline size_t
make_record(uint64_t i, uint8_t data[512])
{
    size_t n = 8 + (size_t)(i * 37 % 300);

    memset(data, (int)(i & 0xff), n);
    memcpy(data, &i, sizeof i);
    return n;
}

static inline uint64_t
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

static inline void
make_durable(struct world *w)
{
    RUN_UNTIL(w, journal_durable(w->journal) == journal_end(w->journal));
}

static inline bool
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

static inline uint64_t
roll(struct world *w)
{
    uint64_t end = journal_end(w->journal);

    assert_int_equal(journal_roll(w->journal), 0);
    RUN_UNTIL(w, newest_is(w, end));
    return end;
}

/* Reads event records from `position`: they are first, first + 1, ...; returns how many.
 */
static inline uint64_t
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
        if (ret_damaged) { /* numbers may be missing, never wrong or out of order */
            uint64_t got;

            memcpy(&got, r.data, sizeof got);
            i = got > i ? got : i;
        }
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

static inline void
path_of(const struct world *w, uint64_t position, const char *suffix, char path[PATH])
{
    snprintf(path, PATH, "%s/%016" PRIx64 ".%s", w->dir, position, suffix);
}

static inline bool
is_there(const struct world *w, uint64_t position, const char *suffix)
{
    char path[PATH];

    path_of(w, position, suffix, path);
    return access(path, F_OK) == 0;
}

static inline size_t
slurp(const char *path, uint8_t *data, size_t cap)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(data, 1, cap, f);
    fclose(f);
    return n;
}

static inline void
spill(const char *path, const uint8_t *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
