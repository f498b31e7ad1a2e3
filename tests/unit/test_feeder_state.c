/* What a feeder has learned goes on: through a checkpoint, in a core made anew for the
 * same ledger, and when the clock is set back. */
#include "feeder_world.h"

static const struct scene TAP = {.name = "a tap that a silent works may hide",
                                 .tap_kw = 30,
                                 .tap_from = TUESDAY,
                                 .tap_to = TUESDAY + 72,
                                 .silent = "WORKS",
                                 .silent_from = TUESDAY - 4,
                                 .silent_to = TUESDAY + 24};
static const struct scene MOVED = {.name = "a load that moves", .cut_moves_to = "SHOP"};

struct bytes {
    uint8_t *data;
    size_t n;
};

static int
keep(void *arg, const void *data, size_t n)
{
    struct bytes *b = arg;

    b->data = realloc(b->data, b->n + n);
    assert_non_null(b->data);
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return 0;
}

static struct bytes
saved(const struct world *w)
{
    static struct lw_packer p;
    struct bytes bytes = {0};

    lw_pack_init(&p, keep, &bytes);
    assert_int_equal(lw_core_save(w->core, &p), 0);
    assert_int_equal(lw_pack_flush(&p), 0);
    return bytes;
}

static struct lw_core *
loaded(const struct world *w)
{
    struct bytes bytes = saved(w);
    struct lw_core *core = NULL;

    assert_int_equal(lw_core_load(w->ledger, &w->rules, bytes.data, bytes.n, &core), 0);
    free(bytes.data);
    return core;
}

/* Every 37 quarters of an hour the core is replaced, if at all, by one made anew for a
 * ledger of the same text. */
enum way {
    PLAIN,
    SAVED_AND_LOADED,
    MADE_ANEW
};

static void
run_replaced(struct world *w, const struct scene *scene, enum way way)
{
    begin(w, scene);
    for (int q = 0; q < DAYS * 96; q++) {
        struct lw_core *core = NULL;

        quarter(w, T0 + q * QUARTER);
        if (q % 37 != 0 || way == PLAIN)
            continue;
        if (way == SAVED_AND_LOADED) {
            core = loaded(w);
            lw_core_on_effect(core, hear, w);
            lw_core_free(w->core);
        } else {
            struct lw_ledger *ledger = make_ledger(false);

            assert_int_equal(lw_core_new(ledger, &w->rules, w->core, &core), 0);
            lw_core_free(w->core);
            lw_ledger_free(w->ledger);
            w->ledger = ledger;
        }
        w->core = core;
    }
}

static void
test_state_goes_on(void **state)
{
    static const struct {
        const char *name;
        enum way way;
    } rows[] = {{"saved and loaded", SAVED_AND_LOADED}, {"made anew", MADE_ANEW}};
    static const struct scene *const scenes[] = {&TAP, &MOVED};
    static struct world plain, other;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (size_t c = 0; c < LENGTH(scenes); c++) {
            row(rows[i].name);
            run_replaced(&plain, scenes[c], PLAIN);
            run_replaced(&other, scenes[c], rows[i].way);
            check(plain.ntold > 0);
            check_int(other.ntold, plain.ntold);
            for (int k = 0; k < plain.ntold; k++) {
                check_text(other.told[k].what, plain.told[k].what);
                check(other.told[k].hour == plain.told[k].hour);
                check_int(other.told[k].evidence.excess_wh,
                          plain.told[k].evidence.excess_wh);
                check_int(other.told[k].evidence.other, plain.told[k].evidence.other);
            }
            end(&plain);
            end(&other);
        }
}

/* Its readings, but that of one meter. */
static void
all_but(struct world *w, int32_t left_out, int64_t at)
{
    for (int32_t row = 0; row < w->ledger->nmeters; row++) {
        const struct lw_meter *m = &w->ledger->meter[row];

        if (row != left_out && m->installed.ms <= at && at < m->removed.ms)
            read_meter(w, row, at, true, false);
    }
}

/* A house that was silent answers five minutes late, and between that and the next
 * boundary the core is saved: it waits for whom it waited for. */
static void
test_saved_between_readings(void **state)
{
    static const struct scene scene = {.name = "a house that comes back late"};
    static struct world w[2];
    struct bytes bytes[2];

    (void)state;
    row(scene.name);
    for (int i = 0; i < 2; i++) {
        int64_t at = T0;
        int32_t house;

        begin(&w[i], &scene);
        house = lw_ledger_meter(w[i].ledger, "HOUSE", 5, (lw_wall){at});
        for (; at < T0 + LW_DAY; at += QUARTER)
            quarter(&w[i], at);
        for (; at < T0 + 26 * LW_HOUR; at += QUARTER)
            all_but(&w[i], house, at);
        all_but(&w[i], house, at);
        read_meter(&w[i], house, at + 5 * LW_MINUTE, true, false);
        if (i == 1) {
            struct lw_core *core = loaded(&w[i]);

            lw_core_on_effect(core, hear, &w[i]);
            lw_core_free(w[i].core);
            w[i].core = core;
        }
        all_but(&w[i], house, at + QUARTER);
        bytes[i] = saved(&w[i]);
    }
    check_int(bytes[1].n, bytes[0].n);
    check(memcmp(bytes[1].data, bytes[0].data, bytes[0].n) == 0);
    for (int i = 0; i < 2; i++) {
        free(bytes[i].data);
        end(&w[i]);
    }
}

/* What passed no meter was found: the clerk enters a site and its meter. */
static void
enter_what_was_found(struct world *w)
{
    struct lw_ledger *ledger = make_ledger(true);
    struct lw_core *core = NULL;
    double kwh[LENGTH(w->kwh)] = {0};

    assert_int_equal(lw_core_new(ledger, &w->rules, w->core, &core), 0);
    for (int32_t row = 0; row < w->ledger->nmeters; row++)
        for (int32_t to = 0; to < ledger->nmeters; to++)
            if (strcmp(ledger->meter[to].id, w->ledger->meter[row].id) == 0 &&
                ledger->meter[to].installed.ms == w->ledger->meter[row].installed.ms)
                kwh[to] = w->kwh[row];
    memcpy(w->kwh, kwh, sizeof kwh);
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
    w->core = core;
    w->ledger = ledger;
    w->found = true;
}

static void
test_a_site_is_created(void **state)
{
    static const struct scene scene = {.name = "what passed no meter is a site now",
                                       .tap_kw = 12,
                                       .tap_from = TUESDAY,
                                       .tap_to = DAYS * 24};
    static struct world w;
    const struct told *told;

    (void)state;
    row(scene.name);
    begin(&w, &scene);
    for (int hour = 0; hour < DAYS * 24; hour++) {
        if (hour == CHANGED)
            enter_what_was_found(&w);
        for (int q = 0; q < 4; q++)
            quarter(&w, T0 + hour * LW_HOUR + q * QUARTER);
    }
    told = find(&w, RAISED);
    check(told && told->hour >= TUESDAY && told->hour <= TUESDAY + 2);
    told = find(&w, "raised closed_load site/FOUND");
    check(told && told->hour >= CHANGED && told->hour <= CHANGED + 6);
    told = find(&w, "returned feeder_residual feeder/F");
    check(told && told->hour >= CHANGED + 12 && told->hour <= CHANGED + 36);
    end(&w);
}

/* The wall clock was two hours fast for a day: what it said is forgotten, and the feeder
 * is judged on. */
static void
test_clock_set_back(void **state)
{
    static const struct scene scene = {.name = "a clock set back",
                                       .tap_kw = 12,
                                       .tap_from = TUESDAY,
                                       .tap_to = TUESDAY + 72};
    static struct world w;
    struct lw_event event = {.kind = LW_EVENT_CLOCK_STEP};
    const struct told *told;

    (void)state;
    row(scene.name);
    begin(&w, &scene);
    for (int64_t at = T0; at < T0 + 8 * LW_DAY; at += QUARTER)
        quarter(&w, at);
    for (int64_t at = T0 + 8 * LW_DAY; at < T0 + 8 * LW_DAY + 12 * LW_HOUR; at += QUARTER)
        quarter(&w, at + 2 * LW_HOUR);
    event.at.ms = T0 + 8 * LW_DAY + 12 * LW_HOUR;
    event.step.by_ms = -2 * LW_HOUR;
    lw_core_step(w.core, &event);
    for (int64_t at = event.at.ms; at < T0 + DAYS * LW_DAY; at += QUARTER)
        quarter(&w, at);
    told = find(&w, RAISED);
    check(told != NULL);
    check(told->hour >= TUESDAY && told->hour <= TUESDAY + 2);
    end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_goes_on),
        cmocka_unit_test(test_saved_between_readings),
        cmocka_unit_test(test_a_site_is_created),
        cmocka_unit_test(test_clock_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
