/* Our clock is set back. */
#include "lib/state.h"

static void
no_later(int64_t *at, int64_t than)
{
    if (*at > than)
        *at = than;
}

static void
reference_step_back(struct reference *r, int64_t at)
{
    no_later(&r->next, at);
    no_later(&r->since, lw_floor_to(at, LW_DAY));
    no_later(&r->frozen, at);
}

/* What stands keeps a length. */
static void
excess_step_back(struct excess *e, int64_t at, int64_t interval)
{
    no_later(&e->doubt, at);
    no_later(&e->run.from, at - interval);
    no_later(&e->run.to, at);
}

/* It was set back by more than can be waited out: times that have not come yet were
 * wrong. With them every reading would be late until they come, and nothing judged. */
void
core_step_back(struct lw_core *core, int64_t at)
{
    for (int32_t i = 0; i < core->ledger->nmeters; i++) {
        struct meter_state *m = &core->meter[i];

        if (m->newest > at)
            seal_init(&m->seal); /* what it has is not in the order of time */
        no_later(&m->newest, at);
        no_later(&m->reg.at, at);
        no_later(&m->reg.odd_at, at);
        no_later(&m->moved, at);
        no_later(&m->power_at, at);
        no_later(&m->mute, at);
        no_later(&m->same, at);
        no_later(&m->reversed, at);
        no_later(&m->phase_lost, at);
        for (int b = 0; b < BOUNDARIES; b++)
            if (m->mark[b].at > at)
                m->mark[b].at = NEVER;
    }
    for (int32_t i = 0; i < core->ledger->nsites; i++) {
        struct site_state *s = &core->site[i];
        int64_t closes = lw_floor_to(at, s->interval);

        no_later(&s->closed, closes);
        no_later(&s->load.run.from, at);
        no_later(&s->load.run.to, at);
        no_later(&s->production.run.from, at);
        no_later(&s->production.run.to, at);
        no_later(&s->demand.run.from, at);
        no_later(&s->demand.run.to, at);
        no_later(&s->output.month.from, closes);
        no_later(&s->output.year.from, closes);
        if (s->profile != LW_NONE) {
            no_later(&core->profile[s->profile].from, at);
            no_later(&core->profile[s->profile].hour, at / LW_HOUR);
        }
        no_later(&s->dark.run.from, at);
        no_later(&s->dark.run.to, at);
        reference_step_back(&s->reference, closes);
        excess_step_back(&s->excess, closes, s->interval);
    }
    for (int32_t i = core->first_standing; i != LW_NONE; i = core->standing[i].next)
        no_later(&core->standing[i].alarm.course.to, at);
    for (int32_t i = 0; i < core->nweather; i++)
        no_later(&core->weather[i].hour, at / LW_HOUR);
    feeder_step_back(core, at);
}
