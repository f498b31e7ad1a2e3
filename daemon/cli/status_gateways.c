/* From /api/v1/gateways, page by page, to a table that begins with what is wrong. */
#include "daemon/cli/status_gateways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/cli/http_ask.h"

enum {
    ROWS = 30,
    PATH = 512,
    BUSY_PERMILLE = 900
};

/* "/api/v1/gateways?limit=1000&after=ID", the id percent-encoded. */
static void
page_path(char path[PATH], const char *after)
{
    int n = snprintf(path, PATH, "/api/v1/gateways?limit=1000");

    if (after)
        n += snprintf(path + n, PATH - (size_t)n, "&after=");
    for (; after && *after && n + 4 < PATH; after++)
        n += snprintf(path + n, PATH - (size_t)n, "%%%02x", (unsigned char)*after);
}

json_t *
status_ask_gateways(const char *listen, const char *token)
{
    json_t *all = json_array(), *page = NULL;
    const char *after = NULL;
    char path[PATH];

    do {
        char *body = NULL;
        page_path(path, after);
        int rc = http_ask(listen, path, token, NULL, &body);
        json_decref(page);
        page = rc == 200 ? json_loads(body, 0, NULL) : NULL;
        free(body);
        if (json_array_extend(all, json_object_get(page, "gateways")) != 0) {
            json_decref(all);
            all = json_null();
            break;
        }
        after = json_string_value(json_object_get(page, "next"));
    } while (after);
    json_decref(page);
    return all;
}

static const char *
text_of(const json_t *gateway, const char *name)
{
    const char *text = json_string_value(json_object_get(gateway, name));
    return text ? text : "-";
}

static double
number_of(const json_t *gateway, const char *name)
{
    return json_number_value(json_object_get(gateway, name));
}

/* How bad it is: nothing comes from it; something is missing, or nearly is; it is well.
 */
static int
badness(const json_t *gateway)
{
    const char *state = text_of(gateway, "state");
    double meters = number_of(gateway, "meters"),
           silent = number_of(gateway, "meters_silent");

    if (strcmp(state, "backoff") == 0 || strcmp(state, "awaited") == 0 ||
        (meters > 0 && silent >= meters))
        return 2;
    return silent > 0 || number_of(gateway, "load") * 1000 > BUSY_PERMILLE;
}

static int
by_badness(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = badness(y) - badness(x);
    double silent = number_of(y, "meters_silent") - number_of(x, "meters_silent");

    if (order == 0)
        order = (silent > 0) - (silent < 0);
    return order != 0 ? order : strcmp(text_of(x, "id"), text_of(y, "id"));
}

/* "timeout 12, link 3": how reads failed since the start. */
static void
print_failures(const json_t *gateway)
{
    const char *comma = "", *how;
    json_t *n;

    json_object_foreach(json_object_get(gateway, "reads"), how, n) {
        if (strcmp(how, "good") == 0 || json_integer_value(n) == 0)
            continue;
        printf("%s%s %lld", comma, how, (long long)json_integer_value(n));
        comma = ", ";
    }
    putchar('\n');
}

static void
print_gateway(const json_t *gateway)
{
    printf("%-20s %-10s %6.0f %6.0f  %-20s %8.1f %5.0f%% %8.0f  ", text_of(gateway, "id"),
           text_of(gateway, "state"), number_of(gateway, "meters"),
           number_of(gateway, "meters_silent"), text_of(gateway, "last_good"),
           number_of(gateway, "latency_ms"), 100 * number_of(gateway, "load"),
           number_of(gateway, "round_ms"));
    print_failures(gateway);
}

void
status_print_gateways(const json_t *gateways)
{
    size_t n = json_array_size(gateways), bad = 0;
    json_t **order = calloc(n + 1, sizeof *order);

    if (n == 0 || !order) {
        free(order);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = json_array_get(gateways, i);
        bad += badness(order[i]) > 0;
    }
    qsort(order, n, sizeof *order, by_badness);
    printf("\n%-20s %-10s %6s %6s  %-20s %8s %6s %8s  %s\n", "gateway", "state", "meters",
           "silent", "last good", "reply ms", "load", "round ms", "failed reads");
    for (size_t i = 0; i < n && i < ROWS; i++)
        print_gateway(order[i]);
    if (n > ROWS)
        printf("and %zu more, %zu of them with problems; --json has all\n", n - ROWS,
               bad > ROWS ? bad - ROWS : 0);
    free(order);
}
