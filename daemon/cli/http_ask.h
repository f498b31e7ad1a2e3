/* One request to the daemon on this machine, waited for. */
#ifndef DAEMON_CLI_HTTP_ASK_H
#define DAEMON_CLI_HTTP_ASK_H

/* `listen` as in the configuration; `token` NULL: none; `json` is posted, NULL: a GET.
 * The status, with the body (free); LW_EIO (errno), LW_EINVAL: no address, or the request
 * is too long; LW_EPROTO: no answer of HTTP; LW_ENOMEM. */
int http_ask(const char *listen, const char *path, const char *token, const char *json,
             char **ret_body);
/* The token in the configured file (free); NULL: there is none. */
char *http_token(const char *file);

#endif
