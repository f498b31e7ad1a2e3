/* Alerts as structured messages to systemd's journal: a sentence in Chinese and English,
 * fields to filter by (`journalctl LODEWATCH_RULE=closed_load`), and the whole alert. */
#include "daemon/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

#include "daemon/notify/sink.h"

/* Ours alone, for `journalctl MESSAGE_ID=` and message catalogues. */
static const char message_id[] = "MESSAGE_ID=b7ad0d6bd1b44c53a5de7ed3fc6b1f0e";

static const struct {
    const char *name;
    int syslog;
} priorities[] = {{"low", 5}, {"medium", 4}, {"high", 3}, {"urgent", 2}};

/* libsystemd says nothing where there is no journald, so look. */
static int
journald_open(const struct notify_options *options, void **ret_sink)
{
    static char nothing;

    if (!options->journald || access("/run/systemd/journal/socket", W_OK) != 0)
        return LW_ENOTFOUND;
    *ret_sink = &nothing;
    return 0;
}

static void
journald_close(void *sink)
{
    (void)sink;
}

static int
syslog_priority(const struct lw_alert_brief *alert)
{
    if (strstr(alert->type, ".returned.") != NULL)
        return 6;
    for (size_t i = 0; i < sizeof priorities / sizeof priorities[0]; i++)
        if (strcmp(priorities[i].name, alert->priority) == 0)
            return priorities[i].syslog;
    return 4;
}

static int
journald_deliver(void *sink, const char *json, size_t n)
{
    struct lw_alert_brief alert;
    char fields[8192];
    struct lw_text text;
    struct iovec parts[12];
    int count = 0;
    char whole[16 + LW_ALERT_TEXT] = "LODEWATCH_ALERT=";

    (void)sink;
    if (n > LW_ALERT_TEXT || lw_alert_brief(json, n, &alert) != 0) {
        log_error("alerts: one could not be made a message for journald");
        return 0; /* and never can be */
    }
    lw_text_init(&text, fields, sizeof fields);
    lw_text_addf(&text,
                 "MESSAGE=%s / %s\nPRIORITY=%d\nLODEWATCH_ALERT_ID=%s\n"
                 "LODEWATCH_ALERT_TYPE=%s\nLODEWATCH_SUBJECT=%s\nLODEWATCH_RULE=%s\n"
                 "LODEWATCH_PRIORITY=%s\n",
                 alert.zh, alert.en, syslog_priority(&alert), alert.id, alert.type,
                 alert.subject, alert.rule, alert.priority);
    for (char *s = fields; *s != '\0';) {
        size_t len = strcspn(s, "\n");
        parts[count++] = (struct iovec){s, len};
        s += len + (s[len] == '\n');
    }
    memcpy(whole + 16, json, n);
    parts[count++] = (struct iovec){whole, 16 + n};
    parts[count++] = (struct iovec){(void *)(uintptr_t)message_id, sizeof message_id - 1};
    int rc = sd_journal_sendv(parts, count);
    if (rc < 0) {
        errno = -rc;
        return rc == -EAGAIN ? LW_EAGAIN : LW_EIO;
    }
    return 0;
}

const struct sink_type sink_journald = {
    .name = "journald",
    .open = journald_open,
    .deliver = journald_deliver,
    .close = journald_close,
};
