/* From the addresses of gateways.csv to the endpoints that are asked. */
#include "daemon/poll/endpoint.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- addresses ---- */

static int
parse_dialled(const struct lw_gateway *gateway, struct bus_options *options)
{
    return dial_target_parse(gateway->address, &options->target);
}

static int
parse_listener(const struct lw_gateway *gateway, struct bus_options *options)
{
    int rc = dial_target_parse(gateway->address, &options->target);
    return rc == 0 && options->target.address_len == 0 ? LW_EINVAL : rc;
}

static int
parse_device(const struct lw_gateway *gateway, struct bus_options *options)
{
    options->serial = (struct rtu_line_options){
        .device = gateway->address,
        .baud = gateway->baud,
        .parity = gateway->parity,
        .stop_bits = gateway->stop_bits,
    };
    return gateway->address[0] == '/' ? 0 : LW_EINVAL;
}

static const struct address_kind {
    int (*parse)(const struct lw_gateway *gateway, struct bus_options *options);
    const char *expected;
    bool registers; /* a registration packet says who it is */
} kinds[] = {
    [LW_TCP] = {parse_dialled, "host:port, the host a name or an IPv4 or [IPv6] address",
                false},
    [LW_RTU_OVER_TCP] = {parse_dialled,
                         "host:port, the host a name or an IPv4 or [IPv6] address",
                         false},
    [LW_RTU] = {parse_device, "the path of a device, such as /dev/ttyUSB0", false},
    [LW_DIAL_IN_TCP] = {parse_listener, "address:port to listen on, such as 0.0.0.0:9502",
                        true},
    [LW_DIAL_IN_RTU] = {parse_listener, "address:port to listen on, such as 0.0.0.0:9502",
                        true},
};

static int
compare_text(const char *a, size_t an, const char *b, size_t bn)
{
    int order = strncasecmp(a, b, an < bn ? an : bn);
    return order != 0 ? order : (an > bn) - (an < bn);
}

/* tcp and rtu_over_tcp at one address are one endpoint, which is a fault then. */
static int
compare_address(const struct endpoint *a, const struct endpoint *b)
{
    const struct bus_options *x = &a->options, *y = &b->options;
    const struct address_kind *kx = &kinds[x->transport], *ky = &kinds[y->transport];
    if (kx->parse != ky->parse)
        return strcmp(kx->expected, ky->expected);
    if (kx->parse == parse_device)
        return strcmp(x->serial.device, y->serial.device);
    int order = memcmp(&x->target.address, &y->target.address, sizeof x->target.address);
    if (order == 0 && x->target.address_len == 0)
        order = compare_text(x->target.host, x->target.host_n, y->target.host,
                             y->target.host_n);
    if (order == 0)
        order = x->target.port - y->target.port;
    if (order == 0)
        order = memcmp(&x->registration, &y->registration, sizeof x->registration);
    return order;
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

/* ---- gateways ---- */

static void __attribute__((format(printf, 3, 4)))
fault(struct lw_faults *faults, const struct lw_gateway *gateway, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lw_fault_add(faults, lw_table_file(LW_GATEWAYS), gateway->line, 1, "gateway %s: %s",
                 gateway->id, text);
}

static bool
check_serial(const struct lw_gateway *gateway, struct lw_faults *faults)
{
    if (!rtu_line_knows_baud(gateway->baud))
        fault(faults, gateway, "baud %d: expected a usual rate, such as 9600",
              (int)gateway->baud);
    else if (gateway->data_bits != 8)
        fault(faults, gateway, "data_bits %d: RTU needs 8", (int)gateway->data_bits);
    else
        return true;
    return false;
}

static bool
check_gateway(const struct lw_gateway *gateway, struct lw_faults *faults,
              struct bus_options *options)
{
    options->transport = gateway->transport;
    if (!bus_knows(gateway->transport)) {
        fault(faults, gateway, "not built yet: transport %s",
              lw_enum_name(LW_ENUM_TRANSPORT, (int)gateway->transport));
        return false;
    }
    const struct address_kind *kind = &kinds[gateway->transport];
    if (kind->parse(gateway, options) != 0) {
        fault(faults, gateway, "address \"%.80s\": expected %s", gateway->address,
              kind->expected);
        return false;
    }
    if (kind->registers &&
        lw_registration_parse(gateway->registration, &options->registration) != 0) {
        fault(
            faults, gateway,
            "registration \"%.80s\": expected the packet's text, or hex: and its bytes; "
            "1 to %d bytes, without line ends",
            gateway->registration, LW_REGISTRATION_MAX);
        return false;
    }
    return gateway->transport != LW_RTU || check_serial(gateway, faults);
}

static int
check_gateways(const struct lw_ledger *ledger, struct lw_faults *faults,
               struct endpoints *e)
{
    int rc = 0;
    for (int32_t i = 0; i < ledger->ngateways; i++) {
        e->endpoint[i].gateway = i;
        if (!check_gateway(&ledger->gateway[i], faults, &e->endpoint[i].options))
            rc = LW_EPARSE;
    }
    return rc;
}

/* Gateways that share an endpoint must agree on what it is. */
static bool
agree(const struct lw_gateway *a, const struct lw_gateway *b, struct lw_faults *faults)
{
    const char *what = a->transport != b->transport   ? "transport"
                       : a->transport != LW_RTU       ? NULL
                       : a->baud != b->baud           ? "baud"
                       : a->parity != b->parity       ? "parity"
                       : a->stop_bits != b->stop_bits ? "stop_bits"
                                                      : NULL;
    if (what != NULL)
        fault(faults, b, "has the address of gateway %s, and another %s", a->id, what);
    return what == NULL;
}

static void
make_stricter(struct bus_options *options, int32_t gap_ms, int32_t pause_ms)
{
    if (gap_ms > options->min_gap_ms)
        options->min_gap_ms = gap_ms;
    if (pause_ms > options->connect_pause_ms)
        options->connect_pause_ms = pause_ms;
}

static int
take_gateways(const struct lw_ledger *ledger, struct lw_faults *faults,
              struct endpoints *e)
{
    int rc = 0;
    for (int32_t i = 0; i < ledger->ngateways; i++) {
        const struct lw_gateway *gateway = &ledger->gateway[i];
        struct endpoint *endpoint = &e->endpoint[e->of_gateway[i]];
        struct bus_options *options = &endpoint->options;
        int32_t inflight = gateway->max_inflight;
        if (!agree(&ledger->gateway[endpoint->gateway], gateway, faults))
            rc = LW_EPARSE;
        inflight = inflight < 1 ? 1 : inflight > BUS_INFLIGHT ? BUS_INFLIGHT : inflight;
        if (options->name == NULL || inflight < options->max_inflight)
            options->max_inflight = inflight;
        options->name =
            kinds[gateway->transport].registers ? gateway->id : gateway->address;
        options->seed = (uint64_t)i;
        make_stricter(options, gateway->min_gap_ms, 0);
    }
    return rc;
}

/* ---- meters ---- */

/* On serial lines unit 0 is everybody, and nobody answers; libmodbus asks none over 247.
 */
static bool
check_unit(const struct lw_meter *meter, enum lw_transport transport,
           struct lw_faults *faults)
{
    bool rtu = transport == LW_RTU || transport == LW_RTU_OVER_TCP ||
               transport == LW_DIAL_IN_RTU;
    int most = transport == LW_RTU ? 247 : 255;
    if (!rtu || (meter->unit >= 1 && meter->unit <= most))
        return true;
    lw_fault_add(faults, lw_table_file(LW_METERS), meter->line, 1,
                 "meter %s: unit %u: expected 1 to %d on a line that speaks RTU",
                 meter->id, meter->unit, most);
    return false;
}

/* Where connecting costs much (a DTU takes its time to come back), or helps little (a
 * serial line), the connection is closed when all its units have been silent twice. */
static void
set_silent_units(struct endpoints *e)
{
    for (int32_t i = 0; i < e->n; i++) {
        struct bus_options *options = &e->endpoint[i].options;
        bool dear = kinds[options->transport].registers || options->transport == LW_RTU;
        options->silent_units = BUS_SILENT_UNITS;
        if (dear && e->endpoint[i].nmeters < INT_MAX / 4)
            options->silent_units += 2 * e->endpoint[i].nmeters;
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
        if (!check_unit(meter, endpoint->options.transport, faults))
            rc = LW_EPARSE;
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
    if ((rc = take_gateways(ledger, faults, &e)) != 0)
        goto out;
    if ((rc = take_meters(ledger, profiles, faults, &e)) != 0)
        goto out;
    set_silent_units(&e);
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
