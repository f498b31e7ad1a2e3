/* A ledger's whole text as one blob: the journal's record of it. */
#include <lodewatch/ledger.h>
#include <lodewatch/pack.h>

enum {
    FORMAT = 1
};

void
lw_ledger_text_pack(const struct lw_ledger_text *text, struct lw_packer *p)
{
    lw_pack_u8(p, FORMAT);
    /* With its NUL, so that it can be borrowed as a string. */
    const char *deployment = text->deployment != NULL ? text->deployment : "";
    size_t n = 0;
    while (deployment[n] != '\0')
        n++;
    lw_pack_blob(p, deployment, n + 1);
    lw_pack_u8(p, text->exercise);
    lw_pack_u8(p, text->tzif != NULL);
    lw_pack_blob(p, text->tzif, text->tzif != NULL ? text->tzif_n : 0);
    lw_pack_blob(p, text->holidays, text->holidays != NULL ? text->holidays_n : 0);
    for (int i = 0; i < LW_TABLES; i++)
        lw_pack_blob(p, text->table[i].text,
                     text->table[i].text != NULL ? text->table[i].n : 0);
}

int
lw_ledger_text_unpack(struct lw_unpacker *u, struct lw_ledger_text *ret_text)
{
    struct lw_ledger_text text = {0};
    size_t n;
    uint8_t format = lw_unpack_u8(u);
    if (u->rc == 0 && format != FORMAT)
        return LW_EVERSION;
    text.deployment = lw_unpack_blob(u, &n);
    if (u->rc != 0 || n == 0 || text.deployment[n - 1] != '\0')
        return LW_EPARSE;
    text.exercise = lw_unpack_u8(u) != 0;
    bool zone = lw_unpack_u8(u) != 0;
    const void *tzif = lw_unpack_blob(u, &text.tzif_n);
    text.tzif = zone ? tzif : NULL;
    text.holidays = lw_unpack_blob(u, &text.holidays_n);
    for (int i = 0; i < LW_TABLES; i++)
        text.table[i].text = lw_unpack_blob(u, &text.table[i].n);
    if (u->rc != 0)
        return LW_EPARSE;
    *ret_text = text;
    return 0;
}
