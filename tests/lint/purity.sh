#!/bin/sh
# The objects of lib/: no writable state, and no undefined symbol outside the list. And in
# all of the program: no reference to a call that writes to a meter.
set -eu
build=$1
rc=0
allow='^(lw_.*|mem(cpy|move|set|cmp|chr|rchr)|str(len|nlen|cmp|ncmp|chr|rchr|spn|cspn|str|dup|ndup)|(v)?snprintf|strto(ll|ull|d|l|ul)|__isoc[0-9]*_strto(ll|ull|l|ul)|qsort|bsearch|malloc|calloc|realloc|free|ll?r(ound|int)f?|__popcountdi2|fabs|sqrtf?|cos|log|exp|pow|floor|ceil|round|trunc|ldexp|frexp|fmod|json_.*|jansson_.*|f(max|min)f?|strncpy|__(u?divti3|u?modti3|u?divmodti4|floattidf|fixdfti|fixunsdfti|floatuntidf)|__stack_chk_fail|__assert_fail|__(memcpy|memmove|memset|strcpy|snprintf|vsnprintf)_chk|_GLOBAL_OFFSET_TABLE_)$'
mine=$(find "$build/lib" -name '*.o' -exec nm -g --defined-only {} + | awk 'NF == 3 {print $3}' | sort -u)
for o in $(find "$build/lib" -name '*.o'); do
    size -A "$o" | awk -v o="$o" '
        $1 ~ /^\.(data|bss|tbss|tdata)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {
            printf "%s: writable state in %s (%d bytes)\n", o, $1, $2; rc = 1 }
        END { exit rc }' || rc=1
    extra='^$'
    case $o in
    */base/hash.o) extra='^nettle_sha256_' ;;
    */base/ini.o) extra='^ini_parse_stream$' ;;
    esac
    for s in $(nm -u "$o" | awk '{print $NF}' | grep -Ev "$allow" | grep -Ev "$extra" || :); do
        printf '%s\n' "$mine" | grep -qxF "$s" && continue
        echo "$o: forbidden symbol $s"
        rc=1
    done
done
if find "$build" -name '*.o' -path '*/daemon/*' -exec nm -u {} + |
    grep -E 'modbus_(write|mask)|modbus_send_raw_request'; then
    echo "a call that writes to a meter is referenced"
    rc=1
fi
exit $rc
