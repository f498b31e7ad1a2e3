/* The ledger in PostgreSQL: read as the text of its CSV files, and brought to another
 * ledger's content by the difference, in one transaction. */
#include "daemon/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/ledger_table.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pg_sync.h"

enum {
    LOAD_SILENT_MS = 10 * 1000 /* the event loop waits for a reload, and systemd for it */
};

/* Whom the faults name: what is wrong is no file's. */
static const char place[] = "PostgreSQL";

static int
fail(const struct pg_sync *pg, int rc, struct lw_faults *faults)
{
    lw_fault_add(faults, place, 0, 0, "%s",
                 pg->error[0] ? pg->error : lw_result_text(rc));
    return rc;
}

static int
open_migrated(struct pg_sync *pg, const char *conninfo)
{
    int rc = pg_sync_open(pg, conninfo);

    return rc == 0 ? pg_sync_migrate(pg) : rc;
}

int
store_migrate(const char *conninfo, int *ret_from, int *ret_to, struct lw_faults *faults)
{
    struct pg_sync pg;
    int rc = open_migrated(&pg, conninfo);

    if (rc < 0) {
        fail(&pg, rc, faults);
    } else {
        *ret_from = pg.from;
        *ret_to = pg.to;
    }
    pg_sync_close(&pg);
    return rc;
}

int
store_schema(const char *conninfo, int *ret_version, struct lw_faults *faults)
{
    struct pg_sync pg;
    int rc = pg_sync_open(&pg, conninfo);

    if (rc == 0)
        rc = pg_sync_run(&pg, "SELECT to_regclass('schema_version')");
    if (rc == 0 && pg.value && pg.value[0])
        rc = pg_sync_run(&pg, "SELECT max(version) FROM schema_version");
    if (rc < 0)
        fail(&pg, rc, faults);
    else
        *ret_version = pg.value ? atoi(pg.value) : 0;
    pg_sync_close(&pg);
    return rc;
}

int
store_schema_newest(void)
{
    return migrate_newest();
}

/* Text of SQL: printed to `to`, then taken as a string. */
struct sql {
    char *text;
    size_t n;
    FILE *to;
};

static int
sql_begin(struct sql *sql)
{
    *sql = (struct sql){0};
    sql->to = open_memstream(&sql->text, &sql->n);
    return sql->to ? 0 : LW_ENOMEM;
}

/* Closes the stream, after which `text` is whole. */
static int
sql_end(struct sql *sql)
{
    FILE *to = sql->to;

    sql->to = NULL;
    return fclose(to) == 0 ? 0 : LW_ENOMEM;
}

static void
sql_free(struct sql *sql)
{
    if (sql->to)
        fclose(sql->to);
    free(sql->text);
}

/* Loading ------------------------------------------------------------------------------
 */

/* The columns of a CSV file that no other column has are in `extra`: columns again. */
static int
copy_table(struct pg_sync *pg, const struct ledger_table *table, FILE *to)
{
    struct sql sql;
    int rc;

    if (sql_begin(&sql) < 0)
        return LW_ENOMEM;
    fprintf(sql.to,
            "SELECT string_agg(format(', extra->>%%L AS %%I', k, k), '' ORDER BY k)"
            " FROM (SELECT DISTINCT jsonb_object_keys(extra) AS k FROM %s) AS keys",
            table->name);
    rc = sql_end(&sql);
    if (rc == 0)
        rc = pg_sync_run(pg, sql.text);
    sql_free(&sql);
    if (rc < 0 || (rc = sql_begin(&sql)) < 0)
        return rc;

    fprintf(sql.to, "COPY (SELECT ");
    for (int i = 0; i < table->ncolumns - 1; i++) { /* the last one is `extra` */
        fputs(i > 0 ? ", " : "", sql.to);
        ledger_column_sql(&table->column[i], sql.to);
    }
    fprintf(sql.to, "%s FROM %s AS t ORDER BY %s) TO STDOUT (FORMAT csv, HEADER)",
            pg->value ? pg->value : "", table->name, table->order);
    rc = sql_end(&sql);
    if (rc == 0)
        rc = pg_sync_copy_out(pg, sql.text, to);
    sql_free(&sql);
    return rc;
}

int
store_ledger_load(const char *conninfo, struct lw_ledger_text *ret_text, char **ret_owned,
                  struct lw_faults *faults)
{
    struct pg_sync pg;
    struct sql text = {0};
    size_t end[LW_TABLES];
    int rc = open_migrated(&pg, conninfo);

    pg.silent_ms = LOAD_SILENT_MS;
    if (rc == 0)
        rc = sql_begin(&text);
    if (rc == 0) /* all tables as of one moment */
        rc = pg_sync_run(&pg, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    for (int i = 0; i < LW_TABLES && rc == 0; i++) {
        rc = copy_table(&pg, ledger_table((enum lw_table)i), text.to);
        if (rc == 0 && fflush(text.to) != 0)
            rc = LW_ENOMEM;
        end[i] = text.n;
    }
    if (rc == 0)
        rc = sql_end(&text);
    if (rc < 0) {
        fail(&pg, rc, faults);
    } else {
        for (int i = 0; i < LW_TABLES; i++) {
            size_t start = i > 0 ? end[i - 1] : 0;

            ret_text->table[i].file = NULL;
            ret_text->table[i].text = text.text + start;
            ret_text->table[i].n = end[i] - start;
        }
        *ret_owned = text.text;
        text.text = NULL;
    }
    sql_free(&text);
    pg_sync_close(&pg);
    return rc;
}

/* Importing ----------------------------------------------------------------------------
 */

/* "t.a, t.b" */
static void
put_columns(FILE *to, const struct ledger_table *table, int n, const char *prefix)
{
    for (int i = 0; i < n; i++)
        fprintf(to, "%s%s\"%s\"", i > 0 ? ", " : "", prefix, table->column[i].name);
}

static void
put_stage(FILE *to, const struct ledger_table *t)
{
    fprintf(to, "CREATE TEMP TABLE new_%s (LIKE %s) ON COMMIT DROP; COPY new_%s(",
            t->name, t->name, t->name);
    put_columns(to, t, t->ncolumns, "");
    fprintf(to, ") FROM STDIN (FORMAT csv)");
}

static void
put_same_key(FILE *to, const struct ledger_table *t)
{
    fputs("(", to);
    put_columns(to, t, t->keys, "t.");
    fputs(") = (", to);
    put_columns(to, t, t->keys, "n.");
    fputs(")", to);
}

static void
put_remove(FILE *to, const struct ledger_table *t)
{
    fprintf(to, "DELETE FROM %s AS t WHERE NOT EXISTS (SELECT FROM new_%s AS n WHERE ",
            t->name, t->name);
    put_same_key(to, t);
    fputs(")", to);
}

static void
put_change(FILE *to, const struct ledger_table *t)
{
    fprintf(to, "UPDATE %s AS t SET (", t->name);
    put_columns(to, t, t->ncolumns, "");
    fputs(") = ROW(", to);
    put_columns(to, t, t->ncolumns, "n.");
    fprintf(to, ") FROM new_%s AS n WHERE ", t->name);
    put_same_key(to, t);
    fputs(" AND (", to);
    put_columns(to, t, t->ncolumns, "t.");
    fputs(") IS DISTINCT FROM (", to);
    put_columns(to, t, t->ncolumns, "n.");
    fputs(")", to);
}

static void
put_add(FILE *to, const struct ledger_table *t)
{
    fprintf(to, "INSERT INTO %s(", t->name);
    put_columns(to, t, t->ncolumns, "");
    fputs(") SELECT ", to);
    put_columns(to, t, t->ncolumns, "n.");
    fprintf(to, " FROM new_%s AS n WHERE NOT EXISTS (SELECT FROM %s AS t WHERE ", t->name,
            t->name);
    put_same_key(to, t);
    fputs(")", to);
}

static int
run_put(struct pg_sync *pg, const struct ledger_table *table,
        void (*put)(FILE *to, const struct ledger_table *table), const struct sql *rows)
{
    struct sql sql;
    int rc = sql_begin(&sql);

    if (rc < 0)
        return rc;
    put(sql.to, table);
    rc = sql_end(&sql);
    if (rc == 0)
        rc = rows ? pg_sync_copy_in(pg, sql.text, rows->text, rows->n)
                  : pg_sync_run(pg, sql.text);
    sql_free(&sql);
    return rc;
}

static int
import_table(struct pg_sync *pg, const struct lw_ledger *ledger, enum lw_table i,
             struct store_import_counts *counts)
{
    const struct ledger_table *table = ledger_table(i);
    struct sql rows;
    uint32_t all = 0;
    int rc = sql_begin(&rows);

    if (rc < 0)
        return rc;
    ledger_table_csv(ledger, i, rows.to);
    rc = sql_end(&rows);
    if (rc == 0)
        rc = run_put(pg, table, put_stage, &rows);
    if (rc == 0) {
        all = (uint32_t)pg->touched;
        rc = run_put(pg, table, put_remove, NULL);
        counts->removed[i] = (uint32_t)pg->touched;
    }
    if (rc == 0) {
        rc = run_put(pg, table, put_change, NULL);
        counts->changed[i] = (uint32_t)pg->touched;
    }
    if (rc == 0) {
        rc = run_put(pg, table, put_add, NULL);
        counts->added[i] = (uint32_t)pg->touched;
        counts->same[i] = all - counts->added[i] - counts->changed[i];
    }
    sql_free(&rows);
    return rc;
}

int
store_ledger_import(const char *conninfo, const struct lw_ledger *ledger,
                    struct store_import_counts *ret_counts, struct lw_faults *faults)
{
    struct store_import_counts counts = {0};
    struct pg_sync pg;
    int rc = open_migrated(&pg, conninfo);

    /* One import at a time; those who read see the old ledger until COMMIT. */
    if (rc == 0)
        rc = pg_sync_run(&pg,
                         "BEGIN; SET LOCAL lock_timeout = '1min';"
                         "SET LOCAL statement_timeout = '10min';"
                         "SELECT pg_advisory_xact_lock(hashtext('lodewatch.import'))");
    for (int i = 0; i < LW_TABLES && rc == 0; i++)
        rc = import_table(&pg, ledger, (enum lw_table)i, &counts);
    if (rc == 0)
        rc = pg_sync_run(&pg, "COMMIT");
    if (rc == 0)
        *ret_counts = counts;
    else
        fail(&pg, rc, faults);
    pg_sync_close(&pg);
    return rc;
}
