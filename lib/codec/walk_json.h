/* JSON objects into structs by const tables, with a place for every fault.
 *
 * jansson parses, but keeps positions for syntax errors alone. So the text is walked
 * beside jansson's tree, whose members keep the order of the text (duplicates are
 * rejected). */
#ifndef LIB_CODEC_WALK_JSON_H
#define LIB_CODEC_WALK_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <lodewatch/fault.h>

/* All borrowed. */
struct walk {
    const char *file;
    const char *text;
    size_t n;
    struct lw_faults *faults;
};

/* A value, and where it stands in the text. */
struct walk_node {
    json_t *json;
    const char *at;
};

/* One member of an object. `set` reports what is wrong with the value, or stores it. */
struct walk_member {
    const char *name;
    void (*set)(struct walk *w, const struct walk_member *m, struct walk_node v,
                void *field);
    size_t offset;   /* of the field in the object's struct */
    double min, max; /* numbers; strings: the most bytes */
    bool required;
};

void walk_fault(struct walk *w, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Unknown and missing members are faults. At most 64 members. */
void walk_object(struct walk *w, struct walk_node v, const struct walk_member *members,
                 size_t n, void *object);

/* A member of an object, for forms that are not ours and have others, too; false where
 * there is none. */
bool walk_get(struct walk *w, struct walk_node v, const char *name,
              struct walk_node *ret_member);

/* The text's first value; from an array's '[' or the byte after an element to the next
 * element; from a value's first byte to the byte after it. */
const char *walk_start(const char *text);
const char *walk_next(const char *s);
const char *walk_after(const struct walk *w, const char *s);

/* Setters for plain fields: char[max + 1] without control characters, bool, whole numbers
 * from min to max, and a double of magnitude min to max. */
void walk_set_string(struct walk *w, const struct walk_member *m, struct walk_node v,
                     void *field);
void walk_set_bool(struct walk *w, const struct walk_member *m, struct walk_node v,
                   void *field);
void walk_set_u8(struct walk *w, const struct walk_member *m, struct walk_node v,
                 void *field);
void walk_set_u16(struct walk *w, const struct walk_member *m, struct walk_node v,
                  void *field);
void walk_set_i32(struct walk *w, const struct walk_member *m, struct walk_node v,
                  void *field);
void walk_set_number(struct walk *w, const struct walk_member *m, struct walk_node v,
                     void *field);

#endif
