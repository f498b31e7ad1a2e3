/* Any bytes as the ledger's seven tables: parsed or refused, never worse. Tables are
 * separated by the byte 1; a ledger that is accepted must answer for its own rows. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/ledger.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_faults faults;
    struct lw_ledger_text text = {0};
    struct lw_ledger *ledger = NULL;
    const char *at = (const char *)data, *end = at + size;

    for (int i = 0; i < LW_TABLES && at < end; i++) {
        const char *stop = memchr(at, 1, (size_t)(end - at));
        text.table[i].text = at;
        text.table[i].n = (size_t)((stop != NULL ? stop : end) - at);
        at = stop != NULL ? stop + 1 : end;
    }
    text.holidays = at;
    text.holidays_n = (size_t)(end - at);

    faults = (struct lw_faults){0};
    int rc = lw_ledger_new(&text, &faults, &ledger);
    assert(rc == 0 ? faults.n == 0 : rc == LW_EPARSE && faults.n > 0);
    for (int32_t i = 0; rc == 0 && i < ledger->nmeters; i++) {
        const struct lw_meter *meter = &ledger->meter[i];
        assert(lw_ledger_meter(ledger, meter->id, strlen(meter->id), meter->installed) ==
               i);
        assert(lw_ledger_point(ledger, ledger->point[meter->point].id) == meter->point);
    }
    for (int32_t i = 0; rc == 0 && i < ledger->nsites; i++)
        assert(lw_ledger_site(ledger, ledger->site[i].id) == i);
    for (int32_t i = 0; rc == 0 && i < ledger->nexplanations; i++)
        (void)lw_hours_at(ledger, &ledger->explanation[i].hours, (lw_wall){0});
    lw_ledger_free(ledger);
    return 0;
}
