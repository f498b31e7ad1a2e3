/* Which path is answered by whom, and to whom. */
#include <string.h>

#include "daemon/embed.h"
#include "daemon/http/call.h"

static const struct http_route routes[] = {
    {"/healthz", ACCESS_ANY, 0, health_live, NULL},
    {"/readyz", ACCESS_ANY, 0, health_ready, NULL},
    {"/metrics", ACCESS_LOCAL, 0, metrics_get, NULL},
    {"/api/v1/alerts", ACCESS_TOKEN,
     PARAM(STATE) | PARAM(FROM) | PARAM(TO) | PARAM(LIMIT) | PARAM(AFTER), alerts_get,
     NULL},
    {"/api/v1/readings", ACCESS_TOKEN,
     PARAM(METER) | PARAM(FROM) | PARAM(TO) | PARAM(LIMIT) | PARAM(AFTER), readings_get,
     NULL},
    {"/api/v1/sites", ACCESS_TOKEN, PARAM(LIMIT) | PARAM(AFTER), sites_get, NULL},
    {"/api/v1/gateways", ACCESS_TOKEN, PARAM(LIMIT) | PARAM(AFTER), gateways_get, NULL},
    {"/api/v1/meters", ACCESS_TOKEN, PARAM(GATEWAY) | PARAM(LIMIT) | PARAM(AFTER),
     meters_get, NULL},
    {"/api/v1/acts", ACCESS_TOKEN, 0, NULL, acts_post},
    {"/api/v1/openapi.json", ACCESS_TOKEN, 0, openapi_get, NULL},
    {"/api/v1/schemas/alert-1", ACCESS_TOKEN, 0, schema_get, NULL},
};

const struct http_route *
http_route_find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

EMBED(http_openapi, "daemon/http/openapi.json");
EMBED(http_alert_schema, "docs/schema/alert-1.schema.json");

void
openapi_get(struct http_call *call)
{
    http_reply_static(call, "application/json", http_openapi, EMBED_SIZE(http_openapi));
}

void
schema_get(struct http_call *call)
{
    http_reply_static(call, "application/schema+json", http_alert_schema,
                      EMBED_SIZE(http_alert_schema));
}
