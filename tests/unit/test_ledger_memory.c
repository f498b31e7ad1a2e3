/* A ledger when memory runs out: whichever allocation fails, it is LW_ENOMEM and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/ledger.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN
#endif

#define METERS                                                                           \
    "meter_id,installed_at,site_id,role,parent_id,gateway_id,unit\n"                     \
    "M,2025-01-01,S,supply,,G,1\nN,2025-01-01,S,sub,M,G,2\n"

/* Counts down to the allocation that fails; below 0: none does. */
static int fail_at = -1;

#ifndef HAS_ASAN /* which brings its own malloc */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool
fails(void)
{
    return fail_at >= 0 && fail_at-- == 0;
}

void *
malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}
#endif

static void
test_every_allocation(void **state)
{
    (void)state;
#ifdef HAS_ASAN
    skip();
#endif
    static struct lw_faults faults;
    static const char *const tables[LW_TABLES] = {
        [LW_AREAS] = "area_id,parent_id\nC,\nT,C\n",
        [LW_CONTACTS] = "contact_id,area_id\nP,C\n",
        [LW_SITES] = "site_id,area_id,remark\nS,T,x\n",
        [LW_LICENCES] = "site_id,kind,number\nS,mining,1\n",
        [LW_EXPLANATIONS] = "explanation_id,site_id,point_id\nE,S,N\n",
        [LW_GATEWAYS] = "gateway_id\nG\n",
        [LW_METERS] = METERS};
    struct lw_ledger_text text = {.holidays = "2026-01-01", .holidays_n = 10};
    for (int i = 0; i < LW_TABLES; i++) {
        text.table[i].text = tables[i];
        text.table[i].n = strlen(tables[i]);
    }
    for (int n = 0;; n++) {
        struct lw_ledger *ledger = NULL;
        fail_at = n;
        int rc = lw_ledger_new(&text, &faults, &ledger);
        bool reached = fail_at < 0;
        fail_at = -1;
        assert_int_equal(faults.n, 0);
        if (!reached) {
            assert_int_equal(rc, 0);
            assert_true(n > 20);
            lw_ledger_free(ledger);
            break;
        }
        if (rc == 0) { /* qsort sorts in place where it gets no memory */
            lw_ledger_free(ledger);
            continue;
        }
        assert_int_equal(rc, LW_ENOMEM);
        assert_null(ledger);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
