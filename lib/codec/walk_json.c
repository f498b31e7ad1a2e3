/* A JSON text walked beside jansson's tree. jansson has found it to be valid, so the
 * walking itself needs no checks. */
#include "walk_json.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <lodewatch/text.h>

void
walk_fault(struct walk *w, const char *at, const char *format, ...)
{
    uint32_t line = 1, column = 1;
    char text[LW_FAULT_TEXT];
    struct lw_text builder;
    va_list args;

    for (const char *s = w->text; s < at; s++) {
        column++;
        if (*s == '\n') {
            line++;
            column = 1;
        }
    }
    va_start(args, format);
    lw_text_init(&builder, text, sizeof text);
    lw_text_addv(&builder, format, args);
    va_end(args);
    lw_fault_add(w->faults, w->file, line, column, "%s", text);
}

static size_t
distance(const char *name, const struct walk_member *m)
{
    return lw_text_distance(name, strlen(name), m->name, strlen(m->name));
}

static const struct walk_member *
nearest(const char *name, const struct walk_member *members, size_t n)
{
    const struct walk_member *best = &members[0];
    for (size_t i = 1; i < n; i++)
        if (distance(name, &members[i]) < distance(name, best))
            best = &members[i];
    return best;
}

static const char *
skip_space(const char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r')
        s++;
    return s;
}

static const char *
skip_string(const char *s)
{
    for (s++; *s != '"'; s++)
        if (*s == '\\')
            s++;
    return s + 1;
}

const char *
walk_after(const struct walk *w, const char *s)
{
    const char *end = w->text + w->n;
    size_t depth = 0;
    do {
        if (*s == '"') {
            s = skip_string(s);
            continue;
        }
        if (*s == '{' || *s == '[')
            depth++;
        else if (*s == '}' || *s == ']')
            depth--;
        s++;
        if (depth == 0 && (s[-1] == '}' || s[-1] == ']'))
            break;
    } while (s < end && (depth > 0 || !strchr(",]} \t\r\n", *s)));
    return s;
}

const char *
walk_next(const char *s)
{
    return skip_space(skip_space(s) + 1);
}

const char *
walk_start(const char *text)
{
    return skip_space(text);
}

/* From an object's '{' or the byte after a member to the byte after the next one. */
static struct walk_node
next_member(const struct walk *w, json_t *json, const char **s, const char **ret_key_at)
{
    *ret_key_at = walk_next(*s);
    struct walk_node value = {json, skip_space(skip_space(skip_string(*ret_key_at)) + 1)};
    *s = walk_after(w, value.at);
    return value;
}

bool
walk_get(struct walk *w, struct walk_node v, const char *name,
         struct walk_node *ret_member)
{
    const char *key, *key_at, *s = v.at;
    json_t *json;

    json_object_foreach(v.json, key, json) {
        struct walk_node value = next_member(w, json, &s, &key_at);
        if (strcmp(key, name) == 0) {
            *ret_member = value;
            return true;
        }
    }
    return false;
}

void
walk_object(struct walk *w, struct walk_node v, const struct walk_member *members,
            size_t n, void *object)
{
    uint64_t seen = 0;
    const char *key, *key_at, *s = v.at;
    json_t *json;

    if (!json_is_object(v.json)) {
        walk_fault(w, v.at, "expected an object: { … }");
        return;
    }
    json_object_foreach(v.json, key, json) {
        struct walk_node value = next_member(w, json, &s, &key_at);
        size_t i = 0;
        while (i < n && strcmp(key, members[i].name) != 0)
            i++;
        if (i == n) {
            walk_fault(w, key_at,
                       "unknown member \"%.40s\"; the nearest known one is \"%s\"", key,
                       nearest(key, members, n)->name);
            continue;
        }
        seen |= UINT64_C(1) << i;
        members[i].set(w, &members[i], value, (char *)object + members[i].offset);
    }
    for (size_t i = 0; i < n; i++)
        if (members[i].required && !(seen >> i & 1))
            walk_fault(w, v.at, "\"%s\" is missing", members[i].name);
}

void
walk_set_string(struct walk *w, const struct walk_member *m, struct walk_node v,
                void *field)
{
    const char *s = json_string_value(v.json);
    if (!s || strlen(s) > (size_t)m->max) {
        walk_fault(w, v.at, "\"%s\": expected a string of at most %.0f bytes", m->name,
                   m->max);
        return;
    }
    for (const char *c = s; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            walk_fault(w, v.at, "\"%s\": control characters are not allowed", m->name);
            return;
        }
    }
    memcpy(field, s, strlen(s) + 1);
}

void
walk_set_bool(struct walk *w, const struct walk_member *m, struct walk_node v,
              void *field)
{
    if (!json_is_boolean(v.json))
        walk_fault(w, v.at, "\"%s\": expected true or false", m->name);
    else
        *(bool *)field = json_is_true(v.json);
}

static bool
get_integer(struct walk *w, const struct walk_member *m, struct walk_node v, int64_t *ret)
{
    double value = (double)json_integer_value(v.json);
    if (!json_is_integer(v.json) || value < m->min || value > m->max) {
        walk_fault(w, v.at, "\"%s\": expected a whole number from %.0f to %.0f", m->name,
                   m->min, m->max);
        return false;
    }
    *ret = json_integer_value(v.json);
    return true;
}

void
walk_set_u8(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    int64_t i;
    if (get_integer(w, m, v, &i))
        *(uint8_t *)field = (uint8_t)i;
}

void
walk_set_u16(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    int64_t i;
    if (get_integer(w, m, v, &i))
        *(uint16_t *)field = (uint16_t)i;
}

void
walk_set_i32(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    int64_t i;
    if (get_integer(w, m, v, &i))
        *(int32_t *)field = (int32_t)i;
}

void
walk_set_number(struct walk *w, const struct walk_member *m, struct walk_node v,
                void *field)
{
    double d = json_number_value(v.json);
    if (!json_is_number(v.json) || !(fabs(d) <= m->max) || fabs(d) < m->min)
        walk_fault(w, v.at, "\"%s\": expected a number%s, at most %g", m->name,
                   m->min > 0 ? " other than 0" : "", m->max);
    else
        *(double *)field = d;
}
