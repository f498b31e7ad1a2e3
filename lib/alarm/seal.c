/* Seals evidence: a hash of the readings that an alarm rests on, whatever its rule, and
 * of what was learned that they were compared with. Each meter's readings are hashed as
 * they come, by months (UTC); an alarm's hash is one of its meters' months, and is made
 * when it is told. */
#include <math.h>
#include <string.h>

#include <lodewatch/text.h>

#include "lib/detect/feeder.h"
#include "lib/state.h"

/* Months since the year 0, UTC. */
static int32_t
month_of(int64_t ms)
{
    struct lw_civil c = lw_civil_at((lw_wall){ms}, 0);

    return 12 * c.year + c.month - 1;
}

static int64_t
month_begins(int32_t month)
{
    return lw_civil_day(month / 12, month % 12 + 1, 1) * LW_DAY;
}

/* --- the readings of a meter */

void
seal_init(struct seal *seal)
{
    *seal = (struct seal){.n = 0};
    lw_sha256_init(&seal->month);
}

/* Another month begins. */
static void
turn(struct seal *seal, int32_t from, int32_t to)
{
    uint8_t before[LW_SHA256_SIZE];
    uint32_t n = seal->n;

    lw_sha256_get(&seal->month, before);
    seal_init(seal);
    if (to != from + 1)
        return;
    memcpy(seal->before, before, sizeof before);
    seal->nbefore = n;
}

/* Writes v's digits; returns the place after them. */
static char *
digits(char *at, int64_t v)
{
    char text[20];
    size_t i = sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    if (v < 0)
        *at++ = '-';
    do
        text[--i] = (char)('0' + u % 10);
    while ((u /= 10) > 0);
    memcpy(at, text + i, sizeof text - i);
    return at + sizeof text - i;
}

/* Its line; no commas behind the last value. */
void
seal_add(struct seal *seal, int64_t newest, const struct lw_reading *r)
{
    char line[32 + LW_QUANTITIES * 21];
    char *at = digits(line, r->time.ms);
    int commas = 0;

    if (newest != NEVER && newest / LW_DAY != r->time.ms / LW_DAY &&
        month_of(newest) != month_of(r->time.ms))
        turn(seal, month_of(newest), month_of(r->time.ms));
    *at++ = ',';
    *at++ = (char)('0' + lw_reading_quality(r));
    for (int q = 0; q < LW_QUANTITIES; q++) {
        commas++;
        if (!lw_reading_has(r, (enum lw_quantity)q))
            continue;
        for (; commas > 0; commas--)
            *at++ = ',';
        at = digits(at, r->value[q]);
    }
    *at++ = '\n';
    lw_sha256_add(&seal->month, line, (size_t)(at - line));
    seal->n++;
}

/* --- the readings of an alarm */

/* The hash over its meters' months, and what it covers so far. */
struct cover {
    const struct lw_core *core;
    struct lw_evidence *e;
    struct lw_sha256 sha;
    int32_t first; /* the month that it begins with */
};

static void
put_month(struct cover *c, const char *meter, int32_t month, uint32_t n,
          const uint8_t digest[LW_SHA256_SIZE])
{
    char line[LW_ID_MAX + 128], hex[2 * LW_SHA256_SIZE + 1];
    struct lw_text t;

    if (n == 0 || month < c->first)
        return;
    lw_hex(digest, LW_SHA256_SIZE, hex);
    lw_text_init(&t, line, sizeof line);
    lw_text_addf(&t, "%s,%04d-%02d,%u,%s\n", meter, (int)(month / 12),
                 (int)(month % 12 + 1), (unsigned)n, hex);
    lw_sha256_add(&c->sha, line, t.len);
    c->e->readings += n;
}

/* Its row of meters.csv. */
static void
put_row(struct cover *c, int32_t row)
{
    const struct meter_state *m = &c->core->meter[row];
    const char *id = c->core->ledger->meter[row].id;
    uint32_t before = c->e->readings;
    uint8_t digest[LW_SHA256_SIZE];
    int32_t month;

    if (m->newest == NEVER)
        return;
    month = month_of(m->newest);
    lw_sha256_get(&m->seal.month, digest);
    put_month(c, id, month - 1, m->seal.nbefore, m->seal.before);
    put_month(c, id, month, m->seal.n, digest);
    if (c->e->readings == before)
        return;
    c->e->readings_meters++;
    if (m->newest > c->e->readings_to.ms)
        c->e->readings_to.ms = m->newest;
}

static void
put_point(struct cover *c, int32_t point)
{
    const struct lw_metering_point *p = &c->core->ledger->point[point];

    for (int32_t row = p->meter_first; row < p->meter_first + p->meter_n; row++)
        put_row(c, row);
}

/* A feeder and what hangs on it. */
static void
put_feeder(struct cover *c, const struct feeder *f)
{
    put_point(c, f->point);
    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++)
        put_point(c, c->core->child[i].point);
}

/* The feeder that a network rule's subject is, or hangs on; NULL. */
static const struct feeder *
feeder_of(const struct lw_core *core, int32_t point)
{
    for (int32_t i = 0; i < core->nfeeders; i++)
        if (core->feeder[i].point == point)
            return &core->feeder[i];
    for (int32_t i = 0; i < core->nchildren; i++)
        if (core->child[i].point == point)
            return &core->feeder[core->child[i].feeder];
    return NULL;
}

static void
put_subject(struct cover *c, const struct lw_alarm *alarm)
{
    const struct lw_ledger *ledger = c->core->ledger;
    bool network =
        alarm->rule == LW_RULE_FEEDER_RESIDUAL || alarm->rule == LW_RULE_DISPLACEMENT;
    const struct feeder *f = network ? feeder_of(c->core, alarm->subject) : NULL;

    if (alarm->rule == LW_RULE_COVERAGE)
        return; /* the ledger says it */
    switch ((enum lw_subject_kind)alarm->subject_kind) {
    case LW_SUBJECT_SITE:
        for (int32_t i = 0; i < ledger->site[alarm->subject].point_n; i++)
            put_point(c, ledger->site[alarm->subject].point_first + i);
        break;
    case LW_SUBJECT_POINT:
    case LW_SUBJECT_FEEDER:
        if (f)
            put_feeder(c, f);
        else
            put_point(c, alarm->subject);
        break;
    case LW_SUBJECT_GATEWAY:
        break; /* that nothing came rests on no reading */
    }
}

/* --- what was learned */

static void
put_number(struct lw_sha256 *sha, int64_t v)
{
    char line[24];
    char *at = digits(line, v);

    *at++ = '\n';
    lw_sha256_add(sha, line, (size_t)(at - line));
}

static void
put_kw(struct lw_sha256 *sha, const float *kw, int n)
{
    for (int i = 0; i < n; i++)
        put_number(sha, isfinite(kw[i]) ? lrint(1000 * (double)kw[i]) : 0);
}

static void
seal_reference(struct lw_evidence *e, const struct reference *r)
{
    struct lw_sha256 sha;

    if (r->frozen == NEVER)
        return;
    lw_sha256_init(&sha);
    put_kw(&sha, r->mean_kw, PROFILE_HOURS);
    put_kw(&sha, &r->slope_kw, 1);
    put_kw(&sha, r->most_kw, REACHES);
    put_kw(&sha, r->noise_kw, REACHES);
    put_kw(&sha, &r->pump_kw, 1);
    put_kw(&sha, &r->pump_noise_kw, 1);
    e->learned_from = (lw_wall){r->since};
    e->learned_to = (lw_wall){r->frozen};
    lw_sha256_get(&sha, e->learned_sha256);
}

/* It learns on; as it is now. */
static void
seal_profile(struct lw_evidence *e, const struct profile *p)
{
    struct lw_sha256 sha;

    lw_sha256_init(&sha);
    for (int cell = 0; cell < WEEK_HOURS; cell++)
        put_number(&sha, p->cell[cell]);
    e->learned_from = (lw_wall){p->from};
    e->learned_to = (lw_wall){(p->hour + 1) * LW_HOUR};
    lw_sha256_get(&sha, e->learned_sha256);
}

/* The loss, and how far the feeder strays from it: learned, and never again. */
static void
seal_loss(const struct lw_core *core, struct lw_evidence *e, const struct feeder *f)
{
    static const double scale[LOSS_TERMS] = {1, 1e9, 1e15};
    struct lw_sha256 sha;

    lw_sha256_init(&sha);
    for (int i = 0; i < LOSS_TERMS; i++)
        put_number(&sha, llrint(scale[i] * f->loss.term[i]));
    for (int lag = 0; lag < FEEDER_LAGS; lag++)
        put_number(&sha, lrint((double)f->noise_wh[lag]));
    for (int lag = 0; lag < FEEDER_LAGS; lag++)
        put_number(&sha, lrint((double)f->worst_wh[lag]));
    e->learned_from = (lw_wall){f->begun};
    e->learned_to = (lw_wall){f->begun + core->book->all.feeder_residual.learn_ms};
    lw_sha256_get(&sha, e->learned_sha256);
}

static void
seal_learned(const struct lw_core *core, struct lw_alarm *alarm)
{
    const struct site_state *s;
    const struct feeder *f;

    if (alarm->rule == LW_RULE_FEEDER_RESIDUAL) {
        f = feeder_of(core, alarm->subject);
        if (f && f->begun != NEVER)
            seal_loss(core, &alarm->evidence, f);
        return;
    }
    if (alarm->subject_kind != LW_SUBJECT_SITE)
        return;
    s = &core->site[alarm->subject];
    switch ((enum lw_rule_id)alarm->rule) {
    case LW_RULE_NIGHT_LOAD:
    case LW_RULE_PRODUCTION_SHAPE:
    case LW_RULE_SLOW_CREEP:
    case LW_RULE_RE_EMERGENCE:
        seal_reference(&alarm->evidence, &s->reference);
        break;
    case LW_RULE_UNUSUAL_LOAD:
        if (s->profile != LW_NONE)
            seal_profile(&alarm->evidence, &core->profile[s->profile]);
        break;
    default:
        break;
    }
}

void
seal_evidence(const struct lw_core *core, struct lw_alarm *alarm)
{
    struct lw_evidence *e = &alarm->evidence;
    struct cover c = {.core = core, .e = e, .first = month_of(core->now) - 1};

    e->readings = e->readings_meters = 0;
    e->readings_from = (lw_wall){month_begins(c.first)};
    e->readings_to = (lw_wall){0};
    memset(e->sha256, 0, sizeof e->sha256);
    lw_sha256_init(&c.sha);
    put_subject(&c, alarm);
    if (e->readings > 0)
        lw_sha256_get(&c.sha, e->sha256);
    seal_learned(core, alarm);
}
