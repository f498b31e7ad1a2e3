/* What the service manager is told: readiness, and a sign of life from the loop. */
#include "daemon/notify/service.h"

#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include <lodewatch/result.h>

struct service {
    struct event *watchdog; /* NULL: the unit has none */
};

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    sd_notify(0, "WATCHDOG=1");
}

int
service_new(struct event_base *base, struct service **ret_service)
{
    struct service *service = calloc(1, sizeof *service);
    uint64_t us;

    if (service == NULL)
        return LW_ENOMEM;
    if (sd_watchdog_enabled(0, &us) > 0) {
        struct timeval half = {(time_t)(us / 2000000), (suseconds_t)(us / 2 % 1000000)};
        service->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
        if (service->watchdog == NULL || event_add(service->watchdog, &half) != 0) {
            service_free(service);
            return LW_ENOMEM;
        }
    }
    *ret_service = service;
    return 0;
}

void
service_free(struct service *service)
{
    if (service != NULL && service->watchdog != NULL)
        event_free(service->watchdog);
    free(service);
}

void
service_ready(void)
{
    sd_notify(0, "READY=1");
}

void
service_reloading(void)
{
    sd_notify(0, "RELOADING=1");
}

void
service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}
