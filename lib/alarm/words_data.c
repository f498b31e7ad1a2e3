/* The sentences of the rules about metering, communication and the ledger. */
#include "sentences.h"

#define ZH_METERING    "计量数据异常"
#define EN_METERING    "Metering data anomaly"
#define ZH_REGISTER_OK "{subject}电能示值恢复正常"
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
        .back =
            "{from}至{to}中断{silent}，现已有有效样本。中断期间的用电以恢复后的示值核对。",
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
            "From {from} to {to} it was silent, {silent}. Good samples come again; check what was used in between against the register.",
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
        .back =
            "{from}至{to}中断{silent}，现已有有效样本。中断期间的用电以恢复后的示值核对。",
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
            "From {from} to {to} it was silent, {silent}. Good samples come again; check what was used in between against the registers.",
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
        .raised = "{subject}电能示值倒走{step_kwh}千瓦时",
        .updated = "{subject}电能示值又倒走{step_kwh}千瓦时",
        .returned = ZH_REGISTER_OK,
        .active = "{to}的示值低于上一次的示值；这不是正常翻转，台账中也没有换表记录。",
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
        .raised = "{subject}电能示值突增{step_kwh}千瓦时",
        .updated = "{subject}电能示值又突增{step_kwh}千瓦时",
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
        .raised = "{subject}有功率而电能示值停走{duration}",
        .updated = "{subject}有功率而电能示值{still}停走，已{duration}",
        .returned = ZH_REGISTER_OK,
        .active =
            "自{from}起平均功率{mean_kw}千瓦，示值应增加约{step_kwh}千瓦时而没有增加。",
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
            "The energy register of {subject} {still} stands, for {duration}, while power flows",
        .returned = EN_REGISTER_OK,
        .active =
            "Since {from} the mean power was {mean_kw} kW, which must have moved the register by about {step_kwh} kWh.",
        .back = EN_DATA_BACK,
        .action = "check the meter's metering and its wiring",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_OVER_RATING,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}的负荷持续超过额定：{duration}用电{step_kwh}千瓦时",
        .updated = "{subject}的负荷再次超过额定：{duration}用电{step_kwh}千瓦时",
        .returned = ZH_REGISTER_OK,
        .active =
            "{from}至{to}的增量超过台账所载额定容量，但各次增量均匀，按实际用电计入。台账的额定值或互感器变比可能有误，或已超载。",
        .back = ZH_DATA_BACK,
        .action = "核对台账的额定容量、互感器变比和现场负荷",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_OVER_RATING,
        .zh = false,
        .event = EN_METERING,
        .raised =
            "The load of {subject} stays above its rating: {step_kwh} kWh over {duration}",
        .updated =
            "The load of {subject} is above its rating again: {step_kwh} kWh over {duration}",
        .returned = EN_REGISTER_OK,
        .active =
            "From {from} to {to} it rose by more than the rating in the ledger, evenly, and is counted as energy. The rating or the transformer's ratio in the ledger may be wrong, or the connection is overloaded.",
        .back = EN_DATA_BACK,
        .action = "check the rating and the ratio in the ledger against the site",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_ERRATIC,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}电能示值{duration}无一可信",
        .updated = "{subject}电能示值仍无一可信，已{duration}",
        .returned = ZH_REGISTER_OK,
        .active =
            "自{from}起电表有应答，但示值忽大忽小，不能相信。没有可信示值不等于没有用电。",
        .back = ZH_DATA_BACK,
        .action = "检查电表、通信地址和数据格式",
    },
    {
        .rule = LW_RULE_REGISTER_JUMP,
        .finding = LW_FOUND_REGISTER_ERRATIC,
        .zh = false,
        .event = EN_METERING,
        .raised = "No register value of {subject} can be believed for {duration}",
        .updated = "Still no register value of {subject} can be believed, for {duration}",
        .returned = EN_REGISTER_OK,
        .active =
            "Since {from} the meter answers, and its register falls and leaps. That is no sign that nothing is used.",
        .back = EN_DATA_BACK,
        .action = "check the meter, its address and the format of its data",
    },
    {
        .rule = LW_RULE_STUCK_REGISTER,
        .finding = LW_FOUND_VALUES_FROZEN,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}全部数值{duration}一字未变",
        .updated = "{subject}全部数值{still}一字未变，已{duration}",
        .returned = "{subject}的数值恢复变化",
        .active =
            "自{from}起电压、电流和示值每次完全相同。电网电压不会如此，电表或采集装置在重复旧数。",
        .back = ZH_DATA_BACK,
        .action = "检查电表和采集装置是否在重复旧数",
    },
    {
        .rule = LW_RULE_STUCK_REGISTER,
        .finding = LW_FOUND_VALUES_FROZEN,
        .zh = false,
        .event = EN_METERING,
        .raised = "No value of {subject} has changed for {duration}",
        .updated = "{still} no value of {subject} changes, for {duration}",
        .returned = "The values of {subject} change again",
        .active =
            "Since {from} voltage, current and register have been the same to the last digit. Mains are never so still: the meter or its gateway repeats old values.",
        .back = EN_DATA_BACK,
        .action = "check whether the meter or its gateway repeats old values",
    },
    {
        .rule = LW_RULE_STUCK_REGISTER,
        .finding = LW_FOUND_POWER_GONE,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}不再给出功率，电能示值{duration}未变",
        .updated = "{subject}{still}不给出功率，电能示值已{duration}未变",
        .returned = "{subject}恢复计量",
        .active =
            "该表以往给出功率，示值从未停这样久；自{from}起示值不动，功率也不再给出。不能据此认为没有用电。",
        .back = ZH_DATA_BACK,
        .action = "核对电表计量和接线；只有上级计量为零或现场照片才能说明已经断电",
    },
    {
        .rule = LW_RULE_STUCK_REGISTER,
        .finding = LW_FOUND_POWER_GONE,
        .zh = false,
        .event = EN_METERING,
        .raised =
            "{subject} gives no power any more, and its register stands for {duration}",
        .updated =
            "{subject} {still} gives no power, and its register stands, for {duration}",
        .returned = "{subject} measures again",
        .active =
            "The meter used to give its power, and its register never stood so long. Since {from} it has done neither. That is no sign that nothing is used.",
        .back = EN_DATA_BACK,
        .action =
            "check the meter and its wiring; only an upstream meter at zero or a field photo shows that a site is dark",
    },
    {
        .rule = LW_RULE_CT_REVERSAL,
        .finding = LW_FOUND_REVERSED,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}电能方向异常已{duration}",
        .updated = "{subject}电能方向{still}异常，已{duration}",
        .returned = "{subject}电能方向恢复正常",
        .active =
            "自{from}起没有一次正常的正向计量：总功率或电能反向，或某相电流为负，或总功率不足同样电流平时的一半；最近总功率{detail_kw}千瓦。台账中没有自备电源或发电说明。多为电流互感器一相或几相接反，实际用电没有计足。",
        .back = ZH_DATA_BACK,
        .action = "核对各相互感器极性和接线，以及是否有未登记的电源",
    },
    {
        .rule = LW_RULE_CT_REVERSAL,
        .finding = LW_FOUND_REVERSED,
        .zh = false,
        .event = EN_METERING,
        .raised = "Energy at {subject} has not flowed as it should for {duration}",
        .updated =
            "Energy at {subject} {still} does not flow as it should, for {duration}",
        .returned = "Energy at {subject} flows forwards again",
        .active =
            "Since {from} it has not once been counted forwards as usual: the whole power, the energy or one phase's current is reversed, or the power is less than half of what these currents used to make; {detail_kw} kW in all at last. The ledger has no generation there. Mostly one current transformer or more is turned, and not all that is used is counted.",
        .back = EN_DATA_BACK,
        .action =
            "check the transformers' polarity, the wiring, and for a source that is not in the ledger",
    },
    {
        .rule = LW_RULE_PHASE_LOSS,
        .finding = LW_FOUND_VOLTAGE_GONE,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}的{phases}失压{duration}",
        .updated = "{subject}的{phases}{still}失压，已{duration}",
        .returned = "{subject}各相恢复",
        .active =
            "自{from}起有电流而{phases}电压远低于该表平时的电压，这部分用电未被计入。",
        .back = ZH_DATA_BACK,
        .action = "核对电压回路、熔断器和接线",
    },
    {
        .rule = LW_RULE_PHASE_LOSS,
        .finding = LW_FOUND_VOLTAGE_GONE,
        .zh = false,
        .event = EN_METERING,
        .raised = "Voltage of {phases} lost at {subject} for {duration}",
        .updated = "Voltage of {phases} {still} lost at {subject}, for {duration}",
        .returned = "All phases of {subject} are back",
        .active =
            "Since {from} current has flowed while the voltage of {phases} was far below what this meter usually has. What that phase uses is not counted.",
        .back = EN_DATA_BACK,
        .action = "check the voltage circuit, its fuses and the wiring",
    },
    {
        .rule = LW_RULE_PHASE_LOSS,
        .finding = LW_FOUND_CURRENT_GONE,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}的{phases}失流{duration}",
        .updated = "{subject}的{phases}{still}失流，已{duration}",
        .returned = "{subject}各相恢复",
        .active =
            "自{from}起其余各相有通常的电流而{phases}没有；该表平时三相都有负荷。这部分用电可能未被计入。",
        .back = ZH_DATA_BACK,
        .action = "核对电流回路、短接和接线",
    },
    {
        .rule = LW_RULE_PHASE_LOSS,
        .finding = LW_FOUND_CURRENT_GONE,
        .zh = false,
        .event = EN_METERING,
        .raised = "Current of {phases} lost at {subject} for {duration}",
        .updated = "Current of {phases} {still} lost at {subject}, for {duration}",
        .returned = "All phases of {subject} are back",
        .active =
            "Since {from} the other phases have carried what they usually carry and {phases} nothing, where all three used to. What that phase uses may not be counted.",
        .back = EN_DATA_BACK,
        .action = "check the current circuit, for a bridge, and the wiring",
    },
    {
        .rule = LW_RULE_SUM_CHECK,
        .finding = LW_FOUND_SUMS_DIFFER,
        .zh = true,
        .event = ZH_METERING,
        .raised =
            "{subject}电能与功率不符：{duration}内示值增加{energy_kwh}千瓦时，功率积分为{step_kwh}千瓦时",
        .updated =
            "{subject}电能与功率仍不符：{duration}内示值增加{energy_kwh}千瓦时，功率积分为{step_kwh}千瓦时",
        .returned = "{subject}电能与功率相符",
        .active =
            "{from}至{to}，同一块表的示值增量与其功率的积分相差超过采样可能造成的误差。",
        .back = ZH_DATA_BACK,
        .action = "核对变比、寄存器换算和接线",
    },
    {
        .rule = LW_RULE_SUM_CHECK,
        .finding = LW_FOUND_SUMS_DIFFER,
        .zh = false,
        .event = EN_METERING,
        .raised =
            "Register and power of {subject} disagree over {duration}: {energy_kwh} kWh counted, {step_kwh} kWh by power",
        .updated =
            "Register and power of {subject} still disagree over {duration}: {energy_kwh} kWh counted, {step_kwh} kWh by power",
        .returned = "Register and power of {subject} agree",
        .active =
            "From {from} to {to} the register and the integral of the same meter's power differ by more than sampling explains.",
        .back = EN_DATA_BACK,
        .action = "check the ratio, the registers' scaling and the wiring",
    },
    {
        .rule = LW_RULE_CLOCK_DRIFT,
        .finding = LW_FOUND_CLOCK_WRONG,
        .zh = true,
        .event = ZH_METERING,
        .raised = "{subject}的时钟{drift}",
        .updated = "{subject}的时钟仍{drift}",
        .returned = "{subject}的时钟已准确",
        .active =
            "{to}读得。需量、费率和电表自己记录的事件以这个时钟为准，不能直接采信；本系统的时间不受影响。",
        .back = ZH_DATA_BACK,
        .action = "为电表校时，并查明停电或更换记录",
    },
    {
        .rule = LW_RULE_CLOCK_DRIFT,
        .finding = LW_FOUND_CLOCK_WRONG,
        .zh = false,
        .event = EN_METERING,
        .raised = "The clock of {subject} is {drift}",
        .updated = "The clock of {subject} is still {drift}",
        .returned = "The clock of {subject} is right again",
        .active =
            "As read at {to}. Its demands, tariffs and own events go by it and cannot be taken as they are; our times do not depend on it.",
        .back = EN_DATA_BACK,
        .action =
            "have the meter's clock set, and look for a loss of supply or an exchange",
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
