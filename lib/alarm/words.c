/* The phrases of an alert, in Chinese and English, and the way to the sentences: a table
 * a family of rules, a row a rule and finding. What stands in {braces} is filled in by
 * fill.c. */
#include <assert.h>
#include <stddef.h>

#include "sentences.h"

static const struct sentences_of *const tables[] = {
    &lw_words_site,
    &lw_words_reference,
    &lw_words_data,
    &lw_words_feeder,
};

const struct sentences *
lw_sentences(enum lw_rule_id rule, enum lw_finding finding, bool zh)
{
    const struct sentences *row = NULL;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct sentences *s = &tables[t]->row[i];

            if (s->rule == rule && s->zh == zh && (!row || s->finding == finding))
                row = s;
        }
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
    [STILL] = {"仍", "still"},
    [AGAIN] = {"再次", "again"},
    [BY_REGISTER] =
        {"其间通信中断，用电量由恢复后的示值得出，只知其平均。",
         "Meanwhile communication was lost: what was used is known from the register, and only as a mean. "},
    [CONFIDENCE] = {"可信度{confidence}。", "Confidence {confidence}. "},
    [PROVISIONAL] = {"基准未经人工复核，为暂定。",
                     "No person has reviewed the reference: it is provisional. "},
    [REVIEWED] = {"基准由{reviewer}复核。", "The reference was reviewed by {reviewer}. "},
    [REVIEWED_ON] = {"基准由{reviewer}于{reviewed}复核。",
                     "The reference was reviewed by {reviewer} at {reviewed}. "},
    [STATUS] = {"登记状态为“{status_name}”", "Registered status: '{status_name}'"},
    [SINCE] = {"（自{since}起）", " since {since}"},
    [DOCUMENT] = {"，依据{document}", ", by {document}"},
    [NOTHING_ON_FILE] = {"没有登记任何用电说明。", "No explanation is on file. "},
    [ON_FILE] = {"用电说明：", "Explanations on file: "},
    [LIMIT] = {"，上限{limit_kw}千瓦", ", at most {limit_kw} kW"},
    [IN_FORCE] = {"{id}（{what}{limit}）有效", "{id} ({what}{limit}) is in force"},
    [MEASURED] = {"{id}（{what}{limit}）有效，只计入其分表实测的电量",
                  "{id} ({what}{limit}) is in force for what its sub-meter measured"},
    [NOT_YET] = {"{id}（{what}{limit}）自{valid_from}起才有效",
                 "{id} ({what}{limit}) is not in force before {valid_from}"},
    [EXPIRED] = {"{id}（{what}{limit}）已于{valid_to}到期",
                 "{id} ({what}{limit}) expired at {valid_to}"},
    [OUTSIDE_HOURS] = {"{id}（{what}{limit}）不含该时段",
                       "{id} ({what}{limit}) does not cover these hours"},
    [EXCEEDED] = {"{id}（{what}{limit}）已被超出", "{id} ({what}{limit}) is exceeded"},
    [BEYOND_WATER] =
        {"{id}（{what}{limit}）有效，但降雨和水位只说明平均{expected_kw}千瓦",
         "{id} ({what}{limit}) is in force, but rain and water level explain no more than a mean of {expected_kw} kW"},
    [BENEATH] = {"，未超上限", " within the ceiling"},
    [WITHIN_CEILINGS] = {"用电未超过登记的上限，但与基准不同。",
                         "Within the ceiling, unlike the commissioned load. "},
    [ABOVE_CEILINGS] =
        {"其中最高值也超过登记的上限，且与基准不同。",
         "Its peak is above the ceiling as well, and unlike the commissioned load. "},
    [UNLIKE] = {"用电与基准不同。", "Unlike the commissioned load. "},
    [MORE] = {"；另有{more}项", "; {more} more on file"},
    [SEMICOLON] = {"；", "; "},
    [STOP] = {"。", ". "},
    [COMMA] = {"、", ", "},
    [GONE] = {"{subject}已不在台账中，不再监测",
              "{subject} is in the ledger no more and is not watched"},
    [GONE_WHY] =
        {"预警因台账变更而结束，并非用电已得到说明。",
         "The alarm ended because the ledger changed, not because the load was explained."},
    [MOOT] = {"按台账现状，本规则不再适用于{subject}",
              "By the ledger as it is now this rule does not concern {subject} any more"},
    [OUTGROWN] = {"用电已超过此前各次，另发预警",
                  "The load is more than it was before: another alarm tells of it"},
    [OUTGROWN_WHY] = {"用电并未停止，由新的预警跟进，本预警到此为止。",
                      "It goes on, and the new alarm follows it; this one ends here."},
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
    [CANDIDATES] = {"先查看：", "Look first at: "},
    [ALL_HEARD] = {"该馈线各分表均有数据。", "All meters of the feeder are heard. "},
    [SILENT_CHILDREN] = {"失联分表（按其平常用电计入）：",
                         "Silent meters, put down with what they usually draw: "},
    [AND_MORE] = {"等共", " and others, in all "},
    [THE_POINT] = {"计量点{id_of}", "metering point {id_of}"},
    [THE_FEEDER] = {"馈线计量点{id_of}", "feeder point {id_of}"},
    [THE_GATEWAY] = {"网关{id_of}", "gateway {id_of}"},
    [TIP_OFF_EVENT] = {"首次查看后用电下降", "Load fell after its alarm was first read"},
    [TIP_OFF_HEADLINE] =
        {"{site}：预警首次被查看约{delay}后，用电由{before_kw}千瓦降至{after_kw}千瓦",
         "{site}: load fell from {before_kw} kW to {after_kw} kW, about {delay} after its alarm was first read"},
    [TIP_OFF_DESCRIPTION] =
        {"“{rule}”预警于{onset}发出，{read}首次被查看，查看人自报姓名“{reader}”（各方共用令牌，未经核验）；约{fell}用电下降，至今{gone}没有恢复。自预警发出以来，此类用电共{load}，此前同样下降{falls}次。",
         "The alarm '{rule}' was raised at {onset} and first read at {read}, by the name of '{reader}' (given under a token that all share, and checked by nobody); at about {fell} the load fell, and in {gone} it has not come back. Since the alarm was raised such load has lasted {load} in all, and fell so {falls} times before."},
    [TIP_OFF_INSTRUCTION] =
        {"本记录只说明先后，不说明原因，也不表示任何人有责任；仅供纪检监察机关查阅。",
         "This tells what came after what, not why, and finds fault with nobody. For discipline inspection alone."},
};

const char *
lw_phrase(enum phrase phrase, bool zh)
{
    return zh ? phrases[phrase].zh : phrases[phrase].en;
}
