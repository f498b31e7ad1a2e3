/* The roles of least privilege. */
#ifndef DAEMON_STORE_ROLES_H
#define DAEMON_STORE_ROLES_H

/* What brings their rights up to this schema, where lodewatch_owner has the tables, and
 * does nothing elsewhere: one statement. */
const char *roles_sql(void);

#endif
