/* Pseudo terminals, raw, under a name of our choice. */
#include "daemon/sim/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <lodewatch/result.h>

static const char terminals[] = "/dev/pts/";

/* What the link points to; false: it is none. */
static bool
read_link(const char *link, char *to, size_t cap)
{
    ssize_t n = readlink(link, to, cap - 1);
    if (n < 0)
        return false;
    to[n] = '\0';
    return true;
}

static int
make_link(const char *link, const char *name)
{
    char there[64];
    if (read_link(link, there, sizeof there) &&
        strncmp(there, terminals, sizeof terminals - 1) == 0)
        unlink(link);
    return symlink(name, link);
}

static bool
make_raw(int fd)
{
    struct termios tios;
    if (tcgetattr(fd, &tios) != 0)
        return false;
    cfmakeraw(&tios);
    return tcsetattr(fd, TCSANOW, &tios) == 0;
}

int
pty_open(const char *link, struct lw_faults *faults, struct pty *ret_pty)
{
    struct pty pty = PTY_NONE;
    if (link[0] != '/') {
        lw_fault_add(faults, "gateways.csv", 0, 0,
                     "the address %s: expected the path of a device", link);
        return LW_EPARSE;
    }
    pty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty.master < 0 || grantpt(pty.master) != 0 || unlockpt(pty.master) != 0 ||
        ptsname_r(pty.master, pty.name, sizeof pty.name) != 0)
        goto fail;
    pty.slave = open(pty.name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty.slave < 0 || !make_raw(pty.slave) || make_link(link, pty.name) != 0)
        goto fail;
    pty.link = link;
    *ret_pty = pty;
    return 0;
fail:
    lw_fault_add(faults, "gateways.csv", 0, 0, "cannot make the line %s: %s", link,
                 strerror(errno));
    if (pty.master >= 0)
        close(pty.master);
    pty_close(&pty);
    return LW_EIO;
}

void
pty_close(struct pty *pty)
{
    char there[64];
    if (pty->slave >= 0)
        close(pty->slave);
    if (pty->link && read_link(pty->link, there, sizeof there) &&
        strcmp(there, pty->name) == 0)
        unlink(pty->link);
    *pty = PTY_NONE;
}
