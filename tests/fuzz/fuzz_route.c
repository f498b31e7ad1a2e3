/* A request's target: the path finds a route, the query is parsed with its parameters. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/call.h"
#include "daemon/http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *path = malloc(n + 1);
    struct http_query query;
    int32_t limit;

    if (!path)
        return 0;
    memcpy(path, data, n);
    path[n] = '\0';
    char *mark = strchr(path, '?');
    if (mark)
        *mark++ = '\0';
    const struct http_route *route = http_route_find(path);
    uint32_t allowed = route ? route->params : UINT32_MAX;
    if (http_query_parse(mark, allowed, &query) == 0) {
        assert((query.given & ~allowed) == 0);
        for (int p = 0; p < HTTP_PARAMS; p++) {
            size_t len = strnlen(query.value[p], sizeof query.value[p]);
            assert(len <= HTTP_VALUE);
            for (size_t i = 0; i < len; i++)
                assert((unsigned char)query.value[p][i] >= 0x20);
        }
        if (http_query_limit(&query, 50, 100, &limit) == 0)
            assert(limit >= 1 && limit <= 100);
    }
    free(path);
    return 0;
}
