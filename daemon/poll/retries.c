/* One heap, one timer. */
#include "daemon/poll/retries.h"

enum {
    AT_ONCE = 128 /* in one turn of the loop */
};

static void
set_timer(struct retries *r)
{
    int32_t line;
    int64_t at;
    if (lw_due_first(r->due, &line, &at))
        clock_timer_set(&r->timer, (lw_mono){at});
    else
        clock_timer_stop(&r->timer);
}

static void
on_timer(void *arg)
{
    struct retries *r = arg;
    int64_t now = clock_now(r->timer.clock).mono.ms, at;
    int32_t line;
    for (int i = 0; i < AT_ONCE && lw_due_first(r->due, &line, &at) && at <= now; i++) {
        lw_due_remove(r->due, line);
        r->retry(r->arg, line);
    }
    set_timer(r);
}

int
retries_init(struct retries *r, struct clock *clock, int32_t n,
             void (*retry)(void *arg, int32_t line), void *arg)
{
    r->retry = retry;
    r->arg = arg;
    clock_timer_init(&r->timer, clock, on_timer, r);
    return lw_due_new(n, &r->due);
}

void
retries_clear(struct retries *r)
{
    if (r->timer.clock != NULL)
        clock_timer_stop(&r->timer);
    lw_due_free(r->due);
    r->due = NULL;
}

void
retries_set(struct retries *r, int32_t line, lw_mono at)
{
    lw_due_set(r->due, line, at.ms);
    set_timer(r);
}

void
retries_remove(struct retries *r, int32_t line)
{
    lw_due_remove(r->due, line);
    set_timer(r);
}
