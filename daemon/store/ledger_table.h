/* The ledger's tables as PostgreSQL has them: the columns of the CSV files, and a
 * ledger's rows in them. */
#ifndef DAEMON_STORE_LEDGER_TABLE_H
#define DAEMON_STORE_LEDGER_TABLE_H

#include <stdio.h>

#include <lodewatch/ledger.h>

struct ledger_column {
    const char *name;
    uint8_t kind;    /* what its cells are made from: ledger_table.c */
    bool of_point;   /* the member is the metering point's (meters only) */
    uint16_t offset; /* of the member */
    uint8_t size;
    uint8_t type;     /* an enum's lw_enum_type */
    int32_t per_unit; /* of numbers */
};

struct ledger_table {
    const char *name; /* in PostgreSQL */
    const struct ledger_column *column;
    int ncolumns;
    int keys;          /* the first columns that make a row's key */
    const char *order; /* of rows read back */
};

const struct ledger_table *ledger_table(enum lw_table table);
/* Its column as an expression of SQL that yields what a CSV file would have. */
void ledger_column_sql(const struct ledger_column *column, FILE *to);
/* The rows as CSV, without a header, in the order of the columns and `extra` behind them.
 */
void ledger_table_csv(const struct lw_ledger *ledger, enum lw_table table, FILE *to);

#endif
