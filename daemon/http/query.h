/* The query of a request: the parameters that some route takes, decoded. Pure. */
#ifndef DAEMON_HTTP_QUERY_H
#define DAEMON_HTTP_QUERY_H

#include <stddef.h>
#include <stdint.h>

enum http_param {
    PARAM_STATE,
    PARAM_FROM,
    PARAM_TO,
    PARAM_LIMIT,
    PARAM_AFTER,
    PARAM_GATEWAY,
    PARAM_METER,
    HTTP_PARAMS
};

#define PARAM(p) (1u << PARAM_##p)

enum {
    HTTP_VALUE = 64
};

struct http_query {
    uint32_t given; /* bit p: param p */
    char value[HTTP_PARAMS][HTTP_VALUE + 1];
};

const char *http_param_name(enum http_param param);

/* Parses "limit=10&after=x" (NULL: nothing); `allowed` has the parameters that may be in
 * it. LW_EINVAL: an unknown parameter, one given twice, a bad escape, a value that is too
 * long or has a control character. */
int http_query_parse(const char *query, uint32_t allowed, struct http_query *ret_query);

/* `limit`: 1..most, `otherwise` where it is not given. LW_EINVAL. */
int http_query_limit(const struct http_query *query, int32_t otherwise, int32_t most,
                     int32_t *ret_limit);

#endif
