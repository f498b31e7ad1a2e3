/* The sentences of the rules about a site's consumption. */
#include "sentences.h"

#define ZH_LOAD                                                                                                           \
    "实测平均{mean_kw}千瓦，最高{peak_kw}千瓦，共{energy_kwh}千瓦时；允许{expected_kw}千瓦，超出" \
    "{excess_kwh}千瓦时。"
#define EN_LOAD                                                                          \
    "Measured: mean {mean_kw} kW, peak {peak_kw} kW, {energy_kwh} kWh in all. Allowed: " \
    "{expected_kw} kW; {excess_kwh} kWh above it. "
#define ZH_LOAD_BACK                                                                     \
    "{from}至{to}：实测平均{mean_kw}千瓦，最高{peak_kw}千瓦，共{energy_kwh}千瓦时，其中超出允许值{excess_kwh}千瓦时。{status}"
#define EN_LOAD_BACK                                                                     \
    "From {from} to {to}: mean {mean_kw} kW, peak {peak_kw} kW, {energy_kwh} kWh in all, {excess_kwh} kWh of it above what was allowed. {status}"
#define ZH_CONSUMPTION "不明原因用电异常"
#define EN_CONSUMPTION "Unexplained consumption"
#define ZH_CHECK_LOAD  "核对数据质量、用电说明和现场状态"
#define EN_CHECK_LOAD                                                                    \
    "check the data's quality, the explanations and the state of the site"

static const struct sentences table[] = {
    {
        .rule = LW_RULE_CLOSED_LOAD,
        .finding = LW_FOUND_NO_EXPLANATION,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "状态为“{status_name}”的点位{night}用电：{duration}平均{mean_kw}千瓦",
        .updated =
            "状态为“{status_name}”的点位仍在{night}用电：{duration}平均{mean_kw}千瓦",
        .returned = "用电回到有说明的范围",
        .active = ZH_LOAD "{status}{explanations}",
        .back = ZH_LOAD_BACK "{explanations}",
        .action = ZH_CHECK_LOAD,
    },
    {
        .rule = LW_RULE_CLOSED_LOAD,
        .finding = LW_FOUND_NO_EXPLANATION,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Site with status '{status_name}' drew power{night}: mean {mean_kw} kW over {duration}",
        .updated =
            "Site with status '{status_name}' still draws power{night}: mean {mean_kw} kW over {duration}",
        .returned = "The load is explained again",
        .active = EN_LOAD "{status}{explanations}",
        .back = EN_LOAD_BACK "{explanations}",
        .action = EN_CHECK_LOAD,
    },
    {
        .rule = LW_RULE_CLOSED_LOAD,
        .finding = LW_FOUND_OVER_ALLOWANCE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "{night}用电超过允许值：{duration}平均{mean_kw}千瓦，允许{expected_kw}千瓦",
        .updated =
            "{night}用电仍超过允许值：{duration}平均{mean_kw}千瓦，允许{expected_kw}千瓦",
        .returned = "用电回到允许值以内",
        .active = ZH_LOAD "{status}{explanations}",
        .back = ZH_LOAD_BACK "{explanations}",
        .action = ZH_CHECK_LOAD,
    },
    {
        .rule = LW_RULE_CLOSED_LOAD,
        .finding = LW_FOUND_OVER_ALLOWANCE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load above what is explained{night}: mean {mean_kw} kW over {duration}, {expected_kw} kW allowed",
        .updated =
            "Load still above what is explained{night}: mean {mean_kw} kW over {duration}, {expected_kw} kW allowed",
        .returned = "The load is within what is explained again",
        .active = EN_LOAD "{status}{explanations}",
        .back = EN_LOAD_BACK "{explanations}",
        .action = EN_CHECK_LOAD,
    },
    {
        .rule = LW_RULE_LICENCE_GAP,
        .finding = LW_FOUND_NO_LICENCE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "{unlicensed}有生产负荷：{duration}平均{mean_kw}千瓦",
        .updated = "{unlicensed}仍有生产负荷：{duration}平均{mean_kw}千瓦",
        .returned = "生产负荷已停止，或许可证已齐全",
        .active = ZH_LOAD "{status}{licence_states}{explanations}",
        .back = ZH_LOAD_BACK "{licence_states}",
        .action = "核对许可证台账、用电说明和生产状态",
    },
    {
        .rule = LW_RULE_LICENCE_GAP,
        .finding = LW_FOUND_NO_LICENCE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised = "Production load {unlicensed}: mean {mean_kw} kW over {duration}",
        .updated =
            "Production load continues {unlicensed}: mean {mean_kw} kW over {duration}",
        .returned = "Production load has stopped, or the licences are complete",
        .active = EN_LOAD "{status}{licence_states}{explanations}",
        .back = EN_LOAD_BACK "{licence_states}",
        .action = "check the licences on file, the explanations and what is running",
    },
};

const struct sentences_of lw_words_site = {table, sizeof table / sizeof *table};
