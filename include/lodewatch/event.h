/* What goes into the core. An event is recorded whole in the journal before anything that
 * follows from it leaves the machine. */
#ifndef LODEWATCH_EVENT_H
#define LODEWATCH_EVENT_H

#include <lodewatch/act.h>
#include <lodewatch/reading.h>
#include <lodewatch/time.h>

enum lw_event_kind {
    LW_EVENT_READING = 1,
    LW_EVENT_READ_FAILED,
    LW_EVENT_TICK,
    LW_EVENT_CLOCK_STEP,
    LW_EVENT_METER_CLOCK,   /* what a meter's own clock showed */
    LW_EVENT_METER_SERIAL,  /* who a meter says that it is */
    LW_EVENT_METER_COUNTER, /* what its import register can do */
    LW_EVENT_ACT,           /* a person acknowledges or shelves an alarm */
};

enum {
    LW_SERIAL = 33 /* SunSpec's serial numbers have up to 32 characters */
};

/* Why a read failed. */
enum lw_read_failure {
    LW_FAIL_TIMEOUT = 1, /* the unit did not answer */
    LW_FAIL_LINK,        /* no connection to the gateway */
    LW_FAIL_EXCEPTION,   /* it answered with a Modbus exception */
    LW_FAIL_VALUE,       /* it answered, and no value of it can be */
    LW_FAIL_OVERRUN,     /* the line was too busy to ask */
    LW_FAIL_MISSING,     /* a row of a readings file says so */
};

struct lw_event {
    enum lw_event_kind kind;
    lw_wall at; /* when it became known here; for a reading its `received` */
    union {
        struct lw_reading reading;
        struct {
            uint32_t meter;
            enum lw_read_failure why;
            uint8_t exception; /* the Modbus exception code, with LW_FAIL_EXCEPTION */
        } failed;
        struct {
            int64_t by_ms; /* our wall clock jumped by so much; `at` is after it */
        } step;
        struct {
            uint32_t meter;
            int64_t drift_ms; /* the meter's clock less ours, when its reply came in */
        } clock;
        struct {
            uint32_t meter;
            char text[LW_SERIAL]; /* printable ASCII, not empty */
        } serial;
        struct { /* primary, as the meter's profile says; 0: not known, 0 or more */
            uint32_t meter;
            int64_t step_wh; /* it cannot show less: a float's steps grow with it */
            int64_t modulus_wh;
            int64_t most_w;
        } counter;
        struct lw_act act;
    };
};

#endif
