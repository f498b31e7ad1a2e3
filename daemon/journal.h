/* The journal: every event, durable before anything that follows from it leaves.
 *
 * A log of records in segment files, each named by the position (offset in the whole log)
 * at which it begins. A record is written to memory first; a thread writes and fsyncs the
 * group within `sync_ms`. Whatever leaves the daemon (rows to PostgreSQL, alerts to
 * sinks) is a reader with a cursor on the durable part: the journal is the crash log, the
 * recording and the spool in one. docs/journal.md has the format. */
#ifndef DAEMON_JOURNAL_H
#define DAEMON_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/pack.h>

struct event_base;
struct journal;

enum journal_kind {
    JOURNAL_EVENT = 1,   /* lw_event_pack: all but readings */
    JOURNAL_READING = 2, /* u16 judged q, then lw_event_pack */
    JOURNAL_ALERT = 3, /* id[16], u32 revision, u8 lw_alert_kind, i64 at, then its JSON */
    JOURNAL_SETUP = 4, /* lw_ledger_text_pack, then the rules' text as a blob */
    JOURNAL_ACK = 5, /* string consumer, u64 position: all before it has been delivered */
    JOURNAL_GAP = 6, /* where records were removed: u32 readings, i64 first, i64 last of
                      * their times of arrival, then zeros in place of the records */
    JOURNAL_INSPECTION = 7, /* as an alert, for discipline inspection alone: the alarm's
                             * id, u32 occurrences, u8 3, i64 at, then its JSON */
};

enum {
    JOURNAL_RECORD_MAX = 1 << 30,
    JOURNAL_CONSUMERS = 16,
    JOURNAL_CONSUMER_NAME = 32,
};

struct journal_options {
    const char *dir;        /* made where it is not there */
    const char *record_dir; /* `--record`: also keep everything here; NULL: no */
    int64_t sync_ms;        /* a group is on disk after at most so long */
    int64_t segment_bytes;  /* a new segment (and checkpoint) after so many */
    int64_t segment_ms;     /* or after so long, where anything was written */
    int64_t keep_ms;        /* kept for so long after every consumer acknowledged it */
    int64_t max_bytes;      /* on disk; near it journal_stats.full */
    int64_t max_age_ms;     /* readings go after so long, whoever lacks them */
};

struct journal_record {
    uint64_t position; /* where it begins */
    uint64_t next;     /* where the record after it begins */
    enum journal_kind kind;
    const void *data; /* valid until the next call on the same reader */
    size_t n;
};

/* Opens the directory; cuts a torn tail off the last segment and reports what is lost
 * elsewhere. LW_EIO, LW_ENOMEM, LW_EVERSION. */
int journal_open(struct event_base *base, const struct journal_options *options,
                 struct journal **ret_journal);
/* Writes and fsyncs what is pending, then closes. Its readers are gone by then. */
void journal_close(struct journal *journal);

/* Writes a checkpoint: called with a packer whose output is the checkpoint's file, in a
 * forked child. Must not allocate or take locks. */
typedef int journal_save(void *arg, struct lw_packer *p);
/* Who writes the checkpoint that begins each segment. Until it is set, none is begun. */
void journal_on_checkpoint(struct journal *journal, journal_save *save, void *arg);

/* The newest whole checkpoint and the position it stands for; the bytes are the caller's
 * (free). LW_ENOTFOUND: none. */
int journal_checkpoint(struct journal *journal, uint64_t *ret_position, void **ret_data,
                       size_t *ret_n);
/* Begins a new segment with a checkpoint now. LW_EAGAIN: one is under way. */
int journal_roll(struct journal *journal);

/* Is there room for such a record? If not, it is counted as dropped. Asked before a
 * reading is judged, so that the core never knows what the journal does not. */
bool journal_room(struct journal *journal, enum journal_kind kind, size_t n);
/* Appends a record; returns the position after it. Never blocks. Where the disk refuses,
 * records wait in memory up to a limit; readings beyond it are dropped and counted (then
 * the position stays). */
uint64_t journal_append(struct journal *journal, enum journal_kind kind, const void *data,
                        size_t n);
uint64_t journal_end(const struct journal *journal);     /* of what was appended */
uint64_t journal_durable(const struct journal *journal); /* of what is on disk */
uint64_t journal_start(const struct journal *journal);   /* of the oldest kept segment */

/* A reader of the durable records from `position` on. `ready` is called on the loop when
 * there is something after a journal_next that said there was not. Consumers with a name
 * keep what they have not acknowledged from being deleted. */
struct journal_reader;
typedef void journal_ready(void *arg);
int journal_reader_new(struct journal *journal, uint64_t position, journal_ready *ready,
                       void *arg, struct journal_reader **ret_reader);
void journal_reader_free(struct journal_reader *reader);
/* 1: a record; 0: nothing durable yet; LW_EIO, or LW_EPARSE: a damaged range, which was
 * logged and is skipped by the next call. */
int journal_next(struct journal_reader *reader, struct journal_record *ret_record);

/* `consumer` needs nothing before `position` any more; one whose database was restored
 * may go back. Recorded in the journal at most once a second and at close; a consumer
 * comes into being with its first call, and goes with position UINT64_MAX (one that is no
 * longer configured must not keep everything). */
void journal_ack(struct journal *journal, const char *consumer, uint64_t position);
/* Where the consumer stood; LW_ENOTFOUND. */
int journal_acked(const struct journal *journal, const char *consumer,
                  uint64_t *ret_position);

struct journal_stats {
    uint64_t bytes; /* on disk */
    uint64_t segments;
    uint64_t appended; /* records */
    uint64_t dropped;  /* readings that found no room */
    uint64_t pending;  /* bytes that are not durable yet */
    int64_t sync_us;   /* the last fsync's duration */
    bool failing;      /* the disk refuses; errno in `error` */
    bool full;         /* over 9/10 of max_bytes */
    int error;
    uint64_t max_bytes; /* as in the options */
    int64_t oldest_ms;  /* age of the oldest segment that a consumer still needs */
    uint64_t removed;   /* readings that went before every consumer had taken them */
};
void journal_stats(const struct journal *journal, struct journal_stats *ret_stats);

/* For `replay --events` and tests, without a loop: reads a directory from its oldest
 * checkpoint on. */
struct journal_files;
int journal_files_open(const char *dir, struct journal_files **ret_files);
void journal_files_close(struct journal_files *files);
int journal_files_checkpoint(struct journal_files *files, void **ret_data, size_t *ret_n);
int journal_files_next(struct journal_files *files, struct journal_record *ret_record);

/* Where in the directory the readings are that arrived at `since` (ms UTC) or later: in
 * the segment that begins at `position`, or behind it. The daemon may be at work.
 * LW_ENOTFOUND: there are no readings. */
struct journal_lost {
    uint64_t readings;         /* that had to go */
    int64_t first_ms, last_ms; /* when they arrived; only where there are any */
};
struct journal_found {
    uint64_t position;
    int64_t first_ms; /* the first arrival from there on: later than `since` where the
                       * journal does not reach back so far */
    struct journal_lost lost;
};
int journal_find(const char *dir, int64_t since, struct journal_found *ret_found);

#endif
