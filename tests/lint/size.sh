#!/bin/sh
# A file over 500 lines says in tests/lint/size.allow why it is one job.
set -eu
cd "$(dirname "$0")/../.."
find include lib daemon tests -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 > 500 {print $2, $1}' |
    while read -r f n; do
        grep -qs "^$f " tests/lint/size.allow || { echo "$f: $n lines"; exit 1; }
    done
