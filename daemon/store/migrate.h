/* Brings a database's schema to this program's version, forward only. */
#ifndef DAEMON_STORE_MIGRATE_H
#define DAEMON_STORE_MIGRATE_H

struct pg_answer;
struct pg_conn;

/* One program at a time changes the schema; 0x6c6f6465 is "lode". */
#define MIGRATE_LOCK "SELECT pg_advisory_xact_lock(1819239525);"

/* rc: 0; LW_EVERSION: the schema is newer than the program; LW_EDENIED: it is older, and
 * this user may not change it; LW_EIO: PostgreSQL refused. */
typedef void migrate_done(void *arg, int rc, const char *error);

struct migrate {
    struct pg_conn *conn;
    migrate_done *done;
    void *arg;
    int from; /* the version that was found; -1: not known yet */
    int to;   /* the version that is there now */
};

/* The newest version that this program knows. */
int migrate_newest(void);
/* Runs on an idle connection; `migrate` must last until `done`. Where the connection is
 * lost, `done` is not called; begin again on the next one. */
void migrate_start(struct migrate *migrate, struct pg_conn *conn, migrate_done *done,
                   void *arg);

#endif
