/* store.id: the name of a journal in the database, made at the first start. */
#ifndef DAEMON_STORE_JOURNAL_ID_H
#define DAEMON_STORE_JOURNAL_ID_H

#include <lodewatch/result.h>

enum {
    JOURNAL_ID = 32 /* hexadecimal digits: 128 random bits */
};

/* LW_EIO (errno). */
LW_MUSTCHECK
int journal_id_read(const char *journal_dir, char id[JOURNAL_ID + 1]);
/* Makes it where there is none. */
LW_MUSTCHECK
int journal_id_make(const char *journal_dir, char id[JOURNAL_ID + 1]);

#endif
