/* feeder_residual and displacement: what happens in the field in two weeks of quarter
 * hours, and what the alerts say of it. */
#include "feeder_world.h"

static void
run(struct world *w, const struct scene *scene)
{
    begin(w, scene);
    for (int64_t at = T0; at < T0 + DAYS * LW_DAY; at += QUARTER)
        quarter(w, at);
}

static const struct {
    struct scene scene;
    struct {
        const char *what;
        int from, to; /* hours; 0: nothing such */
    } due[3];         /* and no other alarm is raised */
} CASES[] = {
    {{.name = "nobody draws what no meter sees"}, {{0}}},
    {{.name = "a tap of a tenth of the load from Tuesday 22:00",
      .tap_kw = 12,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{RAISED, TUESDAY, TUESDAY + 2},
      {"returned feeder_residual feeder/F", TUESDAY + 95, TUESDAY + 120}}},
    {{.name = "a tap of 1.5 % shows within two days",
      .tap_kw = 1.5,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{RAISED, TUESDAY, TUESDAY + 48}}},
    {{.name = "a works out of communication may draw what a tap draws",
      .tap_kw = 30,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72,
      .silent = "WORKS",
      .silent_from = TUESDAY - 4,
      .silent_to = TUESDAY + 24},
     {{RAISED, TUESDAY + 24, TUESDAY + 26}}},
    {{.name = "a house out of communication does not hide it",
      .tap_kw = 60,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72,
      .silent = "HOUSE",
      .silent_from = TUESDAY - 1,
      .silent_to = TUESDAY + 24},
     {{RAISED, TUESDAY, TUESDAY + 2}}},
    {{.name = "a works that was silent for two days and comes back is no tap",
      .silent = "WORKS",
      .silent_from = TUESDAY,
      .silent_to = TUESDAY + 47},
     {{0}}},
    {{.name = "a works out of communication draws all that its contract allows",
      .silent = "WORKS",
      .silent_from = TUESDAY - 2,
      .silent_to = TUESDAY + 5,
      .busy = "WORKS",
      .busy_kw = 110,
      .busy_from = TUESDAY,
      .busy_to = TUESDAY + 3},
     {{0}}},
    {{.name = "what was found gets a site and a meter",
      .tap_kw = 12,
      .tap_from = TUESDAY,
      .tap_to = CHANGED,
      .customers_change = true},
     {{RAISED, TUESDAY, TUESDAY + 2},
      {"returned feeder_residual feeder/F", CHANGED + 12, CHANGED + 36}}},
    {{.name = "the feeder's own meter was silent while a tap ran",
      .tap_kw = 12,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 20,
      .silent = "F",
      .silent_from = TUESDAY - 2,
      .silent_to = TUESDAY + 22},
     {{RAISED, TUESDAY + 22, TUESDAY + 24}}},
    {{.name = "loss that grows with the load is no tap",
      .heat = 1.4,
      .heat_from = TUESDAY,
      .heat_to = TUESDAY + 72},
     {{0}}},
    {{.name = "half of the customers have no meter, and draw more than they did",
      .no_meter_kw = 80,
      .tap_kw = 40,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{0}}},
    {{.name = "a meter is exchanged, a customer comes, one is switched over",
      .customers_change = true},
     {{0}}},
    {{.name = "a shop whose clock has always been a quarter of an hour behind",
      .late = "SHOP",
      .late_from = 0},
     {{0}}},
    {{.name = "a tap beside such a shop",
      .late = "SHOP",
      .late_from = 0,
      .tap_kw = 30,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{RAISED, TUESDAY, TUESDAY + 12}}},
    {{.name = "a site was cut off, and a neighbour draws as much more",
      .cut_moves_to = "SHOP"},
     {{"raised displacement point/SHOP", STOPPED + 24, STOPPED + 60}}},
    {{.name = "a site was cut off, and a neighbour that is silent draws as much more",
      .cut_moves_to = "SHOP",
      .silent = "SHOP",
      .silent_from = STOPPED,
      .silent_to = STOPPED + 20},
     {{"raised displacement point/SHOP", STOPPED + 24, STOPPED + 72}}},
    {{.name = "a site was cut off, and a pump runs for days as it has before",
      .busy = "HOUSE",
      .busy_kw = 42,
      .busy_from = 30,
      .busy_to = 90,
      .again_from = STOPPED + 10,
      .again_to = STOPPED + 80},
     {{0}}},
    {{.name = "a site was cut off, and a pump runs for days as it never has",
      .busy = "HOUSE",
      .busy_kw = 42,
      .again_from = STOPPED + 10,
      .again_to = STOPPED + 80},
     {{"raised displacement point/HOUSE", STOPPED + 34, STOPPED + 72}}},
    {{.name = "what a site lost has been found: a pump that starts later has not got it",
      .cut_moves_to = "",
      .busy = "HOUSE",
      .busy_kw = 40,
      .again_from = STOPPED + 20,
      .again_to = STOPPED + 100},
     {{RAISED, STOPPED + 2, STOPPED + 4},
      {"raised displacement feeder/F", STOPPED + 24, STOPPED + 60}}},
    {{.name = "a site was cut off, and draws on past its meter", .cut_moves_to = ""},
     {{RAISED, STOPPED + 2, STOPPED + 4},
      {"raised displacement feeder/F", STOPPED + 24, STOPPED + 60}}},
};

static const struct scene *
scene_of(const char *name)
{
    for (size_t i = 0; i < LENGTH(CASES); i++)
        if (strcmp(CASES[i].scene.name, name) == 0)
            return &CASES[i].scene;
    fail_msg("no scene \"%s\"", name);
    return NULL;
}

static bool
is_due(size_t i, const char *what)
{
    for (size_t k = 0; k < LENGTH(CASES[i].due); k++)
        if (CASES[i].due[k].what && strcmp(CASES[i].due[k].what, what) == 0)
            return true;
    return false;
}

static void
test_cases(void **state)
{
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        row(CASES[i].scene.name);
        run(&w, &CASES[i].scene);
        for (size_t k = 0; k < LENGTH(CASES[i].due); k++) {
            const struct told *told;

            if (!CASES[i].due[k].what)
                continue;
            told = find(&w, CASES[i].due[k].what);
            if (!told)
                fail_msg("row \"%s\": no \"%s\"", unit_row, CASES[i].due[k].what);
            if (told->hour < CASES[i].due[k].from || told->hour > CASES[i].due[k].to)
                fail_msg("row \"%s\": \"%s\" at hour %.2f", unit_row, told->what,
                         told->hour);
        }
        for (int k = 0; k < w.ntold; k++)
            if (strncmp(w.told[k].what, "raised", 6) == 0 && !is_due(i, w.told[k].what))
                fail_msg("row \"%s\": \"%s\" at hour %.2f", unit_row, w.told[k].what,
                         w.told[k].hour);
        end(&w);
    }
}

static void
test_what_an_alert_tells(void **state)
{
    static struct world w;
    const struct scene *house = scene_of("a house out of communication does not hide it");
    const struct scene *moved =
        scene_of("a site was cut off, and a neighbour draws as much more");
    const struct told *told;
    struct lw_candidate candidate[LW_CANDIDATES];
    struct lw_alarm alarm = {.rule = LW_RULE_FEEDER_RESIDUAL};
    struct lw_alert alert = {.alarm = &alarm};

    (void)state;
    row("the step's time and size, who is silent, where to look");
    run(&w, house);
    told = find(&w, RAISED);
    check(told != NULL);
    check_int(told->evidence.from.ms, T0 + TUESDAY * LW_HOUR);
    check(llabs(told->evidence.detail - 60000) < 6000);
    check_int(told->evidence.nsilent, 1);
    check(told->evidence.confidence_milli > 900);
    check_text(w.ledger->point[told->evidence.silent[0] - 1].id, "HOUSE");
    alarm.evidence = told->evidence;
    alarm.subject = lw_ledger_point(w.ledger, "F");
    alert.ledger = w.ledger;
    check_int(lw_feeder_candidates(&alert, candidate), 4);
    /* The unlicensed one without a meter is in the middle, the closed one farther; CUT
     * has no status before it is cut off. */
    check_text(w.ledger->site[candidate[0].site].id, "LONE");
    check_text(w.ledger->site[candidate[1].site].id, "MINE");
    check_text(w.ledger->site[candidate[2].site].id, "CUT");
    check_text(w.ledger->site[candidate[3].site].id, "WORKS");
    end(&w);

    row("where the load came from");
    run(&w, moved);
    told = find(&w, "raised displacement point/SHOP");
    check(told != NULL);
    check_text(w.ledger->site[told->evidence.other - 1].id, "CUT");
    check(llabs(told->evidence.detail - 40000) < 6000);
    check(llabs(told->evidence.detail2 - 40000) < 6000);
    check(told->evidence.confidence_milli > 900 &&
          told->evidence.confidence_milli <= 964); /* its hours cannot be more alike */
    check(strstr(w.words, "停 (cut off) lost 40") != NULL);
    end(&w);
}

static void
test_what_comes_back(void **state)
{
    static const struct {
        struct scene scene;
        int raised;
    } again[] = {
        {{.name = "each evening a shop is missed whose clock has been set wrong",
          .late = "SHOP",
          .late_from = TUESDAY},
         1},
        {{.name = "a tap on two days of a week",
          .tap_kw = 30,
          .tap_from = TUESDAY,
          .tap_to = TUESDAY + 8,
          .tap_again = TUESDAY + 72},
         1},
        {{.name = "and a week later: another matter",
          .tap_kw = 30,
          .tap_from = TUESDAY,
          .tap_to = TUESDAY + 8,
          .tap_again = TUESDAY + 150},
         2},
    };
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(again); i++) {
        int raised = 0;

        row(again[i].scene.name);
        run(&w, &again[i].scene);
        for (int k = 0; k < w.ntold; k++)
            raised += strcmp(w.told[k].what, RAISED) == 0;
        check_int(raised, again[i].raised);
        end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_what_comes_back),
        cmocka_unit_test(test_what_an_alert_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
