/* Everything that is read before the daemon can run: configuration, texts, profiles. Read
 * and checked as a whole, at the start, for --check, and at each reload. */
#ifndef DAEMON_SETUP_H
#define DAEMON_SETUP_H

#include <stdbool.h>

#include "daemon/config.h"

struct profiles;

struct setup {
    struct config config;
    struct config_texts *texts;
    struct profiles *profiles;
};

/* LW_EPARSE with faults, LW_ENOMEM. */
int setup_load(const char *path, bool exercise, struct setup *ret_setup,
               struct lw_faults *faults);
void setup_free(struct setup *setup);

#endif
