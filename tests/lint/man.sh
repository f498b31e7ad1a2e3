#!/bin/sh
# The manual pages say what the programs do: every subcommand, option and configuration key is
# in its page, the sample rows of devices make a ledger without faults, and man finds no fault.
set -eu
cd "$(dirname "$0")/../.."
rc=0
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
fault() {
    echo "$1"
    rc=1
}

# options PAGE PROGRAM [SUBCOMMAND]: those of --help that the page, or the subcommand's part, lacks
options() {
    page=docs/man/$1
    part=$(if [ $# = 3 ]; then awk -v name="$3" '/^\.S[sh] /{on = $0 == ".Ss " name} on' "$page"
           else cat "$page"; fi)
    "$2" ${3-} --help | grep -o -- '--[a-z][a-z-]*' | sort -u | while read -r option; do
        case ${3+x}$option in x--help | x--config | x--conninfo-file) continue ;; esac
        printf '%s\n' "$part" | grep -qE -- "Fl -([a-z]+ , Fl -)?${option#--}( |\$)" ||
            echo "$page: no $option of ${2##*/} ${3-}"
    done >"$temp/missing"
    [ ! -s "$temp/missing" ] || fault "$(cat "$temp/missing")"
}
options lodewatchd.8 "$1/lodewatchd"
options lodewatch-sim.1 "$1/lodewatch-sim"
for command in $("$1/lodewatch" --help | awk '/^  [a-z]/{print $1}'); do
    grep -q "^\.Ss $command\$" docs/man/lodewatch.1 ||
        fault "docs/man/lodewatch.1: no part about $command"
    options lodewatch.1 "$1/lodewatch" "$command"
done

# "section key" a line, from the program and from the page
"$1/helpers/print_keys" | awk -F'\t' '$1 == "lodewatch.conf" { print $2, $3 }' | sort >"$temp/keys"
awk '/^\.Ss /{s = substr($2, 2, length($2) - 2)} /^\.It Cm /{print s, $3}' docs/man/lodewatch.conf.5 |
    sort >"$temp/page"
diff "$temp/keys" "$temp/page" >"$temp/diff" ||
    fault "docs/man/lodewatch.conf.5 has not (<), or alone has (>): $(cat "$temp/diff")"

mkdir "$temp/ledger"
echo 'area_id,level,name
c1,county,x' >"$temp/ledger/areas.csv"
echo 'site_id,name,kind,status,area_id
S-12,x,coal_mine,closed,c1' >"$temp/ledger/sites.csv"
awk -v to="$temp/ledger/" '
    /^\.Bd -literal/ { file = ""; head = 1; next }
    /^\.Ed/ { if (file ~ /gateways/) print n++; head = 0; file = ""; next }
    head { head = 0; file = $0 ~ /^meter_id/ ? to "meters.csv" : to "gateways-" n + 0 ".csv" }
    file { print >file }' docs/man/lodewatch-devices.7 >"$temp/samples"
[ -s "$temp/samples" ] || fault "docs/man/lodewatch-devices.7: no sample rows"
while read -r n; do
    mv "$temp/ledger/gateways-$n.csv" "$temp/ledger/gateways.csv"
    sed -i "s/,G-1,\|,D-1,/,$(sed -n '2s/,.*//p' "$temp/ledger/gateways.csv"),/" "$temp/ledger/meters.csv"
    "$1/lodewatch" check "$temp/ledger" >"$temp/check" 2>&1 ||
        fault "docs/man/lodewatch-devices.7: sample $n: $(cat "$temp/check")"
done <"$temp/samples"

if command -v man >/dev/null; then
    for page in docs/man/*; do
        said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
        [ -z "$said" ] || fault "$page: $said"
    done
fi
if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning docs/man/* || rc=1
fi
exit $rc
