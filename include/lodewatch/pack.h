/* Little-endian packing of numbers and strings, and self-describing tables of structs:
 * what the journal's records and the checkpoint's sections are made of.
 *
 * A table names its fields. The reader matches them by name: a field it does not know is
 * skipped, one that is not there stays as it was. So release N reads what N-1 wrote. A
 * field that gets another size or meaning gets another name. */
#ifndef LODEWATCH_PACK_H
#define LODEWATCH_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

/* Where packed bytes go. Called with bounded pieces (64 KB at most); nothing is
 * allocated, so that it may run in a forked child. Non-zero stops the packing. */
typedef int lw_pack_write(void *arg, const void *data, size_t n);

struct lw_packer {
    lw_pack_write *write;
    void *arg;
    int rc;     /* the first failure; later calls do nothing */
    size_t len; /* of what waits in `buf` */
    uint8_t buf[4096];
};

void lw_pack_init(struct lw_packer *p, lw_pack_write *write, void *arg);
/* Hands over what is buffered; returns the packer's rc. */
int lw_pack_flush(struct lw_packer *p);
void lw_pack_u8(struct lw_packer *p, uint8_t v);
void lw_pack_u32(struct lw_packer *p, uint32_t v);
void lw_pack_u64(struct lw_packer *p, uint64_t v);
void lw_pack_i64(struct lw_packer *p, int64_t v);
/* In 1 to 10 bytes, small magnitudes in few. */
void lw_pack_int(struct lw_packer *p, int64_t v);
void lw_pack_bytes(struct lw_packer *p, const void *data, size_t n); /* no length */
void lw_pack_blob(struct lw_packer *p, const void *data, size_t n); /* u32 length first */
void lw_pack_string(struct lw_packer *p, const char *s); /* a blob; NULL is "" */

struct lw_unpacker {
    const uint8_t *data;
    size_t n;
    size_t at;
    int rc; /* LW_EPARSE once something ran over the end; then every value is 0 */
};

void lw_unpack_init(struct lw_unpacker *u, const void *data, size_t n);
uint8_t lw_unpack_u8(struct lw_unpacker *u);
uint32_t lw_unpack_u32(struct lw_unpacker *u);
uint64_t lw_unpack_u64(struct lw_unpacker *u);
int64_t lw_unpack_i64(struct lw_unpacker *u);
int64_t lw_unpack_int(struct lw_unpacker *u);
/* Borrowed from the input, not NUL-terminated. */
const void *lw_unpack_bytes(struct lw_unpacker *u, size_t n);
const void *lw_unpack_blob(struct lw_unpacker *u, size_t *ret_n);
/* Copies a blob as a NUL-terminated string; one that does not fit is LW_EPARSE. */
void lw_unpack_string(struct lw_unpacker *u, char *buf, size_t cap);

/* One field of a struct: a number of 1, 2, 4 or 8 bytes, or raw bytes as this machine has
 * them. */
struct lw_field {
    const char *name;
    uint16_t offset;
    uint16_t size;
    bool raw;
};

#define LW_FIELD(type, member)                                                           \
    {                                                                                    \
#member, offsetof(type, member), sizeof(((type *)0)->member), false              \
    }
/* An array of numbers. A struct has a field for each of its members, and an array of
 * structs is a table of its own: kept as bytes it would be read wrongly by the release
 * that changes it, which nothing would tell; so it does not compile. */
#define LW_FIELD_RAW(type, member)                                                       \
    {                                                                                    \
#member, offsetof(type, member), sizeof(((type *)0)->member),                    \
            LW_ARE_NUMBERS(((type *)0)->member)                                          \
    }
#define LW_ARE_NUMBERS(array)                                                            \
    _Generic((array), char *                                                             \
             : true, uint8_t *                                                           \
             : true, int16_t *                                                           \
             : true, int32_t *                                                           \
             : true, uint32_t *                                                          \
             : true, float *                                                             \
             : true, double *                                                            \
             : true, bool *                                                              \
             : true)

/* A table: its head, then `count` rows one by one. */
void lw_pack_table_head(struct lw_packer *p, const char *name,
                        const struct lw_field *fields, size_t nfields, uint64_t count);
void lw_pack_row(struct lw_packer *p, const struct lw_field *fields, size_t nfields,
                 const void *row);
/* A table whose rows lie in an array of `count` structs of `stride` bytes. */
void lw_pack_table(struct lw_packer *p, const char *name, const struct lw_field *fields,
                   size_t nfields, const void *rows, size_t stride, size_t count);
/* Reads the next table's head; its name goes to `name`. Then either rows or skip. */
struct lw_table_head {
    char name[32];
    uint32_t nfields;
    uint64_t count;
    size_t row_size;
    size_t fields_at; /* where the field list begins in the input */
};
LW_MUSTCHECK
int lw_unpack_table(struct lw_unpacker *u, struct lw_table_head *ret_head);
void lw_unpack_skip_rows(struct lw_unpacker *u, const struct lw_table_head *head);
/* Reads one row into `row`; call `head->count` times. */
void lw_unpack_row(struct lw_unpacker *u, const struct lw_table_head *head,
                   const struct lw_field *fields, size_t nfields, void *row);

#endif
