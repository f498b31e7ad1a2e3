/* The table of quantities: what a readings CSV and PostgreSQL call them, and what of
 * them can be stored. Power, current and voltage are stored in 32 bits, energy in 64. */
#include <lodewatch/quantity.h>

#include <assert.h>
#include <string.h>

static const struct lw_quantity_info infos[LW_QUANTITIES] = {
    [LW_ACTIVE_POWER] = {"active_power_kw", "p_w", 1000, 3, -INT64_C(2000000000),
                         INT64_C(2000000000), false, "有功功率", "active power"},
    [LW_REACTIVE_POWER] = {"reactive_power_kvar", "q_var", 1000, 3, -INT64_C(2000000000),
                           INT64_C(2000000000), false, "无功功率", "reactive power"},
    [LW_IMPORT] = {"import_kwh", "imp_wh", 1000, 3, 0, INT64_C(1000000000000000), true,
                   "正向有功电能", "imported energy"},
    [LW_EXPORT] = {"export_kwh", "exp_wh", 1000, 3, 0, INT64_C(1000000000000000), true,
                   "反向有功电能", "exported energy"},
    [LW_VOLTAGE_A] = {"voltage_a_v", "v1_dv", 10, 1, 0, 10000000, false, "A 相电压",
                      "voltage of phase A"},
    [LW_VOLTAGE_B] = {"voltage_b_v", "v2_dv", 10, 1, 0, 10000000, false, "B 相电压",
                      "voltage of phase B"},
    [LW_VOLTAGE_C] = {"voltage_c_v", "v3_dv", 10, 1, 0, 10000000, false, "C 相电压",
                      "voltage of phase C"},
    [LW_CURRENT_A] = {"current_a_a", "i1_ma", 1000, 3, -100000000, 100000000, false,
                      "A 相电流", "current of phase A"},
    [LW_CURRENT_B] = {"current_b_a", "i2_ma", 1000, 3, -100000000, 100000000, false,
                      "B 相电流", "current of phase B"},
    [LW_CURRENT_C] = {"current_c_a", "i3_ma", 1000, 3, -100000000, 100000000, false,
                      "C 相电流", "current of phase C"},
    [LW_POWER_FACTOR] = {"power_factor", "pf_m", 1000, 3, -1000, 1000, false, "功率因数",
                         "power factor"},
    [LW_TEMPERATURE] = {"temperature_c", "temp_mc", 1000, 3, -100000, 1000000, false,
                        "温度", "temperature"},
    [LW_RAIN] = {"rain_mm_h", "rain_um_h", 1000, 3, 0, 1000000, false, "雨强",
                 "rain intensity"},
    [LW_WATER_LEVEL] = {"water_level_m", "level_mm", 1000, 3, -100000000, 100000000,
                        false, "水位", "water level"},
};

const struct lw_quantity_info *
lw_quantity_info(enum lw_quantity q)
{
    assert((int)q >= 0 && q < LW_QUANTITIES);
    return &infos[q];
}

int
lw_quantity_find(const char *name, size_t n)
{
    for (int q = 0; q < LW_QUANTITIES; q++) {
        if (strlen(infos[q].name) == n && memcmp(infos[q].name, name, n) == 0)
            return q;
    }
    return -1;
}
