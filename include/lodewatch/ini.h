/* INI text into a struct, by one const table of keys. Used for lodewatch.conf and for
 * the rules file; the table is also what the sample, the manual and the lint are held to.
 */
#ifndef LODEWATCH_INI_H
#define LODEWATCH_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/result.h>

enum lw_ini_type {
    LW_INI_STRING,   /* char[max + 1] in the struct; max bytes at most */
    LW_INI_INT,      /* int64_t */
    LW_INI_BOOL,     /* bool: yes/no, true/false, on/off, 1/0 */
    LW_INI_DECIMAL,  /* int64_t in units of 1/per_unit */
    LW_INI_DURATION, /* int64_t in ms: "250ms", "30s", "15m", "2h", "7d" */
};

struct lw_text;

struct lw_ini_key {
    const char *section;
    const char *name;
    enum lw_ini_type type;
    size_t offset;
    int64_t min;          /* numbers and durations (ms): both inclusive */
    int64_t max;          /* strings: the most bytes */
    int64_t per_unit;     /* decimals only */
    const char *fallback; /* the default, as it would be written */
    const char *help;     /* one English sentence, with the unit */
};

enum {
    LW_INI_LINE = 198,
    LW_INI_SECTION = 48
}; /* the most bytes inih can take */

/* Sets every key of `conf` to its default. The table's defaults are valid (a unit test).
 */
void lw_ini_defaults(const struct lw_ini_key *keys, size_t nkeys, void *conf);

/* Parses `text` over the values in `conf`. Unknown keys and sections are faults that name
 * the nearest known one; a key given twice is a fault. On any fault: LW_EPARSE, and conf
 * must not be used. */
LW_MUSTCHECK
int lw_ini_parse(const char *file, const char *text, size_t n,
                 const struct lw_ini_key *keys, size_t nkeys, void *conf,
                 struct lw_faults *faults);

/* A section may be for some only: [name words]. Both say LW_EINVAL and why where they
 * refuse it. */
struct lw_ini_scope {
    /* Does the section concern `arg`? words "": it is for all. */
    int (*section)(void *arg, const char *section, const char *words, struct lw_text *why,
                   bool *ret_concerns);
    /* May the key be given for some only? */
    int (*key)(void *arg, const struct lw_ini_key *key, struct lw_text *why);
};
/* The same, where a later section [name words] that concerns `arg` goes over an earlier
 * one; those that do not are checked as far as their keys' names. */
LW_MUSTCHECK
int lw_ini_parse_scoped(const char *file, const char *text, size_t n,
                        const struct lw_ini_key *keys, size_t nkeys,
                        const struct lw_ini_scope *scope, void *arg, void *conf,
                        struct lw_faults *faults);

#endif
