/* Registration packets: the ledger's text for one, and whether what came in is it. */
#include <lodewatch/registration.h>

#include <string.h>

static const char hex_prefix[] = "hex:";

static bool
is_line_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n' || byte == '\0';
}

/* -1: no hexadecimal digit. */
static int
digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int
parse_hex(const char *text, struct lw_registration *r)
{
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        int high = digit_of(text[0]), low = high < 0 ? -1 : digit_of(text[1]);
        if (low < 0 || r->n == LW_REGISTRATION_MAX)
            return LW_EINVAL;
        r->bytes[r->n++] = (uint8_t)(high << 4 | low);
        text++;
    }
    return r->n == 0 ? LW_EINVAL : 0;
}

int
lw_registration_parse(const char *text, struct lw_registration *ret_registration)
{
    struct lw_registration r = {0};
    if (strncmp(text, hex_prefix, sizeof hex_prefix - 1) == 0) {
        int rc = parse_hex(text + sizeof hex_prefix - 1, &r);
        if (rc != 0)
            return rc;
    } else {
        size_t n = strlen(text);
        if (n == 0 || n > LW_REGISTRATION_MAX)
            return LW_EINVAL;
        r.n = (uint8_t)n;
        memcpy(r.bytes, text, n);
    }
    if (is_line_end(r.bytes[0]) || is_line_end(r.bytes[r.n - 1]))
        return LW_EINVAL;
    *ret_registration = r;
    return 0;
}

enum lw_registration_match
lw_registration_match(const struct lw_registration *known, const uint8_t *data, size_t n)
{
    while (n > 0 && is_line_end(data[0])) {
        data++;
        n--;
    }
    size_t common = n < known->n ? n : known->n;
    if (memcmp(data, known->bytes, common) != 0)
        return LW_REGISTRATION_NO;
    for (size_t i = common; i < n; i++)
        if (!is_line_end(data[i]))
            return LW_REGISTRATION_NO;
    return n < known->n ? LW_REGISTRATION_PART : LW_REGISTRATION_WHOLE;
}
