/* Every name that a ledger's files may use, in one place: columns and enum values, in
 * English and Chinese, with the aliases that registers in the field really carry. */
#include "names.h"

#include <stdint.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct word {
    const char *name;    /* as the English CSV has it */
    const char *zh;      /* for people; also accepted */
    const char *en;      /* for people, in a sentence */
    const char *aliases; /* accepted, separated by '|' */
};

static const struct word levels[] = {
    [LW_COUNTY] = {"county", "县", "county", "县级|区|市|县区|县市区|市辖区|县级市|旗"},
    [LW_TOWNSHIP] = {"township", "乡镇", "township",
                     "乡|镇|街道|镇街|乡级|镇级|乡镇级|乡镇街道|街道办"},
    [LW_VILLAGE] = {"village", "村", "village", "村级|行政村|自然村|社区|村庄|村社区"},
    [LW_GULLY] = {"gully", "沟", "gully", "沟级|沟道|山沟|沟谷"},
    [LW_OPENING] = {"opening", "洞（井）", "mine opening",
                    "洞|井|矿|洞口|井口|硐|硐口|坑口|矿洞|矿井|矿口"},
};

static const struct word site_kinds[] = {
    [LW_COAL_MINE] = {"coal_mine", "煤矿", "coal mine",
                      "煤矿企业|煤矿矿井|井工煤矿|露天煤矿|矿井"},
    [LW_NON_COAL_MINE] =
        {"non_coal_mine", "非煤矿山", "non-coal mine",
         "非煤矿|非煤|金属非金属矿山|金属矿|铁矿|铝土矿|石膏矿|铜矿|金矿"},
    [LW_QUARRY] = {"quarry", "采石场", "quarry",
                   "采石|石场|石料场|石矿|露天采石场|石灰岩矿"},
    [LW_SAND] = {"sand", "采砂场", "sand pit",
                 "采砂|采砂点|砂场|沙场|采沙场|采沙|挖沙场|砂石场|河道采砂|砂石料场"},
    [LW_PROCESSING_PLANT] =
        {"processing_plant", "矿产品加工厂", "processing plant",
         "加工厂|加工企业|矿产品加工|矿产品加工企业|选矿厂|选厂|石料加工厂|"
         "石料厂|破碎厂|碎石厂|石子厂|砂石加工厂"},
    [LW_COAL_WASHERY] =
        {"coal_washery", "洗煤厂", "coal washery",
         "选煤厂|洗（选）煤厂|洗选煤|洗煤|配煤厂|型煤厂|型煤加工|洗煤企业"},
    [LW_HAZARDOUS_CHEMICAL] = {"hazardous_chemical", "危险化学品企业",
                               "hazardous-chemicals enterprise",
                               "危险化学品|危化品|危化|危化企业|危化品企业|化工企业"},
    [LW_UNLICENSED_POINT] =
        {"unlicensed_point", "无证采矿点", "unlicensed mining point",
         "无证点|无证矿点|无证矿山|无证开采点|非法采矿点|违法采矿点|私采点|"
         "盗采点|私挖滥采点|黑口子"},
    [LW_SITE_OTHER] = {"other", "其他", "other site", "其它"},
};

static const struct word statuses[] = {
    [LW_CLOSED] =
        {"closed", "关闭", "closed",
         "已关闭|关停|已关停|关闭退出|政策性关闭|闭坑|闭矿|闭库|取缔|已取缔|取缔关闭|"
         "废弃|退出|已注销|注销"},
    [LW_UNLICENSED] = {"unlicensed", "无证", "unlicensed",
                       "无证照|无许可|无许可证|未取得许可|未办证|未持证|无证开采"},
    [LW_SUSPENDED] =
        {"suspended", "停产", "suspended",
         "已停产|停产整顿|停产整改|停工|停工停产|停业|停业整顿|责令停产|长期停产|暂停"},
    [LW_MAINTENANCE] = {"maintenance", "检修", "under maintenance",
                        "检修中|停产检修|设备检修|维修|维修中|维护|维护中"},
    [LW_LICENSED] =
        {"licensed", "持证", "licensed",
         "有证|已持证|持证生产|持证在产|正常生产|正常|生产|在产|在营|合法|证照齐全"},
    [LW_RELOCATING] = {"relocating", "搬迁", "relocating",
                       "搬迁中|待搬迁|限期搬迁|迁建|迁移|迁移中|异地搬迁"},
    [LW_CUT_OFF] = {"cut_off", "已停电", "cut off",
                    "停电|断电|已断电|停止供电|终止供电|已终止供电|停供"},
    [LW_STATUS_UNKNOWN] = {"unknown", "未知", "of unknown status",
                           "不明|不详|待核实|待核查|待查|待定"},
};

static const struct word datums[] = {
    [LW_WGS84] = {"WGS84", "WGS84", "WGS84", "WGS84坐标系|GPS|GPS坐标"},
    [LW_CGCS2000] = {"CGCS2000", "CGCS2000", "CGCS2000",
                     "2000国家大地坐标系|国家2000|大地2000|国家2000坐标系|2000坐标系|"
                     "CGCS2000坐标系|2000"},
    [LW_GCJ02] = {"GCJ02", "GCJ02", "GCJ02",
                  "GCJ02坐标系|火星坐标|火星坐标系|高德|腾讯|高德坐标"},
    [LW_DATUM_NONE] = {"", "", "", ""},
};

static const struct word licences[] = {
    [LW_LICENCE_MINING] = {"mining", "采矿许可证", "mining licence",
                           "采矿|采矿许可|采矿证|采砂许可证|采砂许可|河道采砂许可证"},
    [LW_LICENCE_SAFETY] =
        {"safety", "安全生产许可证", "work-safety licence",
         "安全|安全生产|安全生产许可|安全许可|安全许可证|安全证|安许证"},
};

static const struct word explanations[] = {
    [LW_GUARD_HOUSE] = {"guard_house", "看护用电", "guard house",
                        "看护|看护房|看护点|看守|值守|留守|值班|值班室|值班房|门房|门卫"},
    [LW_DEWATERING] = {"dewatering", "排水", "dewatering",
                       "抽水|抽排水|排水用电|矿井排水|疏干排水|矿井抽水|抽水泵"},
    [LW_VENTILATION] = {"ventilation", "通风", "ventilation",
                        "通风用电|矿井通风|主扇|局扇|瓦斯抽采"},
    [LW_UNDER_MAINTENANCE] = {"maintenance", "检修", "approved maintenance",
                              "检修用电|设备检修|维修|维护|维修用电"},
    [LW_RESCUE] = {"rescue", "抢险救援", "rescue", "救援|抢险|应急救援|应急抢险|应急"},
    [LW_RESTART] = {"restart", "复工复产", "approved restart",
                    "复产|复工|恢复生产|启封|试生产"},
    [LW_TEMPORARY_SUPPLY] = {"temporary_supply", "临时用电", "temporary supply",
                             "临时供电|临电|施工用电|基建用电"},
    [LW_METERING_TEST] = {"metering_test", "计量检验", "metering test",
                          "计量测试|计量试验|计量检定|校表|表计校验|现场校验|试验"},
    [LW_RESIDENT] = {"resident", "居民用电", "residents",
                     "居民|居民生活|居民生活用电|生活用电|民用"},
    [LW_GENERATION] = {"generation", "自发电", "own generation",
                       "自备发电|自备电源|发电|光伏|光伏发电|分布式光伏|反送电"},
    [LW_HEATING] = {"heating", "采暖", "heating",
                    "取暖|供暖|电采暖|电取暖|采暖用电|煤改电"},
    [LW_LIGHTING] = {"lighting", "照明", "lighting", "路灯|照明用电|亮化"},
    [LW_EXPLANATION_OTHER] = {"other", "其他", "other explanation", "其它"},
};

static const struct word transports[] = {
    [LW_TCP] = {"tcp", "Modbus TCP", "Modbus TCP", "网络|以太网|网口"},
    [LW_TLS] = {"tls", "Modbus TCP（TLS）", "Modbus TCP over TLS",
                "加密|加密TCP|Modbus TLS"},
    [LW_RTU] = {"rtu", "串口 RTU", "Modbus RTU", "串口|RS485|485|485串口|Modbus RTU"},
    [LW_RTU_OVER_TCP] = {"rtu_over_tcp", "TCP 透传 RTU", "Modbus RTU over TCP",
                         "透传|串口服务器|网络透传"},
    [LW_DIAL_IN_TCP] = {"dial_in_tcp", "终端上线 TCP", "dial-in Modbus TCP",
                        "主动上线TCP|拨入TCP|DTU TCP"},
    [LW_DIAL_IN_RTU] = {"dial_in_rtu", "终端上线 RTU", "dial-in Modbus RTU",
                        "主动上线RTU|主动上线|拨入RTU|DTU|DTU透传|DTU RTU"},
};

static const struct word parities[] = {
    [LW_PARITY_NONE] = {"none", "无校验", "no parity", "无|N|no"},
    [LW_PARITY_EVEN] = {"even", "偶校验", "even parity", "偶|E"},
    [LW_PARITY_ODD] = {"odd", "奇校验", "odd parity", "奇|O"},
};

static const struct word roles[] = {
    [LW_SUPPLY] =
        {"supply", "总表", "supply meter",
         "供电|供电点|受电点|进线|总计量|主表|户表|用户表|关口|关口表|结算|结算表"},
    [LW_SUB] = {"sub", "分表", "sub-meter", "子表|分计量|分路|支路|支路表|分表计量"},
    [LW_FEEDER] =
        {"feeder", "馈线", "feeder",
         "线路|线路表|馈线表|馈线总表|10kV线路|10kV馈线|出线|台区总表|考核表|台区考核表"},
    [LW_CONTEXT] = {"context", "环境量", "context instrument",
                    "环境|气象|气象站|雨量|雨量计|水位|水位计|温度|传感器|辅助"},
};

static const struct word ranks[] = {
    [LW_CHIEF] = {"chief", "主要负责人", "chief",
                  "正职|正|主|主要领导|主要责任人|第一责任人|责任人|负责人|主责|A岗"},
    [LW_DEPUTY] = {"deputy", "分管负责人", "deputy",
                   "副职|副|分管|分管领导|分管责任人|直接责任人|备|B岗"},
};

static const struct {
    const struct word *words;
    int n;
} enums[] = {
    [LW_ENUM_LEVEL] = {levels, COUNT(levels)},
    [LW_ENUM_SITE_KIND] = {site_kinds, COUNT(site_kinds)},
    [LW_ENUM_STATUS] = {statuses, COUNT(statuses)},
    [LW_ENUM_DATUM] = {datums, COUNT(datums)},
    [LW_ENUM_LICENCE] = {licences, COUNT(licences)},
    [LW_ENUM_EXPLANATION] = {explanations, COUNT(explanations)},
    [LW_ENUM_TRANSPORT] = {transports, COUNT(transports)},
    [LW_ENUM_PARITY] = {parities, COUNT(parities)},
    [LW_ENUM_ROLE] = {roles, COUNT(roles)},
    [LW_ENUM_RANK] = {ranks, COUNT(ranks)},
};

/* Columns: the same name in several files has its aliases here once. A unit that is not
 * ours (万吨, kVA, MW) must not be an alias: such a column is kept in `extra`. */
static const struct {
    const char *name;
    const char *aliases;
} columns[] = {
    {"area_id",
     "区域编号|区域编码|区域|区划编码|区划代码|行政区划代码|行政区划|所属区域|所在区域|"
     "所属乡镇|所在村"},
    {"parent_id", "上级编号|上级编码|上级|上级区域|上级区域编号|父级|父级编号|上级计量点|"
                  "上级计量点编号|所属馈线|所属线路"},
    {"level", "级别|层级|区域级别|行政级别"},
    {"name",
     "名称|区域名称|站点名称|矿点名称|矿山名称|矿名|企业名称|单位名称|用户名称|户名|姓名"},
    {"name_en", "英文名|英文名称"},
    {"contact_id", "联系人编号|人员编号|责任人编号"},
    {"role",
     "职责|角色|责任类型|岗位|职务|表计角色|表计用途|计量点类型|计量点用途|计量点性质"},
    {"rank", "正副职|主副|职级|级别"},
    {"phone", "电话|联系电话|手机|手机号|手机号码|联系方式"},
    {"channel", "通知方式|通知渠道|渠道|推送方式"},
    {"user", "账号|用户账号|登录名|登录账号|系统账号"},
    {"site_id",
     "站点编号|站点编码|站点|站点ID|所属站点|矿点编号|矿点编码|矿山编号|点位编号|企业编号|"
     "监管点编号"},
    {"kind",
     "类型|类别|种类|站点类型|站点类别|矿点类型|行业类别|证照类型|证照种类|证件类型|许可类型|"
     "许可证类型|说明类型|说明类别|用电性质|用电原因|用电类型|情形"},
    {"status", "状态|监管状态|站点状态|矿点状态|生产状态|现状"},
    {"status_since",
     "状态起始|状态起始时间|状态起始日期|状态日期|状态时间|状态变更日期|关闭日期|"
     "关闭时间|关停日期|关停时间"},
    {"status_document",
     "状态文件|状态文号|状态依据|依据文件|依据文号|文号|关闭文件|关闭文号|决定文号"},
    {"lat", "纬度|北纬"},
    {"lon", "经度|东经"},
    {"datum", "坐标系|坐标系统|坐标基准|大地基准"},
    {"contract_kw", "合同容量|合同容量kW|合同容量千瓦|合同功率|合同功率kW|合同功率千瓦"},
    {"credit_code", "统一社会信用代码|社会信用代码|信用代码"},
    {"important_user", "重要用户|重要电力用户|是否重要用户"},
    {"own_generation", "自备电源|自备发电|自发电|有无自备电源|是否有自备电源"},
    {"residents_downstream", "下接居民|带居民|是否带居民|转供居民|居民转供"},
    {"tags", "标签|标记|风险标签"},
    {"reference_reviewed_by", "基准复核人|用电基准复核人"},
    {"reference_reviewed_at", "基准复核日期|基准复核时间|用电基准复核日期"},
    {"reference_from", "基准起始|基准起始时间|基准起始日期|基准重学时间|基准重学日期"},
    {"number", "证号|许可证号|许可证编号|证照编号|证书编号|证件号|编号"},
    {"valid_from",
     "有效期起|有效期始|有效期自|生效日期|生效时间|起始日期|起始时间|开始日期|开始时间|"
     "发证日期"},
    {"valid_to",
     "有效期止|有效期至|截止日期|截止时间|到期日期|到期时间|结束日期|结束时间|失效日期|"
     "终止日期"},
    {"capacity_t_per_year",
     "核定产能吨/年|年产能吨|核定产能吨|生产能力吨/年|生产规模吨/年|"
     "核定生产能力吨/年"},
    {"kwh_per_tonne",
     "吨矿电耗|吨煤电耗|吨产品电耗|吨电耗|单位电耗|吨矿电耗kWh/t|单位电耗kWh/t|"
     "吨煤电耗kWh/t"},
    {"explanation_id", "说明编号|说明编码|用电说明编号"},
    {"max_kw",
     "最大功率|最大功率kW|最大负荷|最大负荷kW|功率上限|功率上限kW|负荷上限|负荷上限kW|"
     "允许功率|允许功率kW|允许负荷|上限kW|上限千瓦"},
    {"hours", "时段|时间段|用电时段|允许时段|允许时间"},
    {"authority", "批准单位|批准机关|审批单位|审批机关|签发单位|出具单位|主管部门"},
    {"document", "文件|文号|批文|批准文件|批准文号|审批文号|依据文件"},
    {"approved_by", "审批人|批准人|审核人|第一审批人|审批人一|审批人1"},
    {"approved_by_2", "复核人|复审人|第二审批人|审批人二|审批人2"},
    {"point_id", "计量点|计量点编号|计量点编码|计量点号|分表计量点"},
    {"gateway_id",
     "网关|网关编号|采集器|采集器编号|集中器|集中器编号|终端|终端编号|采集终端"},
    {"transport", "通信方式|通讯方式|传输方式|接入方式|通信协议|通讯协议"},
    {"address", "地址|网关地址|通信地址|通讯地址|IP地址|IP端口|地址端口"},
    {"registration", "注册包|注册码|登录包|注册标识"},
    {"max_inflight", "最大并发|并发数|并发请求数"},
    {"min_gap_ms", "最小间隔|最小间隔ms|最小间隔毫秒|请求间隔ms|请求间隔毫秒"},
    {"timeout_ms", "超时|超时ms|超时毫秒|超时时间ms|超时时间毫秒"},
    {"baud", "波特率"},
    {"parity", "校验|校验位|校验方式|奇偶校验"},
    {"data_bits", "数据位"},
    {"stop_bits", "停止位"},
    {"meter_id", "表号|表计|表计编号|电表编号|电表号|电能表编号|电能表号|仪表编号"},
    {"installed_at", "安装时间|安装日期|装表时间|装表日期|投运时间|投运日期"},
    {"account_no", "户号|用电户号|用户编号|客户编号|用户号"},
    {"asset_no", "资产编号|资产号|表计资产号|电能表资产编号|局编号|出厂编号"},
    {"unit", "从站地址|从站号|站号|单元号|表地址|通信地址|通讯地址|设备地址|Modbus地址"},
    {"profile", "型号|表计型号|电表型号|表型|寄存器模板|规约模板|模板"},
    {"interval_s",
     "采集间隔|采集周期|采样间隔|采样周期|采集间隔秒|采集周期秒|采集间隔s|采集周期s"},
    {"ct_ratio", "CT变比|CT|电流变比|电流互感器变比|CT倍率"},
    {"pt_ratio", "PT变比|PT|电压变比|电压互感器变比|PT倍率"},
    {"rated_kw", "额定功率|额定功率kW|额定千瓦|装机功率|装机功率kW"},
    {"energy_resolution_kwh",
     "电量分辨率|电能分辨率|电量分辨率kWh|电能分辨率kWh|最小示度kWh"},
    {"energy_modulus_kwh", "电量满码|满码|满码值|满码kWh|翻转值|翻转值kWh|最大示数kWh"},
    {"removed_at", "拆除时间|拆除日期|拆表时间|拆表日期|停用时间|停用日期|换下日期"},
};

static const char own_id[] = "编号|id";
static const char yes[] = "yes|y|true|on|1|是|有|√";
static const char no[] = "no|n|false|off|0|否|无|×";
static const char endless[] = "长期|长期有效|永久|无限期|long-term|unlimited";

/* Does the UTF-8 text begin with this? */
static bool
begins(const char *s, const char *end, const char *with)
{
    while (*with != '\0') {
        if (s == end || *s != *with)
            return false;
        s++;
        with++;
    }
    return true;
}

/* The next byte that counts, in lower case; -1 at the end. */
static int
folded(const char **s, const char *end)
{
    while (*s < end) {
        char c = **s;
        if (begins(*s, end, "（") || begins(*s, end, "）") || begins(*s, end, "　")) {
            *s += 3;
        } else {
            ++*s;
            if (c >= 'A' && c <= 'Z')
                return c - 'A' + 'a';
            if (c != ' ' && c != '\t' && c != '_' && c != '-' && c != '(' && c != ')')
                return (unsigned char)c;
        }
    }
    return -1;
}

static bool
same(const char *a, const char *a_end, const char *b, const char *b_end)
{
    int c;
    do {
        c = folded(&a, a_end);
        if (c != folded(&b, b_end))
            return false;
    } while (c >= 0);
    return true;
}

/* Is the text one of the '|'-separated names? Nothing at all is none. */
static bool
among(const char *names, const char *s, size_t n)
{
    const char *probe = s;
    if (folded(&probe, s + n) < 0)
        return false;
    while (*names != '\0') {
        const char *end = names;
        while (*end != '\0' && *end != '|')
            end++;
        if (same(names, end, s, s + n))
            return true;
        names = *end == '|' ? end + 1 : end;
    }
    return false;
}

bool
lw_name_is_column(const char *column, const char *s, size_t n)
{
    if (among(column, s, n))
        return true;
    for (int i = 0; i < COUNT(columns); i++) {
        const char *a = columns[i].name, *b = column;
        while (*a != '\0' && *a == *b) {
            a++;
            b++;
        }
        if (*a == *b)
            return among(columns[i].aliases, s, n);
    }
    return false;
}

bool
lw_name_is_own_id(const char *s, size_t n)
{
    return among(own_id, s, n);
}

int
lw_name_find(enum lw_enum_type type, const char *s, size_t n)
{
    for (int i = 0; i < enums[type].n; i++) {
        const struct word *word = &enums[type].words[i];
        if (among(word->name, s, n) || among(word->zh, s, n) ||
            among(word->aliases, s, n))
            return i;
    }
    return -1;
}

int
lw_name_find_bool(const char *s, size_t n)
{
    return among(yes, s, n) ? 1 : among(no, s, n) ? 0 : -1;
}

bool
lw_name_is_endless(const char *s, size_t n)
{
    return among(endless, s, n);
}

static const struct word *
word_of(enum lw_enum_type type, int value)
{
    static const struct word none = {"", "", "", ""};
    return value >= 0 && value < enums[type].n ? &enums[type].words[value] : &none;
}

const char *
lw_enum_name(enum lw_enum_type type, int value)
{
    return word_of(type, value)->name;
}

const char *
lw_enum_zh(enum lw_enum_type type, int value)
{
    return word_of(type, value)->zh;
}

const char *
lw_enum_en(enum lw_enum_type type, int value)
{
    return word_of(type, value)->en;
}

const char *
lw_table_file(enum lw_table table)
{
    static const char *const files[] = {
        [LW_AREAS] = "areas.csv",       [LW_CONTACTS] = "contacts.csv",
        [LW_SITES] = "sites.csv",       [LW_LICENCES] = "licences.csv",
        [LW_GATEWAYS] = "gateways.csv", [LW_EXPLANATIONS] = "explanations.csv",
        [LW_METERS] = "meters.csv",
    };
    return files[table];
}
