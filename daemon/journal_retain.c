/* Consumers: how far each has come, and which segments nobody needs any more. */
#include "daemon/journal_private.h"

#include <inttypes.h>
#include <sys/stat.h>

#include <lodewatch/result.h>
#include <lodewatch/time.h>

#include "daemon/log.h"

void
journal_ack(struct journal *j, const char *name, uint64_t position)
{
    struct journal_consumer *c = journal_consumer_at(&j->consumers, name);

    if (!c) {
        log_error("journal: no room for the consumer %s", name);
        return;
    }
    if (c->position == JOURNAL_NOWHERE || position > c->position)
        c->position = position;
}

int
journal_acked(const struct journal *j, const char *name, uint64_t *ret_position)
{
    for (size_t i = 0; i < j->consumers.n; i++) {
        const struct journal_consumer *c = &j->consumers.consumer[i];

        if (strcmp(c->name, name) == 0 && c->position != JOURNAL_NOWHERE) {
            *ret_position = c->position;
            return 0;
        }
    }
    return LW_ENOTFOUND;
}

/* A memory sink for one small record. */
struct small {
    uint8_t data[64];
    size_t n;
};

static int
small_write(void *arg, const void *data, size_t n)
{
    struct small *small = arg;

    if (n > sizeof small->data - small->n)
        return LW_EFULL;
    memcpy(small->data + small->n, data, n);
    small->n += n;
    return 0;
}

void
journal_record_acks(struct journal *j)
{
    for (size_t i = 0; i < j->consumers.n; i++) {
        struct journal_consumer *c = &j->consumers.consumer[i];
        struct small small = {.n = 0};
        struct lw_packer p;

        if (c->position == c->recorded)
            continue;
        /* An acknowledgement of nothing but acknowledgements would beget the next one. */
        if (c->position != JOURNAL_NOWHERE && c->recorded != JOURNAL_NOWHERE &&
            c->recorded >= j->end_of_use)
            continue;
        lw_pack_init(&p, small_write, &small);
        lw_pack_string(&p, c->name);
        lw_pack_u64(&p, c->position);
        if (lw_pack_flush(&p) != 0)
            continue;
        c->recorded = c->position;
        journal_append(j, JOURNAL_ACK, small.data, small.n);
    }
}

/* When the segment's file was last written; 0: it is not there. */
static int64_t
written(const struct journal *j, size_t index)
{
    char name[JOURNAL_FILE_NAME];
    struct stat st;

    journal_file_name(j->list.segment[index].position, JOURNAL_SEGMENT, name);
    if (fstatat(j->dirfd, name, &st, 0) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * LW_SECOND + st.st_mtim.tv_nsec / 1000000;
}

/* Cuts at the newest checkpoint before which everyone has read everything and everything
 * is old. Age is measured in the journal's own time: by when it was written last. */
void
journal_retain(struct journal *j)
{
    uint64_t needed = j->durable;
    int64_t now = 0;
    size_t keep_from = 0;

    for (size_t i = 0; i < j->consumers.n; i++)
        if (j->consumers.consumer[i].position < needed)
            needed = j->consumers.consumer[i].position;
    for (size_t i = j->list.n; i-- > 0 && now == 0;)
        now = written(j, i);
    for (size_t i = 1; i < j->list.n && j->list.segment[i].position <= needed; i++) {
        if (now - written(j, i - 1) < j->options.keep_ms)
            break;
        if (j->list.segment[i].ckpt_bytes > 0)
            keep_from = i;
    }
    if (keep_from == 0)
        return;
    j->remove_before = j->list.segment[keep_from].position;
    journal_list_drop(&j->list, 0, keep_from);
}
