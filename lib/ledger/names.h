/* The names that a ledger's files may use: one English name, one for people, aliases. */
#ifndef LEDGER_NAMES_H
#define LEDGER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <lodewatch/ledger.h>

/* Is `s` this column's header: its English name, or an alias? Case, spaces, hyphens,
 * underscores and brackets do not count: "合同容量（kW）" is "合同容量kw". */
bool lw_name_is_column(const char *column, const char *s, size_t n);
/* Is it one that means a table's own id, as "编号" does? */
bool lw_name_is_own_id(const char *s, size_t n);
/* The enum's value, or -1. */
int lw_name_find(enum lw_enum_type type, const char *s, size_t n);
/* 1, 0, or -1 for what is no yes or no. */
int lw_name_find_bool(const char *s, size_t n);
/* Does it say that there is no end, as "长期" does? */
bool lw_name_is_endless(const char *s, size_t n);

#endif
