/* `lodewatch compact`: packs the readings of closed days and drops what is too old. For a
 * timer, once a night; it may be ended and begun again at any moment. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/faults.h"
#include "daemon/store/history.h"

static const char usage[] =
    "usage: lodewatch compact --config FILE | --conninfo-file FILE\n"
    "\n"
    "Packs the readings of days that are older than [history] hot_days into blocks of one\n"
    "meter and day, checks them, and drops the days' tables; then drops blocks and hours\n"
    "that are older than day_months and hour_years, but for what is held as evidence. Ended\n"
    "at any moment it loses nothing, and goes on where it was the next time. Readings that\n"
    "come late are put to their blocks. Exit code 1: a day was left as it is, or another\n"
    "compaction is under way.\n"
    "\n" CLI_DATABASE_USAGE "  --help                print this\n";

static const struct option options[] = {
    CLI_DATABASE_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void
print_day(void *arg, const struct history_day *day)
{
    int64_t hundredths = day->readings > 0 ? day->bytes * 100 / day->readings : 0;

    (void)arg;
    printf("%s: packed %" PRId64 " readings of %" PRId64 " meters, %" PRId64 ".%02" PRId64
           " bytes each\n",
           day->day, day->readings, day->meters, hundredths / 100, hundredths % 100);
    fflush(stdout);
}

static void
print_dropped(void *arg, const char *table, int64_t rows)
{
    (void)arg;
    if (rows < 0)
        printf("%s: dropped\n", table);
    else
        printf("%s: dropped %" PRId64 " rows, the others are held\n", table, rows);
    fflush(stdout);
}

int
cli_compact(int argc, char **argv)
{
    static const struct history_report report = {.day = print_day,
                                                 .dropped = print_dropped};
    static struct lw_faults faults;
    static struct config config;
    struct cli_database database = {0};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (!cli_database_option(&database, c, optarg))
            return cli_misused(usage);
    }
    if (optind != argc)
        return cli_misused(usage);

    int status = cli_database_load(&database, &config, &faults);

    if (status == CLI_DONE) {
        const struct history_options keep = {.hot_days = config.hot_days,
                                             .day_months = config.day_months,
                                             .hour_years = config.hour_years};

        if (history_compact(config.conninfo, &keep, &report, &faults) < 0)
            status = CLI_FAILED;
    }
    faults_print(stderr, &faults);
    return status;
}
