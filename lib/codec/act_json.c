/* What a person does to an alarm, from JSON: {"act":"shelve","alarm":ID,"until":T,
 * "by":WHO,"reason":WHY}. What is wrong is said by member, what about it, and what was
 * expected. */
#include <lodewatch/codec.h>

#include <string.h>

#include <jansson.h>

enum member {
    ACT,
    ALARM,
    BY,
    UNTIL,
    REASON,
    MEMBERS
};

static const struct {
    const char *name;
    const char *en, *zh; /* what is expected */
} members[MEMBERS] = {
    [ACT] = {"act", "acknowledge, shelve, unshelve or read",
             "acknowledge、shelve、unshelve 或 read"},
    [ALARM] = {"alarm", "an alarm's id: 32 hexadecimal digits",
               "报警编号：32 位十六进制数字"},
    [BY] = {"by", "who does it: 1 to 64 bytes of text", "操作人：1 至 64 字节文本"},
    [UNTIL] = {"until", "a time after now and at most 7 days ahead, as RFC 3339",
               "晚于当前且不超过 7 天的时间，RFC 3339 格式"},
    [REASON] = {"reason", "why: 1 to 200 bytes of text", "原因：1 至 200 字节文本"},
};

static int
refuse(enum member m, const char *what, struct lw_act_fault *fault)
{
    *fault = (struct lw_act_fault){members[m].name, what, members[m].en, members[m].zh};
    return LW_EPARSE;
}

void
lw_act_until_fault(struct lw_act_fault *ret_fault)
{
    refuse(UNTIL, "out of range", ret_fault);
}

static bool
parse_kind(const char *s, size_t n, struct lw_act *act)
{
    for (int kind = LW_ACT_ACKNOWLEDGE; kind <= LW_ACT_LAST; kind++) {
        const char *name = lw_act_name((enum lw_act_kind)kind);

        if (strlen(name) == n && memcmp(name, s, n) == 0) {
            act->kind = (enum lw_act_kind)kind;
            return true;
        }
    }
    return false;
}

static bool
parse_id(const char *s, size_t n, uint8_t id[LW_ACT_ALARM])
{
    static const char digits[] = "0123456789abcdef";

    if (n != 2 * LW_ACT_ALARM || strspn(s, digits) != n)
        return false;
    for (size_t i = 0; i < LW_ACT_ALARM; i++)
        id[i] = (uint8_t)((strchr(digits, s[2 * i]) - digits) * 16 +
                          (strchr(digits, s[2 * i + 1]) - digits));
    return true;
}

static bool
parse_text(const char *s, size_t n, size_t most, char *text)
{
    if (!lw_act_text(s, n, most))
        return false;
    memcpy(text, s, n + 1);
    return true;
}

static bool
parse_member(enum member m, const char *s, size_t n, const struct lw_zone *zone,
             struct lw_act *act)
{
    switch (m) {
    case ACT:
        return parse_kind(s, n, act);
    case ALARM:
        return parse_id(s, n, act->alarm);
    case BY:
        return parse_text(s, n, LW_ACT_BY, act->by);
    case UNTIL:
        return lw_wall_parse(s, n, zone, LW_DATE_END, &act->until) == 0;
    case REASON:
        return parse_text(s, n, LW_ACT_REASON, act->reason);
    case MEMBERS:
        break;
    }
    return false;
}

static int
parse(const json_t *root, const struct lw_zone *zone, struct lw_act *act,
      struct lw_act_fault *fault)
{
    size_t used = 0;

    for (int i = 0; i < MEMBERS; i++) {
        enum member m = (enum member)i;
        bool wanted = m < UNTIL || act->kind == LW_ACT_SHELVE;
        const json_t *value = json_object_get(root, members[m].name);

        if (value && !wanted)
            return refuse(m, "not taken by this act", fault);
        if (!wanted)
            continue;
        if (!value)
            return refuse(m, "missing", fault);
        if (!json_is_string(value) || !parse_member(m, json_string_value(value),
                                                    json_string_length(value), zone, act))
            return refuse(m, "malformed", fault);
        used++;
    }
    if (json_object_size(root) == used)
        return 0;
    *fault = (struct lw_act_fault){"", "has an unknown member",
                                   "act, alarm, by; to shelve also until, reason",
                                   "act、alarm、by；搁置时另需 until、reason"};
    return LW_EPARSE;
}

int
lw_act_parse(const char *json, size_t n, const struct lw_zone *zone,
             struct lw_act *ret_act, struct lw_act_fault *ret_fault)
{
    struct lw_act act = {0};
    json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL);
    int rc = LW_EPARSE;

    if (json_is_object(root))
        rc = parse(root, zone, &act, ret_fault);
    else
        *ret_fault =
            (struct lw_act_fault){"", "malformed", "one JSON object", "一个 JSON 对象"};
    json_decref(root);
    if (rc == 0)
        *ret_act = act;
    return rc;
}
