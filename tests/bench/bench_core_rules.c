/* What each family of rules costs a reading: the library's table of families is replaced
 * by one that measures. Two hundred closed sites over six weeks, so that references are
 * learned, frozen and compared with. */
#include <time.h>

enum {
    SITES = 200,
    STEPS = 42 * 96,
};

#include "core_world.h"

#include "lib/state.h"

/* Nanoseconds and calls of each family; one row a family below. */
static double spent[32];
static uint64_t calls[32];

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#define MEASURE(row, family, hook, ...)                                                  \
    do {                                                                                 \
        if ((family).hook) {                                                             \
            double begun = now_ns();                                                     \
            (family).hook(__VA_ARGS__);                                                  \
            spent[row] += now_ns() - begun;                                              \
            calls[row]++;                                                                \
        }                                                                                \
    } while (0)

#define MEASURED(row, name)                                                              \
    static void name##_window(struct lw_core *core, const struct window *w)              \
    {                                                                                    \
        MEASURE(row, detect_##name, window, core, w);                                    \
    }                                                                                    \
    static void name##_reading(struct lw_core *core, int32_t meter,                      \
                               const struct judged *judged)                              \
    {                                                                                    \
        MEASURE(row, detect_##name, reading, core, meter, judged);                       \
    }                                                                                    \
    static void name##_meter(struct lw_core *core, int32_t meter)                        \
    {                                                                                    \
        MEASURE(row, detect_##name, meter_timer, core, meter);                           \
    }                                                                                    \
    static void name##_gateway(struct lw_core *core, int32_t gateway)                    \
    {                                                                                    \
        MEASURE(row, detect_##name, gateway_timer, core, gateway);                       \
    }                                                                                    \
    static void name##_ledger(struct lw_core *core)                                      \
    {                                                                                    \
        MEASURE(row, detect_##name, ledger, core);                                       \
    }                                                                                    \
    static const struct family measured_##name = {.window = name##_window,               \
                                                  .reading = name##_reading,             \
                                                  .meter_timer = name##_meter,           \
                                                  .gateway_timer = name##_gateway,       \
                                                  .ledger = name##_ledger};

/* As in lib/detect/families.c. */
#define FAMILIES(X)                                                                      \
    X(0, silence)                                                                        \
    X(1, overrun)                                                                        \
    X(2, wiring)                                                                         \
    X(3, register)                                                                       \
    X(4, stuck)                                                                          \
    X(5, sum)                                                                            \
    X(6, clock)                                                                          \
    X(7, over)                                                                           \
    X(8, share)                                                                          \
    X(9, weather)                                                                        \
    X(10, tip_off)                                                                       \
    X(11, site_load)                                                                     \
    X(12, pattern)                                                                       \
    X(13, cutoff)                                                                        \
    X(14, unusual)                                                                       \
    X(15, feeder)                                                                        \
    X(16, coverage)

FAMILIES(MEASURED)

#define ENTRY(row, name) &measured_##name,
const struct family *const detect_families[] = {FAMILIES(ENTRY)};
const int detect_nfamilies = sizeof detect_families / sizeof detect_families[0];

#define NAME(row, name) #name,
static const char *const names[] = {FAMILIES(NAME)};

/* What two readings of the clock cost by themselves. */
static double
clock_ns(void)
{
    double begun = now_ns();

    for (int i = 0; i < 1000000; i++)
        (void)now_ns();
    return (now_ns() - begun) / 1000000;
}

int
main(void)
{
    struct lw_event *events = calloc(READINGS, sizeof *events);
    struct lw_ledger *ledger = make_ledger();
    struct sheet sheet = make_readings();
    struct lw_faults faults = {0};
    static struct lw_rules rules;
    struct lw_core *core = NULL;
    double begun, whole, overhead = clock_ns(), measured = 0;

    if (!events || lw_rules_parse("", "", 0, &faults, &rules) != 0 ||
        lw_core_new(ledger, &rules, NULL, &core) != 0)
        stop("no memory");
    (void)parse(ledger, &sheet, events);
    begun = now_ns();
    for (int i = 0; i < READINGS; i++)
        lw_core_step(core, &events[i]);
    whole = now_ns() - begun;
    for (int f = 0; f < detect_nfamilies; f++) {
        spent[f] -= overhead * (double)calls[f];
        spent[f] = spent[f] > 0 ? spent[f] : 0;
        whole -= 2 * overhead * (double)calls[f];
    }
    for (int f = 0; f < detect_nfamilies; f++) {
        printf("core.rule_%s\t%.1f\tns/reading\tcore.step\t%.1f\t%.3f\t1.0\tok\n",
               names[f], spent[f] / READINGS, whole / READINGS, spent[f] / whole);
        measured += spent[f];
    }
    printf("core.rules_all\t%.1f\tns/reading\tcore.step\t%.1f\t%.3f\t1.0\tok\n",
           measured / READINGS, whole / READINGS, measured / whole);
    lw_core_free(core);
    free(events);
    free(sheet.s);
    lw_ledger_free(ledger);
    return 0;
}
