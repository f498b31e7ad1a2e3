/* Where load that a feeder's meters do not see may be looked for first: the sites on the
 * feeder, and those near it that no meter serves, by status and then by distance from the
 * middle of the feeder's sites. An order for visits, no finding about any of them. */
#include <math.h>

#include <lodewatch/words.h>

#define METRES_PER_UDEG  0.111195
#define RADIANS_PER_UDEG (3.14159265358979323846 / 180e6)

/* In the order of looking: where nothing may run, where something may have changed. */
static int
rank_of(const struct lw_site *site, lw_wall at)
{
    switch (lw_site_status_at(site, at)) {
    case LW_CLOSED:
    case LW_UNLICENSED:
    case LW_CUT_OFF:
        return 0;
    case LW_SUSPENDED:
    case LW_STATUS_UNKNOWN:
        return 1;
    case LW_MAINTENANCE:
    case LW_RELOCATING:
        return 2;
    case LW_LICENSED:
        break;
    }
    return site->kind == LW_SITE_OTHER ? -1 : 3; /* a household is none */
}

/* Whether any of the site's meters hangs on the feeder. */
static bool
hangs_on(const struct lw_ledger *ledger, const struct lw_site *site, int32_t feeder)
{
    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        const struct lw_metering_point *point = &ledger->point[p];

        for (int32_t m = point->meter_first; m < point->meter_first + point->meter_n; m++)
            if (ledger->meter[m].parent == feeder)
                return true;
    }
    return false;
}

struct place {
    double lat, lon; /* 1/1,000,000 degree */
};

static double
metres(struct place a, struct place b)
{
    double north = (a.lat - b.lat) * METRES_PER_UDEG;
    double east = (a.lon - b.lon) * METRES_PER_UDEG * cos(a.lat * RADIANS_PER_UDEG);

    return sqrt(north * north + east * east);
}

static struct place
place_of(const struct lw_site *site)
{
    return (struct place){site->lat_udeg, site->lon_udeg};
}

/* The middle of the feeder's sites, and how far the farthest is; false: none is placed.
 */
static bool
extent(const struct lw_ledger *ledger, int32_t feeder, struct place *ret_middle,
       double *ret_m)
{
    struct place sum = {0, 0};
    int32_t n = 0;

    *ret_m = 0;
    for (int32_t i = 0; i < ledger->nsites; i++)
        if (ledger->site[i].has_position && hangs_on(ledger, &ledger->site[i], feeder)) {
            sum.lat += ledger->site[i].lat_udeg;
            sum.lon += ledger->site[i].lon_udeg;
            n++;
        }
    if (n == 0)
        return false;
    *ret_middle = (struct place){sum.lat / n, sum.lon / n};
    for (int32_t i = 0; i < ledger->nsites; i++)
        if (ledger->site[i].has_position && hangs_on(ledger, &ledger->site[i], feeder))
            *ret_m = fmax(*ret_m, metres(*ret_middle, place_of(&ledger->site[i])));
    return true;
}

static bool
before(const struct lw_candidate *a, const struct lw_candidate *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return (uint64_t)a->metres < (uint64_t)b->metres; /* not given: last */
}

int
lw_feeder_candidates(const struct lw_alert *alert,
                     struct lw_candidate ret_candidate[LW_CANDIDATES])
{
    const struct lw_ledger *ledger = alert->ledger;
    int32_t feeder = alert->alarm->subject;
    lw_wall at = lw_alert_moment(alert);
    struct place middle;
    double radius;
    bool placed = extent(ledger, feeder, &middle, &radius);
    int n = 0;

    for (int32_t i = 0; i < ledger->nsites; i++) {
        const struct lw_site *site = &ledger->site[i];
        struct lw_candidate c = {i, rank_of(site, at), LW_NOT_GIVEN};
        int k;

        if (placed && site->has_position)
            c.metres = (int64_t)metres(middle, place_of(site));
        if (c.rank < 0 || (!hangs_on(ledger, site, feeder) &&
                           (site->point_n > 0 || c.metres == LW_NOT_GIVEN ||
                            (double)c.metres > radius)))
            continue;
        k = n;
        while (k > 0 && before(&c, &ret_candidate[k - 1]))
            k--;
        if (k == LW_CANDIDATES)
            continue;
        n = n < LW_CANDIDATES ? n + 1 : n;
        for (int last = n - 1; last > k; last--)
            ret_candidate[last] = ret_candidate[last - 1];
        ret_candidate[k] = c;
    }
    return n;
}
