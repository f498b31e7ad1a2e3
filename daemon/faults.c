/* Faults, told to people. */
#include "daemon/faults.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>

#include "daemon/log.h"

enum {
    LINE = LW_FAULT_FILE + LW_FAULT_TEXT + 32
};

static void
format(const struct lw_fault *fault, char line[LINE])
{
    struct lw_text text;

    lw_text_init(&text, line, LINE);
    lw_text_addf(&text, "%s:%u:%u: %s", fault->file, fault->line > 0 ? fault->line : 1,
                 fault->column > 0 ? fault->column : 1, fault->text);
}

static int
by_place(const void *a, const void *b)
{
    const struct lw_fault *x = a, *y = b;
    int order = strcmp(x->file, y->file);
    if (order == 0)
        order = (x->line > y->line) - (x->line < y->line);
    return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

void
faults_print(FILE *file, struct lw_faults *faults)
{
    char line[LINE];

    qsort(faults->fault, faults->kept, sizeof(faults->fault[0]), by_place);
    for (uint32_t i = 0; i < faults->kept; i++) {
        format(&faults->fault[i], line);
        fprintf(file, "%s\n", line);
    }
    if (faults->n > faults->kept)
        fprintf(file, "and %u more\n", faults->n - faults->kept);
}

void
faults_log(const struct lw_faults *faults)
{
    char line[LINE];

    for (uint32_t i = 0; i < faults->kept; i++) {
        format(&faults->fault[i], line);
        log_error("%s", line);
    }
    if (faults->n > faults->kept)
        log_error("and %u more", faults->n - faults->kept);
}
