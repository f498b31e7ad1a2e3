/* The query of a request: split at '&' and '=', percent-decoded, matched with the table
 * of parameters. */
#include "daemon/http/query.h"

#include <string.h>

#include <lodewatch/result.h>
#include <lodewatch/text.h>

static const char *const names[HTTP_PARAMS] = {
    [PARAM_STATE] = "state",     [PARAM_FROM] = "from",   [PARAM_TO] = "to",
    [PARAM_LIMIT] = "limit",     [PARAM_AFTER] = "after", [PARAM_METER] = "meter",
    [PARAM_GATEWAY] = "gateway",
};

const char *
http_param_name(enum http_param param)
{
    return names[param];
}

static int
hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* '+' stays as it is: times have one in their offset, and spaces have no place here. */
static int
decode(const char *s, size_t n, char value[HTTP_VALUE + 1])
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)s[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_value(s[i + 1]) : -1;
            int low = high < 0 ? -1 : hex_value(s[i + 2]);
            if (low < 0)
                return LW_EINVAL;
            c = high * 16 + low;
            i += 2;
        }
        if (len == HTTP_VALUE || c < 0x20 || c == 0x7f)
            return LW_EINVAL;
        value[len++] = (char)c;
    }
    value[len] = '\0';
    return 0;
}

static int
find_param(const char *name, size_t n)
{
    for (int p = 0; p < HTTP_PARAMS; p++)
        if (strlen(names[p]) == n && memcmp(names[p], name, n) == 0)
            return p;
    return LW_ENOTFOUND;
}

int
http_query_parse(const char *query, uint32_t allowed, struct http_query *ret_query)
{
    struct http_query q = {0};

    for (const char *s = query; s != NULL && *s != '\0';) {
        size_t n = strcspn(s, "&");
        size_t name = strcspn(s, "=&");
        int p = find_param(s, name);
        if (p < 0 || (allowed & (1u << p)) == 0 || (q.given & (1u << p)) != 0 ||
            name == n || decode(s + name + 1, n - name - 1, q.value[p]) != 0)
            return LW_EINVAL;
        q.given |= 1u << p;
        s += n + (s[n] == '&');
    }
    *ret_query = q;
    return 0;
}

int
http_query_limit(const struct http_query *query, int32_t otherwise, int32_t most,
                 int32_t *ret_limit)
{
    const char *text = query->value[PARAM_LIMIT];
    int64_t limit = otherwise;

    if ((query->given & PARAM(LIMIT)) != 0 &&
        (strspn(text, "0123456789") != strlen(text) ||
         lw_decimal_parse(text, strlen(text), 1, &limit) != 0 || limit < 1 ||
         limit > most))
        return LW_EINVAL;
    *ret_limit = (int32_t)limit;
    return 0;
}
