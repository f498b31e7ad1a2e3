/* What the service manager is told (sd_notify); nothing happens where there is none. */
#ifndef DAEMON_NOTIFY_SERVICE_H
#define DAEMON_NOTIFY_SERVICE_H

struct event_base;
struct service;

/* Starts the watchdog's timer where the unit asks for one. */
int service_new(struct event_base *base, struct service **ret_service);
void service_free(struct service *service);

void service_ready(void);
void service_reloading(void); /* until the next service_ready */
void service_stopping(void);

#endif
