/* The sentences of the rules about metering, communication and the ledger. */
#include "sentences.h"

#define ZH_METERING    "计量数据异常"
#define EN_METERING    "Metering data anomaly"
#define ZH_REGISTER_OK "{subject}电能示数恢复正常"
#define EN_REGISTER_OK "The energy register of {subject} behaves normally again"
#define ZH_DATA_BACK   "有效样本中不再出现该异常。"
#define EN_DATA_BACK   "Good samples have come without the anomaly."

static const struct sentences table[] = {
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
        .rule = LW_RULE_COMM_LOSS,
        .finding = LW_FOUND_OVERRUN,
        .zh = true,
        .event = "采集超限",
        .raised = "{subject}所接电表过多，在采集周期内读不完",
        .updated = "{subject}所接电表仍然过多，在采集周期内读不完",
        .returned = "{subject}不再有采集超限",
        .active =
            "自{from}起有{overruns}次读表在下一周期开始时尚未完成。这些电表的数据比设定的稀疏。",
        .back = "已有一段时间没有读表超出周期。",
        .action = "延长这些电表的采集周期、减少该线路的电表，或排除使线路变慢的故障",
    },
    {
        .rule = LW_RULE_COMM_LOSS,
        .finding = LW_FOUND_OVERRUN,
        .zh = false,
        .event = "Reads overrun",
        .raised = "{subject} has more meters than can be read in their interval",
        .updated = "{subject} still has more meters than can be read in their interval",
        .returned = "No more overruns at {subject}",
        .active =
            "Since {from} {overruns} reads were due again before they were done. These meters give fewer samples than they should.",
        .back = "For a while every read has been done in time.",
        .action =
            "give the meters a longer interval, take some off this line, or mend what makes it slow",
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

const struct sentences_of lw_words_data = {table, sizeof table / sizeof *table};
