/* Faults in what people wrote: where, what, and what was expected. */
#ifndef LODEWATCH_FAULT_H
#define LODEWATCH_FAULT_H

#include <stdarg.h>
#include <stdint.h>

enum {
    LW_FAULTS_KEPT = 100,
    LW_FAULT_TEXT = 240,
    LW_FAULT_FILE = 96
};

struct lw_fault {
    char file[LW_FAULT_FILE];
    uint32_t line;   /* from 1; 0: the file as a whole */
    uint32_t column; /* from 1, in bytes; 0: the line as a whole */
    char text[LW_FAULT_TEXT];
};

/* A bounded list; faults beyond it are counted, not kept. Plain data, zero is empty. */
struct lw_faults {
    uint32_t n;    /* how many were found */
    uint32_t kept; /* how many of them stand in `fault` */
    struct lw_fault fault[LW_FAULTS_KEPT];
};

void lw_fault_add(struct lw_faults *faults, const char *file, uint32_t line,
                  uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Writes one fault. */
void lw_fault_setv(struct lw_fault *fault, const char *file, uint32_t line,
                   uint32_t column, const char *format, va_list args)
    __attribute__((format(printf, 5, 0)));

#endif
