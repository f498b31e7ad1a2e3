/* What a conninfo may be. */
#include <string.h>

#include <libpq-fe.h>

#include <lodewatch/result.h>

#include "daemon/log.h"
#include "daemon/store/pg_conn.h"

/* libpq would look a host's name up while everything waits. Its own text about a broken
 * conninfo may quote the password: not shown. */
int
pg_conninfo_check(const char *conninfo)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    const char *host = NULL;
    const char *address = NULL;

    if (!options)
        return LW_EINVAL;
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0)
            host = o->val;
        if (strcmp(o->keyword, "hostaddr") == 0)
            address = o->val;
    }
    if (host && host[0] && !address && strspn(host, "0123456789.:,[]") != strlen(host) &&
        host[0] != '/' && host[0] != '@')
        log_note(
            "conninfo: looking a host's name up holds everything else up; hostaddr does not");
    PQconninfoFree(options);
    return 0;
}
