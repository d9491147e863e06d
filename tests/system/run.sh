#!/bin/bash
# The package in a Debian root booted with systemd as PID 1. Run as root by scripts/test --system and
# --large-store, which build what it needs:
#   tests/system/run.sh PACKAGE.deb SCRIPT SECONDS FILE...
# SCRIPT: inside.sh or large_store.sh, with the other FILEs that it wants, all in /opt/trial.
# Exit 0 passed, 1 failed, 77 skipped because no root can be booted here (the reason is printed).
# The bare root is kept in build/system/, so that only the first run downloads it.
set -u
cd "$(dirname "$0")/../.." || exit 1
package=$(realpath "${1:?first package}")
script=${2:?the script inside}
seconds=${3:?how long it may take}
shift 3
work=$PWD/build/system
root=$work/root
mkdir -p "$work"

skip() { echo "!! SKIPPED: the service was not tested under systemd: $*"; exit 77; }

[ "$(id -u)" -eq 0 ] || skip "root is needed to boot a container"
for tool in debootstrap systemd-nspawn; do
    command -v $tool >/dev/null || skip "$tool is not installed"
done

# The machine's own mirror and suite, whatever they are.
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# shellcheck disable=SC2016  # apt's own variables
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
if [ -z "$suite" ] || [ -z "$mirror" ]; then skip "apt names no Debian mirror to take a root from"; fi

# --- the bare root: Debian, systemd, and what the package depends on
depends=$(dpkg-deb --field "$package" Depends | tr ',' '\n' | sed 's/(.*//; s/|.*//; s/ //g' | sort | tr '\n' ' ')
bare=$work/bare-$(echo "$suite $depends" | sha256sum | cut -c1-12).tar
if [ ! -s "$bare" ]; then
    echo "   making a bare $suite root with: $depends"
    rm -rf "$work/bare"
    # shellcheck disable=SC2086
    debootstrap --variant=minbase \
        --include="$(echo systemd systemd-sysv dbus $depends | tr ' ' ',')" \
        "$suite" "$work/bare" "$mirror" >"$work/debootstrap.log" 2>&1 || {
        tail -n 5 "$work/debootstrap.log"
        skip "debootstrap failed (build/system/debootstrap.log)"
    }
    rm -rf "$work"/bare/var/cache/apt/archives/*.deb "$work"/bare/var/lib/apt/lists/*
    tar -C "$work/bare" -cf "$bare.part" . && mv "$bare.part" "$bare" && rm -rf "$work/bare"
fi
rm -rf "$root" && mkdir -p "$root" && tar -C "$root" -xpf "$bare" || exit 1

# --- the test lies in /opt/trial, is started by systemd itself, and ends by powering off
trial=$root/opt/trial
mkdir -p "$trial"
cp "$package" "$trial/package.deb"
install -m 755 "$@" tests/system/checks.sh "$trial/"
install -m 755 "tests/system/$script" "$trial/inside.sh"
cat >"$root/etc/systemd/system/trial.service" <<UNIT
[Unit]
Description=The system test
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/opt/trial/inside.sh
StandardOutput=file:/opt/trial/output
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=$seconds
UNIT
mkdir -p "$root/etc/systemd/system/graphical.target.wants"
ln -s ../trial.service "$root/etc/systemd/system/graphical.target.wants/trial.service"

# No network inside: the daemon has to start without one. CAP_SYS_TIME, because without it the
# container's own filter would refuse what the unit's filter has to let pass: asking for the state of
# the kernel's clock.
timeout --kill-after=10 $((seconds + 60)) systemd-nspawn --quiet --register=no --keep-unit --private-network \
    --capability=CAP_SYS_TIME --link-journal=no --console=pipe --machine="fieldgate-$$" -b -D "$root" \
    </dev/null >"$work/console.log" 2>&1
booted=$?

if [ ! -s "$trial/output" ]; then
    tail -n 10 "$work/console.log"
    skip "the root did not boot (exit $booted, build/system/console.log)"
fi
cp "$trial/output" "$work/result.log"
cp "$trial/journal" "$work/journal.log" 2>/dev/null
cat "$work/result.log"
if ! grep -q '^END' "$work/result.log"; then
    echo "!! the test inside did not come to its end (exit $booted)"
    exit 1
fi
if grep -q '^FAILED' "$work/result.log"; then
    echo "!! the daemon's journal: build/system/journal.log"
    tail -n 40 "$work/journal.log"
    exit 1
fi
rm -rf "$root"
