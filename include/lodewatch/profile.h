/* A meter profile: the register map of one meter model, and how its bus wants to be
 * spoken to. Written as JSON in etc/profiles/; docs/profiles.md describes each member. */
#ifndef LODEWATCH_PROFILE_H
#define LODEWATCH_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/quantity.h>
#include <lodewatch/reading.h>
#include <lodewatch/result.h>

enum lw_register_type {
    LW_TYPE_U16,
    LW_TYPE_I16,
    LW_TYPE_U32,
    LW_TYPE_I32,
    LW_TYPE_U64,
    LW_TYPE_I64,
    LW_TYPE_F32,
    LW_TYPE_F64,
    LW_REGISTER_TYPES
};

/* How the type is written in a profile ("u16") and how many registers it takes. */
const char *lw_register_type_name(enum lw_register_type type);
uint16_t lw_register_words(enum lw_register_type type);

enum {
    LW_PROFILE_POINTS = 64,
    LW_PROFILE_FORBIDDEN = 16,
    LW_PROFILE_ID = 48,
    LW_PROFILE_BYTES = 1 << 20, /* the largest file */
};

/* One quantity in the map. Scale and offset turn the raw value into the quantity's CSV
 * unit (kW, V, …), before CT and PT. */
struct lw_register {
    enum lw_quantity quantity;
    uint8_t function; /* 3 or 4 */
    uint16_t address; /* 0-based */
    enum lw_register_type type;
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
    bool has_missing; /* a raw value that means "not available" */
    uint64_t missing; /* its bits, right-aligned */
    bool has_range;   /* what the model can really show, in the CSV unit; else no value */
    double min;
    double max;
};

/* Works out num and den, where the scale is a decimal fraction. */
void lw_register_set_fraction(struct lw_register *reg);

/* How a wrong profile or a wrong unit is noticed at commissioning. */
struct lw_probe {
    bool present;
    uint8_t function;
    uint16_t address;
    enum lw_register_type type;
    double min;
    double max;
};

struct lw_address_range {
    uint16_t first;
    uint16_t last;
};

struct lw_profile {
    char id[LW_PROFILE_ID]; /* the file's name without .json */
    char vendor[64];
    char model[64];
    char source[256]; /* where the map is from */
    bool unverified;

    uint16_t max_registers; /* a read, 1..125 */
    uint16_t max_gap;       /* unwanted registers that may be read along */
    int32_t min_gap_ms;     /* between two requests */
    int32_t connect_pause_ms;
    int32_t timeout_ms; /* 0: the gateway's */
    struct lw_address_range forbidden[LW_PROFILE_FORBIDDEN];
    uint16_t nforbidden;

    struct lw_probe probe;
    struct lw_register reg[LW_PROFILE_POINTS];
    uint16_t nregs;
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

/* Lays the profile's registers into as few reads as its maximum, gaps and forbidden
 * ranges allow. `split` (bit i) asks that reg[i] not be joined to others, for a device
 * that refused it. Returns the number of blocks. */
size_t lw_profile_blocks(const struct lw_profile *profile, uint64_t split,
                         struct lw_read_block blocks[LW_READ_BLOCKS]);

/* Decodes what a block's reply carries (2 x count bytes) into `reading`, in stored units,
 * after CT and PT. A value that is "not available", out of its range, NaN, infinite or
 * too large for its unit is left out; returns how many were left out for being
 * impossible ("not available" does not count). */
int lw_profile_decode(const struct lw_profile *profile, const struct lw_read_block *block,
                      const uint8_t *data, int64_t ct_milli, int64_t pt_milli,
                      struct lw_reading *reading);

/* The inverse, for the simulator: writes the registers of `block` as a device with these
 * values would answer; what is not measured reads as its "not available" value, or 0. */
void lw_profile_encode(const struct lw_profile *profile,
                       const struct lw_read_block *block,
                       const struct lw_reading *reading, int64_t ct_milli,
                       int64_t pt_milli, uint8_t *data);

#endif
