/* The words for alerts' kinds and priorities, and text in columns on a terminal. */
#include "daemon/cli/alert_words.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct alert_word PRIORITY[] = {
    {"urgent", "特急", "\033[1;31m"},
    {"high", "高", "\033[31m"},
    {"medium", "中", "\033[33m"},
    {"low", "低", ""},
};

static const struct alert_word KIND[] = {
    {"raised", "预警", ""},
    {"updated", "更新", ""},
    {"returned", "恢复", ""},
};

const struct alert_word *
alert_priority(const char *priority)
{
    size_t i = 0;

    while (i + 1 < sizeof PRIORITY / sizeof *PRIORITY &&
           strcmp(PRIORITY[i].name, priority) != 0)
        i++;
    return &PRIORITY[i];
}

const struct alert_word *
alert_kind(const char *type)
{
    size_t i = 0;

    while (i + 1 < sizeof KIND / sizeof *KIND && strstr(type, KIND[i].name) == NULL)
        i++;
    return &KIND[i];
}

/* A character that is not ASCII takes two columns. */
void
print_padded(const char *text, int columns)
{
    int used = 0;

    for (const char *s = text; *s; s++) {
        unsigned char c = (unsigned char)*s;

        used += c < 0x80 ? 1 : c >= 0xc0 ? 2 : 0;
    }
    printf("%s%*s", text, columns > used ? columns - used : 0, "");
}
