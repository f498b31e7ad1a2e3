/* The gateways in `lodewatch status`. */
#ifndef DAEMON_CLI_STATUS_GATEWAYS_H
#define DAEMON_CLI_STATUS_GATEWAYS_H

struct json_t;

/* All that the daemon at `listen` has, an array; null: it does not tell. `token` may be
 * NULL. */
struct json_t *status_ask_gateways(const char *listen, const char *token);
/* As a table: those with problems first, and no more than a screen of them. */
void status_print_gateways(const struct json_t *gateways);

#endif
