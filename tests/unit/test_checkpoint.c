/* What a checkpoint keeps: all of the state, member by member. */
#include "lib/detect/feeder.h"
#include "lib/state.h"

#include "unit.h"

#define SIZE(type, member) sizeof(((struct type *)0)->member)

/* What no field holds is said here: a member that was added without one is lost at the
 * next start. Gaps are as on a machine of 64 bits. */
static const struct {
    const char *table;
    size_t size;
    size_t derived; /* from the ledger, or kept in another table */
    size_t gaps;
} KEPT[] = {
    {"meters", sizeof(struct meter_state), 0, 5},
    {"sites", sizeof(struct site_state),
     SIZE(site_state, interval) + SIZE(site_state, profile) + SIZE(reference, log), 9},
    {"logs", sizeof(struct hour_log), 0, 4},
    {"profiles", sizeof(struct profile), 0, 0},
    {"gateways", sizeof(struct gateway_state), 0, 7},
    {"weather", sizeof(struct weather), SIZE(weather, point), 8},
    {"feeders", sizeof(struct feeder),
     SIZE(feeder, point) + SIZE(feeder, child_first) + SIZE(feeder, nchildren) +
         SIZE(feeder, interval) + SIZE(feeder, awaited) + SIZE(feeder, stopped_w) +
         SIZE(feeder, ring),
     23},
    {"stretches", sizeof(struct stretch), 0, 3},
    {"children", sizeof(struct child), SIZE(child, point) + SIZE(child, feeder), 4},
    {"alarms", sizeof(struct lw_alarm), 0, 23},
};

static uint8_t kept[1 << 16];

static int
keep(void *arg, const void *data, size_t n)
{
    size_t *at = arg;

    assert_true(n <= sizeof kept - *at);
    memcpy(kept + *at, data, n);
    *at += n;
    return 0;
}

static void
every_member_is_a_field(void **state)
{
    static const struct lw_ledger empty;
    static struct lw_rules rules;
    static struct lw_packer p;
    struct lw_faults faults = {0};
    struct lw_core *core = NULL;
    struct lw_unpacker u;
    struct lw_table_head head;
    size_t n = 0, found = 0;

    (void)state;
    assert_int_equal(lw_rules_parse("", "", 0, &faults, &rules), 0);
    assert_int_equal(lw_core_new(&empty, &rules, NULL, &core), 0);
    lw_pack_init(&p, keep, &n);
    assert_int_equal(lw_core_save(core, &p), 0);
    assert_int_equal(lw_pack_flush(&p), 0);
    lw_unpack_init(&u, kept, n);
    while (u.at < u.n) {
        assert_int_equal(lw_unpack_table(&u, &head), 0);
        for (size_t i = 0; i < LENGTH(KEPT); i++)
            if (strcmp(KEPT[i].table, head.name) == 0) {
                row(head.name);
                check_int(head.row_size, KEPT[i].size - KEPT[i].derived - KEPT[i].gaps);
                found++;
            }
        lw_unpack_skip_rows(&u, &head);
    }
    check_int(found, LENGTH(KEPT));
    lw_core_free(core);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_member_is_a_field)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
