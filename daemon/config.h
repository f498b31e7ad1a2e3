/* The configuration (etc/lodewatch.conf): one struct, one const table of keys. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ini.h>

enum {
    CONFIG_PATH = 180,
    CONFIG_CONNINFO =
        1000, /* from a file of its own; a line of the configuration is shorter */
    CONFIG_BYTES = 1 << 20, /* the largest file */
};

struct config {
    /* [daemon] */
    char state_dir[CONFIG_PATH + 1];
    char timezone[64 + 1];
    char deployment[64 + 1];
    char ledger[CONFIG_PATH + 1];
    char profiles[CONFIG_PATH + 1];
    char rules[CONFIG_PATH + 1];
    char log_level[16 + 1];
    /* [database] */
    char conninfo[CONFIG_CONNINFO +
                  1]; /* with the content of conninfo_file, once loaded */
    char conninfo_file[CONFIG_PATH +
                       1]; /* for a conninfo with a password: a file of its own */
    char read_conninfo[CONFIG_CONNINFO + 1]; /* the API's; empty: conninfo */
    int64_t days_ahead;                      /* partitions made ahead of time */
    int64_t batch_rows;
    int64_t batch_ms;
    int64_t backlog_rate; /* readings a second of what an outage left; 0: no limit */
    /* [history] */
    int64_t hot_days;
    int64_t day_months;
    int64_t hour_years;
    /* [http] */
    char listen[128 + 1];
    char token_file[CONFIG_PATH + 1];
    int64_t max_connections;
    int64_t header_timeout_ms;
    /* [alerts] */
    char ndjson[CONFIG_PATH + 1];
    bool journald;
    /* [inspection] */
    char inspection[CONFIG_PATH + 1];
    /* [calendar] */
    char holidays[CONFIG_PATH + 1];
    /* [journal] */
    int64_t sync_ms;
    int64_t segment_bytes;
    int64_t segment_ms;
    int64_t keep_ms;
    int64_t max_bytes;
    int64_t max_age_ms;
};

extern const struct lw_ini_key config_keys[];
extern const size_t config_nkeys;

/* Reads the file into a new struct and checks it as a whole; LW_EPARSE with faults, also
 * where the file cannot be read. */
int config_load(const char *path, struct config *ret_config, struct lw_faults *faults);

/* The log level of this name (daemon/log.h), or LW_EINVAL. */
int config_log_level(const char *name);

/* The texts that a configuration names, read whole: ledger (its folder, UTF-8 or GB18030,
 * or PostgreSQL's), holidays, the zone's TZif file, rules. Owned; config_texts_free.
 * Where PostgreSQL has the ledger and is away, the snapshot of the last time serves. */
struct config_texts;
int config_texts_load(const struct config *config, bool exercise,
                      struct lw_faults *faults, struct config_texts **ret_texts);
void config_texts_free(struct config_texts *texts);
/* They are in force: what PostgreSQL gave becomes the snapshot. */
void config_texts_keep(const struct config *config, const struct config_texts *texts);
const struct lw_ledger_text *config_texts_ledger(const struct config_texts *texts);
/* Never NULL; "" where the rules' defaults hold. */
const char *config_texts_rules(const struct config_texts *texts, size_t *ret_n);

#endif
