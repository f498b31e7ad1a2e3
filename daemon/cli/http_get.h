/* One GET to the daemon on this machine, waited for. */
#ifndef DAEMON_CLI_HTTP_GET_H
#define DAEMON_CLI_HTTP_GET_H

/* `listen` as in the configuration; `token` NULL: none. The status, with the body (free);
 * LW_EIO (errno), LW_EINVAL: no address; LW_EPROTO: no answer of HTTP; LW_ENOMEM. */
int http_get(const char *listen, const char *path, const char *token, char **ret_body);

#endif
