/* One alarm for people, from its alerts as they were told: its revisions, what it rests
 * on, and the load around it. Wherever the alerts and the readings are from. */
#ifndef DAEMON_CLI_EXPLAIN_ALERT_H
#define DAEMON_CLI_EXPLAIN_ALERT_H

#include <stdbool.h>
#include <stddef.h>

#include <lodewatch/energy.h>
#include <lodewatch/ledger.h>
#include <lodewatch/reading.h>
#include <lodewatch/result.h>

#include "daemon/cli/plot.h"

enum {
    EXPLAIN_REVISIONS = 100, /* that are told of */
    EXPLAIN_METERS = 8,      /* that an alert names */
    EXPLAIN_TIME = 32,
    EXPLAIN_WORD = 16
};

/* One revision; what an alert does not give is NAN. */
struct explain_revision {
    uint32_t number;
    lw_wall at;
    char kind[EXPLAIN_WORD], priority[EXPLAIN_WORD];
    double mean_kw, expected_kw, excess_kwh;
};

/* A meter whose load is the subject's. */
struct explain_meter {
    char id[LW_ID_MAX + 1];
    struct lw_register_state reg;
};

struct explained {
    int n; /* the last one's place is used again when there is no more room */
    struct explain_revision revision[EXPLAIN_REVISIONS];
    char id[64], subject[LW_ID_MAX + 16], rule[32];

    /* The newest evidence that is not a return's: the words and the table. */
    char zh[4096], en[4096];
    lw_wall from, to;
    double mean_kw, peak_kw, energy_kwh, expected_kw, excess_kwh, confidence;
    long long samples_good, samples_expected;
    long long readings, readings_meters; /* 0: it rests on none */
    lw_wall readings_from, readings_to;
    char sha256[65];
    lw_wall learned_from, learned_to;
    char learned_sha256[65]; /* "": nothing was learned */
    int nmeters;
    struct explain_meter meter[EXPLAIN_METERS];
    int points; /* which they are at */
    bool more;  /* the alert has more meters than it names */

    struct plot plot;
};

void explain_init(struct explained *x);
/* The next alert, as lw_alert_json writes it. LW_EPARSE: it is none. */
LW_MUSTCHECK
int explain_take(struct explained *x, const char *json, size_t n);
/* The span of readings that the curve is drawn from; false: there is no load to draw. */
bool explain_span(struct explained *x, lw_wall *ret_from, lw_wall *ret_to);
/* A reading, in the order of time; after explain_span. `modulus_wh`: at which its
 * register begins anew; 0: not known. */
void explain_reading(struct explained *x, const char *meter, const struct lw_reading *r,
                     int64_t modulus_wh);
void explain_print(const struct explained *x, const struct lw_zone *zone);

#endif
