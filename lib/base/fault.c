/* The list of faults that a reader of people's files fills. */
#include <lodewatch/fault.h>

#include <stdarg.h>

#include <lodewatch/text.h>

void
lw_fault_add(struct lw_faults *faults, const char *file, uint32_t line, uint32_t column,
             const char *format, ...)
{
    faults->n++;
    if (faults->kept == LW_FAULTS_KEPT)
        return;

    struct lw_fault *fault = &faults->fault[faults->kept++];
    struct lw_text text;
    va_list args;

    fault->line = line;
    fault->column = column;
    lw_text_init(&text, fault->file, sizeof(fault->file));
    lw_text_add(&text, file);
    lw_text_init(&text, fault->text, sizeof(fault->text));
    va_start(args, format);
    lw_text_addv(&text, format, args);
    va_end(args);
}
