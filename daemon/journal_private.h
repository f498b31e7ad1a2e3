/* What the journal's files share: the form of its files, the list of them, the cursor
 * that reads records, the thread that writes them. docs/journal.md has the format. */
#ifndef DAEMON_JOURNAL_PRIVATE_H
#define DAEMON_JOURNAL_PRIVATE_H

#include <endian.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/journal.h"

enum {
    JOURNAL_FORMAT = 1,        /* of segments and checkpoints */
    JOURNAL_SEGMENT_HEAD = 24, /* magic[8], u32 format, u32 0, u64 position */
    JOURNAL_RECORD_HEAD = 9,   /* u32 length, u32 crc, u8 kind */
    JOURNAL_FILE_NAME = 32,
};

#define JOURNAL_NOWHERE  UINT64_MAX /* no position */
#define JOURNAL_SEGMENT  "seg"
#define JOURNAL_CKPT     "ckpt"
#define JOURNAL_CKPT_NEW "ckpt.new"
#define JOURNAL_SEG_NEW  "seg.new"
#define JOURNAL_RESERVE  "reserve"

static inline void
put32(uint8_t *at, uint32_t v)
{
    v = htole32(v);
    memcpy(at, &v, sizeof v);
}

static inline void
put64(uint8_t *at, uint64_t v)
{
    v = htole64(v);
    memcpy(at, &v, sizeof v);
}

static inline uint32_t
get32(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof v);
    return le32toh(v);
}

static inline uint64_t
get64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return le64toh(v);
}

/* ---- files (journal_file.c) ---- */

/* One position at which a segment, a checkpoint or both begin. */
struct journal_segment {
    uint64_t position;
    uint64_t end; /* after its last byte; `position`: no segment; NOWHERE: in use */
    uint64_t ckpt_bytes; /* 0: no checkpoint */
    uint64_t holes;      /* bytes of the segment that take no room on the disk */
    int64_t age_ms;      /* when it was last looked at (journal_retain.c) */
    bool taken;          /* every consumer has taken all of it: its file is read-only */
    bool thin;           /* nothing but alerts is left in it */
};

/* A directory's, ascending. */
struct journal_list {
    struct journal_segment *segment;
    size_t n, cap;
};

void journal_file_name(uint64_t position, const char *suffix,
                       char name[JOURNAL_FILE_NAME]);
int journal_list_read(int dirfd, struct journal_list *ret_list);
void journal_list_free(struct journal_list *list);
/* The entry at this position, made where it is not there; NULL: no memory. */
struct journal_segment *journal_list_add(struct journal_list *list, uint64_t position);
/* Index of the last entry at or before the position; -1: none. */
ptrdiff_t journal_list_find(const struct journal_list *list, uint64_t position);
void journal_list_drop(struct journal_list *list, size_t index, size_t n);
/* Makes `name` of one directory stand in the other too: a link, or a copy where they are
 * on two file systems. */
int journal_file_keep(int from, int to, const char *name);

void journal_segment_head(uint64_t position, uint8_t head[JOURNAL_SEGMENT_HEAD]);
void journal_record_head(uint64_t position, enum journal_kind kind, const void *data,
                         size_t n, uint8_t head[JOURNAL_RECORD_HEAD]);
/* Is the record of `n` payload bytes whole? */
bool journal_record_check(uint64_t position, const uint8_t *record, size_t n);

/* ---- reading records (journal_reader.c) ---- */

struct journal_cursor {
    int dirfd;
    const struct journal_list *list;
    uint64_t position;
    uint64_t lost_from, lost_to; /* after LW_EPARSE */
    int fd;
    uint64_t segment; /* that fd is of */
    uint8_t *buf;     /* of the log's [at, at + n) */
    size_t cap, n;
    uint64_t at;
};

void journal_cursor_init(struct journal_cursor *c, int dirfd,
                         const struct journal_list *list, uint64_t position);
void journal_cursor_free(struct journal_cursor *c);
/* 1: a record that ends at or before `limit`; 0: none; LW_EPARSE: a damaged range,
 * skipped up to the next whole record or segment; LW_EIO, LW_ENOMEM, LW_EVERSION. */
int journal_cursor_next(struct journal_cursor *c, uint64_t limit,
                        struct journal_record *ret_record);

/* ---- checkpoints (journal_checkpoint.c) ---- */

struct journal_consumer {
    char name[JOURNAL_CONSUMER_NAME];
    uint64_t position; /* NOWHERE: it was taken away */
    uint64_t recorded; /* what the journal has of it */
};

struct journal_consumers {
    struct journal_consumer consumer[JOURNAL_CONSUMERS];
    size_t n;
};

/* NULL: it is not there and there is no room for it. */
struct journal_consumer *journal_consumer_at(struct journal_consumers *consumers,
                                             const char *name);

/* Forks a child that writes the checkpoint's file under its temporary name. The pipe's
 * end comes after a byte: 0 where it is on disk, else its errno. The child closes
 * `lockfd`. */
int journal_ckpt_fork(int dirfd, int lockfd, uint64_t position,
                      const struct journal_consumers *consumers, journal_save *save,
                      void *arg, pid_t *ret_pid, int *ret_pipe);
/* The consumers (may be NULL) and the body (malloc'ed). LW_EPARSE: it is damaged. */
int journal_ckpt_load(int dirfd, uint64_t position,
                      struct journal_consumers *ret_consumers, void **ret_data,
                      size_t *ret_n);

/* ---- the thread that writes (journal_writer.c) ---- */

/* What the loop gives it, one at a time; the data stays untouched until it is done. Doing
 * it twice is doing it once, so a failed one is simply given again. */
struct journal_order {
    const uint8_t *data;
    size_t n;
    uint64_t position;         /* of data[0] */
    uint64_t segment;          /* that it goes on in */
    uint64_t split;            /* from here on in a new segment; NOWHERE */
    uint64_t publish;          /* the checkpoint to bring into force; NOWHERE */
    uint64_t remove_before;    /* older files go */
    struct journal_thin *thin; /* to go on with; NULL: none */
    /* and how it went */
    int error;           /* errno; 0: all of it is on disk */
    int64_t sync_us;     /* the last fsync's duration */
    uint64_t ckpt_bytes; /* of the published checkpoint; 0: it could not be */
    int thinned;         /* 1: there is more to do; 0: done; LW_EIO and the like */
};

/* ---- thinning a segment (journal_thin.c) ---- */

struct journal_thin;
/* What is gone of it: readings that somebody had not taken. */
struct journal_thinned {
    uint64_t segment;
    uint64_t readings;
    int64_t first_ms, last_ms; /* when the readings arrived */
    uint64_t holes;
    int error; /* errno, with LW_EIO */
};
/* Of the whole segment [position, end) only alerts are to stay; readings from `needed` on
 * are counted. NULL: no memory. */
struct journal_thin *journal_thin_new(int dirfd, uint64_t position, uint64_t end,
                                      uint64_t needed);
void journal_thin_free(struct journal_thin *thin);
/* Keeps a little of the disk for a thin segment, where it is not kept yet. */
void journal_reserve(int dirfd);
/* In the thread: a slice of it. 1: there is more; 0: the thin segment is in place. */
int journal_thin_step(struct journal_thin *thin);
void journal_thin_result(const struct journal_thin *thin,
                         struct journal_thinned *ret_thinned);

struct journal_writer;
/* `recordfd` -1: no recording. `done` is an eventfd that is written to after each order.
 */
int journal_writer_new(int dirfd, int recordfd, int done,
                       struct journal_writer **ret_writer);
void journal_writer_free(struct journal_writer *writer); /* after the order under way */
void journal_writer_give(struct journal_writer *writer,
                         const struct journal_order *order);
/* Is the order done? */
bool journal_writer_done(struct journal_writer *writer, struct journal_order *ret_order);
void journal_writer_wait(struct journal_writer *writer, struct journal_order *ret_order);

/* ---- the journal itself (journal.c) ---- */

struct journal_buffer {
    uint8_t *data;
    size_t n, cap;
};

enum journal_ckpt_state {
    JOURNAL_CKPT_NONE,
    JOURNAL_CKPT_FORKED,  /* the child writes it */
    JOURNAL_CKPT_WRITTEN, /* it waits for the journal to be durable up to it */
};

struct journal {
    struct event_base *base;
    struct journal_options options; /* without its strings */
    char *dir;
    int dirfd, lockfd, recordfd;
    struct journal_list list; /* the last one is written to */
    struct journal_consumers consumers;
    uint64_t end, durable;
    uint64_t end_of_use; /* after the last record that is no acknowledgement */

    struct journal_buffer fill;   /* what is appended */
    struct journal_buffer flight; /* what the thread writes */
    uint64_t segment;             /* that `fill` begins in */
    uint64_t split;               /* a segment that begins within `fill`; NOWHERE */
    uint64_t rolled;              /* the last checkpoint's position, tried or there */
    int64_t rolled_at;            /* clock_io; or when the journal was opened */
    struct journal_writer *writer;
    struct journal_order order;
    bool ordered;     /* an order is under way, or failed and will be given again */
    bool group_waits; /* the group's timer is set */
    int done;         /* eventfd */
    struct event *on_done, *on_group, *on_retry, *on_second;
    int seconds;
    uint64_t remove_before;    /* for the next order */
    struct journal_thin *thin; /* under way */

    journal_save *save;
    void *save_arg;
    enum journal_ckpt_state ckpt;
    uint64_t ckpt_position;
    pid_t ckpt_pid;
    int ckpt_pipe;
    struct event *on_ckpt;

    LIST_HEAD(, journal_reader) readers;
    struct journal_stats stats;
};

void journal_readers_wake(struct journal *journal);
/* The newest whole checkpoint's index in the list; -1: none. */
int journal_newest(const struct journal *journal, struct journal_consumers *ret_consumers,
                   void **ret_data, size_t *ret_n, ptrdiff_t *ret_index);
/* What the directory holds: the list, the consumers, the end (journal_recover.c). */
int journal_recover(struct journal *journal);
int journal_open_dir(const char *path, int *ret_fd); /* makes it where it is not there */
/* The recording gets what there is; and it must be of this journal. */
int journal_begin_recording(struct journal *journal, const char *path);
/* The consumers' acknowledgements and what may be removed by them (journal_retain.c). */
void journal_record_acks(struct journal *journal);
void journal_retain(struct journal *journal);
/* The thread has come so far with the segment that is thinned. */
void journal_end_thin(struct journal *journal, int rc);
/* On the disk, of one segment and of everything. */
uint64_t journal_segment_bytes(const struct journal *journal,
                               const struct journal_segment *segment);
uint64_t journal_bytes(const struct journal *journal);

#endif
