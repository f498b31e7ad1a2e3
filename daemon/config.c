/* lodewatch.conf into struct config: the one table of keys, and what can only be checked
 * across keys. */
#include "daemon/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/files.h"
#include "daemon/http/address.h"
#include "daemon/log.h"
#include "daemon/store/pg_conn.h"

#define STRING(section, key, member, fallback, help)                                     \
    {                                                                                    \
        section, key, LW_INI_STRING, offsetof(struct config, member), 0,                 \
            STRING_MAX(member), 0, fallback, help                                        \
    }
#define STRING_MAX(member) (int64_t)(sizeof(((struct config *)0)->member) - 1)
#define INT(section, key, member, min, max, fallback, help)                              \
    {                                                                                    \
        section, key, LW_INI_INT, offsetof(struct config, member), min, max, 0,          \
            fallback, help                                                               \
    }
#define DURATION(section, key, member, min, max, fallback, help)                         \
    {                                                                                    \
        section, key, LW_INI_DURATION, offsetof(struct config, member), min, max, 0,     \
            fallback, help                                                               \
    }
#define BOOL(section, key, member, fallback, help)                                       \
    {                                                                                    \
        section, key, LW_INI_BOOL, offsetof(struct config, member), 0, 0, 0, fallback,   \
            help                                                                         \
    }

const struct lw_ini_key config_keys[] = {
    STRING("daemon", "state_dir", state_dir, "/var/lib/lodewatch",
           "Where the journal, its checkpoints and the clock's socket are kept."),
    STRING("daemon", "timezone", timezone, "Asia/Shanghai",
           "The zone of nights, hours, weeks and local times in the ledger."),
    STRING("daemon", "deployment", deployment, "",
           "The deployment's name in alerts; empty: the id of the first root area."),
    STRING("daemon", "ledger", ledger, "",
           "The folder with the ledger's CSV files; empty: the ledger is in PostgreSQL."),
    STRING("daemon", "profiles", profiles, "",
           "The folder with the meter profiles (JSON); empty: the installed ones."),
    STRING("daemon", "rules", rules, "",
           "The file with the rules' parameters; empty: their defaults."),
    STRING("daemon", "log_level", log_level, "info",
           "The least important log lines that are written: error, warning, note, info "
           "or trace."),
    STRING("database", "conninfo", conninfo, "",
           "How to reach PostgreSQL, in libpq's form; empty: no database."),
    STRING(
        "database", "conninfo_file", conninfo_file, "",
        "A file with the conninfo, for one that holds a password; instead of conninfo."),
    STRING("database", "read_conninfo", read_conninfo, "",
           "The same for the API, which only reads; empty: as conninfo."),
    INT("database", "days_ahead", days_ahead, 1, 30, "3",
        "Days for which tables of readings are made ahead of time."),
    INT("database", "batch_rows", batch_rows, 1, 10000, "10000",
        "Readings in one transaction at most."),
    DURATION("database", "batch_time", batch_ms, 10, LW_MINUTE, "1s",
             "A transaction waits so long at most for more readings."),
    INT("database", "backlog_rate", backlog_rate, 0, 10000000, "0",
        "Readings a second of what an outage left behind; 0: as many as go beside what "
        "is new."),
    INT("history", "hot_days", hot_days, 1, 366, "3",
        "Days before today that stay in PostgreSQL as rows; older ones are packed."),
    INT("history", "day_months", day_months, 0, 1200, "0",
        "Months for which packed readings are kept; 0: for ever."),
    INT("history", "hour_years", hour_years, 0, 100, "0",
        "Years for which the hours of packed readings are kept; 0: for ever."),
    STRING("http", "listen", listen, "127.0.0.1:8480",
           "Where HTTP is served: an address and port, or unix:/path; empty: nowhere."),
    STRING("http", "token_file", token_file, "",
           "The file with the bearer token that /api and /metrics ask for."),
    INT("http", "max_connections", max_connections, 1, 1000, "64",
        "Connections at a time; further ones wait."),
    DURATION("http", "header_timeout", header_timeout_ms, 100, LW_HOUR, "10s",
             "A connection has so long for each request and its reply."),
    STRING("alerts", "ndjson", ndjson, "",
           "The file to which alerts are added, one JSON object a line; -: standard "
           "output; empty: none."),
    BOOL("alerts", "journald", journald, "yes",
         "Write alerts to systemd's journal, where it runs."),
    STRING("inspection", "ndjson", inspection, "",
           "The file to which what discipline inspection alone is told is added; empty: "
           "none."),
    STRING("calendar", "holidays", holidays, "",
           "A file that names the holidays, a date a line; empty: none."),
    DURATION("journal", "sync", sync_ms, 10, 250, "200ms",
             "Events are on disk after so long at most."),
    INT("journal", "segment_bytes", segment_bytes, 65536, INT64_C(1) << 32, "67108864",
        "Bytes after which a new segment and checkpoint are begun."),
    DURATION("journal", "segment_time", segment_ms, LW_MINUTE, LW_DAY, "1h",
             "Time after which a new segment and checkpoint are begun."),
    DURATION("journal", "keep", keep_ms, 0, 365 * LW_DAY, "48h",
             "Time for which segments are kept after everything in them was delivered."),
    INT("journal", "max_bytes", max_bytes, 1 << 20, INT64_C(1) << 46, "10737418240",
        "Bytes beyond which the oldest readings go, delivered or not; alerts stay."),
    DURATION("journal", "max_age", max_age_ms, LW_HOUR, 3650 * LW_DAY, "30d",
             "Age beyond which readings go, delivered or not; alerts stay."),
};
const size_t config_nkeys = sizeof config_keys / sizeof config_keys[0];

static const struct {
    const char *name;
    enum log_level level;
} levels[] = {
    {"error", LOG_ERROR}, {"warning", LOG_WARN}, {"note", LOG_NOTE},
    {"info", LOG_INFO},   {"trace", LOG_TRACE},
};

int
config_log_level(const char *name)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(name, levels[i].name) == 0)
            return (int)levels[i].level;
    return LW_EINVAL;
}

/* The line on which a key stands, for faults that only show once the file is read; 0
 * where it is not given. The text has been parsed, so it has the right form. */
static uint32_t
line_of(const char *text, const char *section, const char *name)
{
    uint32_t line = 1;
    bool inside = false;

    for (const char *s = text; *s != '\0'; line++) {
        size_t n = strcspn(s, "\n");
        size_t blank = strspn(s, " \t");
        const char *word = s + blank;
        if (*word == '[') {
            size_t len = strlen(section);
            inside = strncmp(word + 1, section, len) == 0 && word[1 + len] == ']';
        } else if (inside && strncmp(word, name, strlen(name)) == 0) {
            const char *after = word + strlen(name);
            after += strspn(after, " \t");
            if (*after == '=' || *after == ':')
                return line;
        }
        s += n + (s[n] == '\n');
    }
    return 0;
}

/* What a password in the conninfo looks like: a keyword, or a URI's user:password@. */
static bool
has_password(const char *conninfo)
{
    const char *authority = strstr(conninfo, "://");
    size_t n = authority == NULL ? 0 : strcspn(authority + 3, "@/");

    return strstr(conninfo, "password") != NULL ||
           (n > 0 && authority[3 + n] == '@' && memchr(authority + 3, ':', n) != NULL);
}

static void
warn_readable(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0) {
        log_warn("%s: holds a password and can be read by everybody: chmod o-r, or use "
                 "[database] conninfo_file",
                 path);
    }
}

static int
load_conninfo_file(struct config *config, struct lw_faults *faults)
{
    char *data;
    size_t n;

    if (files_read(config->conninfo_file, CONFIG_CONNINFO, &data, &n) != 0) {
        lw_fault_add(faults, config->conninfo_file, 0, 0, "%s", strerror(errno));
        return LW_EPARSE;
    }
    while (n > 0 && strchr(" \t\r\n", data[n - 1]) != NULL)
        n--;
    memcpy(config->conninfo, data, n);
    config->conninfo[n] = '\0';
    free(data);
    if (strlen(config->conninfo) != n || strchr(config->conninfo, '\n') != NULL) {
        lw_fault_add(faults, config->conninfo_file, 0, 0,
                     "one line in libpq's form was expected");
        return LW_EPARSE;
    }
    if (has_password(config->conninfo))
        warn_readable(config->conninfo_file);
    return 0;
}

#define CONNINFO_EXPECTED "libpq's form was expected: host=… dbname=…, or a URI"

static void
check_conninfo(const char *path, const char *text, struct config *config,
               struct lw_faults *faults)
{
    uint32_t line = line_of(text, "database", "conninfo");

    if (config->conninfo_file[0] != '\0') {
        if (config->conninfo[0] != '\0') {
            lw_fault_add(
                faults, path, line_of(text, "database", "conninfo_file"), 1,
                "conninfo_file: conninfo is given too; one of them was expected");
            return;
        }
        path = config->conninfo_file;
        line = 1;
        if (load_conninfo_file(config, faults) != 0)
            return;
    } else if (has_password(config->conninfo)) {
        warn_readable(path);
    }
    if (config->conninfo[0] != '\0' && pg_conninfo_check(config->conninfo) != 0) {
        lw_fault_add(faults, path, line, 1, "conninfo: " CONNINFO_EXPECTED);
    }
}

static void
check_read_conninfo(const char *path, const char *text, const struct config *config,
                    struct lw_faults *faults)
{
    uint32_t line = line_of(text, "database", "read_conninfo");

    if (config->read_conninfo[0] == '\0')
        return;
    if (config->conninfo[0] == '\0')
        lw_fault_add(faults, path, line, 1,
                     "read_conninfo: a conninfo was expected beside it");
    else if (pg_conninfo_check(config->read_conninfo) != 0)
        lw_fault_add(faults, path, line, 1, "read_conninfo: " CONNINFO_EXPECTED);
    if (has_password(config->read_conninfo))
        warn_readable(path);
}

/* Whoever reads alerts, or the daemon's output, is not to have it. */
static void
check_inspection(const char *path, const char *text, const struct config *config,
                 struct lw_faults *faults)
{
    if (config->inspection[0] != '\0' &&
        (strcmp(config->inspection, "-") == 0 ||
         strcmp(config->inspection, config->ndjson) == 0))
        lw_fault_add(faults, path, line_of(text, "inspection", "ndjson"), 1,
                     "ndjson: a file of its own was expected");
}

static void
check(const char *path, const char *text, struct config *config, struct lw_faults *faults)
{
    struct http_address address;
    char *zone;
    size_t n;

    if (files_zone(config->timezone, &zone, &n) != 0) {
        lw_fault_add(faults, path, line_of(text, "daemon", "timezone"), 1,
                     "timezone: '%s' is none of this system's zones (Asia/Shanghai)",
                     config->timezone);
    } else {
        free(zone);
    }
    if (config_log_level(config->log_level) < 0) {
        lw_fault_add(faults, path, line_of(text, "daemon", "log_level"), 1,
                     "log_level: '%s' is none of error, warning, note, info, trace",
                     config->log_level);
    }
    if (config->state_dir[0] == '\0') {
        lw_fault_add(faults, path, line_of(text, "daemon", "state_dir"), 1,
                     "state_dir: a folder was expected");
    }
    check_inspection(path, text, config, faults);
    check_conninfo(path, text, config, faults);
    check_read_conninfo(path, text, config, faults);
    if (config->ledger[0] == '\0' && config->conninfo[0] == '\0' &&
        config->conninfo_file[0] == '\0') {
        lw_fault_add(faults, path, line_of(text, "daemon", "ledger"), 0,
                     "ledger: a folder was expected, since there is no [database] "
                     "conninfo either");
    }
    if (config->listen[0] == '\0')
        return;
    if (http_address_parse(config->listen, &address) != 0) {
        lw_fault_add(
            faults, path, line_of(text, "http", "listen"), 1,
            "listen: '%s' is neither ADDRESS:PORT (127.0.0.1:8480, [::1]:8480) nor "
            "unix:/PATH",
            config->listen);
    } else if (!address.local && config->token_file[0] == '\0') {
        lw_fault_add(faults, path, line_of(text, "http", "listen"), 1,
                     "listen: %s is not this machine alone: a token_file was expected",
                     config->listen);
    }
}

int
config_load(const char *path, struct config *ret_config, struct lw_faults *faults)
{
    uint32_t before = faults->n;
    struct config config = {0};
    char *text = NULL;
    size_t n;
    int rc = files_read(path, CONFIG_BYTES, &text, &n);

    if (rc != 0) {
        lw_fault_add(faults, path, 0, 0, "%s",
                     rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
        return LW_EPARSE;
    }
    lw_ini_defaults(config_keys, config_nkeys, &config);
    rc = files_to_utf8(path, &text, &n, faults);
    if (rc == 0)
        rc = lw_ini_parse(path, text, n, config_keys, config_nkeys, &config, faults);
    if (rc == 0)
        check(path, text, &config, faults);
    if (rc == 0 && faults->n > before)
        rc = LW_EPARSE;
    if (rc == 0)
        *ret_config = config;
    free(text);
    return rc;
}
