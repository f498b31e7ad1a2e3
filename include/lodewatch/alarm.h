/* Alarms: one a subject and rule, from its raising until the load is explained again by
 * measured samples. States follow ISA-18.2 / IEC 62682. */
#ifndef LODEWATCH_ALARM_H
#define LODEWATCH_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/act.h>
#include <lodewatch/hash.h>
#include <lodewatch/ledger.h>
#include <lodewatch/rules.h>
#include <lodewatch/time.h>

enum lw_alarm_state {
    LW_ALARM_NORMAL,
    LW_ALARM_UNACKNOWLEDGED_ACTIVE,
    LW_ALARM_ACKNOWLEDGED_ACTIVE,
    LW_ALARM_RETURNED_UNACKNOWLEDGED,
    LW_ALARM_SHELVED,
    LW_ALARM_OUT_OF_SERVICE,
};

enum lw_priority {
    LW_PRIORITY_LOW,
    LW_PRIORITY_MEDIUM,
    LW_PRIORITY_HIGH,
    LW_PRIORITY_URGENT
};

const char *lw_alarm_state_name(enum lw_alarm_state state);
const char *lw_priority_name(enum lw_priority priority);

/* What precisely a rule saw; chooses the sentence (lib/alarm/words_*.c). */
enum lw_finding {
    LW_FOUND_NOTHING,
    LW_FOUND_NO_EXPLANATION,   /* load at a closed site, nothing on file */
    LW_FOUND_OVER_ALLOWANCE,   /* load above what the explanations allow */
    LW_FOUND_UNLIKE_REFERENCE, /* within the ceilings, unlike the commissioned load */
    LW_FOUND_DURING_SILENCE,   /* the same, over a loss of communication, in the mean */
    LW_FOUND_PREEXISTING,      /* a shift's shape in the commissioned load itself */
    LW_FOUND_UNLIKE_PEERS,     /* a commissioned load far above that of sites like it */
    LW_FOUND_PUMPED_ON,        /* a pump took more than rain and water level explain */
    LW_FOUND_AFTER_CUTOFF,     /* the register advanced after a cutoff */
    LW_FOUND_NO_LICENCE,       /* production without a mining or safety licence */
    LW_FOUND_SILENT_METER,
    LW_FOUND_SILENT_GATEWAY,
    LW_FOUND_REGISTER_FELL,
    LW_FOUND_REGISTER_LEAPT,
    LW_FOUND_REGISTER_STOOD,
    LW_FOUND_GONE,     /* the subject is in the ledger no more */
    LW_FOUND_NO_METER, /* coverage: bits in evidence.detail, see lw_gap_bits */
    LW_FOUND_REGISTER_OVER_RATING,
    LW_FOUND_REGISTER_ERRATIC,
    LW_FOUND_VALUES_FROZEN,
    LW_FOUND_POWER_GONE,   /* the register stands and the meter gives no power any more */
    LW_FOUND_REVERSED,     /* power in evidence.detail, W */
    LW_FOUND_VOLTAGE_GONE, /* phases in evidence.detail: bits 0-2 voltage, 3-5 current */
    LW_FOUND_CURRENT_GONE,
    LW_FOUND_SUMS_DIFFER, /* the register's in energy_wh, power's in evidence.detail */
    LW_FOUND_CLOCK_WRONG, /* by evidence.detail ms */
    LW_FOUND_UNUSUALLY_HIGH,
    LW_FOUND_UNUSUALLY_LOW,
    LW_FOUND_OVER_CONTRACT,
    LW_FOUND_SUSPENDED_CAPACITY,
    LW_FOUND_OVER_MONTH, /* tonnes in evidence.detail, the year's licence in detail2 */
    LW_FOUND_OVER_YEAR,
    LW_FOUND_PROCESS_SHARE,
    LW_FOUND_RESIDUAL,  /* a feeder counts more than its meters and its loss */
    LW_FOUND_DISPLACED, /* a load was lost and came up elsewhere */
    LW_FOUND_OVERRUN,   /* a gateway's meters cannot be read in their interval */
    LW_FOUND_OUTGROWN,  /* it came back as more than before: another alarm tells of it */
    LW_FOUND_MOOT,      /* by the ledger the rule does not concern it any more */
    LW_FINDINGS,
};

enum lw_gap_bits {
    LW_GAP_METER = 1,
    LW_GAP_POSITION = 2,
    LW_GAP_RESPONSIBLE = 4,
    LW_GAP_STATUS = 8,
};

enum {
    LW_SILENT_NAMED = 3
};

/* More than so many alarms within so long are a flood: nobody can answer them one by one
 * (ISA-18.2, EEMUA 191: per operator). It ends when half as many came in such a time.
 * None is held back; each says which of the flood it is, so that a message can sum up. */
enum {
    LW_FLOOD_ALARMS = 10
};
#define LW_FLOOD_TIME (10 * LW_MINUTE)

/* What an alarm rests on. Zero where a rule has nothing to say. */
struct lw_evidence {
    lw_wall from;
    lw_wall to;
    int64_t mean_w;
    int64_t peak_w; /* of the intervals' means */
    int64_t energy_wh;
    int64_t expected_w; /* mean of what was allowed */
    int64_t excess_wh;
    int64_t level_w;  /* above a reference, as it was found now; 0: nothing is */
    int64_t since_wh; /* of the excess, since it was found */
    uint32_t samples_expected;
    uint32_t samples_good;
    int64_t detail;  /* by finding: gap bits; a register's step in Wh; ms of silence; W
                        by which the load stepped up; overruns; um of rain; W */
    int64_t detail2; /* by finding: licences missing (bit 0 mining, 1 safety); meters
                        darkened; W that were lost elsewhere; W of doubt; sites */
    int32_t confidence_milli;        /* of a consumption finding; 0: it is not given */
    uint8_t finding;                 /* enum lw_finding */
    uint8_t night;                   /* the window's larger part lies in the night */
    uint16_t nsilent;                /* children of the feeder that are silent... */
    int32_t silent[LW_SILENT_NAMED]; /* ...the first of them: 1 + the point's index */
    int32_t other; /* the site that lost the load: 1 + its index; 0: none */
    /* The readings that it rests on, and what was learned that they were compared with;
       alarm_set and alarm_return fill them in: docs/evidence.md. */
    lw_wall readings_from; /* when they may begin... */
    lw_wall readings_to;   /* ...and the newest of them */
    uint32_t readings;     /* 0: none */
    uint32_t readings_meters;
    uint8_t sha256[LW_SHA256_SIZE];
    lw_wall learned_from; /* both 0: nothing was */
    lw_wall learned_to;
    uint8_t learned_sha256[LW_SHA256_SIZE];
};

/* How the load of an alarm has gone since it was raised (lib/detect/tip_off.c): it is
 * there, or gone, or in between. Times are ms; 0: none. */
struct lw_course {
    int64_t to;        /* up to where it is known */
    int64_t high_w[2]; /* in the last window in which it was there, and the one before;
                          0: it is gone, and that was counted */
    int64_t high_ms;   /* it has been there so long in all */
    int64_t fell;      /* about when, if it is gone; below 0: nobody measured that */
    int64_t low_ms;    /* measured since */
    int32_t falls;     /* so often it was gone for long enough */
    bool told;         /* that it fell after this first reading */
};

struct lw_alarm {
    uint8_t id[16]; /* SHA-256(deployment, subject, rule, onset), its first half */
    uint8_t rule;   /* enum lw_rule_id */
    uint8_t subject_kind;
    uint8_t state;
    uint8_t priority;
    int32_t subject;   /* index of the site, point or gateway */
    int32_t site;      /* or LW_NONE */
    uint32_t revision; /* 1 when raised */
    uint32_t flood;    /* it was raised as the n-th of a flood of alarms; 0: in none */
    lw_wall onset;     /* the time of the raised event */
    lw_wall at;        /* the time of this revision */
    /* A load that comes back like it is told as a revision of it. */
    uint32_t occurrences; /* 1 when raised */
    lw_wall returned;     /* LW_WALL_MIN: it stands */
    int64_t least_over_w; /* of the occurrences: above what was expected */
    int64_t most_over_w;
    int64_t most_wh; /* unexplained, of the largest before this one */
    struct lw_evidence evidence;
    /* What people did (lib/alarm/act.c). The texts are empty where nobody did. */
    lw_wall acknowledged;
    lw_wall shelved_until;  /* while shelved... */
    int64_t shelved_over_w; /* ...its height at the shelving */
    char acknowledged_by[LW_ACT_BY + 1];
    char shelf_by[LW_ACT_BY + 1]; /* who shelved it, or who ended that by hand */
    char shelf_reason[LW_ACT_REASON + 1];
    /* Who read it first since it was raised, or came back. No alert tells it. */
    lw_wall read;
    char read_by[LW_ACT_BY + 1];
    struct lw_course course;
};

/* "site/ID", "point/ID", "feeder/ID", "gateway/ID". */
void lw_alarm_subject(const struct lw_ledger *ledger, const struct lw_alarm *alarm,
                      char text[LW_ID_MAX + 16]);

enum lw_alert_kind {
    LW_ALERT_RAISED,
    LW_ALERT_UPDATED,
    LW_ALERT_RETURNED
};

#endif
