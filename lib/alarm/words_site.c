/* The sentences of the rules about a site's consumption. */
#include "sentences.h"

#define ZH_LOAD                                                                                                                           \
    "{from}至{to}：实测平均{mean_kw}千瓦，最高{peak_kw}千瓦，共{energy_kwh}千瓦时；允许{expected_kw}千瓦，超出" \
    "{excess_kwh}千瓦时。{gap}{sure}"
#define EN_LOAD                                                                                     \
    "From {from} to {to}: mean {mean_kw} kW, peak {peak_kw} kW, {energy_kwh} kWh in all. Allowed: " \
    "{expected_kw} kW; {excess_kwh} kWh above it. {gap}{sure}"
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
        .raised = "状态为“{status_name}”的点位{night}有用电：{duration}平均{mean_kw}千瓦",
        .updated =
            "状态为“{status_name}”的点位{night}{still}有用电：{duration}平均{mean_kw}千瓦",
        .returned = "用电回到允许范围以内",
        .active = ZH_LOAD "没有说明时只允许电表和照明的用电。{status}{explanations}",
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
            "Site with status '{status_name}' {still} draws power{night}: mean {mean_kw} kW over {duration}",
        .returned = "The load is within what is allowed again",
        .active = EN_LOAD
        "With nothing in force only what a meter and a lamp take is allowed. {status}{explanations}",
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
            "{night}用电{still}超过允许值：{duration}平均{mean_kw}千瓦，允许{expected_kw}千瓦",
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
            "Load {still} above what is explained{night}: mean {mean_kw} kW over {duration}, {expected_kw} kW allowed",
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
        .updated = "{unlicensed}{still}有生产负荷：{duration}平均{mean_kw}千瓦",
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
            "Production load is {still} there {unlicensed}: mean {mean_kw} kW over {duration}",
        .returned = "Production load has stopped, or the licences are complete",
        .active = EN_LOAD "{status}{licence_states}{explanations}",
        .back = EN_LOAD_BACK "{licence_states}",
        .action = "check the licences on file, the explanations and what is running",
    },
    {
        .rule = LW_RULE_UNUSUAL_LOAD,
        .finding = LW_FOUND_UNUSUALLY_HIGH,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "近24小时用电远高于平常：平均{mean_kw}千瓦，平常{expected_kw}千瓦",
        .updated = "用电仍远高于平常：24小时平均{mean_kw}千瓦，平常{expected_kw}千瓦",
        .returned = "用电回到平常水平",
        .active =
            "{from}至{to}：实测平均{mean_kw}千瓦，最高一小时{peak_kw}千瓦；同样时段平常平均{expected_kw}千瓦，共相差{step_kwh}千瓦时。平常值由本点位以往各周同一时段学得。{sure}"
            "{status}{explanations}",
        .back =
            "{from}至{to}：实测平均{mean_kw}千瓦，最高一小时{peak_kw}千瓦；同样时段平常平均{expected_kw}千瓦，共相差{step_kwh}千瓦时。平常值由本点位以往各周同一时段学得。"
            "{status}{explanations}",
        .action = "核对生产情况、用电说明和计量",
    },
    {
        .rule = LW_RULE_UNUSUAL_LOAD,
        .finding = LW_FOUND_UNUSUALLY_HIGH,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load far above the usual over 24 hours: mean {mean_kw} kW, usually {expected_kw} kW",
        .updated =
            "Load still far above the usual: mean {mean_kw} kW over 24 hours, usually {expected_kw} kW",
        .returned = "The load is as usual again",
        .active =
            "From {from} to {to} it drew {mean_kw} kW on average and {peak_kw} kW in its highest hour; usual for these hours is {expected_kw} kW: {step_kwh} kWh apart. What is usual was learned from its own weeks. {sure}"
            "{status}{explanations}",
        .back =
            "From {from} to {to} it drew {mean_kw} kW on average and {peak_kw} kW in its highest hour; usual for these hours is {expected_kw} kW: {step_kwh} kWh apart. What is usual was learned from its own weeks. "
            "{status}{explanations}",
        .action = "check what is produced, the explanations and the metering",
    },
    {
        .rule = LW_RULE_UNUSUAL_LOAD,
        .finding = LW_FOUND_UNUSUALLY_LOW,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "近24小时用电远低于平常：平均{mean_kw}千瓦，平常{expected_kw}千瓦",
        .updated = "用电仍远低于平常：24小时平均{mean_kw}千瓦，平常{expected_kw}千瓦",
        .returned = "用电回到平常水平",
        .active =
            "{from}至{to}：实测平均{mean_kw}千瓦，最高一小时{peak_kw}千瓦；同样时段平常平均{expected_kw}千瓦，共相差{step_kwh}千瓦时。平常值由本点位以往各周同一时段学得。{sure}"
            "{status}{explanations}",
        .back =
            "{from}至{to}：实测平均{mean_kw}千瓦，最高一小时{peak_kw}千瓦；同样时段平常平均{expected_kw}千瓦，共相差{step_kwh}千瓦时。平常值由本点位以往各周同一时段学得。"
            "{status}{explanations}",
        .action = "核对是否停产、计量是否完整，以及通风排水是否保持",
    },
    {
        .rule = LW_RULE_UNUSUAL_LOAD,
        .finding = LW_FOUND_UNUSUALLY_LOW,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Load far below the usual over 24 hours: mean {mean_kw} kW, usually {expected_kw} kW",
        .updated =
            "Load still far below the usual: mean {mean_kw} kW over 24 hours, usually {expected_kw} kW",
        .returned = "The load is as usual again",
        .active =
            "From {from} to {to} it drew {mean_kw} kW on average and {peak_kw} kW in its highest hour; usual for these hours is {expected_kw} kW: {step_kwh} kWh apart. What is usual was learned from its own weeks. {sure}"
            "{status}{explanations}",
        .back =
            "From {from} to {to} it drew {mean_kw} kW on average and {peak_kw} kW in its highest hour; usual for these hours is {expected_kw} kW: {step_kwh} kWh apart. What is usual was learned from its own weeks. "
            "{status}{explanations}",
        .action =
            "check whether production has stopped, whether the metering is whole, and that ventilation and drainage go on",
    },
    {
        .rule = LW_RULE_OVER_CONTRACT,
        .finding = LW_FOUND_OVER_CONTRACT,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "用电超过合同容量：{duration}平均{mean_kw}千瓦，合同{expected_kw}千瓦",
        .updated = "用电仍超过合同容量：{duration}平均{mean_kw}千瓦，最高{peak_kw}千瓦",
        .returned = "用电回到合同容量以内",
        .active = ZH_LOAD "{explanations}",
        .back = ZH_LOAD_BACK "{explanations}",
        .action = "核对合同容量、临时用电手续和设备",
    },
    {
        .rule = LW_RULE_OVER_CONTRACT,
        .finding = LW_FOUND_OVER_CONTRACT,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Demand above the contract: mean {mean_kw} kW over {duration}, {expected_kw} kW contracted",
        .updated =
            "Demand still above the contract: mean {mean_kw} kW over {duration}, peak {peak_kw} kW",
        .returned = "Demand is within the contract again",
        .active = EN_LOAD "{explanations}",
        .back = EN_LOAD_BACK "{explanations}",
        .action = "check the contract, any temporary supply and the plant",
    },
    {
        .rule = LW_RULE_OVER_CONTRACT,
        .finding = LW_FOUND_SUSPENDED_CAPACITY,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "状态为“{status_name}”而使用暂停的容量：{duration}平均{mean_kw}千瓦",
        .updated = "仍在使用暂停的容量：{duration}平均{mean_kw}千瓦",
        .returned = "已不再使用暂停的容量",
        .active = ZH_LOAD "{status}{explanations}",
        .back = ZH_LOAD_BACK "{explanations}",
        .action = "核对暂停手续、用电说明和现场状态",
    },
    {
        .rule = LW_RULE_OVER_CONTRACT,
        .finding = LW_FOUND_SUSPENDED_CAPACITY,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "Suspended capacity in use while the status is '{status_name}': mean {mean_kw} kW over {duration}",
        .updated = "Suspended capacity still in use: mean {mean_kw} kW over {duration}",
        .returned = "Suspended capacity is not in use any more",
        .active = EN_LOAD "{status}{explanations}",
        .back = EN_LOAD_BACK "{explanations}",
        .action =
            "check the suspension on file, the explanations and the state of the site",
    },
    {
        .rule = LW_RULE_OVER_LICENCE,
        .finding = LW_FOUND_OVER_MONTH,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "按电量折算，本月产量约{tonnes}吨，用电超过许可范围{excess_kwh}千瓦时",
        .updated =
            "按电量折算，本月产量约{tonnes}吨，用电已超过许可范围{excess_kwh}千瓦时",
        .returned = "新的计算期内电量折算产量在许可范围内",
        .active =
            "自{from}起用电{energy_kwh}千瓦时，按台账单耗折算约{tonnes}吨；许可年产量{licensed}吨，此期间至多{most_tonnes}吨。折算只是线索，产量以实测为准。"
            "{sure}{licence_states}",
        .back =
            "自{from}起用电{energy_kwh}千瓦时，按台账单耗折算约{tonnes}吨；许可年产量{licensed}吨，此期间至多{most_tonnes}吨。折算只是线索，产量以实测为准。",
        .action = "核对单耗、产量台账，必要时实测",
    },
    {
        .rule = LW_RULE_OVER_LICENCE,
        .finding = LW_FOUND_OVER_MONTH,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "By its energy it produced some {tonnes} t this month, {excess_kwh} kWh more than is licensed",
        .updated =
            "By its energy it produced some {tonnes} t this month, by now {excess_kwh} kWh more than is licensed",
        .returned = "By its energy the output is within the licence again",
        .active =
            "Since {from} it has used {energy_kwh} kWh, by the ledger's energy a tonne some {tonnes} t; licensed are {licensed} t a year, and at most {most_tonnes} t in that time. This is a hint; a survey decides. "
            "{sure}{licence_states}",
        .back =
            "Since {from} it has used {energy_kwh} kWh, by the ledger's energy a tonne some {tonnes} t; licensed are {licensed} t a year, and at most {most_tonnes} t in that time. This is a hint; a survey decides.",
        .action =
            "check the energy a tonne and the records of output, and survey where needed",
    },
    {
        .rule = LW_RULE_OVER_LICENCE,
        .finding = LW_FOUND_OVER_YEAR,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised = "按电量折算，本年产量约{tonnes}吨，用电超过许可范围{excess_kwh}千瓦时",
        .updated =
            "按电量折算，本年产量约{tonnes}吨，用电已超过许可范围{excess_kwh}千瓦时",
        .returned = "新的计算期内电量折算产量在许可范围内",
        .active =
            "自{from}起用电{energy_kwh}千瓦时，按台账单耗折算约{tonnes}吨；许可年产量{licensed}吨，此期间至多{most_tonnes}吨。折算只是线索，产量以实测为准。"
            "{sure}{licence_states}",
        .back =
            "自{from}起用电{energy_kwh}千瓦时，按台账单耗折算约{tonnes}吨；许可年产量{licensed}吨，此期间至多{most_tonnes}吨。折算只是线索，产量以实测为准。",
        .action = "核对单耗、产量台账，必要时实测",
    },
    {
        .rule = LW_RULE_OVER_LICENCE,
        .finding = LW_FOUND_OVER_YEAR,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "By its energy it produced some {tonnes} t this year, {excess_kwh} kWh more than is licensed",
        .updated =
            "By its energy it produced some {tonnes} t this year, by now {excess_kwh} kWh more than is licensed",
        .returned = "By its energy the output is within the licence again",
        .active =
            "Since {from} it has used {energy_kwh} kWh, by the ledger's energy a tonne some {tonnes} t; licensed are {licensed} t a year, and at most {most_tonnes} t in that time. This is a hint; a survey decides. "
            "{sure}{licence_states}",
        .back =
            "Since {from} it has used {energy_kwh} kWh, by the ledger's energy a tonne some {tonnes} t; licensed are {licensed} t a year, and at most {most_tonnes} t in that time. This is a hint; a survey decides.",
        .action =
            "check the energy a tonne and the records of output, and survey where needed",
    },
    {
        .rule = LW_RULE_PROCESS_SHARE,
        .finding = LW_FOUND_PROCESS_SHARE,
        .zh = true,
        .event = ZH_CONSUMPTION,
        .raised =
            "生产环节用电占比高：{duration}平均{mean_kw}千瓦，其中只有{expected_kw}千瓦属于排水、通风等有说明的用电",
        .updated =
            "生产环节用电占比仍高：{duration}平均{mean_kw}千瓦，有说明的{expected_kw}千瓦",
        .returned = "排水、通风等重新占大部分用电",
        .active = ZH_LOAD "{status}{explanations}",
        .back = ZH_LOAD_BACK "{explanations}",
        .action = "核对提升、运输设备是否运行及其说明",
    },
    {
        .rule = LW_RULE_PROCESS_SHARE,
        .finding = LW_FOUND_PROCESS_SHARE,
        .zh = false,
        .event = EN_CONSUMPTION,
        .raised =
            "High share of production processes: mean {mean_kw} kW over {duration}, of which pumps, fans and what else is explained take {expected_kw} kW",
        .updated =
            "Still a high share of production processes: mean {mean_kw} kW over {duration}, {expected_kw} kW of it explained",
        .returned = "Pumps and fans are most of the load again",
        .active = EN_LOAD "{status}{explanations}",
        .back = EN_LOAD_BACK "{explanations}",
        .action = "check whether hoists and transport run, and what explains them",
    },
};

const struct sentences_of lw_words_site = {table, sizeof table / sizeof *table};
