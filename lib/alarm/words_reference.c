/* The sentences of the rules that compare a closed site with its reference. */
#include "sentences.h"

#define ZH_CONSUMPTION "不明原因用电异常"
#define EN_CONSUMPTION "Unexplained consumption"
#define ZH_REFERENCE                                                                     \
    "{from}至{to}：实测平均{mean_kw}千瓦，最高{peak_kw}千瓦（不含分表已说明的用电）。{gap}按四周学得的基准，该时段至多{expected_kw}千瓦，其中已计入基本负荷、夜间照明和当前气温下的取暖{heating_kw}千瓦；多出{excess_kwh}千瓦时。{within}{review}{sure}{status}{explanations}"
#define EN_REFERENCE                                                                     \
    "From {from} to {to}: mean {mean_kw} kW, peak {peak_kw} kW, beside what sub-meters explain. {gap}Expected by the reference that was learned in four weeks: at most {expected_kw} kW, with base load, lamps in the dark and {heating_kw} kW of heating at this temperature; {excess_kwh} kWh above it. {within}{review}{sure}{status}{explanations}"
#define ZH_BEFORE                                                                        \
    "学习基准的四周内平均{mean_kw}千瓦，最高{peak_kw}千瓦，低谷{expected_kw}千瓦；每日起落如同上下班，照明和取暖不能说明，高于低谷的电量共{excess_kwh}千瓦时。{review}{sure}{status}{explanations}"
#define EN_BEFORE                                                                        \
    "In the four weeks of learning: mean {mean_kw} kW, peak {peak_kw} kW, {expected_kw} kW at its least. It rises and falls each day like a shift, by more than lamps and heating explain; {excess_kwh} kWh above its least. {review}{sure}{status}{explanations}"
#define ZH_PEERS                                                                         \
    "学习基准的四周内平均{mean_kw}千瓦，最高{peak_kw}千瓦（不含取暖、水泵和分表已说明的用电），远高于同状态、同类型的点位（{basis}）；按其离散程度和本点位另行登记的用电，至多{expected_kw}千瓦；多出{excess_kwh}千瓦时。{review}{sure}{status}{explanations}"
#define EN_PEERS                                                                         \
    "In the four weeks of learning: mean {mean_kw} kW, peak {peak_kw} kW, beside heating, pumps and what sub-meters explain. That is far above the sites of the same status and kind ({basis}); by their spread and what else is declared here at most {expected_kw} kW are expected; {excess_kwh} kWh above it. {review}{sure}{status}{explanations}"
#define ZH_PUMPED                                                                        \
    "{from}至{to}：水泵实测平均{mean_kw}千瓦。按四周学得的基准，排水随前几日未退尽的降雨和水位而变；近日的雨情、水情可说明平均{expected_kw}千瓦，{basis}；多出{excess_kwh}千瓦时。{review}{sure}{status}{explanations}"
#define EN_PUMPED                                                                        \
    "From {from} to {to} the pump drew {mean_kw} kW in the mean. As learned in four weeks, it follows the rain that still drains and the water level; these explain a mean of {expected_kw} kW, with {basis}; {excess_kwh} kWh above it. {review}{sure}{status}{explanations}"
#define ZH_CUTOFF                                                                        \
    "{from}至{to}：停电后示值前进{energy_kwh}千瓦时，最高平均{peak_kw}千瓦；登记的保安电源平均允许{expected_kw}千瓦，超出{excess_kwh}千瓦时。{sure}{status}{explanations}"
#define EN_CUTOFF                                                                        \
    "From {from} to {to}, after the cutoff, the register advanced by {energy_kwh} kWh, with at most {peak_kw} kW. The safety supply on file allows a mean of {expected_kw} kW; {excess_kwh} kWh above it. {sure}{status}{explanations}"
#define ZH_CUTOFF_BACK                                                                   \
    "{from}至{to}：示值前进{energy_kwh}千瓦时，最高平均{peak_kw}千瓦，其中超出保安电源{excess_kwh}千瓦时。{status}{explanations}"
#define EN_CUTOFF_BACK                                                                   \
    "From {from} to {to} the register advanced by {energy_kwh} kWh, with at most {peak_kw} kW, {excess_kwh} kWh of it above the safety supply. {status}{explanations}"
#define ZH_BACK                                                                          \
    "{from}至{to}：实测平均{mean_kw}千瓦，最高{peak_kw}千瓦，其中超出基准{excess_kwh}千瓦时。{status}{explanations}"
#define EN_BACK                                                                          \
    "From {from} to {to}: mean {mean_kw} kW, peak {peak_kw} kW, {excess_kwh} kWh of it above the reference. {status}{explanations}"
#define ZH_WITHIN "用电回到基准以内"
#define EN_WITHIN "The load is within its reference again"
#define ZH_CHECK  "核对数据质量、用电说明和现场状态，并复核基准"
#define EN_CHECK                                                                         \
    "check the data's quality, the explanations, the state of the site, and the reference"
#define ZH_PUMP_CHECK "核对水泵、浮球开关和所接负荷，核对雨量计和水位计"
#define EN_PUMP_CHECK                                                                    \
    "check the pump, its switch and what is connected behind it, the rain gauge and the level"

/* A rule that compares with the reference: its headlines, and those of what was used
 * while communication was lost. */
#define COMPARED(of, zh_raised, zh_updated, en_raised, en_updated)                                                                                     \
    {                                                                                                                                                  \
        .rule = of,                                                                                                                                    \
        .finding = LW_FOUND_UNLIKE_REFERENCE,                                                                                                          \
        .zh = true,                                                                                                                                    \
        .event = ZH_CONSUMPTION,                                                                                                                       \
        .raised = zh_raised "：{duration}平均{mean_kw}千瓦，基准{expected_kw}千瓦",                                                                    \
        .updated = zh_updated "：{duration}平均{mean_kw}千瓦，基准{expected_kw}千瓦",                                                                  \
        .returned = ZH_WITHIN,                                                                                                                         \
        .active = ZH_REFERENCE,                                                                                                                        \
        .back = ZH_BACK,                                                                                                                               \
        .action = ZH_CHECK,                                                                                                                            \
    },                                                                                                                                                 \
        {                                                                                                                                              \
            .rule = of,                                                                                                                                \
            .finding = LW_FOUND_UNLIKE_REFERENCE,                                                                                                      \
            .zh = false,                                                                                                                               \
            .event = EN_CONSUMPTION,                                                                                                                   \
            .raised = en_raised                                                                                                                        \
            ": mean {mean_kw} kW over {duration}, reference {expected_kw} kW",                                                                         \
            .updated = en_updated                                                                                                                      \
            ": mean {mean_kw} kW over {duration}, reference {expected_kw} kW",                                                                         \
            .returned = EN_WITHIN,                                                                                                                     \
            .active = EN_REFERENCE,                                                                                                                    \
            .back = EN_BACK,                                                                                                                           \
            .action = EN_CHECK,                                                                                                                        \
        },                                                                                                                                             \
        {                                                                                                                                              \
            .rule = of,                                                                                                                                \
            .finding = LW_FOUND_DURING_SILENCE,                                                                                                        \
            .zh = true,                                                                                                                                \
            .event = ZH_CONSUMPTION,                                                                                                                   \
            .raised =                                                                                                                                  \
                "通信中断期间的用电高于基准{beneath}：{duration}平均{mean_kw}千瓦，基准{expected_kw}千瓦",                                             \
            .updated =                                                                                                                                 \
                "通信中断以来的用电高于基准{beneath}：{duration}平均{mean_kw}千瓦，基准{expected_kw}千瓦",                                             \
            .returned = ZH_WITHIN,                                                                                                                     \
            .active = ZH_REFERENCE,                                                                                                                    \
            .back = ZH_BACK,                                                                                                                           \
            .action = ZH_CHECK,                                                                                                                        \
        },                                                                                                                                             \
    {                                                                                                                                                  \
        .rule = of, .finding = LW_FOUND_DURING_SILENCE, .zh = false,                                                                                   \
        .event = EN_CONSUMPTION,                                                                                                                       \
        .raised =                                                                                                                                      \
            "Load{beneath} while communication was lost, unlike the commissioned load: mean {mean_kw} kW over {duration}, reference {expected_kw} kW", \
        .updated =                                                                                                                                     \
            "Load{beneath} since communication was lost, unlike the commissioned load: mean {mean_kw} kW over {duration}, reference {expected_kw} kW", \
        .returned = EN_WITHIN, .active = EN_REFERENCE, .back = EN_BACK,                                                                                \
        .action = EN_CHECK,                                                                                                                            \
    }

/* A rule that finds more pumping than water explains. */
#define PUMPED(of)                                                                                                                        \
    {                                                                                                                                     \
        .rule = of,                                                                                                                       \
        .finding = LW_FOUND_PUMPED_ON,                                                                                                    \
        .zh = true,                                                                                                                       \
        .event = ZH_CONSUMPTION,                                                                                                          \
        .raised =                                                                                                                         \
            "水泵用电多于降雨和水位所能说明：{duration}平均{mean_kw}千瓦，可说明{expected_kw}千瓦",                                       \
        .updated =                                                                                                                        \
            "水泵用电{still}多于降雨和水位所能说明：{duration}平均{mean_kw}千瓦，可说明{expected_kw}千瓦",                                \
        .returned = "水泵用电回到降雨和水位所能说明的范围",                                                                               \
        .active = ZH_PUMPED,                                                                                                              \
        .back = ZH_BACK,                                                                                                                  \
        .action = ZH_PUMP_CHECK,                                                                                                          \
    },                                                                                                                                    \
    {                                                                                                                                     \
        .rule = of, .finding = LW_FOUND_PUMPED_ON, .zh = false, .event = EN_CONSUMPTION,                                                  \
        .raised =                                                                                                                         \
            "A pump takes more than rain and water level explain: mean {mean_kw} kW over {duration}, {expected_kw} kW explained",         \
        .updated =                                                                                                                        \
            "A pump {still} takes more than rain and water level explain: mean {mean_kw} kW over {duration}, {expected_kw} kW explained", \
        .returned = "Rain and water level explain the pump again", .active = EN_PUMPED,                                                   \
        .back = EN_BACK, .action = EN_PUMP_CHECK,                                                                                         \
    }

static const struct sentences table[] = {
    COMPARED(LW_RULE_NIGHT_LOAD, "夜间用电高于基准{beneath}",
             "夜间用电{still}高于基准{beneath}",
             "Load at night{beneath}, unlike the commissioned load",
             "Load at night{beneath}, {still} unlike the commissioned load"),
    COMPARED(LW_RULE_PRODUCTION_SHAPE, "出现基准中没有的成段用电{beneath}",
             "基准中没有的成段用电{still}出现{beneath}",
             "A stretch of load{beneath}, unlike the commissioned load",
             "A stretch of load{beneath}, {still} unlike the commissioned load"),
    COMPARED(LW_RULE_SLOW_CREEP, "用电持续高于基准{beneath}",
             "用电{still}持续高于基准{beneath}",
             "Load{beneath}, lastingly above the commissioned load",
             "Load{beneath}, {still} above the commissioned load"),
    COMPARED(LW_RULE_RE_EMERGENCE, "关闭后监看期内用电回升",
             "关闭后监看期内用电{still}高于基准",
             "Load comes back at a site that was closed not long ago",
             "Load is {still} back at a site that was closed not long ago"),
    {
        .rule = LW_RULE_NIGHT_LOAD,
        .finding = LW_FOUND_UNLIKE_PEERS,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "监测开始时就有的昼夜用电远高于同类点位：平均{mean_kw}千瓦，同类至多{expected_kw}千瓦",
        .updated =
            "远高于同类点位的昼夜用电仍在：平均{mean_kw}千瓦，同类至多{expected_kw}千瓦",
        .returned = "用电回到同类点位的范围",
        .active = ZH_PEERS,
        .back = ZH_BACK,
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_NIGHT_LOAD,
        .finding = LW_FOUND_UNLIKE_PEERS,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load by day and night, there from the beginning, is far above sites like it: mean {mean_kw} kW, at most {expected_kw} kW there",
        .updated =
            "Load by day and night far above sites like it is still there: mean {mean_kw} kW, at most {expected_kw} kW there",
        .returned = "The load is as that of sites like it",
        .active = EN_PEERS,
        .back = EN_BACK,
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_PRODUCTION_SHAPE,
        .finding = LW_FOUND_PREEXISTING,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "监测开始时就有起落如班次的用电：平均{mean_kw}千瓦，低谷{expected_kw}千瓦",
        .updated = "起落如班次的用电仍在：平均{mean_kw}千瓦，低谷{expected_kw}千瓦",
        .returned = "起落如班次的用电已停止",
        .active = ZH_BEFORE,
        .back = ZH_BACK,
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_PRODUCTION_SHAPE,
        .finding = LW_FOUND_PREEXISTING,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "A shift's load has been there from the beginning: mean {mean_kw} kW, {expected_kw} kW at its least",
        .updated =
            "A shift's load is still there: mean {mean_kw} kW, {expected_kw} kW at its least",
        .returned = "The shift's load has stopped",
        .active = EN_BEFORE,
        .back = EN_BACK,
        .action = EN_CHECK,
    },
    PUMPED(LW_RULE_SLOW_CREEP),
    PUMPED(LW_RULE_RE_EMERGENCE),
    {
        .rule = LW_RULE_POST_CUTOFF,
        .finding = LW_FOUND_AFTER_CUTOFF,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "停电后电能示值仍在前进：{excess_kwh}千瓦时没有说明",
        .updated = "停电后仍有用电：{excess_kwh}千瓦时没有说明",
        .returned = "停电后的用电已停止，或未超过保安电源",
        .active = ZH_CUTOFF,
        .back = ZH_CUTOFF_BACK,
        .action = "核对停电记录、保安电源和全部供电点",
    },
    {
        .rule = LW_RULE_POST_CUTOFF,
        .finding = LW_FOUND_AFTER_CUTOFF,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "The register advanced after the cutoff: {excess_kwh} kWh that nothing explains",
        .updated =
            "Load goes on after the cutoff: {excess_kwh} kWh that nothing explains",
        .returned = "Load after the cutoff has stopped, or is within the safety supply",
        .active = EN_CUTOFF,
        .back = EN_CUTOFF_BACK,
        .action =
            "check the record of the cutoff, the safety supply and all supply points",
    },
};

const struct sentences_of lw_words_reference = {table, sizeof table / sizeof *table};
