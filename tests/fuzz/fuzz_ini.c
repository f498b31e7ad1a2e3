/* Any bytes as INI text: what is accepted is within the table's limits, what is refused
 * says where. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/ini.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct conf {
    char name[10 + 1];
    int64_t count;
    int64_t power_w;
    int64_t every_ms;
    bool on;
};

static const struct lw_ini_key keys[] = {
    {"daemon", "name", LW_INI_STRING, offsetof(struct conf, name), 0, 10, 0, "shaft", ""},
    {"daemon", "count", LW_INI_INT, offsetof(struct conf, count), -1, 100, 0, "5", ""},
    {"rules", "power_kw", LW_INI_DECIMAL, offsetof(struct conf, power_w), 0, 5500000,
     1000, "1.5", ""},
    {"rules", "every", LW_INI_DURATION, offsetof(struct conf, every_ms), 1000, 86400000,
     0, "15m", ""},
    {"rules", "on", LW_INI_BOOL, offsetof(struct conf, on), 0, 1, 0, "yes", ""},
};
enum {
    NKEYS = sizeof(keys) / sizeof(keys[0])
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_faults faults;
    struct conf conf;

    faults.n = faults.kept = 0;
    lw_ini_defaults(keys, NKEYS, &conf);
    int rc = lw_ini_parse("fuzz", (const char *)data, size, keys, NKEYS, &conf, &faults);
    assert(rc == 0 ? faults.n == 0 : rc == LW_EPARSE && faults.n > 0);
    for (uint32_t i = 0; i < faults.kept; i++)
        assert(faults.fault[i].line >= 1 && faults.fault[i].column >= 1);
    assert(strlen(conf.name) <= 10 && conf.count >= -1 && conf.count <= 100);
    assert(conf.power_w >= 0 && conf.power_w <= 5500000);
    assert(conf.every_ms >= 1000 && conf.every_ms <= 86400000);
    return 0;
}
