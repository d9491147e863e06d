#!/bin/sh
# Where the build date comes from, and that no clock of the building machine gets into the program.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
found_in() { cmake -D "PROJECT_SOURCE_DIR=$1" -P "$root/cmake/build_date.cmake" | sed 's/^-- //'; }
failed=0
expect() { # what, expected, found
    [ "$2" = "$3" ] && return
    echo "$1: expected $2, found $3"
    failed=1
}

expect "the packager's date" 1700000000 "$(SOURCE_DATE_EPOCH=1700000000 found_in "$root")"
unset SOURCE_DATE_EPOCH
if [ -e "$root/.git" ] && committed=$(git -C "$root" log -1 --format=%ct 2>/dev/null); then
    expect "the last commit" "$committed" "$(found_in "$root")"
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/daemon" "$copy/base"
touch -d @1600000000 "$copy/base/old.cpp"
touch -d @1600000123 "$copy/daemon/new.cpp"
expect "the newest file of an archive" 1600000123 "$(found_in "$copy")"
if grep -rnE '__(DATE|TIME|TIMESTAMP)__' --include='*.cpp' --include='*.h' --include='*.in' "$root/base" "$root/model" \
    "$root/southbound" "$root/storage" "$root/northbound" "$root/daemon"; then
    echo "a binary that depends on when it was built"
    failed=1
fi
exit $failed
