/* Replies into buckets, rounds into load. */
#include "daemon/poll/figures.h"

const int32_t reply_bucket_ms[REPLY_BUCKETS] = {1,   2,   5,   10,   20,   50,
                                                100, 200, 500, 1000, 2000, 5000};

void
reply_times_add(struct reply_times *times, int64_t us)
{
    int i = 0;
    while (i < REPLY_BUCKETS && us > reply_bucket_ms[i] * 1000LL)
        i++;
    times->n[i]++;
    times->sum_us += us > 0 ? (uint64_t)us : 0;
}

void
reply_times_sum(struct reply_times *sum, const struct reply_times *one)
{
    for (int i = 0; i <= REPLY_BUCKETS; i++)
        sum->n[i] += one->n[i];
    sum->sum_us += one->sum_us;
}

uint64_t
reply_times_count(const struct reply_times *times)
{
    uint64_t n = 0;
    for (int i = 0; i <= REPLY_BUCKETS; i++)
        n += times->n[i];
    return n;
}

uint64_t
bus_figures_busy_us(const struct bus_figures *f, int64_t now_us)
{
    return f->busy_us + (f->began_us > 0 ? (uint64_t)(now_us - f->began_us) : 0);
}

int64_t
bus_figures_round_us(const struct bus_figures *f, int64_t now_us)
{
    int64_t so_far = f->began_us > 0 ? now_us - f->began_us : 0;
    return so_far > f->round_us ? so_far : f->round_us;
}

static bool
window_is_over(const struct bus_figures *f, int64_t now_us)
{
    return now_us - f->window_us >= LOAD_WINDOW_S * 1000000LL;
}

int32_t
bus_figures_load(const struct bus_figures *f, int64_t now_us)
{
    int64_t us = now_us - f->window_us;
    bool first = f->load_permille < 0;
    if (us <= 0 || (!first && !window_is_over(f, now_us)))
        return first ? 0 : f->load_permille;
    uint64_t busy_us = bus_figures_busy_us(f, now_us) - f->window_busy_us;
    return (int32_t)(busy_us * 1000 / (uint64_t)us);
}

void
bus_figures_work(struct bus_figures *f, bool works, int64_t now_us)
{
    if (works == (f->began_us > 0))
        return;
    if (f->window_us == 0) {
        f->window_us = now_us;
        f->load_permille = -1; /* there is none yet */
    }
    if (window_is_over(f, now_us)) {
        f->load_permille = bus_figures_load(f, now_us);
        f->window_busy_us = bus_figures_busy_us(f, now_us);
        f->window_us = now_us;
    }
    if (works) {
        f->began_us = now_us;
        return;
    }
    f->round_us = now_us - f->began_us;
    f->busy_us += (uint64_t)f->round_us;
    f->began_us = 0;
}
