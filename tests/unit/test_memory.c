/* When memory runs out, making a thing fails and leaves nothing behind. */
#include "unit.h"

#include <stdbool.h>

#include <lodewatch/codec.h>
#include <lodewatch/csv.h>
#include <lodewatch/schedule.h>

#include "tests/unit/small_ledger.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

/* Counts down to the allocation that fails; below 0: none does. */
static int fail_at = -1;
static int live;

#ifndef __SANITIZE_ADDRESS__ /* which brings its own */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void __libc_free(void *p);

static void *
counted(void *p)
{
    live += p != NULL;
    return p;
}

static bool
fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *
malloc(size_t n)
{
    return fails() ? NULL : counted(__libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(n, size));
}

void
free(void *p)
{
    live -= p != NULL;
    __libc_free(p);
}
#endif

static struct lw_ledger *ledger;

static int
make_zone(void)
{
    static const uint8_t tzif[] = {
        'T', 'Z', 'i', 'f', [39] = 1, [43] = 4, [50] = 'U', 'T', 'C', 0};
    struct lw_zone *zone = NULL;
    int rc = lw_zone_new(tzif, sizeof(tzif), &zone);
    lw_zone_free(zone);
    return rc;
}

static int
make_fixed_zone(void)
{
    struct lw_zone *zone = NULL;
    int rc = lw_zone_new_fixed(0, &zone);
    lw_zone_free(zone);
    return rc;
}

static int
make_csv(void)
{
    struct lw_csv *csv = NULL;
    int rc = lw_csv_new(&csv);
    lw_csv_free(csv);
    return rc;
}

static int
make_readings(void)
{
    struct lw_readings *readings = NULL;
    int rc = lw_readings_new("r.csv", ledger, &readings);
    lw_readings_free(readings);
    return rc;
}

static int
make_due(void)
{
    struct lw_due *due = NULL;
    int rc = lw_due_new(100, &due);
    lw_due_free(due);
    return rc;
}

static void
test_each_allocation_fails_once(void **state)
{
    static const struct {
        const char *name;
        int (*make)(void);
        int allocations;
    } rows[] = {
        {"zone", make_zone, 1}, {"fixed zone", make_fixed_zone, 1},
        {"CSV", make_csv, 1},   {"readings", make_readings, 2},
        {"heap", make_due, 2},
    };
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    ledger = small_ledger(SMALL_METERS);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        for (int n = 0; n <= rows[i].allocations; n++) {
            int before = live;
            fail_at = n;
            int rc = rows[i].make();
            fail_at = -1;
            check_int(rc, n < rows[i].allocations ? LW_ENOMEM : 0);
            check_int(live, before);
        }
    }
    lw_ledger_free(ledger);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
