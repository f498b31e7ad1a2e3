#!/bin/sh
# Every key stands in its sample in etc/, commented out at its default, and in its manual
# page in docs/ (a rule's in docs/rules/); and the samples and pages name no other.
set -eu
cd "$(dirname "$0")/../.."
"$1/helpers/print_keys" | awk -F'\t' '
function slurp(file,    line, section, m) {
    while ((getline line < file) > 0) {
        if (line ~ /^\[.*\]$/) section = substr(line, 2, length(line) - 2)
        else if (line ~ /^#?[a-z_]+ =/) {
            m = line; sub(/^#/, "", m)
            name = m; sub(/ =.*/, "", name)
            value = m; sub(/^[a-z_]+ = ?/, "", value)
            sample[file, section, name] = value; seen[file, section, name] = 1
        }
    }
    close(file)
}
function text_of(file,    line, all) {
    while ((getline line < file) > 0) all = all line "\n"
    close(file)
    return all
}
BEGIN {
    page["lodewatch.conf"] = "docs/configuration.md"; page["rules.conf"] = "docs/rules.md"
    for (f in page) { slurp("etc/" f); manual[f] = text_of(page[f]) }
}
{
    k = "etc/" $1 SUBSEP $2 SUBSEP $3
    if (!(k in sample)) { print "etc/" $1 ": no key [" $2 "] " $3; rc = 1 }
    else if (sample[k] != $4) { print "etc/" $1 ": [" $2 "] " $3 " = " sample[k] ", not " $4; rc = 1 }
    delete seen[k]
    if (index(manual[$1] text_of("docs/rules/" $2 ".md"), "`" $3 "`") == 0) { print page[$1] ": no `" $3 "` of [" $2 "]"; rc = 1 }
}
END {
    for (k in seen) { gsub(SUBSEP, " ", k); print k ": not a key"; rc = 1 }
    exit rc
}'
