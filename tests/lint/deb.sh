#!/bin/sh
# `make deb`: the package is what it should be before somebody installs it.
set -eu
cd "$(dirname "$0")/../.."
rc=0
fault() {
    echo "$1"
    rc=1
}
log=$1/deb.log
make --no-print-directory deb BUILD="$1" >"$log" 2>&1 || { tail -20 "$log"; exit 1; }
if grep -i warning "$log"; then rc=1; fi
version=$("$1/lodewatch" --version | cut -d' ' -f2)
deb=$1/lodewatch_${version}_$(dpkg --print-architecture).deb
tree=$1/deb/lodewatch

dpkg-deb -c "$deb" | awk '
    $2 != "root/root" { print "not root'"'"'s: " $6 }
    $1 !~ /^(drwxr-xr-x|-rw-r--r--)$/ && !($1 == "-rwxr-xr-x" && $6 ~ /bin\//) { print $1 ": " $6 }
' >"$log"
[ ! -s "$log" ] || fault "$(cat "$log")"
for library in libpq5 libmodbus5 libevent libsystemd0 libjansson4 tzdata; do
    dpkg-deb -f "$deb" Depends | grep -q "$library" || fault "it does not depend on $library"
done
for file in usr/sbin/lodewatchd usr/lib/sysusers.d/lodewatch.conf usr/lib/systemd/system/lodewatchd.service \
    usr/share/doc/lodewatch/copyright usr/share/doc/lodewatch/changelog.gz usr/share/man/man8/lodewatchd.8.gz; do
    [ -s "$tree/$file" ] || fault "no $file"
done
[ "$(dpkg-deb -I "$deb" conffiles | wc -l)" = "$(find "$tree/etc" -type f | wc -l)" ] ||
    fault "not every file in /etc is a conffile"
(cd "$tree" && md5sum --quiet -c DEBIAN/md5sums) || fault "md5sums"
for script in postinst prerm postrm; do
    sh -n "$tree/DEBIAN/$script" || fault "$script"
done
exit $rc
