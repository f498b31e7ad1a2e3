/* What the files share that read a profile: its head and bus (profile_json.c), its points
 * (profile_points_json.c), and SunSpec's own model files (sunspec_json.c). */
#ifndef LIB_CODEC_PROFILE_JSON_H
#define LIB_CODEC_PROFILE_JSON_H

#include <lodewatch/profile.h>

#include "walk_json.h"

struct profile_parser {
    struct walk walk; /* first: the setters get a pointer to it */
    struct lw_profile *profile;
    const char *point_at[LW_PROFILE_POINTS];
    const char *serial_at, *clock_at;
};

static inline struct profile_parser *
profile_parser(struct walk *w)
{
    return (struct profile_parser *)w;
}

/* Setters. */
void profile_set_address(struct walk *w, const struct walk_member *m, struct walk_node v,
                         void *field);
void profile_set_type(struct walk *w, const struct walk_member *m, struct walk_node v,
                      void *field);
void profile_set_low_first(struct walk *w, const struct walk_member *m,
                           struct walk_node v, void *field);
void profile_set_points(struct walk *w, const struct walk_member *m, struct walk_node v,
                        void *field);

/* Where a register stands and in what form; `base` is the register's offset. A string's
 * length is checked by profile_check_register. */
#define PROFILE_REGISTER(base, need_type)                                                \
    {"function", walk_set_u8, (base) + offsetof(struct lw_register, function),           \
     3,          4,           true},                                                     \
        {"address",                                                                      \
         profile_set_address,                                                            \
         (base) + offsetof(struct lw_register, address),                                 \
         0,                                                                              \
         0,                                                                              \
         true},                                                                          \
        {"type", profile_set_type, (base) + offsetof(struct lw_register, type), 0,       \
         0,      need_type},                                                             \
        {"word_order",                                                                   \
         profile_set_low_first,                                                          \
         (base) + offsetof(struct lw_register, low_word_first),                          \
         0,                                                                              \
         0,                                                                              \
         false},                                                                         \
    {                                                                                    \
        "byte_order", profile_set_low_first,                                             \
            (base) + offsetof(struct lw_register, low_byte_first), 0, 0, false           \
    }

/* Its type is one of `types` (a bit each), and it does not reach over the map's end. */
void profile_check_register(struct walk *w, const struct lw_register *reg, uint32_t types,
                            const char *at);

enum {
    PROFILE_TYPES_WHOLE = 1 << LW_TYPE_U16 | 1 << LW_TYPE_I16 | 1 << LW_TYPE_U32 |
                          1 << LW_TYPE_I32 | 1 << LW_TYPE_U64 | 1 << LW_TYPE_I64,
    PROFILE_TYPES_VALUE =
        PROFILE_TYPES_WHOLE | 1 << LW_TYPE_F32 | 1 << LW_TYPE_F64 | 1 << LW_TYPE_F32_4Q,
    PROFILE_TYPES_SERIAL =
        1 << LW_TYPE_U16 | 1 << LW_TYPE_U32 | 1 << LW_TYPE_U64 | 1 << LW_TYPE_STRING,
    PROFILE_TYPES_SHOWN = (1 << LW_REGISTER_TYPES) - 1,
};

/* Two numbers or two addresses. */
bool profile_pair(struct walk *w, struct walk_node v, struct walk_node ret[2]);

/* A file of SunSpec's: { "id": 203, "group": … }. */
bool profile_is_sunspec(const json_t *root);
void profile_read_sunspec(struct profile_parser *p, struct walk_node root);
/* What all SunSpec models have in common: where the serial number is. */
void profile_set_sunspec(struct lw_profile *profile, uint16_t model);

#endif
