/* The sentences of the rules that compare a closed site with its reference. */
#include "sentences.h"

#define ZH_CONSUMPTION "不明原因用电异常"
#define EN_CONSUMPTION "Unexplained consumption"
#define ZH_REFERENCE                                                                     \
    "实测平均{mean_kw}千瓦，最高{peak_kw}千瓦（不含分表已说明的部分）。投运期学得的参考：此时段至多{expected_kw}千瓦，已计入基荷、天黑时的照明，以及此气温下的取暖{heating_kw}千瓦；多出{excess_kwh}千瓦时。用电在上限以内，但与投运期不同。可信度{confidence}。"
#define EN_REFERENCE                                                                     \
    "Measured: mean {mean_kw} kW, peak {peak_kw} kW, beside what sub-meters explain. Expected by the reference that was learned when the site was commissioned: at most {expected_kw} kW, with base, lamps in the dark and {heating_kw} kW of heating at this temperature; {excess_kwh} kWh above it. Within the ceiling, unlike the commissioned load. Confidence {confidence}. "
#define ZH_BEFORE                                                                        \
    "投运期内平均{mean_kw}千瓦，最高{peak_kw}千瓦，低谷{expected_kw}千瓦，每日起落如班次，非照明和取暖所能说明；共{excess_kwh}千瓦时高于低谷。可信度{confidence}。"
#define EN_BEFORE                                                                        \
    "While the site was commissioned: mean {mean_kw} kW, peak {peak_kw} kW, {expected_kw} kW at its least. It rises and falls each day like a shift, by more than lamps and heating explain; {excess_kwh} kWh above its least. Confidence {confidence}. "
#define ZH_PEERS                                                                         \
    "投运期内平均{mean_kw}千瓦，最高{peak_kw}千瓦（不含取暖、水泵和分表已说明的部分），远高于同状态、同类型的站点（{basis}）；按其离散程度和本站另行登记的用电，至多{expected_kw}千瓦；多出{excess_kwh}千瓦时。参考在人工复核前为暂定。可信度{confidence}。"
#define EN_PEERS                                                                         \
    "While the site was commissioned: mean {mean_kw} kW, peak {peak_kw} kW, beside heating, pumps and what sub-meters explain. That is far above the sites of the same status and kind ({basis}); by their spread and what else is declared here at most {expected_kw} kW are expected; {excess_kwh} kWh above it. The reference is provisional until a person has reviewed it. Confidence {confidence}. "
#define ZH_PUMPED                                                                        \
    "水泵实测平均{mean_kw}千瓦。投运期学得：排水随前几日未退尽的降雨和水位而变；按近日雨情、水情可说明平均{expected_kw}千瓦，{basis}；多出{excess_kwh}千瓦时。可信度{confidence}。"
#define EN_PUMPED                                                                        \
    "Measured: the pump draws {mean_kw} kW in the mean. As learned when the site was commissioned, it follows the rain that still drains and the water level; these explain a mean of {expected_kw} kW, with {basis}; {excess_kwh} kWh above it. Confidence {confidence}. "
#define ZH_CUTOFF                                                                        \
    "停电以后示值前进{energy_kwh}千瓦时，最高平均{peak_kw}千瓦；保安电源允许{expected_kw}千瓦，超出{excess_kwh}千瓦时。可信度{confidence}。"
#define EN_CUTOFF                                                                        \
    "Since the cutoff the register advanced by {energy_kwh} kWh, with at most {peak_kw} kW. A safety supply is allowed {expected_kw} kW; {excess_kwh} kWh above it. Confidence {confidence}. "
#define ZH_BACK                                                                          \
    "{from}至{to}：实测平均{mean_kw}千瓦，最高{peak_kw}千瓦，其中超出参考{excess_kwh}千瓦时。{status}"
#define EN_BACK                                                                          \
    "From {from} to {to}: mean {mean_kw} kW, peak {peak_kw} kW, {excess_kwh} kWh of it above what was expected. {status}"
#define ZH_CHECK "核对数据质量、用电说明和现场状态，并复核参考"
#define EN_CHECK                                                                         \
    "check the data's quality, the explanations, the state of the site, and the reference"
#define ZH_PUMP_CHECK "核对水泵、浮球开关和所接负荷，核对雨量计和水位计"
#define EN_PUMP_CHECK                                                                    \
    "check the pump, its switch and what is connected behind it, the rain gauge and the level"

static const struct sentences table[] = {
    {
        .rule = LW_RULE_NIGHT_LOAD,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "上限以内、但与投运期不同的夜间用电：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .updated =
            "上限以内、但与投运期不同的夜间用电再次或持续出现：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .returned = "用电回到参考以内",
        .active = ZH_REFERENCE "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_NIGHT_LOAD,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load at night within the ceiling, unlike the commissioned load: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .updated =
            "Load at night within the ceiling, unlike the commissioned load, again or still: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .returned = "The load is within its reference again",
        .active = EN_REFERENCE "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_NIGHT_LOAD,
        .finding = LW_FOUND_UNLIKE_PEERS,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "投运期内已有的昼夜用电远高于同类站点：平均{mean_kw}千瓦，同类至多{expected_kw}千瓦",
        .updated =
            "投运期内已有的昼夜用电仍在：平均{mean_kw}千瓦，同类至多{expected_kw}千瓦",
        .returned = "用电回到同类站点的范围",
        .active = ZH_PEERS "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_NIGHT_LOAD,
        .finding = LW_FOUND_UNLIKE_PEERS,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load by day and night, there since the site was commissioned, is far above sites like it: mean {mean_kw} kW, at most {expected_kw} kW there",
        .updated =
            "Load by day and night, there since the site was commissioned, is still far above sites like it: mean {mean_kw} kW, at most {expected_kw} kW there",
        .returned = "The load is as that of sites like it",
        .active = EN_PEERS "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_PRODUCTION_SHAPE,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "上限以内、但形同生产的用电：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .updated =
            "上限以内、但形同生产的用电再次或持续出现：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .returned = "用电回到参考以内",
        .active = ZH_REFERENCE "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_PRODUCTION_SHAPE,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load within the ceiling, unlike the commissioned load and like a machine that is started and stopped: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .updated =
            "Load like a machine that is started and stopped, within the ceiling, again or still: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .returned = "The load is within its reference again",
        .active = EN_REFERENCE "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_PRODUCTION_SHAPE,
        .finding = LW_FOUND_PREEXISTING,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "投运期内已有班次形状的用电：平均{mean_kw}千瓦，低谷{expected_kw}千瓦",
        .updated = "班次形状的用电仍在：平均{mean_kw}千瓦，低谷{expected_kw}千瓦",
        .returned = "班次形状的用电已停止",
        .active = ZH_BEFORE "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_PRODUCTION_SHAPE,
        .finding = LW_FOUND_PREEXISTING,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "A shift's load was there while the site was commissioned: mean {mean_kw} kW, {expected_kw} kW at its least",
        .updated =
            "A shift's load is still there: mean {mean_kw} kW, {expected_kw} kW at its least",
        .returned = "The shift's load has stopped",
        .active = EN_BEFORE "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_SLOW_CREEP,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "上限以内、但持续高于投运期的用电：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .updated =
            "上限以内、但持续高于投运期的用电仍在：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .returned = "用电回到参考以内",
        .active = ZH_REFERENCE "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_SLOW_CREEP,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load within the ceiling, lastingly above the commissioned load: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .updated =
            "Load within the ceiling, still above the commissioned load: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .returned = "The load is within its reference again",
        .active = EN_REFERENCE "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_RE_EMERGENCE,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "关闭后监看期内用电回升：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .updated =
            "关闭后监看期内用电仍高：{duration}平均{mean_kw}千瓦，参考{expected_kw}千瓦",
        .returned = "用电回到参考以内",
        .active = ZH_REFERENCE "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_CHECK,
    },
    {
        .rule = LW_RULE_RE_EMERGENCE,
        .finding = LW_FOUND_UNLIKE_REFERENCE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load comes back at a site that was closed not long ago: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .updated =
            "Load is still back at a site that was closed not long ago: mean {mean_kw} kW over {duration}, reference {expected_kw} kW",
        .returned = "The load is within its reference again",
        .active = EN_REFERENCE "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_CHECK,
    },
    {
        .rule = LW_RULE_SLOW_CREEP,
        .finding = LW_FOUND_PUMPED_ON,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "水泵用电多于降雨和水位所能说明：{duration}平均{mean_kw}千瓦，可说明{expected_kw}千瓦",
        .updated =
            "水泵用电仍多于降雨和水位所能说明：{duration}平均{mean_kw}千瓦，可说明{expected_kw}千瓦",
        .returned = "水泵用电回到降雨和水位所能说明的范围",
        .active = ZH_PUMPED "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_PUMP_CHECK,
    },
    {
        .rule = LW_RULE_SLOW_CREEP,
        .finding = LW_FOUND_PUMPED_ON,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "A pump takes more than rain and water level explain: mean {mean_kw} kW over {duration}, {expected_kw} kW explained",
        .updated =
            "A pump still takes more than rain and water level explain: mean {mean_kw} kW over {duration}, {expected_kw} kW explained",
        .returned = "Rain and water level explain the pump again",
        .active = EN_PUMPED "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_PUMP_CHECK,
    },
    {
        .rule = LW_RULE_RE_EMERGENCE,
        .finding = LW_FOUND_PUMPED_ON,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "水泵用电多于降雨和水位所能说明：{duration}平均{mean_kw}千瓦，可说明{expected_kw}千瓦",
        .updated =
            "水泵用电仍多于降雨和水位所能说明：{duration}平均{mean_kw}千瓦，可说明{expected_kw}千瓦",
        .returned = "水泵用电回到降雨和水位所能说明的范围",
        .active = ZH_PUMPED "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = ZH_PUMP_CHECK,
    },
    {
        .rule = LW_RULE_RE_EMERGENCE,
        .finding = LW_FOUND_PUMPED_ON,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "A pump takes more than rain and water level explain: mean {mean_kw} kW over {duration}, {expected_kw} kW explained",
        .updated =
            "A pump still takes more than rain and water level explain: mean {mean_kw} kW over {duration}, {expected_kw} kW explained",
        .returned = "Rain and water level explain the pump again",
        .active = EN_PUMPED "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action = EN_PUMP_CHECK,
    },
    {
        .rule = LW_RULE_POST_CUTOFF,
        .finding = LW_FOUND_AFTER_CUTOFF,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "停电后电能示值仍前进：{energy_kwh}千瓦时",
        .updated = "停电后仍有用电：{energy_kwh}千瓦时",
        .returned = "停电后示值不再前进",
        .active = ZH_CUTOFF "{status}{explanations}",
        .back = ZH_BACK "{explanations}",
        .action = "核对停电记录、保安电源和全部供电点",
    },
    {
        .rule = LW_RULE_POST_CUTOFF,
        .finding = LW_FOUND_AFTER_CUTOFF,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised = "The register advanced after the cutoff: {energy_kwh} kWh",
        .updated = "Load goes on after the cutoff: {energy_kwh} kWh",
        .returned = "The register stands since the cutoff again",
        .active = EN_CUTOFF "{status}{explanations}",
        .back = EN_BACK "{explanations}",
        .action =
            "check the record of the cutoff, the safety supply and all supply points",
    },
};

const struct sentences_of lw_words_reference = {table, sizeof table / sizeof *table};
