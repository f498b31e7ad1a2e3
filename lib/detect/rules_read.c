/* Reads a rules file: the parameters for all, and those for sites of a status and kind. A
 * section for some that could have no effect is refused. */
#include <string.h>

#include <lodewatch/rules.h>
#include <lodewatch/text.h>

#include "lib/ledger/names.h"

enum {
    ANY_STATUS = (1 << LW_SITE_STATUSES) - 1,
    ANY_KIND = (1 << LW_SITE_KINDS) - 1,
    SHUT = 1 << LW_CLOSED | 1 << LW_UNLICENSED,
    LAWFUL = ANY_STATUS & ~(SHUT | 1 << LW_CUT_OFF),
    HALTED = 1 << LW_SUSPENDED | 1 << LW_RELOCATING,
    MINES = 1 << LW_COAL_MINE | 1 << LW_NON_COAL_MINE | 1 << LW_QUARRY | 1 << LW_SAND,
};

/* The sites that a section's parameters are read for; a section may have several rows. No
 * status: they are about a feeder or about the ledger, and the same for all. */
static const struct about {
    const char *section;
    int statuses, kinds;
} ABOUT[] = {
    {"closed_load", SHUT, ANY_KIND},
    {"licence_gap", LAWFUL, MINES},
    {"reference", SHUT, ANY_KIND},
    {"post_cutoff", 1 << LW_CUT_OFF, ANY_KIND},
    {"re_emergence", SHUT, ANY_KIND},
    {"unusual_load", LAWFUL, ANY_KIND},
    {"over_contract", LAWFUL & ~HALTED, ANY_KIND},
    {"over_contract", HALTED, ANY_KIND & ~MINES}, /* such mines are licence_gap's */
    {"over_licence", ANY_STATUS, ANY_KIND},
    {"process_share", HALTED | 1 << LW_MAINTENANCE, MINES},
    {"comm_loss", ANY_STATUS, ANY_KIND},
    {"register_jump", ANY_STATUS, ANY_KIND},
    {"stuck_register", ANY_STATUS, ANY_KIND},
    {"ct_reversal", ANY_STATUS, ANY_KIND},
    {"phase_loss", ANY_STATUS, ANY_KIND},
    {"sum_check", ANY_STATUS, ANY_KIND},
    {"clock_drift", ANY_STATUS, ANY_KIND},
    {"coverage", 0, 0},
    {"feeder_residual", 0, 0},
    {"displacement", 0, 0},
    {"tip_off", ANY_STATUS, ANY_KIND},
    {"night", ANY_STATUS, ANY_KIND},
};

enum {
    ABOUTS = sizeof ABOUT / sizeof *ABOUT,
    NOT_ASKED = -1
};

/* Sites of one status, one kind, or both. */
struct scope {
    int status, kind; /* NOT_ASKED: of any */
};

/* The file is read for the sites of one status and kind; or for all. */
struct reading {
    struct scope scope;
    /* Sections for some, so far. */
    bool any;
    bool stood[ABOUTS][LW_SITE_STATUSES + 1][LW_SITE_KINDS + 1];
};

/* The words' status and kind. */
static int
read_words(const char *words, struct scope *ret, struct lw_text *why)
{
    struct scope scope = {NOT_ASKED, NOT_ASKED};
    size_t n;

    for (const char *at = words; *at != '\0'; at += n + strspn(at + n, " ")) {
        int status, kind, *asked;

        n = strcspn(at, " ");
        status = lw_name_find(LW_ENUM_STATUS, at, n);
        kind = lw_name_find(LW_ENUM_SITE_KIND, at, n);
        asked = status >= 0 ? &scope.status : &scope.kind;
        if (status < 0 && kind < 0) {
            lw_text_addf(why, "\"%.*s\" is neither a status nor a kind of sites.csv",
                         (int)n, at);
            return LW_EINVAL;
        }
        if (*asked != NOT_ASKED) {
            lw_text_addf(why, "no site is of two %s; write a section for each",
                         status >= 0 ? "statuses" : "kinds");
            return LW_EINVAL;
        }
        *asked = status >= 0 ? status : kind;
    }
    *ret = scope;
    return 0;
}

static void
add_names(struct lw_text *t, enum lw_enum_type type, int mask)
{
    const char *between = "";

    for (int i = 0; mask >> i != 0; i++)
        if (mask >> i & 1) {
            lw_text_addf(t, "%s%s", between, lw_enum_name(type, i));
            between = ", ";
        }
}

/* Are its parameters read for any such site? */
static int
check_about(const char *section, struct scope scope, struct lw_text *why)
{
    int status = scope.status == NOT_ASKED ? ANY_STATUS : 1 << scope.status;
    int kind = scope.kind == NOT_ASKED ? ANY_KIND : 1 << scope.kind;
    const char *between = "it would change nothing; write it for ";

    for (int i = 0; i < ABOUTS; i++) {
        const struct about *about = &ABOUT[i];

        if (strcmp(about->section, section) != 0)
            continue;
        if (about->statuses == 0) {
            lw_text_addf(why, "it is not about single sites; write [%s]", section);
            return LW_EINVAL;
        }
        if ((about->statuses & status) && (about->kinds & kind))
            return 0;
        lw_text_add(why, between);
        if (about->statuses != ANY_STATUS)
            add_names(why, LW_ENUM_STATUS, about->statuses);
        if (about->kinds != ANY_KIND) {
            lw_text_add(why, " and ");
            add_names(why, LW_ENUM_SITE_KIND, about->kinds);
        }
        between = "; or ";
    }
    return LW_EINVAL;
}

static int
row_of(const char *section)
{
    int i = 0;

    while (strcmp(ABOUT[i].section, section) != 0)
        i++;
    return i;
}

/* What is for more sites, or for the same, would take the place of a section before it.
 */
static int
check_order(const struct reading *p, int row, struct scope scope, struct lw_text *why)
{
    for (int s = NOT_ASKED; s < LW_SITE_STATUSES; s++)
        for (int k = NOT_ASKED; k < LW_SITE_KINDS; k++)
            if (p->stood[row][s + 1][k + 1] &&
                (scope.status == NOT_ASKED || scope.status == s) &&
                (scope.kind == NOT_ASKED || scope.kind == k)) {
                lw_text_add(why, s == scope.status && k == scope.kind
                                     ? "it stands twice"
                                     : "a section for fewer sites stands before it and "
                                       "would be lost; put that one after it");
                return LW_EINVAL;
            }
    return 0;
}

static int
on_section(void *arg, const char *section, const char *words, struct lw_text *why,
           bool *ret_concerns)
{
    struct reading *p = arg;
    struct scope scope;
    int row = row_of(section);

    if (read_words(words, &scope, why) != 0 || check_order(p, row, scope, why) != 0)
        return LW_EINVAL;
    *ret_concerns = true;
    if (words[0] == '\0')
        return 0;
    if (check_about(section, scope, why) != 0)
        return LW_EINVAL;
    p->any = p->stood[row][scope.status + 1][scope.kind + 1] = true;
    *ret_concerns = (scope.status == NOT_ASKED || scope.status == p->scope.status) &&
                    (scope.kind == NOT_ASKED || scope.kind == p->scope.kind);
    return 0;
}

/* In a section for some. */
static int
on_key(void *arg, const struct lw_ini_key *key, struct lw_text *why)
{
    static const char *const OF_GATEWAYS[] = {"gateway", "overruns", "overruns_for"};

    (void)arg;
    for (size_t i = 0; i < sizeof OF_GATEWAYS / sizeof *OF_GATEWAYS; i++)
        if (strcmp(key->section, "comm_loss") == 0 &&
            strcmp(key->name, OF_GATEWAYS[i]) == 0) {
            lw_text_add(why,
                        "is about gateways, not about sites; write it in [comm_loss]");
            return LW_EINVAL;
        }
    return 0;
}

static const struct lw_ini_scope SCOPED = {on_section, on_key};

static int
parse_for(const char *file, const char *text, size_t n, struct reading *reading,
          struct lw_faults *faults, struct lw_params *ret_params)
{
    struct lw_params params = {0};
    int rc;

    lw_ini_defaults(lw_rule_keys, lw_rule_nkeys, &params);
    rc = n == 0 ? 0
                : lw_ini_parse_scoped(file, text, n, lw_rule_keys, lw_rule_nkeys, &SCOPED,
                                      reading, &params, faults);
    if (rc == 0)
        *ret_params = params;
    return rc;
}

int
lw_rules_parse(const char *file, const char *text, size_t n, struct lw_faults *faults,
               struct lw_rules *ret_rules)
{
    struct reading all = {.scope = {NOT_ASKED, NOT_ASKED}};
    struct lw_rules rules;
    int rc = parse_for(file, text, n, &all, faults, &rules.all);

    for (int s = 0; s < LW_SITE_STATUSES && rc == 0; s++)
        for (int k = 0; k < LW_SITE_KINDS && rc == 0; k++) {
            struct reading some = {.scope = {s, k}};

            if (all.any)
                rc = parse_for(file, text, n, &some, faults, &rules.of[s][k]);
            else
                rules.of[s][k] = rules.all;
        }
    if (rc == 0)
        *ret_rules = rules;
    return rc;
}
