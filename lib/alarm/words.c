/* Every sentence of an alert, in Chinese and English: one row a rule and finding, and the
 * phrases around them. What stands in {braces} is filled in by fill.c. */
#include <assert.h>
#include <stddef.h>

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
#define ZH_METERING    "计量数据异常"
#define EN_METERING    "Metering data anomaly"
#define ZH_CHECK_LOAD  "核对数据质量、用电说明和现场状态"
#define EN_CHECK_LOAD                                                                    \
    "check the data's quality, the explanations and the state of the site"
#define ZH_REGISTER_OK "{subject}电能示数恢复正常"
#define EN_REGISTER_OK "The energy register of {subject} behaves normally again"
#define ZH_DATA_BACK   "有效样本中不再出现该异常。"
#define EN_DATA_BACK   "Good samples have come without the anomaly."

/* The first row of a rule also serves a finding that has no row of its own. */
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
    {
        .rule = LW_RULE_COMM_LOSS,
        .finding = LW_FOUND_SILENT_METER,
        .zh = true,
        .event = "通信中断",
        .raised = "{subject}已{silent}无有效数据",
        .updated = "{subject}仍无有效数据，已{silent}",
        .returned = "{subject}恢复通信",
        .active = "最后一个有效样本在{from}。{status}没有数据不等于没有用电。",
        .back = "已有有效样本。中断期间的用电以恢复后的示数核对。",
        .action = "检查通信、网关和电源；只有上级计量为零或现场照片才能说明已经断电",
    },
    {
        .rule = LW_RULE_COMM_LOSS,
        .finding = LW_FOUND_SILENT_METER,
        .zh = false,
        .event = "Communication lost",
        .raised = "No good sample from {subject} for {silent}",
        .updated = "Still no good sample from {subject}, for {silent}",
        .returned = "{subject} communicates again",
        .active =
            "The last good sample was at {from}. {status}A silent meter is not a dark site.",
        .back =
            "Good samples come again. Check what was used in between against the register.",
        .action =
            "check the link, the gateway and its supply; only an upstream meter at zero or a field photo shows that a site is dark",
    },
    {
        .rule = LW_RULE_COMM_LOSS,
        .finding = LW_FOUND_SILENT_GATEWAY,
        .zh = true,
        .event = "通信中断",
        .raised = "{subject}已{silent}无有效数据，涉及{meters}",
        .updated = "{subject}仍无有效数据，已{silent}，涉及{meters}",
        .returned = "{subject}恢复通信",
        .active =
            "自{from}起该网关的全部电表无有效数据，只发一条预警。没有数据不等于没有用电。",
        .back = "已有有效样本。中断期间的用电以恢复后的示数核对。",
        .action =
            "检查网关、其电源和上行链路；只有上级计量为零或现场照片才能说明已经断电",
    },
    {
        .rule = LW_RULE_COMM_LOSS,
        .finding = LW_FOUND_SILENT_GATEWAY,
        .zh = false,
        .event = "Communication lost",
        .raised = "No good sample through {subject} for {silent}: {meters}",
        .updated = "Still no good sample through {subject}, for {silent}: {meters}",
        .returned = "{subject} communicates again",
        .active =
            "Since {from} no meter of this gateway has given a good sample; this is one alert for all of them. A silent meter is not a dark site.",
        .back =
            "Good samples come again. Check what was used in between against the registers.",
        .action =
            "check the gateway, its supply and its uplink; only an upstream meter at zero or a field photo shows that a site is dark",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_FELL,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}电能示数减少{step_kwh}千瓦时",
        .updated = "{subject}电能示数又减少{step_kwh}千瓦时",
        .returned = ZH_REGISTER_OK,
        .active = "{to}的示数低于上一次的示数；这不是正常翻转，台账中也没有换表记录。",
        .back = ZH_DATA_BACK,
        .action = "核对换表记录、电表和接线",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_FELL,
        .zh = false,
        .event = EN_METERING,
        .raised = "The energy register of {subject} fell by {step_kwh} kWh",
        .updated = "The energy register of {subject} fell again, by {step_kwh} kWh",
        .returned = EN_REGISTER_OK,
        .active =
            "The register at {to} is below the one before it. It is no rollover, and the ledger has no meter exchange.",
        .back = EN_DATA_BACK,
        .action = "check the records of exchanges, the meter and its wiring",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_LEAPT,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}电能示数突增{step_kwh}千瓦时",
        .updated = "{subject}电能示数又突增{step_kwh}千瓦时",
        .returned = ZH_REGISTER_OK,
        .active = "{from}至{to}的增量超过该接线所能承载的上限，台账中没有换表记录。",
        .back = ZH_DATA_BACK,
        .action = "核对换表记录、电表和接线",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_LEAPT,
        .zh = false,
        .event = EN_METERING,
        .raised = "The energy register of {subject} leapt by {step_kwh} kWh",
        .updated = "The energy register of {subject} leapt again, by {step_kwh} kWh",
        .returned = EN_REGISTER_OK,
        .active =
            "From {from} to {to} it rose by more than the connection can carry, and the ledger has no meter exchange.",
        .back = EN_DATA_BACK,
        .action = "check the records of exchanges, the meter and its wiring",
    },
    {
        .rule = LW_RULE_STUCK_REGISTER,
        .finding = LW_FOUND_REGISTER_STOOD,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}有功率而电能示数{duration}未变",
        .updated = "{subject}有功率而电能示数仍未变，已{duration}",
        .returned = ZH_REGISTER_OK,
        .active =
            "自{from}起平均功率{mean_kw}千瓦，示数应增加约{step_kwh}千瓦时而没有增加。",
        .back = ZH_DATA_BACK,
        .action = "核对电表计量和接线",
    },
    {
        .rule = LW_RULE_STUCK_REGISTER,
        .finding = LW_FOUND_REGISTER_STOOD,
        .zh = false,
        .event = EN_METERING,
        .raised =
            "The energy register of {subject} stood still for {duration} while power flowed",
        .updated =
            "The energy register of {subject} still stands, for {duration}, while power flows",
        .returned = EN_REGISTER_OK,
        .active =
            "Since {from} the mean power was {mean_kw} kW, which must have moved the register by about {step_kwh} kWh.",
        .back = EN_DATA_BACK,
        .action = "check the meter's metering and its wiring",
    },
    {
        .rule = LW_RULE_COVERAGE,
        .finding = LW_FOUND_NO_METER,
        .zh = true,
        .event = "台账不全",
        .raised = "台账缺少：{gaps}",
        .updated = "台账仍缺少：{gaps}",
        .returned = "台账已补全",
        .active = "缺少上述内容的点位无法被完整监测和处置。",
        .back = "该点位的电表、坐标、责任人和状态均已登记。",
        .action = "补全台账",
    },
    {
        .rule = LW_RULE_COVERAGE,
        .finding = LW_FOUND_NO_METER,
        .zh = false,
        .event = "Ledger incomplete",
        .raised = "Missing from the ledger: {gaps}",
        .updated = "Still missing from the ledger: {gaps}",
        .returned = "The ledger is complete",
        .active =
            "Without these the site can be neither watched nor visited as it should.",
        .back = "The site has a meter, coordinates, a responsible person and a status.",
        .action = "complete the ledger",
    },
};

const struct sentences *
lw_sentences(enum lw_rule_id rule, enum lw_finding finding, bool zh)
{
    const struct sentences *row = NULL;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].rule == rule && table[i].zh == zh &&
            (!row || table[i].finding == finding))
            row = &table[i];
    assert(row);
    return row;
}

static const struct {
    const char *zh, *en;
} phrases[PHRASES] = {
    [EVENT] = {"{event}", "{event}"},
    [HEADLINE] = {"{headline}", "{headline}"},
    [DESCRIPTION] = {"{description}", "{description}"},
    [INSTRUCTION] =
        {"{instruction}本预警不是违法认定，不得据此停电。",
         "{instruction}This is not a finding of illegality and is no ground for disconnection."},
    [LINE] = {"{where}{headline}。{description}", "{where}{headline}. {description}"},
    [WHERE] = {"{site}：", "{site}: "},
    [ON_RAISED] = {"请在{ack}内确认，并{action}。",
                   "Acknowledge within {ack}; {action}. "},
    [ON_UPDATED] = {"请跟进：{action}。", "Follow up: {action}. "},
    [ON_RETURNED] = {"请查明恢复原因后再结束处置。",
                     "Find out why it returned before the matter is closed. "},
    [AT_NIGHT] = {"夜间", " at night"},
    [STATUS] = {"登记状态为“{status_name}”", "Registered status: '{status_name}'"},
    [SINCE] = {"（自{since}起）", " since {since}"},
    [DOCUMENT] = {"，依据{document}", ", by {document}"},
    [NOTHING_ON_FILE] = {"没有登记任何用电说明。", "No explanation is on file. "},
    [ON_FILE] = {"用电说明：", "Explanations on file: "},
    [LIMIT] = {"，上限{limit_kw}千瓦", ", at most {limit_kw} kW"},
    [IN_FORCE] = {"{id}（{what}{limit}）有效", "{id} ({what}{limit}) is in force"},
    [NOT_YET] = {"{id}（{what}{limit}）自{valid_from}起才有效",
                 "{id} ({what}{limit}) is not in force before {valid_from}"},
    [EXPIRED] = {"{id}（{what}{limit}）已于{valid_to}到期",
                 "{id} ({what}{limit}) expired at {valid_to}"},
    [OUTSIDE_HOURS] = {"{id}（{what}{limit}）不含该时段",
                       "{id} ({what}{limit}) does not cover these hours"},
    [EXCEEDED] = {"{id}（{what}{limit}）已被超出", "{id} ({what}{limit}) is exceeded"},
    [MORE] = {"；另有{more}项", "; {more} more on file"},
    [SEMICOLON] = {"；", "; "},
    [STOP] = {"。", ". "},
    [COMMA] = {"、", ", "},
    [GONE] = {"{subject}已不在台账中，不再监测",
              "{subject} is in the ledger no more and is not watched"},
    [GONE_WHY] =
        {"预警因台账变更而结束，并非用电已得到说明。",
         "The alarm ended because the ledger changed, not because the load was explained."},
    [UNLICENSED] = {"无有效{licences}而", "without a valid {licences}"},
    [BY_STATUS] = {"状态为“{status_name}”而", "while the status is '{status_name}'"},
    [BOTH_MISSING] = {"和", " or "},
    [NONE_ON_FILE] = {"{licence}：未登记", "No {licence} is on file"},
    [LICENCE_TO] = {"{licence}已于{licence_to}到期",
                    "The {licence} expired at {licence_to}"},
    [LICENCE_FROM] = {"{licence}自{licence_from}起才有效",
                      "The {licence} is not valid before {licence_from}"},
    [MINING] = {"采矿许可证", "mining licence"},
    [SAFETY] = {"安全生产许可证", "safety production licence"},
    [GAP_METER] = {"电表", "a meter"},
    [GAP_POSITION] = {"坐标", "coordinates"},
    [GAP_RESPONSIBLE] = {"责任人", "a responsible person"},
    [GAP_STATUS] = {"监管状态", "a status"},
    [THE_POINT] = {"计量点{id_of}", "metering point {id_of}"},
    [THE_FEEDER] = {"馈线计量点{id_of}", "feeder point {id_of}"},
    [THE_GATEWAY] = {"网关{id_of}", "gateway {id_of}"},
};

const char *
lw_phrase(enum phrase phrase, bool zh)
{
    return zh ? phrases[phrase].zh : phrases[phrase].en;
}
