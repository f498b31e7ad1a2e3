/* Any bytes as CSV: the same rows whatever the pieces they come in. The first byte says
 * how long the pieces are. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/csv.h>
#include <lodewatch/hash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A digest of all that the reader says. */
static uint64_t
digest(const char *text, size_t n, size_t piece)
{
    struct lw_csv *csv;
    const struct lw_csv_cell *cells;
    const char *error = NULL;
    uint32_t place[2];
    uint64_t sum = 0;
    size_t ncells, at = 0;
    int rc;

    if (lw_csv_new(&csv) != 0)
        return 0;
    while ((rc = lw_csv_next(csv, &cells, &ncells, &error)) != 0) {
        if (rc == LW_EAGAIN && at == n) {
            lw_csv_end(csv);
        } else if (rc == LW_EAGAIN) {
            size_t next = n - at < piece ? n - at : piece;
            lw_csv_feed(csv, text + at, next);
            at += next;
        } else if (rc == LW_EPARSE) {
            lw_csv_position(csv, &place[0], &place[1]);
            assert(place[0] >= 1 && place[1] >= 1 && error[0] != '\0');
            sum = sum * 31 + lw_hash64(place, sizeof(place));
        } else {
            assert(rc == 1 && ncells >= 1 && ncells <= LW_CSV_CELLS);
            for (size_t i = 0; i < ncells; i++) {
                assert(strlen(cells[i].s) == cells[i].n);
                sum = sum * 31 + lw_hash64(cells[i].s, cells[i].n) + cells[i].line +
                      cells[i].column;
            }
        }
    }
    lw_csv_free(csv);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 ||
        size > LW_CSV_ROW) /* a longer row's fault stands where a piece ends */
        return 0;
    const char *text = (const char *)data + 1;
    assert(digest(text, size - 1, 1 + data[0] % 16) == digest(text, size - 1, size));
    return 0;
}
