/* The texts that a configuration names, read whole before anything is made of them, so
 * that a reload either has all of them or changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lodewatch/pack.h>
#include <lodewatch/time.h>

#include "daemon/config.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "daemon/store/store.h"

enum {
    SMALL_FILE = 1 << 20,
    SNAPSHOT_PATH = CONFIG_PATH + 32
};

struct config_texts {
    struct lw_ledger_text ledger; /* borrows from everything below */
    char deployment[sizeof((struct config *)0)->deployment];
    struct files_ledger folder;
    char *database; /* the ledger as PostgreSQL or the snapshot has it */
    bool fresh;     /* PostgreSQL */
    char *tzif;
    char *holidays;
    char *rules;
    size_t rules_n;
};

static void
add_errno(struct lw_faults *faults, const char *path, int rc)
{
    lw_fault_add(faults, path, 0, 0, "%s",
                 rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
}

/* A file named by a key that may be empty. */
static int
read_text(const char *path, struct lw_faults *faults, char **ret_text, size_t *ret_n)
{
    char *text;
    size_t n;
    int rc;

    if (path[0] == '\0')
        return 0;
    rc = files_read(path, SMALL_FILE, &text, &n);
    if (rc != 0) {
        add_errno(faults, path, rc);
        return LW_EPARSE;
    }
    rc = files_to_utf8(path, &text, &n, faults);
    if (rc != 0) {
        free(text);
        return rc;
    }
    *ret_text = text;
    *ret_n = n;
    return 0;
}

/* ---- the snapshot of PostgreSQL's ledger ---- */

static void
snapshot_path(const struct config *config, const char *suffix, char path[SNAPSHOT_PATH])
{
    snprintf(path, SNAPSHOT_PATH, "%s/ledger.snapshot%s", config->state_dir, suffix);
}

static int
write_all(void *arg, const void *data, size_t n)
{
    const char *s = data;

    while (n > 0) {
        ssize_t written = write(*(int *)arg, s, n);
        if (written < 0 && errno != EINTR)
            return LW_EIO;
        if (written > 0) {
            s += written;
            n -= (size_t)written;
        }
    }
    return 0;
}

/* Whole or not at all: written beside the old one, then renamed. */
static void
snapshot_write(const struct config *config, const struct lw_ledger_text *ledger)
{
    char path[SNAPSHOT_PATH];
    char fresh[SNAPSHOT_PATH];
    struct lw_packer packer;
    int rc = LW_EIO;

    snapshot_path(config, "", path);
    snapshot_path(config, ".new", fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd >= 0) {
        lw_pack_init(&packer, write_all, &fd);
        lw_ledger_text_pack(ledger, &packer);
        rc = lw_pack_flush(&packer);
        rc = rc == 0 && fsync(fd) != 0 ? LW_EIO : rc;
        close(fd);
    }
    if (rc != 0 || rename(fresh, path) != 0)
        log_warn("%s: the snapshot of the ledger could not be written: %m", path);
}

static int
snapshot_read(const struct config *config, struct config_texts *texts)
{
    char path[SNAPSHOT_PATH];
    struct lw_unpacker unpacker;
    size_t n;

    snapshot_path(config, "", path);
    int rc = files_read(path, LW_LEDGER_BYTES, &texts->database, &n);
    if (rc == 0) {
        lw_unpack_init(&unpacker, texts->database, n);
        rc = lw_ledger_text_unpack(&unpacker, &texts->ledger);
    }
    return rc;
}

static int
load_from_database(const struct config *config, struct config_texts *texts,
                   struct lw_faults *faults)
{
    uint32_t before = faults->n;
    int rc =
        store_ledger_load(config->conninfo, &texts->ledger, &texts->database, faults);

    if (rc == 0) {
        texts->fresh = true;
        return 0;
    }
    /* away, or of a version that this program may not use */
    if ((rc != LW_EIO && rc != LW_EVERSION && rc != LW_EDENIED) ||
        snapshot_read(config, texts) != 0) {
        if (faults->n == before) {
            lw_fault_add(
                faults, "[database] conninfo", 0, 0,
                "the ledger is in PostgreSQL, which is away (%s), and there is no "
                "snapshot of it yet",
                lw_result_text(rc));
        }
        return LW_EPARSE;
    }
    /* Not a fault of what anybody wrote: the daemon runs on what it knew. */
    log_warn("PostgreSQL is away (%s): the ledger is taken from %s/ledger.snapshot",
             faults->kept > before ? faults->fault[before].text : lw_result_text(rc),
             config->state_dir);
    faults->n = before;
    faults->kept = before < LW_FAULTS_KEPT ? before : LW_FAULTS_KEPT;
    return 0;
}

/* ---- all of them ---- */

static int
load_ledger(const struct config *config, struct config_texts *texts,
            struct lw_faults *faults)
{
    if (config->ledger[0] == '\0')
        return load_from_database(config, texts, faults);
    int rc = files_ledger_load(config->ledger, faults, &texts->folder);
    if (rc == 0) {
        texts->ledger = texts->folder.text;
    } else if (rc == LW_EIO) {
        add_errno(faults, config->ledger, rc);
        rc = LW_EPARSE;
    }
    return rc;
}

int
config_texts_load(const struct config *config, bool exercise, struct lw_faults *faults,
                  struct config_texts **ret_texts)
{
    struct config_texts *texts = calloc(1, sizeof *texts);
    size_t tzif_n = 0;
    size_t holidays_n = 0;
    int rc;

    if (texts == NULL)
        return LW_ENOMEM;
    /* Every fault at once: a person mends a configuration in one go. */
    rc = load_ledger(config, texts, faults);
    int holidays_rc = read_text(config->holidays, faults, &texts->holidays, &holidays_n);
    int rules_rc = read_text(config->rules, faults, &texts->rules, &texts->rules_n);
    int zone_rc = files_zone(config->timezone, &texts->tzif, &tzif_n);
    if (zone_rc != 0) {
        lw_fault_add(faults, "[daemon] timezone", 0, 0,
                     "'%s' is no time zone of this system", config->timezone);
        zone_rc = LW_EPARSE;
    }
    rc = rc != 0            ? rc
         : holidays_rc != 0 ? holidays_rc
         : rules_rc != 0    ? rules_rc
                            : zone_rc;
    if (rc != 0) {
        config_texts_free(texts);
        return rc;
    }
    memcpy(texts->deployment, config->deployment, sizeof texts->deployment);
    texts->ledger.deployment = texts->deployment;
    texts->ledger.exercise = exercise;
    texts->ledger.tzif = texts->tzif;
    texts->ledger.tzif_n = tzif_n;
    texts->ledger.holidays = texts->holidays == NULL ? "" : texts->holidays;
    texts->ledger.holidays_n = holidays_n;
    *ret_texts = texts;
    return 0;
}

void
config_texts_free(struct config_texts *texts)
{
    if (texts == NULL)
        return;
    files_ledger_free(&texts->folder);
    free(texts->database);
    free(texts->tzif);
    free(texts->holidays);
    free(texts->rules);
    free(texts);
}

void
config_texts_keep(const struct config *config, const struct config_texts *texts)
{
    if (texts->fresh)
        snapshot_write(config, &texts->ledger);
}

const struct lw_ledger_text *
config_texts_ledger(const struct config_texts *texts)
{
    return &texts->ledger;
}

const char *
config_texts_rules(const struct config_texts *texts, size_t *ret_n)
{
    *ret_n = texts->rules_n;
    return texts->rules == NULL ? "" : texts->rules;
}
