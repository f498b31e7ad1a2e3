/* Prints the tables of keys, for tests/lint/keys.sh: file, section, key, default, help.
 */
#include <stdio.h>

#include <lodewatch/rules.h>

#include "daemon/config.h"

static void
print(const char *file, const struct lw_ini_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%s\t%s\t%s\t%s\t%s\n", file, keys[i].section, keys[i].name,
               keys[i].fallback, keys[i].help);
}

int
main(void)
{
    print("lodewatch.conf", config_keys, config_nkeys);
    print("rules.conf", lw_rule_keys, lw_rule_nkeys);
    return 0;
}
