/* What alerts say: sentences as people read them, and rules that hold for every sentence.
 */
#include "alert_fixture.h"
#include "unit.h"

#include <stdlib.h>

/* Who an alert is about, and what was found. */
struct about {
    enum lw_rule_id rule;
    enum lw_finding finding;
    enum lw_subject_kind kind;
    int32_t subject;
    int32_t site;
    int64_t detail, detail2;
};

static const struct about CLOSED_ABOVE = {
    LW_RULE_CLOSED_LOAD, LW_FOUND_OVER_ALLOWANCE, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about CLOSED_NOTHING = {
    LW_RULE_CLOSED_LOAD, LW_FOUND_NO_EXPLANATION, LW_SUBJECT_SITE, 2, 2, 0, 0};
static const struct about CLOSED_GONE = {
    LW_RULE_CLOSED_LOAD, LW_FOUND_GONE, LW_SUBJECT_SITE, 2, 2, 0, 0};
static const struct about UNLICENSED = {
    LW_RULE_LICENCE_GAP, LW_FOUND_NO_LICENCE, LW_SUBJECT_SITE, 1, 1, 0, 2};
static const struct about BOTH_LICENCES = {
    LW_RULE_LICENCE_GAP, LW_FOUND_NO_LICENCE, LW_SUBJECT_SITE, 1, 1, 0, 3};
static const struct about BY_STATUS = {
    LW_RULE_LICENCE_GAP, LW_FOUND_NO_LICENCE, LW_SUBJECT_SITE, 1, 1, 0, 0};
static const struct about SILENT = {
    LW_RULE_COMM_LOSS, LW_FOUND_SILENT_METER, LW_SUBJECT_POINT, 0, 0, 45 * 60000, 1};
static const struct about FEEDER = {
    LW_RULE_COMM_LOSS, LW_FOUND_SILENT_METER, LW_SUBJECT_FEEDER, 3, LW_NONE, 60000, 1};
static const struct about GATEWAY = {LW_RULE_COMM_LOSS,
                                     LW_FOUND_SILENT_GATEWAY,
                                     LW_SUBJECT_GATEWAY,
                                     0,
                                     LW_NONE,
                                     9000000,
                                     4};
static const struct about GATEWAY_ONE = {LW_RULE_COMM_LOSS,
                                         LW_FOUND_SILENT_GATEWAY,
                                         LW_SUBJECT_GATEWAY,
                                         0,
                                         LW_NONE,
                                         3 * 86400000,
                                         1};
static const struct about OVERRUN = {
    LW_RULE_COMM_LOSS, LW_FOUND_OVERRUN, LW_SUBJECT_GATEWAY, 0, LW_NONE, 12, 0};
static const struct about FELL = {
    LW_RULE_REGISTER_JUMP, LW_FOUND_REGISTER_FELL, LW_SUBJECT_POINT, 0, 0, -1234567, 0};
static const struct about LEAPT = {
    LW_RULE_REGISTER_JUMP, LW_FOUND_REGISTER_LEAPT, LW_SUBJECT_POINT, 0, 0, 1234567, 0};
static const struct about STOOD = {
    LW_RULE_STUCK_REGISTER, LW_FOUND_REGISTER_STOOD, LW_SUBJECT_POINT, 0, 0, 172000, 0};
static const struct about GAPS = {LW_RULE_COVERAGE,
                                  LW_FOUND_NO_METER,
                                  LW_SUBJECT_SITE,
                                  1,
                                  1,
                                  LW_GAP_METER | LW_GAP_POSITION,
                                  0};
static const struct about ALL_GAPS = {
    LW_RULE_COVERAGE, LW_FOUND_NO_METER, LW_SUBJECT_SITE, 1, 1, 15, 0};

static const struct about NIGHT = {
    LW_RULE_NIGHT_LOAD, LW_FOUND_UNLIKE_REFERENCE, LW_SUBJECT_SITE, 0, 0, 1500, 0};
static const struct about NIGHT_OUTGROWN = {
    LW_RULE_NIGHT_LOAD, LW_FOUND_OUTGROWN, LW_SUBJECT_SITE, 0, 0, 1500, 0};
static const struct about SHAPE = {
    LW_RULE_PRODUCTION_SHAPE, LW_FOUND_UNLIKE_REFERENCE, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about BEFORE = {
    LW_RULE_PRODUCTION_SHAPE, LW_FOUND_PREEXISTING, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about CREEP = {
    LW_RULE_SLOW_CREEP, LW_FOUND_DURING_SILENCE, LW_SUBJECT_SITE, 0, 0, 1500, 0};
static const struct about AFTER_CUT = {
    LW_RULE_POST_CUTOFF, LW_FOUND_AFTER_CUTOFF, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about AGAIN = {
    LW_RULE_RE_EMERGENCE, LW_FOUND_UNLIKE_REFERENCE, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about PUMPED = {
    LW_RULE_SLOW_CREEP, LW_FOUND_PUMPED_ON, LW_SUBJECT_SITE, 0, 0, 12500, 1500};
static const struct about PUMPED_AGAIN = {
    LW_RULE_RE_EMERGENCE, LW_FOUND_PUMPED_ON, LW_SUBJECT_SITE, 0, 0, LW_NOT_GIVEN, 1500};
static const struct about PEERS = {
    LW_RULE_NIGHT_LOAD, LW_FOUND_UNLIKE_PEERS, LW_SUBJECT_SITE, 0, 0, 2500, 40};

static const struct about REVERSED = {
    LW_RULE_CT_REVERSAL, LW_FOUND_REVERSED, LW_SUBJECT_POINT, 0, 0, 15000, 0};
static const struct about BRIDGED = {
    LW_RULE_PHASE_LOSS, LW_FOUND_CURRENT_GONE, LW_SUBJECT_POINT, 0, 0, 4 << 3, 0};
static const struct about FUSE = {
    LW_RULE_PHASE_LOSS, LW_FOUND_VOLTAGE_GONE, LW_SUBJECT_POINT, 0, 0, 5, 0};
static const struct about SUMS = {
    LW_RULE_SUM_CHECK, LW_FOUND_SUMS_DIFFER, LW_SUBJECT_POINT, 0, 0, 960000, 0};
static const struct about DRIFT = {
    LW_RULE_CLOCK_DRIFT, LW_FOUND_CLOCK_WRONG, LW_SUBJECT_POINT, 0, 0, -420000, 0};
static const struct about OVER_RATING = {
    LW_RULE_REGISTER_JUMP, LW_FOUND_REGISTER_OVER_RATING, LW_SUBJECT_POINT, 0, 0, 1, 0};
static const struct about ERRATIC = {
    LW_RULE_REGISTER_JUMP, LW_FOUND_REGISTER_ERRATIC, LW_SUBJECT_POINT, 0, 0, 0, 0};
static const struct about FROZEN = {
    LW_RULE_STUCK_REGISTER, LW_FOUND_VALUES_FROZEN, LW_SUBJECT_POINT, 0, 0, 0, 0};
static const struct about MUTE = {
    LW_RULE_STUCK_REGISTER, LW_FOUND_POWER_GONE, LW_SUBJECT_POINT, 0, 0, 0, 0};
static const struct about MORE = {
    LW_RULE_UNUSUAL_LOAD, LW_FOUND_UNUSUALLY_HIGH, LW_SUBJECT_SITE, 0, 0, 84100, 0};
static const struct about LESS = {
    LW_RULE_UNUSUAL_LOAD, LW_FOUND_UNUSUALLY_LOW, LW_SUBJECT_SITE, 0, 0, -84100, 0};
static const struct about CONTRACT = {
    LW_RULE_OVER_CONTRACT, LW_FOUND_OVER_CONTRACT, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about SUSPENDED = {
    LW_RULE_OVER_CONTRACT, LW_FOUND_SUSPENDED_CAPACITY, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about MONTH = {
    LW_RULE_OVER_LICENCE, LW_FOUND_OVER_MONTH, LW_SUBJECT_SITE, 1, 1, 720, 7200};
static const struct about YEAR = {
    LW_RULE_OVER_LICENCE, LW_FOUND_OVER_YEAR, LW_SUBJECT_SITE, 1, 1, 8000, 7200};
static const struct about SHARE = {
    LW_RULE_PROCESS_SHARE, LW_FOUND_PROCESS_SHARE, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about SHAPE_UNHEARD = {
    LW_RULE_PRODUCTION_SHAPE, LW_FOUND_DURING_SILENCE, LW_SUBJECT_SITE, 0, 0, 0, 0};
static const struct about TAP = {
    LW_RULE_FEEDER_RESIDUAL, LW_FOUND_RESIDUAL, LW_SUBJECT_FEEDER, 3, LW_NONE, 12000, 0};
static const struct about MOVED = {
    LW_RULE_DISPLACEMENT, LW_FOUND_DISPLACED, LW_SUBJECT_POINT, 0, 0, 28000, 30000};

static const struct about *const EVERY[] = {
    &NIGHT,         &SHAPE,          &BEFORE,         &CREEP,         &AFTER_CUT,
    &AGAIN,         &CLOSED_ABOVE,   &CLOSED_NOTHING, &CLOSED_GONE,   &UNLICENSED,
    &BOTH_LICENCES, &BY_STATUS,      &SILENT,         &FEEDER,        &GATEWAY,
    &GATEWAY_ONE,   &FELL,           &LEAPT,          &STOOD,         &GAPS,
    &ALL_GAPS,      &OVERRUN,        &REVERSED,       &BRIDGED,       &FUSE,
    &SUMS,          &DRIFT,          &OVER_RATING,    &ERRATIC,       &FROZEN,
    &MUTE,          &MORE,           &LESS,           &CONTRACT,      &SUSPENDED,
    &MONTH,         &YEAR,           &SHARE,          &SHAPE_UNHEARD, &TAP,
    &MOVED,         &NIGHT_OUTGROWN, &PUMPED,         &PUMPED_AGAIN,  &PEERS,
};
enum {
    EVERY_N = sizeof(EVERY) / sizeof(EVERY[0])
};

static struct lw_alarm
alarm_about(const struct about *about)
{
    struct lw_alarm alarm = fixture_alarm();

    alarm.rule = (uint8_t)about->rule;
    alarm.subject_kind = (uint8_t)about->kind;
    alarm.subject = about->subject;
    alarm.site = about->site;
    alarm.evidence.finding = (uint8_t)about->finding;
    alarm.evidence.detail = about->detail;
    alarm.evidence.detail2 = about->detail2;
    alarm.evidence.other = about->finding == LW_FOUND_DISPLACED ? 3 : 0; /* Pit Three */
    return alarm;
}

static void
say(const struct lw_ledger *ledger, const struct about *about, enum lw_alert_kind kind,
    enum lw_part part, bool zh, char text[LW_WORDS_TEXT])
{
    struct lw_alarm alarm = alarm_about(about);
    struct lw_alert alert = {.ledger = ledger, .kind = kind, .alarm = &alarm};

    lw_words(&alert, part, zh, text, LW_WORDS_TEXT);
}

static const struct row {
    const char *name;
    const struct about *about;
    enum lw_alert_kind kind;
    enum lw_part part;
    bool zh;
    const char *text;
} rows[] = {
    {"consumption has the event's fixed name", &CLOSED_ABOVE, LW_ALERT_RAISED,
     LW_PART_EVENT, true, "不明原因用电异常"},
    {"and in English", &CLOSED_ABOVE, LW_ALERT_RAISED, LW_PART_EVENT, false,
     "Unexplained consumption"},
    {"a licence's too", &UNLICENSED, LW_ALERT_RAISED, LW_PART_EVENT, false,
     "Unexplained consumption"},
    {"above the allowance", &CLOSED_ABOVE, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "夜间用电超过允许值：60分钟平均86.1千瓦，允许2千瓦"},
    {"above the allowance, English", &CLOSED_ABOVE, LW_ALERT_RAISED, LW_PART_HEADLINE,
     false,
     "Load above what is explained at night: mean 86.1 kW over 60 minutes, 2 kW allowed"},
    {"unlike the reference, and above the ceiling", &NIGHT, LW_ALERT_RAISED,
     LW_PART_HEADLINE, false,
     "Load at night, unlike the commissioned load: mean 86.1 kW over 60 minutes, "
     "reference 2 kW"},
    {"nothing on file", &CLOSED_NOTHING, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "状态为“关闭”的点位夜间有用电：60分钟平均86.1千瓦"},
    {"nothing on file, English", &CLOSED_NOTHING, LW_ALERT_RAISED, LW_PART_HEADLINE,
     false,
     "Site with status 'closed' drew power at night: mean 86.1 kW over 60 minutes"},
    {"an update says still", &CLOSED_NOTHING, LW_ALERT_UPDATED, LW_PART_HEADLINE, true,
     "状态为“关闭”的点位夜间仍有用电：60分钟平均86.1千瓦"},
    {"why: what was measured, allowed, and that nothing is on file", &CLOSED_NOTHING,
     LW_ALERT_RAISED, LW_PART_DESCRIPTION, false,
     "From 2025-03-12 17:30 to 2025-03-12 18:30: mean 86.1 kW, peak 131 kW, 86.1 kWh in "
     "all. Allowed: 2 kW; 84.1 kWh above it. "
     "With nothing in force only what a meter and a lamp take is allowed. "
     "Registered status: 'closed' since 2024-01-01 00:00. No explanation is on file."},
    {"why: exceeded, outside its hours, expired; one in force comes first", &CLOSED_ABOVE,
     LW_ALERT_RAISED, LW_PART_DESCRIPTION, false,
     "From 2025-03-12 17:30 to 2025-03-12 18:30: mean 86.1 kW, peak 131 kW, 86.1 kWh in "
     "all. Allowed: 2 kW; 84.1 kWh above it. "
     "Registered status: 'closed' since 2024-11-02 00:00, by 示例〔2024〕7号. Explanations on "
     "file: X2 (guard house, at most 2 kW) is exceeded; X1 (approved maintenance, at most 30 "
     "kW) expired at 2025-03-10 16:00; X3 (dewatering, at most 5.5 kW) does not cover these "
     "hours; 1 more on file."},
    {"the same in Chinese", &CLOSED_ABOVE, LW_ALERT_RAISED, LW_PART_DESCRIPTION, true,
     "2025-03-12 17:30至2025-03-12 18:30："
     "实测平均86.1千瓦，最高131千瓦，共86.1千瓦时；允许2千瓦，超出84.1千瓦时。登记状态为“关闭”（自2024-"
     "11-02 00:00起），依据示例〔2024〕7号。用电说明：X2（看护用电，上限2千瓦）已被超出；X1（检修，上限30千"
     "瓦）已于2025-03-10 16:00到期；X3（排水，上限5.5千瓦）不含该时段；另有1项。"},
    {"the instruction has the deadline and the disclaimer", &CLOSED_ABOVE,
     LW_ALERT_RAISED, LW_PART_INSTRUCTION, true,
     "请在15分钟内确认，并核对数据质量、用电说明和现场状态。本预警不是违法认定，不得据此停电。"},
    {"and in English", &CLOSED_ABOVE, LW_ALERT_RAISED, LW_PART_INSTRUCTION, false,
     "Acknowledge within 15 minutes; check the data's quality, the explanations and the state "
     "of the site. This is not a finding of illegality and is no ground for disconnection."},
    {"one licence", &UNLICENSED, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "无有效安全生产许可证而有生产负荷：60分钟平均86.1千瓦"},
    {"both licences", &BOTH_LICENCES, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "Production load without a valid mining licence or safety production licence: mean 86.1 "
     "kW over 60 minutes"},
    {"by status alone", &BY_STATUS, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "Production load while the status is 'licensed': mean 86.1 kW over 60 minutes"},
    {"a silent meter", &SILENT, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "计量点P1已45分钟无有效数据"},
    {"a silent feeder, singular", &FEEDER, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "No good sample from feeder point F1 for 1 minute"},
    {"a silent gateway, plural", &GATEWAY, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "No good sample through gateway G1 for 2.5 hours: 4 meters"},
    {"a silent gateway, singular", &GATEWAY_ONE, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "No good sample through gateway G1 for 3 days: 1 meter"},
    {"a headline begins with a capital", &GATEWAY, LW_ALERT_RETURNED, LW_PART_HEADLINE,
     false, "Gateway G1 communicates again"},
    {"too many meters on a line", &OVERRUN, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "网关G1所接电表过多，在采集周期内读不完"},
    {"too many meters on a line, English", &OVERRUN, LW_ALERT_RAISED, LW_PART_HEADLINE,
     false, "Gateway G1 has more meters than can be read in their interval"},
    {"a register that fell, without its sign", &FELL, LW_ALERT_RAISED, LW_PART_HEADLINE,
     false, "The energy register of metering point P1 fell by 1234.6 kWh"},
    {"a register that leapt", &LEAPT, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "计量点P1电能示值突增1234.6千瓦时"},
    {"a register that stood: what was due", &STOOD, LW_ALERT_RAISED, LW_PART_DESCRIPTION,
     false,
     "Since 2025-03-12 17:30 the mean power was 86.1 kW, which must have moved the register by "
     "about 172 kWh."},
    {"one phase, told apart from the meter's name", &BRIDGED, LW_ALERT_RAISED,
     LW_PART_HEADLINE, true, "计量点P1的C相失流60分钟"},
    {"two voltages", &FUSE, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "Voltage of phase A, C lost at metering point P1 for 60 minutes"},
    {"one of three transformers turned, with a positive power", &REVERSED,
     LW_ALERT_RAISED, LW_PART_DESCRIPTION, false,
     "Since 2025-03-12 17:30 it has not once been counted forwards as usual: the whole power, "
     "the energy or one phase's current is reversed, or the power is less than half of what "
     "these currents used to make; 15 kW in all at last. The ledger has no generation there. "
     "Mostly one current transformer or more is turned, and not all that is used is counted."},
    {"a clock that is slow", &DRIFT, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "计量点P1的时钟慢7分钟"},
    {"what passed in a silence is told as that", &SHAPE_UNHEARD, LW_ALERT_RAISED,
     LW_PART_HEADLINE, true, "通信中断期间的用电高于基准：60分钟平均86.1千瓦，基准2千瓦"},
    {"how much of the year's licence a month may hold", &MONTH, LW_ALERT_RAISED,
     LW_PART_DESCRIPTION, true,
     "自2025-03-12 17:30起用电86.1千瓦时，按台账单耗折算约720吨；许可年产量7200吨，此期间至多"
     "16吨。折算只是线索，产量以实测为准。安全生产许可证已于2025-01-01 00:00到期。"},
    {"more than is licensed, and by how much", &MONTH, LW_ALERT_RAISED, LW_PART_HEADLINE,
     false,
     "By its energy it produced some 720 t this month, 84.1 kWh more than is licensed"},
    {"a pump, against what water explains", &PUMPED, LW_ALERT_UPDATED, LW_PART_HEADLINE,
     true, "水泵用电仍多于降雨和水位所能说明：60分钟平均86.1千瓦，可说明2千瓦"},
    {"a load that was there before, against sites like it", &PEERS, LW_ALERT_RAISED,
     LW_PART_HEADLINE, true,
     "监测开始时就有的昼夜用电远高于同类点位：平均86.1千瓦，同类至多2千瓦"},
    {"two gaps", &GAPS, LW_ALERT_RAISED, LW_PART_HEADLINE, false,
     "Missing from the ledger: a meter, coordinates"},
    {"all gaps", &ALL_GAPS, LW_ALERT_RAISED, LW_PART_HEADLINE, true,
     "台账缺少：电表、坐标、责任人、监管状态"},
    {"a subject that is gone is not called explained", &CLOSED_GONE, LW_ALERT_RETURNED,
     LW_PART_HEADLINE, false, "Pit Three is in the ledger no more and is not watched"},
    {"a load that outgrew its alarm is not called over", &NIGHT_OUTGROWN,
     LW_ALERT_UPDATED, LW_PART_HEADLINE, false,
     "The load is more than it was before: another alarm tells of it"},
    {"and is still to be followed up", &NIGHT_OUTGROWN, LW_ALERT_UPDATED,
     LW_PART_INSTRUCTION, true,
     "请跟进：核对数据质量、用电说明和现场状态，并复核基准。本预警不是违法认定，不得据此停电。"},
    {"a line for a terminal", &SILENT, LW_ALERT_RETURNED, LW_PART_LINE, false,
     "Pit One: metering point P1 communicates again. From 2025-03-12 17:30 to 2025-03-12 18:30 "
     "it was silent, 45 minutes. Good samples come again; check what was used in between "
     "against the register."},
    {"a site without an English name goes by its own", &GAPS, LW_ALERT_RETURNED,
     LW_PART_LINE, false,
     "二号矿: The ledger is complete. The site has a meter, coordinates, a responsible "
     "person and a status."},
};

static void
sentences_read_so(void **state)
{
    const struct lw_ledger *ledger = *state;
    char text[LW_WORDS_TEXT];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        say(ledger, r->about, r->kind, r->part, r->zh, text);
        if (strcmp(text, r->text) != 0)
            fail_msg("%s:\n  got  %s\n  want %s", r->name, text, r->text);
    }
}

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* For every finding, kind, part and language. */
static void
every_sentence_keeps_the_rules(void **state)
{
    static const char zh_end[] = "本预警不是违法认定，不得据此停电。";
    static const char en_end[] =
        "This is not a finding of illegality and is no ground for disconnection.";
    static const char *const accusing[] = {"illegal", "违法",  "非法",
                                           "thief",   "steal", "窃"};
    char text[LW_WORDS_TEXT];

    for (int i = 0; i < EVERY_N * 3 * 5 * 2; i++) {
        enum lw_alert_kind kind = (enum lw_alert_kind)(i % 3);
        enum lw_part part = (enum lw_part)(i / 3 % 5);
        bool zh = i / 15 % 2;
        say(*state, EVERY[i / 30], kind, part, zh, text);

        if (strstr(text, "  ") || ends_with(text, " ") || strstr(text, "。。") ||
            strstr(text, ".."))
            fail_msg("untidy: %s", text);
        if (part == LW_PART_INSTRUCTION) {
            const char *end = zh ? zh_end : en_end;
            assert_true(ends_with(text, end));
            text[strlen(text) - strlen(end)] = '\0';
        }
        assert_true(*text);
        assert_null(strpbrk(text, "{}\n"));
        for (size_t k = 0; k < sizeof(accusing) / sizeof(accusing[0]); k++)
            if (strstr(text, accusing[k]))
                fail_msg("an accusation: %s", text);
        if (zh && (strstr(text, ", ") || strstr(text, ". ") || strstr(text, "; ")))
            fail_msg("half-width punctuation: %s", text);
    }
}

static void
numbers_are_clean(void **state)
{
    static const struct {
        int64_t w;
        const char *text;
    } numbers[] = {
        {0, "mean 0 kW"},        {4, "mean 0 kW"},          {250, "mean 0.25 kW"},
        {9994, "mean 9.99 kW"},  {10000, "mean 10 kW"},     {10050, "mean 10.1 kW"},
        {86000, "mean 86 kW"},   {86149, "mean 86.1 kW"},   {1234567, "mean 1234.6 kW"},
        {-2500, "mean -2.5 kW"}, {-12340, "mean -12.3 kW"}, {9999, "mean 10 kW"},
    };
    char text[LW_WORDS_TEXT];

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct lw_alarm alarm = alarm_about(&CLOSED_NOTHING);
        struct lw_alert alert = {.ledger = *state, .alarm = &alarm};
        alarm.evidence.mean_w = numbers[i].w;
        lw_words(&alert, LW_PART_HEADLINE, false, text, sizeof(text));
        if (!strstr(text, numbers[i].text))
            fail_msg("%lld W: %s", (long long)numbers[i].w, text);
    }
}

static void
durations_are_clean(void **state)
{
    static const struct {
        int64_t minutes;
        const char *zh, *en;
    } durations[] = {
        {0, "已0分钟无", "for 0 minutes"},    {1, "已1分钟无", "for 1 minute"},
        {60, "已60分钟无", "for 60 minutes"}, {119, "已119分钟无", "for 119 minutes"},
        {120, "已2小时无", "for 2 hours"},    {150, "已2.5小时无", "for 2.5 hours"},
        {2880, "已2天无", "for 2 days"},      {4000, "已2.8天无", "for 2.8 days"},
    };
    char text[LW_WORDS_TEXT];

    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct lw_alarm alarm = alarm_about(&SILENT);
        struct lw_alert alert = {.ledger = *state, .alarm = &alarm};
        alarm.evidence.detail = durations[i].minutes * LW_MINUTE;
        lw_words(&alert, LW_PART_HEADLINE, true, text, sizeof(text));
        assert_non_null(strstr(text, durations[i].zh));
        lw_words(&alert, LW_PART_HEADLINE, false, text, sizeof(text));
        assert_true(ends_with(text, durations[i].en));
    }
}

/* What came back and has ended is told as ended, what is there again as again. */
static void
what_comes_back_is_told_so(void **state)
{
    static const struct {
        enum lw_alarm_state alarm;
        const char *zh, *en;
    } told[] = {
        {LW_ALARM_UNACKNOWLEDGED_ACTIVE, "夜间用电再次高于基准，未超上限：",
         "Load at night within the ceiling, again unlike the commissioned load:"},
        {LW_ALARM_RETURNED_UNACKNOWLEDGED, "用电回到基准以内",
         "The load is within its reference again"},
        {LW_ALARM_NORMAL, "用电回到基准以内", "The load is within its reference again"},
    };
    char text[LW_WORDS_TEXT];

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct lw_alarm alarm = alarm_about(&NIGHT);
        struct lw_alert alert = {*state, LW_ALERT_UPDATED, &alarm};

        alarm.state = (uint8_t)told[i].alarm;
        alarm.occurrences = 2;
        alarm.evidence.peak_w = 2000;
        lw_words(&alert, LW_PART_HEADLINE, true, text, sizeof(text));
        assert_ptr_equal(strstr(text, told[i].zh), text);
        lw_words(&alert, LW_PART_HEADLINE, false, text, sizeof(text));
        assert_ptr_equal(strstr(text, told[i].en), text);
    }
}

/* What is said of the ceilings agrees with the peak that stands beside it. */
static void
a_ceiling_is_said_to_hold_where_it_does(void **state)
{
    static const struct {
        const char *name;
        int32_t site;
        int64_t peak_w;
        const char *zh, *en;
    } said[] = {
        {"at the ceiling of 2 kW", 0, 2000, "用电未超过登记的上限，但与基准不同。",
         "Within the ceiling, unlike the commissioned load. "},
        {"above it", 0, 2001, "其中最高值也超过登记的上限，且与基准不同。",
         "Its peak is above the ceiling as well, and unlike the commissioned load. "},
        {"where none is on file", 2, 300, "）。按四周学得的基准",
         "kWh above it. Unlike the commissioned load. "},
    };
    char text[LW_WORDS_TEXT];

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct lw_alarm alarm = alarm_about(&NIGHT);
        struct lw_alert alert = {*state, LW_ALERT_RAISED, &alarm};
        bool within;

        row(said[i].name);
        alarm.subject = alarm.site = said[i].site;
        alarm.evidence.peak_w = said[i].peak_w;
        lw_words(&alert, LW_PART_DESCRIPTION, true, text, sizeof(text));
        check(strstr(text, said[i].zh) != NULL);
        lw_words(&alert, LW_PART_DESCRIPTION, false, text, sizeof(text));
        check(strstr(text, said[i].en) != NULL);
        lw_words(&alert, LW_PART_HEADLINE, false, text, sizeof(text));
        within = strstr(text, "within the ceiling") != NULL;
        check_int(within, i == 0);
    }
}

/* A mean over a silence is not told as if it had been watched; and how sure it is. */
static void
a_silence_and_how_sure_it_is(void **state)
{
    struct lw_alarm alarm = alarm_about(&CLOSED_NOTHING);
    struct lw_alert alert = {.ledger = *state, .alarm = &alarm};
    char text[LW_WORDS_TEXT];

    alarm.evidence.samples_expected = 28;
    alarm.evidence.samples_good = 1;
    alarm.evidence.confidence_milli = 999;
    lw_words(&alert, LW_PART_DESCRIPTION, true, text, sizeof(text));
    assert_non_null(strstr(text, "其间通信中断，用电量由恢复后的示值得出，只知其平均。"));
    assert_non_null(strstr(text, "可信度0.99。"));
    alarm.evidence.samples_good = 28;
    lw_words(&alert, LW_PART_DESCRIPTION, true, text, sizeof(text));
    assert_null(strstr(text, "通信中断"));
}

/* Whoever reads of a reference is told who stands for it. */
static void
who_reviewed_the_reference_is_told(void **state)
{
    static const struct about *const by_reference[] = {&NIGHT, &SHAPE,  &BEFORE, &PEERS,
                                                       &CREEP, &PUMPED, &AGAIN};
    static const struct {
        const char *by, *zh, *en;
    } told[] = {
        {",", "基准未经人工复核，为暂定。",
         "No person has reviewed the reference: it is provisional. "},
        {"张三,", "基准由张三复核。", "The reference was reviewed by 张三. "},
        {"张三,2025-11-04T01:30:00Z", "基准由张三于2025-11-04 01:30复核。",
         "The reference was reviewed by 张三 at 2025-11-04 01:30. "},
        {"张三,2025-11-03", "基准由张三于2025-11-03 ", "reviewed by 张三 at 2025-11-03 "},
        {"张三,2025-11-01", "基准未经人工复核，为暂定。", "it is provisional. "},
    };
    char text[LW_WORDS_TEXT], sites[256];

    (void)state;
    for (size_t t = 0; t < sizeof(told) / sizeof(told[0]); t++) {
        struct lw_ledger_text from = fixture_text();
        struct lw_ledger *ledger;

        snprintf(sites, sizeof(sites),
                 "site_id,status,reference_reviewed_by,reference_reviewed_at\n"
                 "S1,closed,%s\nS2,licensed,,\nS3,closed,,\n",
                 told[t].by);
        from.table[LW_SITES].text = sites;
        from.table[LW_SITES].n = strlen(sites);
        ledger = fixture_ledger_of(&from);
        for (size_t i = 0; i < sizeof(by_reference) / sizeof(by_reference[0]); i++) {
            struct lw_alarm alarm = alarm_about(by_reference[i]);
            struct lw_alert alert = {.ledger = ledger, .alarm = &alarm};

            alarm.evidence.learned_to.ms = INT64_C(1762128000000); /* 3 November */
            lw_words(&alert, LW_PART_DESCRIPTION, true, text, sizeof text);
            assert_non_null(strstr(text, told[t].zh));
            lw_words(&alert, LW_PART_DESCRIPTION, false, text, sizeof text);
            assert_non_null(strstr(text, told[t].en));
        }
        say(ledger, &CLOSED_ABOVE, LW_ALERT_RAISED, LW_PART_DESCRIPTION, true, text);
        assert_null(strstr(text, "基准"));
        lw_ledger_free(ledger);
    }
}

/* Which ceilings were exceeded, whatever the rule; a sub-meter's is as it measured. */
static void
ceilings_that_did_not_suffice(void **state)
{
    static const struct about *const above[] = {&CLOSED_ABOVE, &UNLICENSED, &SUSPENDED,
                                                &SHARE, &AFTER_CUT};
    const struct lw_ledger *ledger = *state;
    const struct lw_explanation *x2 =
        &ledger->explanation[ledger->site[0].explanation_first + 1];

    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
        struct lw_alarm alarm = alarm_about(above[i]);
        struct lw_alert alert = {.ledger = ledger, .alarm = &alarm};

        alarm.site = 0;
        assert_int_equal(lw_explanation_checked(&alert, x2), LW_CHECKED_EXCEEDED);
        alarm.state = LW_ALARM_NORMAL;
        assert_int_equal(lw_explanation_checked(&alert, x2), LW_CHECKED_IN_FORCE);
    }
}

/* An explanation is judged at the window's last moment: one that ends with the window
 * explained it, one that begins with its end did not. */
static void
explanations_are_judged_in_the_window(void **state)
{
    const struct lw_ledger *ledger = *state;
    struct lw_alarm alarm = fixture_alarm();
    struct lw_alert alert = {.ledger = ledger, .alarm = &alarm};
    const struct lw_explanation *x1 =
        &ledger->explanation[ledger->site[0].explanation_first];

    alarm.evidence.finding = LW_FOUND_NO_EXPLANATION;
    alarm.evidence.from = lw_wall_add(x1->to, -LW_HOUR);
    alarm.evidence.to = x1->to;
    assert_int_equal(lw_explanation_checked(&alert, x1), LW_CHECKED_IN_FORCE);
    alarm.evidence.to = lw_wall_add(x1->to, 1);
    assert_int_equal(lw_explanation_checked(&alert, x1), LW_CHECKED_EXPIRED);
    alarm.evidence.from = lw_wall_add(x1->from, -LW_HOUR);
    alarm.evidence.to = x1->from;
    assert_int_equal(lw_explanation_checked(&alert, x1), LW_CHECKED_NOT_YET);
}

static void
the_latest_licence_is_named(void **state)
{
    struct lw_alarm alarm = alarm_about(&UNLICENSED);
    struct lw_alert alert = {.ledger = *state, .alarm = &alarm};
    const struct lw_licence *licence;

    assert_int_equal(lw_licence_checked(&alert, LW_LICENCE_SAFETY, &licence),
                     LW_CHECKED_EXPIRED);
    assert_string_equal(licence->number, "A-2");
    assert_int_equal(lw_licence_checked(&alert, LW_LICENCE_MINING, &licence),
                     LW_CHECKED_IN_FORCE);
    assert_string_equal(licence->number, "C-1");
    alarm.site = 2;
    assert_int_equal(lw_licence_checked(&alert, LW_LICENCE_MINING, &licence),
                     LW_CHECKED_NONE);
    assert_null(licence);
}

static int
setup(void **state)
{
    struct lw_ledger_text text = fixture_text();
    *state = fixture_ledger_of(&text);
    return 0;
}

static int
teardown(void **state)
{
    lw_ledger_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_read_so),
        cmocka_unit_test(every_sentence_keeps_the_rules),
        cmocka_unit_test(numbers_are_clean),
        cmocka_unit_test(durations_are_clean),
        cmocka_unit_test(what_comes_back_is_told_so),
        cmocka_unit_test(a_ceiling_is_said_to_hold_where_it_does),
        cmocka_unit_test(a_silence_and_how_sure_it_is),
        cmocka_unit_test(who_reviewed_the_reference_is_told),
        cmocka_unit_test(ceilings_that_did_not_suffice),
        cmocka_unit_test(explanations_are_judged_in_the_window),
        cmocka_unit_test(the_latest_licence_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
