/* A device read by a profile, as it is and as it would be with another word order or an
 * address beside the one given: what `lodewatch probe` judges by. */
#ifndef DAEMON_CLI_PROBE_DEVICE_H
#define DAEMON_CLI_PROBE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/profile.h>

#include "daemon/cli/ask.h"

enum {
    PROBE_POINTS = LW_PROFILE_POINTS + LW_PROFILE_SHOWN,
    PROBE_VALUE = 80
};

/* One point as the device gave it. */
struct probe_point {
    const char
        *name; /* the quantity, as in a readings CSV, or what the profile calls it */
    const char *unit;
    const struct lw_register *reg;
    uint16_t address; /* on the wire */
    int code;         /* 0, the exception, or LW_E* */
    int exponent;     /* of its scale register */
    uint8_t data[2 * LW_PROFILE_STRING];
    char value[PROBE_VALUE];
    bool stored;
    bool doubtful; /* a meter in use would hardly show this */
};

struct probe_result {
    const struct lw_profile *profile;
    double probe_value; /* of its probe register; NAN: none, or it was not read */
    bool fits;          /* that is as expected, or SunSpec's model is there */
    char serial[LW_SERIAL];
    bool has_drift;
    int64_t drift_ms;
    int n;
    struct probe_point point[PROBE_POINTS];
    int likely;        /* stored values that a meter in use may show */
    int others;        /* that it hardly would, or that were refused */
    const char *order; /* under which more of them are likely; NULL: none */
    int shift;         /* of the addresses, likewise; 0: none */
    int likely_so;     /* how many are, then */
};

/* Reads the profile's probe register alone. LW_EAGAIN: the unit does not answer; LW_EIO;
 * LW_EPROTO. */
LW_MUSTCHECK
int probe_try(struct ask *ask, uint8_t unit, const struct lw_profile *profile,
              struct probe_result *ret_result);
/* And all else that the profile names; `zone` is for the meter's clock. */
LW_MUSTCHECK
int probe_all(struct ask *ask, uint8_t unit, const struct lw_profile *profile,
              const struct lw_zone *zone, struct probe_result *ret_result);

#endif
