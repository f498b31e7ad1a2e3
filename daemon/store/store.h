/* PostgreSQL, as the rest of the daemon sees it: a consumer of the journal that writes
 * readings and alerts in batches over three connections, each batch and its cursor in one
 * transaction. */
#ifndef DAEMON_STORE_STORE_H
#define DAEMON_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>

struct clock;
struct event_base;
struct journal;
struct store;

/* The store's name as a consumer of the journal. Without a database it is ended there, so
 * that it does not keep the journal for ever. */
#define STORE_CONSUMER "store"

struct store_options {
    const char *conninfo;
    const char *read_conninfo; /* for the reader; NULL or "": as conninfo */
    const char *journal_dir;   /* "store.id" in it names this journal in the database */
    int64_t batch_rows;        /* a batch closes at so many rows */
    int64_t batch_ms;          /* or after so long */
    int64_t days_ahead;        /* partitions made ahead of time */
    int64_t
        backlog_rate; /* readings a second of what an outage left behind; 0: no limit */
};

enum store_state {
    STORE_AWAY,
    STORE_MIGRATING,
    STORE_UP
};

struct store_stats {
    enum store_state state;
    uint64_t readings_stored;
    uint64_t alerts_stored;
    uint64_t batches;
    uint64_t failed; /* batches, to be sent again */
    uint64_t
        refused; /* readings and alerts that were left out: the database refuses them */
    uint64_t behind;  /* bytes of journal that are not stored yet */
    uint64_t backlog; /* of these, what an outage left behind */
    int64_t batch_us; /* the last batch's duration */
    char error[200];  /* why it is away; no secrets */
};

/* Connects in the background, now and whenever the connection is lost; migrates at each
 * connect. PostgreSQL may be away for as long as it likes. */
int store_new(struct event_base *base, struct clock *clock, struct journal *journal,
              const struct store_options *options, struct store **ret_store);
void store_free(struct store *store);
void store_stats(const struct store *store, struct store_stats *ret_stats);

/* Waits for what is under way, then calls `done` (SIGTERM); bounded by `most_ms`. */
typedef void store_done(void *arg);
void store_flush(struct store *store, int64_t most_ms, store_done *done, void *arg);

/* Reading back, for the API: `rows` is a JSON array's text, or NULL where PostgreSQL is
 * away or refused (then `error`); `next` is JSON too: what `after` is for the next page,
 * null where there is none. */
typedef void store_answer(void *arg, const char *rows, const char *next,
                          const char *error);
struct store_alerts_query {
    lw_wall from, to;
    int32_t limit; /* 1..1000 */
};
void store_alerts(struct store *store, const struct store_alerts_query *query,
                  store_answer *answer, void *arg);
/* One meter's readings, from open days and closed ones, in the order of time. A page ends
 * after `limit` of them, or after a month. */
struct store_readings_query {
    char meter[LW_ID_MAX + 1]; /* none of this id: no readings */
    lw_wall from, to;          /* `to` exclusive */
    int32_t limit;             /* 1..1000 */
};
void store_readings(struct store *store, const struct store_readings_query *query,
                    store_answer *answer, void *arg);

/* The ledger from PostgreSQL, where [daemon] ledger is empty, and `lodewatch import`:
 * these run a loop of their own until they are done (start-up and the CLI). */
int store_ledger_load(const char *conninfo, struct lw_ledger_text *ret_text,
                      char **ret_owned, struct lw_faults *faults);
struct store_import_counts {
    uint32_t added[LW_TABLES], changed[LW_TABLES], removed[LW_TABLES], same[LW_TABLES];
};
int store_ledger_import(const char *conninfo, const struct lw_ledger *ledger,
                        struct store_import_counts *ret_counts, struct lw_faults *faults);
/* LW_EDENIED: the user may not; the faults say who. */
int store_migrate(const char *conninfo, int *ret_from, int *ret_to,
                  struct lw_faults *faults);
/* Makes the roles of least privilege, and gives the tables to lodewatch_owner; on a
 * schema of this program's version. LW_EDENIED: the faults say what a superuser has to
 * run. */
int store_roles(const char *conninfo, struct lw_faults *faults);

/* Has the daemon of this journal bring everything from `position` on again that the
 * database may lack: it merges, so that what is there stays as it is. `ret_bytes`: of the
 * journal; 0: its cursor is not behind that, so that there is nothing to do. */
int store_respool(const char *conninfo, const char *journal_dir, uint64_t position,
                  uint64_t *ret_bytes, struct lw_faults *faults);

/* The version of the database's schema, 0 where there is none yet, and the newest one
 * that this program knows. Changes nothing. */
int store_schema(const char *conninfo, int *ret_version, struct lw_faults *faults);
int store_schema_newest(void);

#endif
