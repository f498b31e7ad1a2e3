/* The list of faults that a reader of people's files fills. */
#include <lodewatch/fault.h>

#include <lodewatch/text.h>

void
lw_fault_setv(struct lw_fault *fault, const char *file, uint32_t line, uint32_t column,
              const char *format, va_list args)
{
    struct lw_text text;

    fault->line = line;
    fault->column = column;
    lw_text_init(&text, fault->file, sizeof(fault->file));
    lw_text_add(&text, file);
    lw_text_init(&text, fault->text, sizeof(fault->text));
    lw_text_addv(&text, format, args);
}

void
lw_fault_add(struct lw_faults *faults, const char *file, uint32_t line, uint32_t column,
             const char *format, ...)
{
    va_list args;

    faults->n++;
    if (faults->kept == LW_FAULTS_KEPT)
        return;
    va_start(args, format);
    lw_fault_setv(&faults->fault[faults->kept++], file, line, column, format, args);
    va_end(args);
}
