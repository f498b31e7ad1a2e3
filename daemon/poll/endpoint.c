/* From the addresses of gateways.csv to the endpoints that are connected to. Names are
 * not resolved: that would hold up the loop, and a poller should not depend on DNS. */
#include "daemon/poll/endpoint.h"

#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
parse_address(const char *text, struct bus_options *options)
{
    char numeric[64];
    int len = sizeof options->address;
    static const char local[] = "localhost:";

    if (strncmp(text, local, sizeof local - 1) == 0) {
        snprintf(numeric, sizeof numeric, "127.0.0.1:%s", text + sizeof local - 1);
        text = numeric;
    }
    struct sockaddr *address = (struct sockaddr *)&options->address;
    if (evutil_parse_sockaddr_port(text, address, &len) != 0)
        return LW_EINVAL;
    options->address_len = (socklen_t)len;
    in_port_t port = address->sa_family == AF_INET6
                         ? ((struct sockaddr_in6 *)&options->address)->sin6_port
                         : ((struct sockaddr_in *)&options->address)->sin_port;
    return port == 0 ? LW_EINVAL : 0;
}

static int
compare_address(const struct endpoint *a, const struct endpoint *b)
{
    return memcmp(&a->options.address, &b->options.address, sizeof a->options.address);
}

static int
by_address(const void *a, const void *b)
{
    const struct endpoint *x = a, *y = b;
    int order = compare_address(x, y);
    return order != 0 ? order : x->gateway < y->gateway ? -1 : x->gateway > y->gateway;
}

static int
by_gateway(const void *a, const void *b)
{
    const struct endpoint *x = a, *y = b;
    return x->gateway < y->gateway ? -1 : x->gateway > y->gateway;
}

/* One a gateway at first; then neighbours with one address are joined, and those that
 * stay are put in the ledger's order again. */
static void
join_equal(struct endpoints *e)
{
    int32_t n = 0;
    qsort(e->endpoint, (size_t)e->n, sizeof e->endpoint[0], by_address);
    for (int32_t i = 0; i < e->n; i++) {
        if (n == 0 || compare_address(&e->endpoint[n - 1], &e->endpoint[i]) != 0)
            e->endpoint[n++] = e->endpoint[i];
        e->of_gateway[e->endpoint[i].gateway] = e->endpoint[n - 1].gateway;
    }
    e->n = n;
    qsort(e->endpoint, (size_t)n, sizeof e->endpoint[0], by_gateway);
}

/* From the first gateway of each endpoint to the endpoint's place. */
static void
number_endpoints(struct endpoints *e, int32_t ngateways)
{
    for (int32_t i = 0, at = 0; i < ngateways; i++) {
        if (e->of_gateway[i] == i)
            e->of_gateway[i] = at++;
        else
            e->of_gateway[i] = e->of_gateway[e->of_gateway[i]];
    }
}

static int
check_gateways(const struct lw_ledger *ledger, struct lw_faults *faults,
               struct endpoints *e)
{
    int rc = 0;
    for (int32_t i = 0; i < ledger->ngateways; i++) {
        const struct lw_gateway *gateway = &ledger->gateway[i];
        const char *file = lw_table_file(LW_GATEWAYS);
        e->endpoint[i].gateway = i;
        if (gateway->transport != LW_TCP)
            lw_fault_add(faults, file, gateway->line, 1,
                         "gateway %s: not built yet: transport %s", gateway->id,
                         lw_enum_name(LW_ENUM_TRANSPORT, (int)gateway->transport));
        else if (parse_address(gateway->address, &e->endpoint[i].options) != 0)
            lw_fault_add(
                faults, file, gateway->line, 1,
                "gateway %s: address \"%s\": expected host:port, the host an IPv4 "
                "or [IPv6] address or localhost (names are not resolved)",
                gateway->id, gateway->address);
        else
            continue;
        rc = LW_EPARSE;
    }
    return rc;
}

static void
make_stricter(struct bus_options *options, int32_t gap_ms, int32_t pause_ms)
{
    if (gap_ms > options->min_gap_ms)
        options->min_gap_ms = gap_ms;
    if (pause_ms > options->connect_pause_ms)
        options->connect_pause_ms = pause_ms;
}

static void
take_gateways(const struct lw_ledger *ledger, struct endpoints *e)
{
    for (int32_t i = 0; i < ledger->ngateways; i++) {
        const struct lw_gateway *gateway = &ledger->gateway[i];
        struct bus_options *options = &e->endpoint[e->of_gateway[i]].options;
        int32_t inflight = gateway->max_inflight;
        inflight = inflight < 1 ? 1 : inflight > BUS_INFLIGHT ? BUS_INFLIGHT : inflight;
        if (options->name == NULL || inflight < options->max_inflight)
            options->max_inflight = inflight;
        options->name = gateway->address;
        options->seed = (uint64_t)i;
        make_stricter(options, gateway->min_gap_ms, 0);
    }
}

static int
take_meters(const struct lw_ledger *ledger, const struct profiles *profiles,
            struct lw_faults *faults, struct endpoints *e)
{
    int rc = 0;
    for (int32_t i = 0; i < ledger->nmeters; i++) {
        const struct lw_meter *meter = &ledger->meter[i];
        if (meter->gateway == LW_NONE)
            continue;
        const struct lw_profile *profile = profiles_find(profiles, meter->profile);
        if (profile == NULL) {
            lw_fault_add(faults, lw_table_file(LW_METERS), meter->line, 1,
                         "meter %s: there is no profile \"%s\"", meter->id,
                         meter->profile);
            rc = LW_EPARSE;
            continue;
        }
        struct endpoint *endpoint = &e->endpoint[e->of_gateway[meter->gateway]];
        make_stricter(&endpoint->options, profile->min_gap_ms, profile->connect_pause_ms);
        if (endpoint->nmeters++ == 0) {
            endpoint->unit = meter->unit;
            endpoint->options.one_unit = true;
        } else if (endpoint->unit != meter->unit) {
            endpoint->options.one_unit = false;
        }
    }
    return rc;
}

int
endpoints_make(const struct lw_ledger *ledger, const struct profiles *profiles,
               struct lw_faults *faults, struct endpoints *ret_endpoints)
{
    size_t n = (size_t)ledger->ngateways;
    struct endpoints e = {
        .n = ledger->ngateways,
        .endpoint = calloc(n + 1, sizeof e.endpoint[0]),
        .of_gateway = calloc(n + 1, sizeof e.of_gateway[0]),
    };
    int rc = LW_ENOMEM;
    if (e.endpoint == NULL || e.of_gateway == NULL)
        goto out;
    if ((rc = check_gateways(ledger, faults, &e)) != 0)
        goto out;
    join_equal(&e);
    number_endpoints(&e, ledger->ngateways);
    take_gateways(ledger, &e);
    if ((rc = take_meters(ledger, profiles, faults, &e)) != 0)
        goto out;
    *ret_endpoints = e;
    return 0;
out:
    endpoints_clear(&e);
    return rc;
}

void
endpoints_clear(struct endpoints *endpoints)
{
    free(endpoints->endpoint);
    free(endpoints->of_gateway);
    *endpoints = (struct endpoints){0};
}
