/* A meter profile: the register map of one meter model, and how its bus wants to be
 * spoken to. Written as JSON in etc/profiles/; docs/profiles.md describes each member. */
#ifndef LODEWATCH_PROFILE_H
#define LODEWATCH_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/event.h>
#include <lodewatch/fault.h>
#include <lodewatch/quantity.h>
#include <lodewatch/reading.h>
#include <lodewatch/result.h>
#include <lodewatch/text.h>
#include <lodewatch/time.h>

enum lw_register_type {
    LW_TYPE_U16,
    LW_TYPE_I16,
    LW_TYPE_U32,
    LW_TYPE_I32,
    LW_TYPE_U64,
    LW_TYPE_I64,
    LW_TYPE_F32,
    LW_TYPE_F64,
    LW_TYPE_F32_4Q, /* a power factor of four quadrants: beyond 1 it is 2 less it */
    LW_TYPE_BITS16, /* these three are for people */
    LW_TYPE_BITS32,
    LW_TYPE_STRING,
    LW_REGISTER_TYPES
};

/* How the type is written in a profile ("u16"). */
const char *lw_register_type_name(enum lw_register_type type);

/* When a point is read. */
enum lw_poll_class {
    LW_POLL_FAST, /* at each of the meter's intervals */
    LW_POLL_SLOW, /* at every slow_every-th */
    LW_POLL_ONCE, /* at the first read, after the meter was silent, and daily */
    LW_POLL_CLASSES
};

enum {
    LW_PROFILE_POINTS = 64,
    LW_PROFILE_SHOWN = 32,
    LW_PROFILE_FORBIDDEN = 16,
    LW_PROFILE_MISSING = 4,
    LW_PROFILE_ID = 48,
    LW_PROFILE_BYTES = 1 << 20, /* the largest file */
    LW_PROFILE_STRING = 32,     /* registers of the longest string */
};

/* One quantity in the map. Scale and offset turn the raw value into the quantity's CSV
 * unit (kW, V, …), before CT and PT. */
struct lw_register {
    enum lw_quantity quantity; /* of a point that is stored */
    enum lw_poll_class class;
    uint8_t function; /* 3 or 4 */
    uint16_t address; /* 0-based */
    enum lw_register_type type;
    uint16_t length; /* registers of a string */
    bool low_word_first;
    bool low_byte_first; /* within each word */
    double scale;        /* raw * scale + offset; not 0 */
    double offset;
    int64_t num;             /* num / den is the scale in stored units, as a fraction */
    int64_t den;             /* 0: not worked out */
    bool has_scale_register; /* a power of ten (i16) in the same read (SunSpec's SF) */
    uint16_t scale_register;
    bool apply_ct; /* the device gives secondary values: multiply by the ledger's ratio */
    bool apply_pt;
    uint8_t nmissing;                     /* raw values that mean "not available" */
    uint64_t missing[LW_PROFILE_MISSING]; /* their bits, right-aligned */
    bool has_range; /* what the model can really show, in the CSV unit; else no value */
    double min;
    double max;
    double modulus; /* of a counter, in the CSV unit, before CT and PT; 0: not known */
    double max_per_hour; /* likewise, what the model can count in an hour */
};

/* Works out num and den, where the scale is a decimal fraction. */
void lw_register_set_fraction(struct lw_register *reg);
uint16_t lw_register_words(const struct lw_register *reg);

/* What people see of a device when it is commissioned; it is neither polled nor stored.
 */
struct lw_shown {
    char name[32];
    char unit[12];
    struct lw_register reg;
};

/* How a wrong profile or a wrong unit is noticed at commissioning. */
struct lw_probe {
    bool present;
    struct lw_register reg;
    double min; /* raw values */
    double max;
};

/* A changed number is another meter. */
struct lw_serial {
    bool present;
    struct lw_register reg; /* u16, u32, u64 or string */
};

enum lw_clock_format {
    LW_CLOCK_UNIX,       /* u32: seconds since 1970 */
    LW_CLOCK_WORDS,      /* year, month, day, hour, minute, second, a register each */
    LW_CLOCK_BYTES,      /* the same, a byte each */
    LW_CLOCK_IEC870_5_4, /* four registers: year; month, day; hour, minute; ms */
    LW_CLOCK_FORMATS
};
/* How it is written in a profile, and how many registers it takes. */
const char *lw_clock_format_name(enum lw_clock_format format);
uint16_t lw_clock_words(enum lw_clock_format format);

struct lw_meter_clock {
    bool present;
    struct lw_register reg; /* its type is not used */
    enum lw_clock_format format;
    bool utc; /* else the deployment's time zone */
};

struct lw_address_range {
    uint16_t first;
    uint16_t last;
};

struct lw_profile {
    char id[LW_PROFILE_ID]; /* the file's name without .json */
    char vendor[64];
    char model[64];
    char variant[64];
    char source[256]; /* where the map is from */
    bool unverified;
    uint16_t sunspec; /* addresses are offsets in this model of SunSpec's; 0: plain */

    uint16_t max_registers; /* a read, 1..125 */
    uint16_t max_gap;       /* unwanted registers that may be read along */
    int32_t min_gap_ms;     /* between two requests */
    int32_t connect_pause_ms;
    int32_t timeout_ms; /* 0: the gateway's */
    int32_t baud;       /* as the device leaves its factory; 0: not known */
    char parity;        /* 'N', 'E', 'O' */
    uint8_t stop_bits;
    struct lw_address_range forbidden[LW_PROFILE_FORBIDDEN];
    uint16_t nforbidden;
    uint16_t slow_every; /* intervals */

    struct lw_probe probe;
    struct lw_serial serial;
    struct lw_meter_clock clock;
    struct lw_register reg[LW_PROFILE_POINTS];
    uint16_t nregs;
    struct lw_shown shown[LW_PROFILE_SHOWN];
    uint16_t nshown;
};

/* Parses a profile; `file` names it in faults. LW_EPARSE with faults, LW_ENOMEM. */
LW_MUSTCHECK
int lw_profile_new(const char *file, const char *json, size_t n, struct lw_faults *faults,
                   struct lw_profile **ret_profile);
void lw_profile_free(struct lw_profile *profile);

/* A read that fetches several quantities at once. */
struct lw_read_block {
    uint8_t function;
    uint16_t address;
    uint16_t count;
    uint64_t regs; /* bit i: profile->reg[i] lies in it */
};

enum {
    LW_READ_BLOCKS = LW_PROFILE_POINTS
};

/* What limits the joining of reads. */
struct lw_read_limits {
    uint64_t split;   /* bit i: reg[i] stands alone, since the device refused it */
    uint16_t max_gap; /* what the line makes worth bridging, beside the profile's own */
};

/* Lays the profile's registers of one class into as few reads as its maximum, gaps and
 * forbidden ranges allow. Returns the number of blocks. */
size_t lw_profile_blocks(const struct lw_profile *profile, enum lw_poll_class class,
                         const struct lw_read_limits *limits,
                         struct lw_read_block blocks[LW_READ_BLOCKS]);

/* So many unwanted registers take a serial line as long as another request does, with
 * its answer's frame, its two silences of 3.5 characters and 20 ms until the device
 * begins to answer. `bits` on the line for one byte: 10 at 8N1. */
uint16_t lw_gap_worth(int32_t baud, int bits);

/* Decodes what a block's reply carries (2 x count bytes) into `reading`, in stored units,
 * after CT and PT. A value that is "not available", out of its range, NaN, infinite or
 * too large for its unit is left out; returns how many were left out for being
 * impossible ("not available" does not count). */
int lw_profile_decode(const struct lw_profile *profile, const struct lw_read_block *block,
                      const uint8_t *data, int64_t ct_milli, int64_t pt_milli,
                      struct lw_reading *reading);

/* What the import register can do, into event->counter, after CT and PT: its modulus and
 * its most, and what one step is worth at this value, since a float's steps grow with it.
 * False: nothing of it is known. */
LW_MUSTCHECK
bool lw_profile_counter(const struct lw_profile *profile,
                        const struct lw_reading *reading, int64_t ct_milli,
                        int64_t pt_milli, struct lw_event *event);

/* The serial number that the registers hold. LW_ENOTFOUND: they hold none (nothing but
 * zeros, ones or spaces, or what is no text). */
LW_MUSTCHECK
int lw_profile_serial(const struct lw_profile *profile, const uint8_t *data,
                      char text[LW_SERIAL]);
void lw_profile_put_serial(const struct lw_profile *profile, const char *text,
                           uint8_t *data);

/* The meter's clock less ours. LW_EINVAL: that is no time. */
LW_MUSTCHECK
int lw_profile_drift(const struct lw_profile *profile, const uint8_t *data,
                     const struct lw_zone *zone, lw_wall now, int64_t *ret_ms);
void lw_profile_put_clock(const struct lw_profile *profile, const struct lw_zone *zone,
                          lw_wall now, uint8_t *data);

/* A raw value that the probe register is expected to have: 50 Hz of 45 to 65. */
void lw_profile_put_probe(const struct lw_profile *profile, uint8_t *data);

/* A register's raw value as a number; NaN where that is not the type's. */
double lw_register_raw(const struct lw_register *reg, const uint8_t *data);
/* It means "not available". */
bool lw_register_missing(const struct lw_register *reg, const uint8_t *data);
/* In the unit of its scale; false where it is "not available", no number, or a string's.
 */
bool lw_register_value(const struct lw_register *reg, int exponent, const uint8_t *data,
                       double *ret_value);
/* Its value as people read it, in the unit of the scale; "-" where it is not available.
 */
void lw_register_text(const struct lw_register *reg, int exponent, const uint8_t *data,
                      struct lw_text *text);
/* A scale register's power of ten; false where it says that there is none. */
bool lw_scale_exponent(const uint8_t *data, int *ret_exponent);

/* The inverse, for the simulator: writes the registers of `block` as a device with these
 * values would answer; what is not measured reads as its "not available" value, or 0. */
void lw_profile_encode(const struct lw_profile *profile,
                       const struct lw_read_block *block,
                       const struct lw_reading *reading, int64_t ct_milli,
                       int64_t pt_milli, uint8_t *data);

#endif
