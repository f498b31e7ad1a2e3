/* The text builder, and decimal numbers as text without floating point: what leaves here
 * is the same on every machine and in every locale. */
#include <lodewatch/text.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

void
lw_text_init(struct lw_text *t, char *data, size_t cap)
{
    assert(cap >= 1);
    *t = (struct lw_text){.data = data, .cap = cap};
    data[0] = '\0';
}

/* Where text of `n` bytes must be cut to leave at most `room` and only whole characters.
 */
static size_t
cut_at(const char *s, size_t n, size_t room)
{
    if (n <= room)
        return n;
    while (room > 0 && ((unsigned char)s[room] & 0xC0) == 0x80)
        room--;
    return room;
}

void
lw_text_addn(struct lw_text *t, const char *s, size_t n)
{
    if (t->cut || n == 0)
        return;
    size_t fits = cut_at(s, n, t->cap - 1 - t->len);
    memcpy(t->data + t->len, s, fits);
    t->len += fits;
    t->data[t->len] = '\0';
    t->cut = fits < n;
}

void
lw_text_add(struct lw_text *t, const char *s)
{
    lw_text_addn(t, s, strlen(s));
}

void
lw_text_addv(struct lw_text *t, const char *format, va_list args)
{
    if (t->cut)
        return;
    char *end = t->data + t->len;
    size_t room = t->cap - 1 - t->len;
    int n = vsnprintf(end, room + 1, format, args);
    if (n >= 0 && (size_t)n <= room) {
        t->len += (size_t)n;
        return;
    }
    /* snprintf cuts anywhere: take back the character that it may have cut in two. */
    size_t fits = n < 0 ? 0 : room;
    size_t last = fits;
    while (last > 0 && ((unsigned char)end[last - 1] & 0xC0) == 0x80)
        last--;
    if (last > 0 && (unsigned char)end[last - 1] >= 0xC0) {
        unsigned char lead = (unsigned char)end[last - 1];
        size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (fits - (last - 1) < whole)
            fits = last - 1;
    }
    t->len += fits;
    t->data[t->len] = '\0';
    t->cut = true;
}

void
lw_text_addf(struct lw_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lw_text_addv(t, format, args);
    va_end(args);
}

void
lw_text_add_decimal(struct lw_text *t, int64_t value, int64_t per_unit, int decimals)
{
    assert(per_unit > 0 && decimals >= 0 && decimals <= 9);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t step = (uint64_t)per_unit; /* one in the last decimal that the value has */
    int zeros = decimals;               /* decimals finer than its unit */

    for (; zeros > 0 && step > 1; zeros--)
        step /= 10;
    if (step > 1)
        magnitude = magnitude / step + (magnitude % step >= step / 2);
    uint64_t unit = (uint64_t)per_unit / step;

    char text[48];
    char *end = text + sizeof text, *at = end; /* written from the right */
    uint64_t fraction = magnitude % unit, whole = magnitude / unit;

    for (int i = 0; i < decimals; i++) {
        bool has = i >= zeros;

        *--at = (char)('0' + (has ? fraction % 10 : 0));
        fraction /= has ? 10 : 1;
    }
    if (decimals > 0)
        *--at = '.';
    do
        *--at = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    if (value < 0 && magnitude > 0)
        *--at = '-';
    lw_text_addn(t, at, (size_t)(end - at));
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int
lw_decimal_parse(const char *s, size_t n, int64_t per_unit, int64_t *ret)
{
    const char *end = s + n;
    bool negative = false, digits = false, over = false;
    int64_t value = 0;
    int64_t left = per_unit; /* what `value` still has to be multiplied by */

    if (s < end && (*s == '-' || *s == '+'))
        negative = *s++ == '-';
    for (; s < end && is_digit(*s); s++) {
        digits = true;
        over |= __builtin_mul_overflow(value, 10, &value);
        over |= __builtin_add_overflow(value, *s - '0', &value);
    }
    if (s < end && *s == '.') {
        const char *point = ++s;
        for (; left > 1 && s < end && is_digit(*s); s++) {
            over |= __builtin_mul_overflow(value, 10, &value);
            over |= __builtin_add_overflow(value, *s - '0', &value);
            left /= 10;
        }
        /* The first digit that is finer than the unit decides; the rest is dropped. */
        if (s < end && *s >= '5' && *s <= '9')
            over |= __builtin_add_overflow(value, 1, &value);
        while (s < end && is_digit(*s))
            s++;
        digits |= s > point;
    }
    if (s != end || !digits)
        return LW_EINVAL;
    over |= __builtin_mul_overflow(value, left, &value);
    if (over)
        return LW_ERANGE;
    *ret = negative ? -value : value;
    return 0;
}

size_t
lw_text_distance(const char *a, size_t na, const char *b, size_t nb)
{
    enum {
        MOST = 64
    };
    size_t row[MOST + 1]; /* distances of a's first i bytes to b's first 0..nb */

    if (na > MOST || nb > MOST)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0]; /* what row[j - 1] was for i - 1 */
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < edit ? change : edit;
        }
    }
    return row[nb];
}
