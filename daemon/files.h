/* Reading files whole, with limits; text is brought to UTF-8 here. */
#ifndef DAEMON_FILES_H
#define DAEMON_FILES_H

#include <stddef.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>

/* The whole file, NUL-terminated, malloc'ed. LW_EIO (errno; also EFBIG), LW_ENOMEM. */
int files_read(const char *path, size_t most, char **ret_data, size_t *ret_n);

/* Text in UTF-8: as it is, or converted from GB18030 where it is no UTF-8. Takes `data`
 * over. LW_EPARSE with a fault: neither encoding fits. */
int files_to_utf8(const char *path, char **data, size_t *n, struct lw_faults *faults);

/* A zone's TZif data from the system's database; the name may not leave it. */
int files_zone(const char *name, char **ret_data, size_t *ret_n);

/* A ledger folder: its seven files, those that are absent empty. Owns what `text`
 * borrows. */
struct files_ledger {
    struct lw_ledger_text text;
    char *owned[LW_TABLES];
    char *names[LW_TABLES];
};
int files_ledger_load(const char *dir, struct lw_faults *faults,
                      struct files_ledger *ret);
void files_ledger_free(struct files_ledger *ledger);

#endif
