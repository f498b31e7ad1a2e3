/* The table of quantities holds what the readings CSV promises. */
#include "unit.h"

#include <lodewatch/quantity.h>
#include <lodewatch/text.h>

static void
test_columns_of_the_contract(void **state)
{
    static const struct {
        const char *column;
        enum lw_quantity q;
        const char *written;
        int64_t stored;
    } rows[] = {
        {"active_power_kw", LW_ACTIVE_POWER, "1.5", 1500},
        {"reactive_power_kvar", LW_REACTIVE_POWER, "-0.25", -250},
        {"import_kwh", LW_IMPORT, "275615.90", 275615900},
        {"export_kwh", LW_EXPORT, "0.001", 1},
        {"voltage_a_v", LW_VOLTAGE_A, "230.1", 2301},
        {"voltage_b_v", LW_VOLTAGE_B, "230.1", 2301},
        {"voltage_c_v", LW_VOLTAGE_C, "230.1", 2301},
        {"current_a_a", LW_CURRENT_A, "5.125", 5125},
        {"current_b_a", LW_CURRENT_B, "5.125", 5125},
        {"current_c_a", LW_CURRENT_C, "5.125", 5125},
        {"power_factor", LW_POWER_FACTOR, "-0.95", -950},
        {"temperature_c", LW_TEMPERATURE, "-12.5", -12500},
        {"rain_mm_h", LW_RAIN, "2.4", 2400},
        {"water_level_m", LW_WATER_LEVEL, "1.25", 1250},
    };
    (void)state;
    check_int(LENGTH(rows), LW_QUANTITIES);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct lw_quantity_info *info = lw_quantity_info(rows[i].q);
        int64_t value = 0;
        row(rows[i].column);
        check_int(lw_quantity_find(rows[i].column, strlen(rows[i].column)), rows[i].q);
        check_int(lw_quantity_find(rows[i].column, strlen(rows[i].column) - 1), -1);
        check_text(info->name, rows[i].column);
        check_int(lw_decimal_parse(rows[i].written, strlen(rows[i].written),
                                   info->per_unit, &value),
                  0);
        check_int(value, rows[i].stored);
        check(info->min <= value && value <= info->max);
        check_int(info->counter, rows[i].q == LW_IMPORT || rows[i].q == LW_EXPORT);
        check(info->zh[0] != '\0' && info->en[0] != '\0');
        /* power_factor is an int2 in PostgreSQL, the counters int8, all others int4 */
        int64_t most = rows[i].q == LW_POWER_FACTOR ? INT16_MAX : INT32_MAX;
        check(info->counter || (info->min >= -most && info->max <= most));
    }
    check_int(lw_quantity_find("time", 4), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
