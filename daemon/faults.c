/* Faults, told to people. */
#include "daemon/faults.h"

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
    lw_text_addf(&text, "%s:", fault->file);
    if (fault->line > 0) {
        lw_text_addf(&text, "%u:", fault->line);
        if (fault->column > 0) {
            lw_text_addf(&text, "%u:", fault->column);
        }
    }
    lw_text_addf(&text, " %s", fault->text);
}

void
faults_print(FILE *file, const struct lw_faults *faults)
{
    char line[LINE];

    for (uint32_t i = 0; i < faults->kept; i++) {
        format(&faults->fault[i], line);
        fprintf(file, "%s\n", line);
    }
    if (faults->n > faults->kept) {
        fprintf(file, "and %u more faults\n", faults->n - faults->kept);
    }
}

void
faults_log(const struct lw_faults *faults)
{
    char line[LINE];

    for (uint32_t i = 0; i < faults->kept; i++) {
        format(&faults->fault[i], line);
        log_error("%s", line);
    }
    if (faults->n > faults->kept) {
        log_error("and %u more faults", faults->n - faults->kept);
    }
}
