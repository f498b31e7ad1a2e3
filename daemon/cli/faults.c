/* Faults as the operator's command prints them. */
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"

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
cli_print_faults(FILE *to, struct lw_faults *faults)
{
    qsort(faults->fault, faults->kept, sizeof(faults->fault[0]), by_place);
    for (uint32_t i = 0; i < faults->kept; i++) {
        const struct lw_fault *fault = &faults->fault[i];
        fprintf(to, "%s:%u:%u: %s\n", fault->file, fault->line > 0 ? fault->line : 1,
                fault->column > 0 ? fault->column : 1, fault->text);
    }
    if (faults->n > faults->kept)
        fprintf(to, "and %u more\n", faults->n - faults->kept);
}
