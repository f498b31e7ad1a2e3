/* Packing: numbers little-endian, whatever machine wrote them; strings with their length;
 * tables of structs that name their fields.
 *
 * A table is: string name; u32 number of fields; for each a string name, u32 size, u8
 * raw; u64 number of rows; the rows, each its fields one after the other. */
#include <lodewatch/pack.h>

#include <assert.h>
#include <string.h>

enum {
    PIECE = 65536
};

void
lw_pack_init(struct lw_packer *p, lw_pack_write *write, void *arg)
{
    p->write = write;
    p->arg = arg;
    p->rc = 0;
    p->len = 0;
}

int
lw_pack_flush(struct lw_packer *p)
{
    if (p->rc == 0 && p->len > 0)
        p->rc = p->write(p->arg, p->buf, p->len);
    p->len = 0;
    return p->rc;
}

void
lw_pack_bytes(struct lw_packer *p, const void *data, size_t n)
{
    const uint8_t *at = data;

    if (n > sizeof(p->buf) - p->len)
        (void)lw_pack_flush(p);
    while (n > sizeof(p->buf) && p->rc == 0) {
        size_t piece = n < PIECE ? n : PIECE;
        p->rc = p->write(p->arg, at, piece);
        at += piece;
        n -= piece;
    }
    if (p->rc != 0 || n == 0)
        return;
    memcpy(p->buf + p->len, at, n);
    p->len += n;
}

static void
pack_le(struct lw_packer *p, uint64_t v, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    lw_pack_bytes(p, bytes, size);
}

void
lw_pack_u8(struct lw_packer *p, uint8_t v)
{
    pack_le(p, v, 1);
}

void
lw_pack_u32(struct lw_packer *p, uint32_t v)
{
    pack_le(p, v, 4);
}

void
lw_pack_u64(struct lw_packer *p, uint64_t v)
{
    pack_le(p, v, 8);
}

void
lw_pack_i64(struct lw_packer *p, int64_t v)
{
    pack_le(p, (uint64_t)v, 8);
}

/* Zigzag (0, -1, 1, -2 … are 0, 1, 2, 3 …), then seven bits a byte, the lowest first; the
 * top bit says that another byte follows. */
void
lw_pack_int(struct lw_packer *p, int64_t v)
{
    uint64_t rest = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
    uint8_t bytes[10];
    size_t n = 0;

    for (; rest >= 0x80; rest >>= 7)
        bytes[n++] = (uint8_t)(rest | 0x80);
    bytes[n++] = (uint8_t)rest;
    lw_pack_bytes(p, bytes, n);
}

void
lw_pack_blob(struct lw_packer *p, const void *data, size_t n)
{
    if (n > UINT32_MAX) {
        p->rc = p->rc != 0 ? p->rc : LW_EFULL;
        return;
    }
    lw_pack_u32(p, (uint32_t)n);
    lw_pack_bytes(p, data, n);
}

void
lw_pack_string(struct lw_packer *p, const char *s)
{
    lw_pack_blob(p, s, s == NULL ? 0 : strlen(s));
}

void
lw_unpack_init(struct lw_unpacker *u, const void *data, size_t n)
{
    *u = (struct lw_unpacker){.data = data, .n = n};
}

const void *
lw_unpack_bytes(struct lw_unpacker *u, size_t n)
{
    if (u->rc != 0 || n > u->n - u->at) {
        u->rc = LW_EPARSE;
        return NULL;
    }
    const uint8_t *bytes = u->data + u->at;
    u->at += n;
    return bytes;
}

static uint64_t
load_le(const uint8_t *bytes, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    return v;
}

static uint64_t
unpack_le(struct lw_unpacker *u, size_t size)
{
    const uint8_t *bytes = lw_unpack_bytes(u, size);
    return bytes == NULL ? 0 : load_le(bytes, size);
}

uint8_t
lw_unpack_u8(struct lw_unpacker *u)
{
    return (uint8_t)unpack_le(u, 1);
}

uint32_t
lw_unpack_u32(struct lw_unpacker *u)
{
    return (uint32_t)unpack_le(u, 4);
}

uint64_t
lw_unpack_u64(struct lw_unpacker *u)
{
    return unpack_le(u, 8);
}

int64_t
lw_unpack_i64(struct lw_unpacker *u)
{
    return (int64_t)unpack_le(u, 8);
}

int64_t
lw_unpack_int(struct lw_unpacker *u)
{
    uint64_t v = 0;
    uint8_t byte = 0x80;

    for (unsigned shift = 0; byte >= 0x80; shift += 7) {
        byte = lw_unpack_u8(u);
        if (shift == 63 && byte > 1) /* more than 64 bits */
            u->rc = LW_EPARSE;
        if (u->rc != 0)
            return 0;
        v |= (uint64_t)(byte & 0x7F) << shift;
    }
    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

const void *
lw_unpack_blob(struct lw_unpacker *u, size_t *ret_n)
{
    size_t n = lw_unpack_u32(u);
    const void *data = lw_unpack_bytes(u, n);
    *ret_n = data == NULL ? 0 : n;
    return data;
}

void
lw_unpack_string(struct lw_unpacker *u, char *buf, size_t cap)
{
    size_t n;
    const char *s = lw_unpack_blob(u, &n);

    if (s != NULL && (n >= cap || memchr(s, '\0', n) != NULL))
        u->rc = LW_EPARSE;
    if (u->rc != 0)
        n = 0;
    if (n > 0)
        memcpy(buf, s, n);
    buf[n] = '\0';
}

/* ---- tables ---- */

static bool
is_integer(size_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

/* An integer of the machine, wherever it lies in memory. */
static uint64_t
load_native(const void *at, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    switch (size) {
    case 1:
        return memcpy(&u8, at, 1), u8;
    case 2:
        return memcpy(&u16, at, 2), u16;
    case 4:
        return memcpy(&u32, at, 4), u32;
    default:
        return memcpy(&u64, at, 8), u64;
    }
}

static void
store_native(void *at, size_t size, uint64_t v)
{
    uint8_t u8 = (uint8_t)v;
    uint16_t u16 = (uint16_t)v;
    uint32_t u32 = (uint32_t)v;

    switch (size) {
    case 1:
        memcpy(at, &u8, 1);
        break;
    case 2:
        memcpy(at, &u16, 2);
        break;
    case 4:
        memcpy(at, &u32, 4);
        break;
    default:
        memcpy(at, &v, 8);
        break;
    }
}

void
lw_pack_table_head(struct lw_packer *p, const char *name, const struct lw_field *fields,
                   size_t nfields, uint64_t count)
{
    assert(strlen(name) < sizeof(((struct lw_table_head *)NULL)->name));
    lw_pack_string(p, name);
    lw_pack_u32(p, (uint32_t)nfields);
    for (size_t f = 0; f < nfields; f++) {
        assert(fields[f].raw || is_integer(fields[f].size));
        lw_pack_string(p, fields[f].name);
        lw_pack_u32(p, fields[f].size);
        lw_pack_u8(p, fields[f].raw);
    }
    lw_pack_u64(p, count);
}

void
lw_pack_row(struct lw_packer *p, const struct lw_field *fields, size_t nfields,
            const void *row)
{
    for (size_t f = 0; f < nfields; f++) {
        const uint8_t *at = (const uint8_t *)row + fields[f].offset;
        if (fields[f].raw)
            lw_pack_bytes(p, at, fields[f].size);
        else
            pack_le(p, load_native(at, fields[f].size), fields[f].size);
    }
}

void
lw_pack_table(struct lw_packer *p, const char *name, const struct lw_field *fields,
              size_t nfields, const void *rows, size_t stride, size_t count)
{
    lw_pack_table_head(p, name, fields, nfields, count);
    for (size_t i = 0; i < count && p->rc == 0; i++)
        lw_pack_row(p, fields, nfields, (const uint8_t *)rows + i * stride);
}

/* A field as the table's head names it. */
struct written_field {
    const char *name; /* not NUL-terminated */
    size_t name_n;
    size_t size;
    bool raw;
};

static struct written_field
unpack_field(struct lw_unpacker *u)
{
    struct written_field f;
    f.name = lw_unpack_blob(u, &f.name_n);
    f.size = lw_unpack_u32(u);
    f.raw = lw_unpack_u8(u) != 0;
    return f;
}

int
lw_unpack_table(struct lw_unpacker *u, struct lw_table_head *ret_head)
{
    struct lw_table_head head = {.row_size = 0};

    lw_unpack_string(u, head.name, sizeof(head.name));
    head.nfields = lw_unpack_u32(u);
    head.fields_at = u->at;
    for (uint32_t i = 0; i < head.nfields && u->rc == 0; i++) {
        struct written_field f = unpack_field(u);
        if (!f.raw && !is_integer(f.size))
            u->rc = LW_EPARSE;
        head.row_size += f.size;
    }
    head.count = lw_unpack_u64(u);
    /* Rows of nothing could be of any number. */
    if (u->rc != 0 || (head.row_size == 0 && head.count > 0) ||
        (head.row_size > 0 && head.count > (u->n - u->at) / head.row_size)) {
        u->rc = LW_EPARSE;
        return u->rc;
    }
    *ret_head = head;
    return 0;
}

void
lw_unpack_skip_rows(struct lw_unpacker *u, const struct lw_table_head *head)
{
    (void)lw_unpack_bytes(u, (size_t)head->count * head->row_size);
}

/* Most tables have the fields of ours in our order: `hint` is looked at first. */
static const struct lw_field *
find_field(const struct lw_field *fields, size_t nfields, size_t hint,
           const struct written_field *f)
{
    for (size_t i = 0; i < nfields; i++) {
        const struct lw_field *field = &fields[(hint + i) % nfields];
        if (strlen(field->name) == f->name_n &&
            memcmp(field->name, f->name, f->name_n) == 0)
            return field;
    }
    return NULL;
}

void
lw_unpack_row(struct lw_unpacker *u, const struct lw_table_head *head,
              const struct lw_field *fields, size_t nfields, void *row)
{
    const uint8_t *bytes = lw_unpack_bytes(u, head->row_size);
    if (bytes == NULL)
        return;

    struct lw_unpacker list = {.data = u->data, .n = u->n, .at = head->fields_at};
    for (uint32_t i = 0; i < head->nfields; i++) {
        struct written_field f = unpack_field(&list);
        const struct lw_field *field = find_field(fields, nfields, i, &f);
        if (field != NULL && (field->size != f.size || field->raw != f.raw)) {
            u->rc = LW_EPARSE;
            return;
        }
        if (field != NULL && f.raw)
            memcpy((uint8_t *)row + field->offset, bytes, f.size);
        else if (field != NULL)
            store_native((uint8_t *)row + field->offset, f.size, load_le(bytes, f.size));
        bytes += f.size;
    }
}
