/* What a message to people needs of an alert's JSON. */
#include <lodewatch/codec.h>

#include <string.h>

#include <jansson.h>

/* Copies a string that may be absent as one line; cut at a character's beginning. */
static void
copy(const json_t *value, char *text, size_t cap)
{
    const char *s = json_is_string(value) ? json_string_value(value) : "";
    size_t n = strlen(s);

    if (n >= cap) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
            n--;
    }
    for (size_t i = 0; i < n; i++)
        text[i] = (unsigned char)s[i] < 0x20 ? ' ' : s[i];
    text[n] = '\0';
}

/* The CAP info block's sentences in a language: "headline. description". */
static void
copy_sentence(const json_t *infos, const char *language, char *text, size_t cap)
{
    struct lw_text t;
    json_t *info;
    size_t i;

    lw_text_init(&t, text, cap);
    json_array_foreach(infos, i, info) {
        const char *which = json_string_value(json_object_get(info, "language"));
        if (which != NULL && strncmp(which, language, 2) == 0) {
            char part[900];
            copy(json_object_get(info, "headline"), part, sizeof part);
            lw_text_add(&t, part);
            copy(json_object_get(info, "description"), part, sizeof part);
            lw_text_add(&t, strcmp(language, "zh") == 0 ? "。" : ". ");
            lw_text_add(&t, part);
            return;
        }
    }
}

int
lw_alert_brief(const char *json, size_t n, struct lw_alert_brief *ret_brief)
{
    json_t *root = json_loadb(json, n, 0, NULL);
    const json_t *data = json_object_get(root, "data");

    if (!json_is_object(data)) {
        json_decref(root);
        return LW_EPARSE;
    }
    struct lw_alert_brief *b = ret_brief;
    copy(json_object_get(root, "id"), b->id, sizeof b->id);
    copy(json_object_get(root, "type"), b->type, sizeof b->type);
    copy(json_object_get(root, "subject"), b->subject, sizeof b->subject);
    copy(json_object_get(json_object_get(data, "rule"), "id"), b->rule, sizeof b->rule);
    copy(json_object_get(json_object_get(data, "alarm"), "priority"), b->priority,
         sizeof b->priority);
    b->flood = (uint32_t)json_integer_value(
        json_object_get(json_object_get(data, "alarm"), "flood"));
    copy(json_object_get(json_object_get(data, "cap"), "sent"), b->time, sizeof b->time);
    copy(json_object_get(json_object_get(data, "site"), "name"), b->name, sizeof b->name);
    copy(json_object_get(json_object_get(data, "site"), "name_en"), b->name_en,
         sizeof b->name_en);
    copy_sentence(json_object_get(data, "info"), "zh", b->zh, sizeof b->zh);
    copy_sentence(json_object_get(data, "info"), "en", b->en, sizeof b->en);
    json_decref(root);
    return 0;
}
