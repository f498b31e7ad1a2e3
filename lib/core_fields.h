/* What a checkpoint keeps of each kind of state. */
#ifndef LIB_CORE_FIELDS_H
#define LIB_CORE_FIELDS_H

#include <lodewatch/pack.h>

#include "lib/state.h"

struct fields {
    const struct lw_field *of;
    size_t n;
};

struct timer {
    int32_t key;
    int64_t at;
};

extern const struct fields core_fields;
extern const struct fields meter_fields;
extern const struct fields site_fields;
extern const struct fields log_fields;
extern const struct fields profile_fields;
extern const struct fields gateway_fields;
extern const struct fields weather_fields;
extern const struct fields alarm_fields;
extern const struct fields timer_fields;

#endif
