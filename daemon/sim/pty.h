/* A pseudo terminal that stands for a serial line: its other end is found under the
 * device's name. */
#ifndef DAEMON_SIM_PTY_H
#define DAEMON_SIM_PTY_H

#include <lodewatch/fault.h>

struct pty {
    int master;
    int slave;        /* held open, so that masters of the line may come and go */
    const char *link; /* borrowed */
    char name[64];    /* what it points to */
};
#define PTY_NONE ((struct pty){.master = -1, .slave = -1})

/* Makes `link` a symbolic link to a new terminal; one that points to another terminal is
 * replaced. The master is the caller's to close. LW_EIO, LW_EPARSE with a fault. */
int pty_open(const char *link, struct lw_faults *faults, struct pty *ret_pty);
/* All but the master; the link goes where it is still ours. */
void pty_close(struct pty *pty);

#endif
