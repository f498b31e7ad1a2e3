/* INI text into a struct. inih splits the lines; what it does in silence is refused or
 * done here: it gives no line numbers, cuts long lines, takes " ;" in a value for the
 * start of a comment, and an indented line for more of the value before it. */
#include <lodewatch/ini.h>

#include <assert.h>
#include <string.h>

#include <ini.h>

#include <lodewatch/text.h>

enum {
    KEYS_MAX = 256
};

struct parse {
    const struct lw_ini_key *keys;
    size_t nkeys;
    void *conf;
    const char *file;
    struct lw_faults *faults;
    bool failed;
    const char *at; /* the text that is left */
    const char *end;
    /* the line in hand */
    const char *start;
    const char *first; /* that is no blank */
    const char *last;  /* after it only blanks */
    uint32_t line;
    bool wants_key; /* it should be "key = value", and the handler has not seen it yet */
    bool known_section;
    bool concerns; /* the section in hand is for us */
    bool narrowed; /* and not for all */
    char section[LW_INI_SECTION + 1];
    const struct lw_ini_scope *scope; /* NULL: sections have no words */
    void *scope_arg;
    uint32_t seen[KEYS_MAX]; /* the line on which each key was given; 0: not yet */
};

static void __attribute__((format(printf, 3, 4)))
add_fault(struct parse *p, const char *at, const char *format, ...)
{
    char text[LW_FAULT_TEXT];
    struct lw_text t;
    va_list args;

    lw_text_init(&t, text, sizeof(text));
    va_start(args, format);
    lw_text_addv(&t, format, args);
    va_end(args);
    lw_fault_add(p->faults, p->file, p->line, (uint32_t)(at - p->start) + 1, "%s", text);
    p->failed = true;
}

/* ---- values ---- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static int
parse_bool(const char *value, bool *ret)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"yes", true}, {"true", true},   {"on", true},   {"1", true},
                 {"no", false}, {"false", false}, {"off", false}, {"0", false}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(value, words[i].text) == 0) {
            *ret = words[i].value;
            return 0;
        }
    }
    return LW_EINVAL;
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

static int
parse_duration(const char *value, int64_t *ret_ms)
{
    size_t digits = strspn(value, "0123456789");
    int64_t number;

    if (lw_decimal_parse(value, digits, 1, &number) != 0)
        return LW_EINVAL;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(value + digits, units[i].name) == 0)
            return __builtin_mul_overflow(number, units[i].ms, ret_ms) ? LW_EINVAL : 0;
    }
    return LW_EINVAL;
}

/* A number of the key's type as it would be written, in the largest unit that fits. */
static void
add_number(struct lw_text *t, const struct lw_ini_key *key, int64_t number)
{
    int decimals = 0;

    if (key->type == LW_INI_DURATION) {
        size_t i = 0;
        while (number % units[i].ms != 0)
            i++;
        lw_text_addf(t, "%lld%s", (long long)(number / units[i].ms), units[i].name);
        return;
    }
    int64_t per_unit = key->type == LW_INI_DECIMAL ? key->per_unit : 1;
    for (int64_t rest = per_unit; number % rest != 0; rest /= 10)
        decimals++;
    lw_text_add_decimal(t, number, per_unit, decimals);
}

/* Reads `value` into `conf`; where it cannot be, `why` says what could. */
static int
set_value(const struct lw_ini_key *key, const char *value, void *conf,
          struct lw_text *why)
{
    void *at = (char *)conf + key->offset;
    int64_t number = 0;
    int rc = 0;
    static const char *const expected[] = {
        [LW_INI_INT] = "a whole number",
        [LW_INI_BOOL] = "yes or no",
        [LW_INI_DECIMAL] = "a number",
        [LW_INI_DURATION] = "a duration such as 250ms, 30s, 15m, 2h or 7d",
    };

    switch (key->type) {
    case LW_INI_STRING:
        if (strlen(value) > (size_t)key->max) {
            lw_text_addf(why, "has %zu bytes; %lld is the most", strlen(value),
                         (long long)key->max);
            return LW_EINVAL;
        }
        memcpy(at, value, strlen(value) + 1);
        return 0;
    case LW_INI_BOOL:
        rc = parse_bool(value, at);
        break;
    case LW_INI_INT:
        rc = strchr(value, '.') != NULL
                 ? LW_EINVAL
                 : lw_decimal_parse(value, strlen(value), 1, &number);
        break;
    case LW_INI_DECIMAL:
        rc = lw_decimal_parse(value, strlen(value), key->per_unit, &number);
        break;
    case LW_INI_DURATION:
        rc = parse_duration(value, &number);
        break;
    }
    if (rc == LW_EINVAL) {
        lw_text_addf(why, "must be %s, not \"%s\"", expected[key->type], value);
        return rc;
    }
    if (key->type == LW_INI_BOOL)
        return 0;
    if (rc != 0 || number < key->min || number > key->max) {
        lw_text_add(why, "must be from ");
        add_number(why, key, key->min);
        lw_text_add(why, " to ");
        add_number(why, key, key->max);
        lw_text_addf(why, ", not \"%s\"", value);
        return LW_EINVAL;
    }
    memcpy(at, &number, sizeof(number));
    return 0;
}

void
lw_ini_defaults(const struct lw_ini_key *keys, size_t nkeys, void *conf)
{
    char text[LW_FAULT_TEXT];
    struct lw_text why;

    for (size_t i = 0; i < nkeys; i++) {
        lw_text_init(&why, text, sizeof(text));
        int rc = set_value(&keys[i], keys[i].fallback, conf, &why);
        assert(rc == 0);
        (void)rc;
    }
}

/* ---- lines ---- */

/* The nearest of names that may have been meant, else NULL: of the keys in `section`, or
 * of the sections where that is NULL. */
static const char *
nearest(const struct parse *p, const char *section, const char *name)
{
    size_t best = strlen(name) / 3 + 2; /* farther ones were hardly meant */
    const char *found = NULL;

    for (size_t i = 0; i < p->nkeys; i++) {
        if (section != NULL && strcmp(p->keys[i].section, section) != 0)
            continue;
        const char *known = section == NULL ? p->keys[i].section : p->keys[i].name;
        size_t distance = lw_text_distance(name, strlen(name), known, strlen(known));
        if (distance < best) {
            best = distance;
            found = known;
        }
    }
    return found;
}

static void
fault_unknown_key(struct parse *p, const char *section, const char *name)
{
    const char *meant = nearest(p, section, name);

    for (size_t i = 0; i < p->nkeys; i++) {
        if (strcmp(p->keys[i].name, name) == 0) {
            add_fault(p, p->first, "\"%s\" does not belong in [%s] but in [%s]", name,
                      section, p->keys[i].section);
            return;
        }
    }
    if (meant != NULL)
        add_fault(p, p->first, "unknown key \"%s\" in [%s]; is \"%s\" meant?", name,
                  section, meant);
    else
        add_fault(p, p->first, "unknown key \"%s\" in [%s]", name, section);
}

/* inih's handler; non-zero goes on. The section that it hands over has its words. */
static int
on_key(void *arg, const char *whole, const char *name, const char *value)
{
    struct parse *p = arg;
    const char *section = p->section;
    char text[LW_FAULT_TEXT];
    struct lw_text why;
    size_t i = 0;

    (void)whole;
    p->wants_key = false;
    if (!p->known_section)
        return 1; /* its section is the fault */
    if (section[0] == '\0') {
        add_fault(p, p->first, "\"%s\" stands before any [section]", name);
        return 1;
    }
    while (i < p->nkeys && (strcmp(p->keys[i].section, section) != 0 ||
                            strcmp(p->keys[i].name, name) != 0))
        i++;
    if (i == p->nkeys) {
        fault_unknown_key(p, section, name);
        return 1;
    }
    if (p->seen[i] != 0) {
        add_fault(p, p->first, "\"%s\" is given twice; first on line %u", name,
                  p->seen[i]);
        return 1;
    }
    p->seen[i] = p->line;
    lw_text_init(&why, text, sizeof(text));
    if (p->narrowed && p->scope->key(p->scope_arg, &p->keys[i], &why) != 0) {
        add_fault(p, p->first, "\"%s\" %s", name, text);
        return 1;
    }
    if (!p->concerns)
        return 1;

    if (set_value(&p->keys[i], value, p->conf, &why) != 0) {
        const char *at = p->first;
        while (*at != '=' && *at != ':')
            at++;
        for (at++; at < p->last && is_blank(*at); at++)
            ;
        add_fault(p, at, "\"%s\" %s", name, text);
    }
    return 1;
}

/* Takes the next line, without the blanks at its ends. */
static void
next_line(struct parse *p)
{
    const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));

    p->line++;
    p->start = p->first = p->at;
    p->last = newline == NULL ? p->end : newline;
    p->at = newline == NULL ? p->end : newline + 1;
    while (p->first < p->last && is_blank(*p->first))
        p->first++;
    while (p->last > p->first && is_blank(p->last[-1]))
        p->last--;
}

/* Asks whom the section is for. What was given for all may be given again for some. */
static bool
enter_scope(struct parse *p, const char *words)
{
    char text[LW_FAULT_TEXT];
    struct lw_text why;

    lw_text_init(&why, text, sizeof(text));
    if (p->scope->section(p->scope_arg, p->section, words, &why, &p->concerns) != 0) {
        add_fault(p, p->first, "[%s%s%s]: %s", p->section, p->narrowed ? " " : "", words,
                  text);
        return false;
    }
    for (size_t i = 0; i < p->nkeys && p->narrowed; i++)
        if (strcmp(p->keys[i].section, p->section) == 0)
            p->seen[i] = 0;
    return true;
}

static void
enter_section(struct parse *p)
{
    char *name = p->section;
    const char *words = "";
    const char *from = p->first + 1;
    const char *close = memchr(from, ']', (size_t)(p->last - from));
    size_t n = close == NULL ? 0 : (size_t)(close - from);

    p->known_section = false;
    p->concerns = true;
    if (n == 0 || n > LW_INI_SECTION) {
        add_fault(p, p->first, "a [section] has 1 to %d bytes and a closing bracket",
                  LW_INI_SECTION);
        return;
    }
    memcpy(name, from, n);
    name[n] = '\0';
    if (p->scope) {
        char *space = name + strcspn(name, " ");

        words = space + strspn(space, " ");
        *space = '\0';
    }
    p->narrowed = words[0] != '\0';
    for (size_t i = 0; i < p->nkeys && !p->known_section; i++)
        p->known_section = strcmp(p->keys[i].section, name) == 0;
    if (p->known_section) {
        if (p->scope)
            p->known_section = enter_scope(p, words);
        return;
    }
    const char *meant = nearest(p, NULL, name);
    if (meant != NULL)
        add_fault(p, p->first, "unknown section [%s]; is [%s] meant?", name, meant);
    else
        add_fault(p, p->first, "unknown section [%s]", name);
}

/* Is this line for inih? Whatever inih would misread is a fault. */
static bool
check_line(struct parse *p)
{
    const char *s = p->first, *end = p->last;

    if (s == end || *s == ';' || *s == '#')
        return false;
    if (end - s > LW_INI_LINE) {
        add_fault(p, p->first, "a line of %zu bytes; %d is the most", (size_t)(end - s),
                  LW_INI_LINE);
        return false;
    }
    if (memchr(s, '\0', (size_t)(end - s)) != NULL) {
        add_fault(p, s, "a NUL byte: this is not a text file");
        return false;
    }
    if (*s == '[') {
        enter_section(p);
        return p->known_section;
    }
    for (const char *c = s + 1; c < end; c++) {
        if (*c == ';' && is_blank(c[-1])) {
            add_fault(p, c,
                      "a comment needs a line of its own: what follows \" ;\" is lost");
            return false;
        }
    }
    p->wants_key = true;
    return true;
}

/* inih's reader, in the manner of fgets. */
static char *
read_line(char *buf, int size, void *arg)
{
    struct parse *p = arg;

    assert(size > LW_INI_LINE + 1);
    if (p->wants_key)
        add_fault(p, p->first, "neither [section] nor key = value");
    p->wants_key = false;
    while (p->at < p->end) {
        next_line(p);
        if (!check_line(p))
            continue;
        size_t n = (size_t)(p->last - p->first);
        memcpy(buf, p->first, n);
        buf[n] = '\0';
        return buf;
    }
    return NULL;
}

int
lw_ini_parse(const char *file, const char *text, size_t n, const struct lw_ini_key *keys,
             size_t nkeys, void *conf, struct lw_faults *faults)
{
    return lw_ini_parse_scoped(file, text, n, keys, nkeys, NULL, NULL, conf, faults);
}

int
lw_ini_parse_scoped(const char *file, const char *text, size_t n,
                    const struct lw_ini_key *keys, size_t nkeys,
                    const struct lw_ini_scope *scope, void *arg, void *conf,
                    struct lw_faults *faults)
{
    struct parse p = {
        .keys = keys,
        .nkeys = nkeys,
        .conf = conf,
        .file = file,
        .faults = faults,
        .at = text,
        .end = text + n,
        .known_section = true, /* "", before the first */
        .concerns = true,
        .scope = scope,
        .scope_arg = arg,
    };

    assert(nkeys <= KEYS_MAX);
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        p.at += 3;
    /* Its own errors are found by read_line, each with its line. */
    (void)ini_parse_stream(read_line, &p, on_key, &p);
    return p.failed ? LW_EPARSE : 0;
}
