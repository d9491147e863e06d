#!/bin/bash
# Install, configure, start, kill, freeze, stop, upgrade, purge. Runs inside the booted root, started by
# systemd; see run.sh.
set -u
cd /opt/trial || exit 1
# shellcheck source=tests/system/checks.sh
. ./checks.sh
newer=$(echo fieldgate_*+newer_*.deb)

# Everything that is not the machine's own bookkeeping.
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /opt/trial \
        -o -path /var/log -o -path /var/tmp -o -path /var/cache -o -path /var/lib/dpkg \
        -o -path /var/lib/systemd -o -path /dev \) -prune -o -print |
        grep -vE '^/etc/\.pwd\.lock$|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$' | sort
}

installs() {
    expect dpkg --install package.deb >/dev/null
    expect test -x /usr/bin/fieldgate
    expect fieldgate version >/dev/null
    expect getent passwd fieldgate >/dev/null
    expect test "$(stat -c '%a %U %G' /etc/fieldgate)" = "750 root fieldgate"
    expect test "$(stat -c '%a %U' /etc/fieldgate/credentials)" = "700 fieldgate"
    expect grep -q /etc/fieldgate/templates /var/lib/dpkg/info/fieldgate.conffiles
}
enables_nothing() {
    expect is UnitFileState disabled
    expect is ActiveState inactive
    systemctl start $unit
    expect is ActiveState inactive  # no fieldgate.yaml: the condition holds it back
}
refuses_a_wrong_configuration() {
    printf 'schema: 1\nno_such_key: 1\n' >/etc/fieldgate/fieldgate.yaml
    systemctl start $unit 2>/dev/null && why="systemctl start said yes"
    expect is ExecMainStatus 78
    sleep 6  # RestartSec and one more
    expect is NRestarts 0
    rm /etc/fieldgate/fieldgate.yaml
    systemctl reset-failed $unit
}
takes_the_example() {
    expect cp -r /usr/share/fieldgate/example/. /etc/fieldgate/
    chown fieldgate:fieldgate /etc/fieldgate/credentials/*
    chmod 600 /etc/fieldgate/credentials/*
    expect runuser -u fieldgate -- fieldgate check >check.log 2>&1
}
starts() {
    expect systemctl start $unit
    expect active
    expect is Type notify
    expect test -S /run/fieldgate/control.sock
    expect test "$(stat -c '%a %G' /run/fieldgate/control.sock)" = "660 fieldgate"
    expect runuser -u fieldgate -- fieldgate status >/dev/null
    expect test -n "$(ls /var/lib/fieldgate)"
    # READY was waited for, not only the fork.
    expect test "$(property ExecMainStartTimestampMonotonic)" -lt "$(property ActiveEnterTimestampMonotonic)"
}
is_confined() {
    local status
    status=/proc/$(property MainPID)/status
    expect grep -q '^Uid:.*[1-9]' "$status"
    expect grep -qE '^CapEff:\s+0+$' "$status"
    expect grep -qE '^CapBnd:\s+0+$' "$status"
    expect grep -qE '^NoNewPrivs:\s+1' "$status"
    expect grep -qE '^Seccomp:\s+2' "$status"
    expect test "$(awk '/Max open files/ { print $4 }' "/proc/$(property MainPID)/limits")" = 8192
}
refuses_a_second() {
    local code=0
    runuser -u fieldgate -- timeout 10 fieldgate run --config /etc/fieldgate/fieldgate.yaml \
        >second.log 2>&1 || code=$?
    expect test $code -eq 3
    expect grep -q "$(property MainPID)" second.log
    expect active
}
reloads() {
    local before
    before=$(property MainPID)
    sed -i 's/unit: 1..3/unit: 1..4/' /etc/fieldgate/conf.d/10-site.yaml
    expect systemctl reload $unit
    expect journal_has "line1: 1 device added, 3 untouched"
    echo "buses: [" >/etc/fieldgate/conf.d/99-broken.yaml
    systemctl reload $unit 2>/dev/null && why="systemctl reload said yes"
    rm /etc/fieldgate/conf.d/99-broken.yaml
    sed -i 's/unit: 1..4/unit: 1..3/' /etc/fieldgate/conf.d/10-site.yaml
    expect systemctl reload $unit
    expect active
    expect is MainPID "$before"
}
survives_a_kill() {
    local before
    before=$(property MainPID)
    kill -KILL "$before"
    expect within 15 active_as_another_than "$before"
    expect is NRestarts 1
}
is_watched() {
    local before
    # The unit's own 60 s, shortened; nothing else is changed.
    mkdir -p /run/systemd/system/$unit.d
    printf '[Service]\nWatchdogSec=3\nTimeoutAbortSec=2\n' >/run/systemd/system/$unit.d/short.conf
    systemctl daemon-reload
    expect systemctl restart $unit
    before=$(property MainPID)
    sleep 4
    expect is MainPID "$before"  # it pings by itself
    kill -STOP "$before"
    expect within 20 active_as_another_than "$before"
    expect journal_has "Watchdog timeout"
    rm -r /run/systemd/system/$unit.d
    systemctl daemon-reload
    expect systemctl restart $unit
}
is_watched_though_it_is_busy() {
    local before
    mkdir -p /run/systemd/system/$unit.d
    printf '[Service]\nWatchdogSec=3\nTimeoutAbortSec=2\nEnvironment=LD_PRELOAD=%s FIELDGATE_SPIN_FILE=%s\n' \
        /opt/trial/libfieldgate_spin.so /run/fieldgate/spin >/run/systemd/system/$unit.d/spin.conf
    systemctl daemon-reload
    expect systemctl restart $unit
    before=$(property MainPID)
    expect grep -q /opt/trial/libfieldgate_spin.so "/proc/$before/maps"
    touch /run/fieldgate/spin
    expect within 20 active_as_another_than "$before"
    rm -r /run/systemd/system/$unit.d
    systemctl daemon-reload
    expect systemctl restart $unit
}
upgrades() {
    local before kept now
    expect systemctl enable $unit 2>/dev/null
    before=$(property MainPID)
    echo "# ours" >>/etc/fieldgate/fieldgate.yaml
    for template in /etc/fieldgate/templates/*.yaml; do echo "# ours" >>"$template"; done
    kept=$(find /etc/fieldgate -type f -exec sha256sum {} + | sort)
    expect dpkg --install "$newer" >/dev/null
    now=$(find /etc/fieldgate -type f -exec sha256sum {} + | sort)
    expect test "$kept" = "$now"
    expect within 10 active_as_another_than "$before"
    expect is UnitFileState enabled
    expect test "$(dpkg-query -W -f '${Version}' fieldgate)" = "$(dpkg-deb -f "$newer" Version)"
}
stops() {
    local began=$EPOCHREALTIME
    expect systemctl stop $unit
    expect awk -v took="$(seconds_since "$began")" 'BEGIN { exit !(took < 5) }'
    expect is Result success
    expect is ActiveState inactive
}
removes() {
    expect systemctl start $unit
    expect dpkg --remove fieldgate >/dev/null
    expect test ! -e /usr/bin/fieldgate
    expect test -e /etc/fieldgate/fieldgate.yaml
    expect test -n "$(ls /var/lib/fieldgate)"
    expect test -z "$(grep -lx fieldgate /proc/[0-9]*/comm)"
}
purges() {
    expect dpkg --purge fieldgate >/dev/null
    files >after
    expect cmp -s before after
    diff before after
    expect test -z "$(getent passwd fieldgate)$(getent group fieldgate)"
    expect test ! -e /run/fieldgate
    expect test -z "$(grep -l fieldgate /var/lib/dpkg/status /var/lib/dpkg/info/* 2>/dev/null)"
}

files >before
check "the package installs, with its user and folders" installs
check "it enables and starts nothing by itself" enables_nothing
check "a wrong configuration ends with 78 and is not tried again" refuses_a_wrong_configuration
check "the example, copied, passes the check" takes_the_example
check "systemctl start waits for READY, without any network" starts
check "it runs as its own user without capabilities, filtered" is_confined
check "a second instance is refused with 3 and the pid of the first" refuses_a_second
check "it takes over another configuration while it runs" reloads
check "killed, it comes back" survives_a_kill
check "frozen, the watchdog brings it back" is_watched
check "a loop that never comes back is ended by the watchdog" is_watched_though_it_is_busy
check "an upgrade keeps the configuration and restarts it" upgrades
check "systemctl stop takes less than 5 s" stops
check "removal keeps configuration and store" removes
check "purge leaves nothing" purges
journalctl --no-pager --unit=$unit >journal
echo END
