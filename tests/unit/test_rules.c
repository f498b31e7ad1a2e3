/* The rules file: sections for sites of a status and kind. Those that could have no
 * effect are refused; of the others, what holds for all holds in the same way for some.
 */
#include "site_world.h"

static void
test_what_is_refused(void **state)
{
    static const struct {
        const char *name, *text;
        uint32_t line; /* 0: it is none */
        const char *fault;
    } rows[] = {
        {"for a status", "[closed_load closed]\nfor = 1h\n", 0, ""},
        {"for both, in Chinese", "[closed_load 采石场 无证]\nfor = 1h\n", 0, ""},
        {"narrower and narrower",
         "[reference]\nmost = 1.2\n[reference closed]\nmost = 1.3\n"
         "[reference closed sand]\nmost = 1.4\n",
         0, ""},
        {"two that overlap",
         "[reference closed]\nmost = 1.3\n[reference sand]\nmost = 1.4\n", 0, ""},
        {"no such word", "[closed_load]\nfor = 1h\n[closed_load shut]\nfor = 2h\n", 3,
         "[closed_load shut]: \"shut\" is neither a status nor a kind of sites.csv"},
        {"two statuses", "[closed_load closed unlicensed]\nfor = 1h\n", 1,
         "no site is of two statuses; write a section for each"},
        {"two kinds", "[closed_load sand quarry]\nfor = 1h\n", 1,
         "no site is of two kinds; write a section for each"},
        {"a status that the rule does not look at", "[closed_load licensed]\nfor = 1h\n",
         1, "it would change nothing; write it for closed, unlicensed"},
        {"the reference of a lawful site", "[reference licensed]\nmost = 2\n", 1,
         "write it for closed, unlicensed"},
        {"after no cutoff", "[post_cutoff closed]\nclear = 1h\n", 1,
         "write it for cut_off"},
        {"a kind that the rule does not look at",
         "[licence_gap coal_washery]\nfor = 2h\n", 1,
         " and coal_mine, non_coal_mine, quarry, sand"},
        {"a suspended mine's contract", "[over_contract suspended quarry]\nfor = 1h\n", 1,
         "maintenance, licensed, unknown; or suspended, relocating and processing_plant"},
        {"a suspended works' contract",
         "[over_contract suspended processing_plant]\nfor = 1h\n", 0, ""},
        {"a feeder's rule", "[feeder_residual licensed]\nsigmas = 5\n", 1,
         "[feeder_residual licensed]: it is not about single sites; write "
         "[feeder_residual]"},
        {"neighbours on a feeder", "[displacement closed]\nfor = 2h\n", 1,
         "it is not about single sites"},
        {"the ledger's gaps", "[coverage quarry]\ngrace = 1h\n", 1,
         "it is not about single sites"},
        {"a gateway's parameter", "[comm_loss closed]\nleast = 1h\ngateway = 1h\n", 3,
         "\"gateway\" is about gateways, not about sites; write it in [comm_loss]"},
        {"its line's", "[comm_loss closed]\noverruns = 3\n", 2, "gateways"},
        {"the same twice", "[sum_check sand]\nshare = 0.3\n[sum_check sand]\nover = 1d\n",
         3, "[sum_check sand]: it stands twice"},
        {"for all after for some",
         "[closed_load closed]\nfor = 1h\n[closed_load]\nfor = 2h\n", 3,
         "a section for fewer sites stands before it"},
        {"for a kind after for one status of it",
         "[closed_load closed sand]\nfor = 1h\n[closed_load sand]\nfor = 2h\n", 3,
         "a section for fewer sites stands before it"},
        {"a value that only some have", "[night]\n[closed_load sand]\nfor = 9\n", 3,
         "must be a duration"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        static struct lw_faults faults;
        struct lw_rules rules;
        int rc;

        row(rows[i].name);
        memset(&faults, 0, sizeof faults);
        rc = lw_rules_parse("rules.conf", rows[i].text, strlen(rows[i].text), &faults,
                            &rules);
        check_int(rc, rows[i].line == 0 ? 0 : LW_EPARSE);
        check_int(faults.n, rows[i].line != 0);
        if (faults.n == 0)
            continue;
        check_int(faults.fault[0].line, rows[i].line);
        check(strstr(faults.fault[0].text, rows[i].fault) != NULL);
    }
}

/* Each section says whom it is for. */
static void
test_every_section_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < lw_rule_nkeys; i++) {
        static struct lw_faults faults;
        struct lw_rules rules;
        char text[128];

        row(lw_rule_keys[i].section);
        memset(&faults, 0, sizeof faults);
        snprintf(text, sizeof text, "[%s]\n%s = %s\n", lw_rule_keys[i].section,
                 lw_rule_keys[i].name, lw_rule_keys[i].fallback);
        check_int(lw_rules_parse("", text, strlen(text), &faults, &rules), 0);
    }
}

/* --- for all, and for some */

#define FROM (30 * DAY + 8 * HOUR) /* 2025-10-31T08:00:00Z */

static double
guard_house(int q, double degrees)
{
    int h = q / HOUR % 24;

    return (h >= 11 && h < 22 ? 4 : 3) + (degrees < 15 ? 0.2 * (15 - degrees) : 0);
}

static double
autumn(int q)
{
    return (q / HOUR % 24 < 12 ? 18 : 6) - q / DAY * 5 % 7 - (q > FROM ? 12 : 0);
}

/* 20 kW for a working day. */
static double
crusher(int q)
{
    return q >= FROM && q < FROM + 10 * HOUR && q % 5 != 0 ? 20 : 0;
}

static double
one_hour(int q)
{
    return q >= FROM && q < FROM + HOUR ? 2.8 : 0;
}

static double
small_for_weeks(int q)
{
    return q >= FROM ? 0.6 : 0;
}

static double
silent_for_hours(int q)
{
    return q >= FROM && q < FROM + 10 * HOUR ? -1 : 0;
}

/* A saw for an hour now and then while it is learned; then it starts and stops. */
static double
saw(int q)
{
    return q < FROM ? (q / DAY % 5 == 0 && q / HOUR % 24 == 3 ? 5 : 0)
                    : (q / HOUR % 24 < 6 && q % 4 < 2 ? 5 : 0);
}

/* Of 15 kW; then more. */
static double
pump(int q)
{
    return q % 16 > 2 ? 0 : q < FROM ? 15 : 20;
}

static double
stays_dark(int q)
{
    (void)q;
    return 0;
}

static double
back_for_an_hour(int q)
{
    return q > 37 * DAY && q < 37 * DAY + HOUR ? 0.6 : 0;
}

/* From the first day on, above what is declared. */
static double
works(int q)
{
    return q / HOUR % 24 < 12 ? 45 : 0;
}

static const struct field WORKS = {guard_house, works, NULL, NULL, NULL};
static const struct field MACHINE = {guard_house, crusher, NULL, autumn, NULL};
static const struct field SHORT = {guard_house, one_hour, NULL, NULL, NULL};
static const struct field SMALL = {guard_house, small_for_weeks, NULL, NULL, NULL};
static const struct field BUSY = {guard_house, saw, NULL, NULL, NULL};
static const struct field PUMP = {guard_house, NULL, pump, NULL, NULL};
static const struct field SILENT = {guard_house, silent_for_hours, NULL, autumn,
                                    stays_dark};
static const struct field CUT = {guard_house, NULL, NULL, NULL, back_for_an_hour};

/* Sections that change what is told about the world. */
static const struct {
    const char *name;
    const struct field *field;
    const char *section, *key;
    const char *mine, *others; /* the scope of the site; one that it is not in */
} rows[] = {
    {"how far hours move", &MACHINE, "reference", "edge = 6h", "closed", "sand"},
    {"the most that was seen", &SHORT, "reference", "most = 10", "closed", "sand"},
    {"deviations", &SMALL, "reference", "spread = 10", "closed", "sand"},
    {"the usual load", &MACHINE, "reference", "base = 10", "non_coal_mine", "unlicensed"},
    {"the same of a day", &SMALL, "reference", "base_long = 3", "closed", "sand"},
    {"heating", &MACHINE, "reference", "heating = 10", "closed", "sand"},
    {"two intervals", &SHORT, "reference", "pair = 1", "closed", "sand"},
    {"a day and more", &SMALL, "reference", "long = 10", "closed", "sand"},
    {"the least", &MACHINE, "reference", "least_kw = 100", "closed", "closed sand"},
    {"the least of a day", &SMALL, "reference", "least_long_kw = 9", "closed", "sand"},
    {"a known level", &BUSY, "reference", "known = 5", "closed", "sand"},
    {"a start", &BUSY, "reference", "start = 9", "closed", "sand"},
    {"so many of them", &BUSY, "reference", "starts = 12", "closed", "sand"},
    {"a pump's share", &PUMP, "reference", "pump = 1", "closed", "sand"},
    {"a pump's wear", &PUMP, "reference", "wear = 1", "closed", "sand"},
    {"a shift's swing", &WORKS, "reference", "shift_share = 10", "closed", "sand"},
    {"how hours differ", &MACHINE, "reference", "differs_kw = 0\ndiffers_share = 0",
     "closed", "sand"},
    {"what is told at once", &BUSY, "reference", "sure = 10", "closed", "sand"},
    {"quiet", &MACHINE, "reference", "clear = 3d", "closed", "sand"},
    {"the night", &MACHINE, "night", "from_minute = 0\nto_minute = 1439", "closed",
     "licensed"},
    {"a silence", &SILENT, "comm_loss", "least = 11h", "non_coal_mine", "quarry"},
    {"its end", &SILENT, "comm_loss", "clear = 3h", "closed", "licensed"},
    {"after a cutoff", &CUT, "post_cutoff", "clear = 3h", "cut_off", "sand"},
};

static void
play(const char *text, const struct field *field, struct heard *ret)
{
    static struct lw_faults faults;
    static struct world w;
    bool pumped = field->pump != NULL;

    begin(&w, field, pumped ? PUMP_UNMETERED : "", "");
    if (lw_rules_parse("", text, strlen(text), &faults, &w.rules) != 0)
        fail_msg("%s", faults.fault[0].text);
    run_to(&w, FROM + 12 * DAY);
    *ret = w.heard;
    end(&w);
}

static void
test_for_all_and_for_some(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        static struct heard plain, all, mine, others;
        char text[128];

        row(rows[i].name);
        play("", rows[i].field, &plain);
        snprintf(text, sizeof text, "[%s]\n%s\n", rows[i].section, rows[i].key);
        play(text, rows[i].field, &all);
        snprintf(text, sizeof text, "[%s %s]\n%s\n", rows[i].section, rows[i].mine,
                 rows[i].key);
        play(text, rows[i].field, &mine);
        snprintf(text, sizeof text, "[%s %s]\n%s\n", rows[i].section, rows[i].others,
                 rows[i].key);
        play(text, rows[i].field, &others);
        check(strcmp(plain.text, all.text) != 0);
        check(strcmp(all.text, mine.text) == 0);
        check(strcmp(plain.text, others.text) == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_every_section_is_known),
        cmocka_unit_test(test_for_all_and_for_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
