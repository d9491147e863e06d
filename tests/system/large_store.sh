#!/bin/bash
# A store of 10 GB under systemd: sound, left by a kill, damaged. What is asked of each start: the first
# request on the wire within a second, and nobody ends it before the store is open. Runs inside the
# booted root, started by systemd; see run.sh.
set -u
cd /opt/trial || exit 1
# shellcheck source=tests/system/checks.sh
. ./checks.sh
gigabytes=10
store=/var/lib/fieldgate

status() { runuser -u fieldgate -- fieldgate status --json; }
asked() { status 2>/dev/null | grep -qE '"requests":[1-9][0-9]*,"writes"|"requests":[1-9]'; }
is_open() { status 2>/dev/null | grep -q '"open":true'; }
pending() { status | grep -oE '"pending":[0-9]+' | head -n 1 | cut -d: -f2; }
say() { echo "        $*"; }

configures() {
    expect dpkg --install package.deb >/dev/null
    mkdir -p /etc/fieldgate/templates
    cat >/etc/fieldgate/fieldgate.yaml <<YAML
schema: 1
platform:
  endpoint: mqtt://127.0.0.1:1
  device_id: large_GW
  auth: { secret: cred:gateway }
store: { path: $store, max_size: 20GiB, keep_free: 100MiB }
templates: [templates/meter.yaml]
buses:
  plc: { protocol: modbus-tcp, tcp: "127.0.0.1:1502" }
devices:
  - { name: meter, unit: 1, template: meter, bus: plc, node_id: METER }
YAML
    cat >/etc/fieldgate/templates/meter.yaml <<'YAML'
template: meter
product_id: large
protocol: modbus
defaults: { every: 200ms }
services:
  S: { value: { at: "holding:0", type: u16 } }
YAML
    echo secret-of-the-large-store >/etc/fieldgate/credentials/gateway
    chown fieldgate: /etc/fieldgate/credentials/gateway
    chmod 600 /etc/fieldgate/credentials/gateway
    # The unit as it is, but for this.
    mkdir -p /run/systemd/system/$unit.d
    printf '[Service]\nTimeoutStartSec=180\n' >/run/systemd/system/$unit.d/start.conf
    systemctl daemon-reload
    expect systemd-run --quiet --unit=plant /opt/trial/fieldgate-plant --tcp plc=1@1502
    expect runuser -u fieldgate -- fieldgate check >check.log 2>&1
}
makes_a_store() {
    mkdir -p $store
    chown fieldgate: $store
    expect runuser -u fieldgate -- /opt/trial/fieldgate-bench-outbox --make $store $gigabytes >make.log
    say "$(du -h --apparent-size $store/outbox.db)"
}
begins() { # the seconds from the order to the first request, and to READY
    local began=$EPOCHREALTIME first
    systemctl start --no-block $unit
    within 60 asked || why="nothing was asked in a minute"
    first=$(seconds_since "$began")
    within 180 active || why="${why:+$why; }not READY"
    say "first request on the wire after $first s, READY after $(seconds_since "$began") s at most"
    awk -v first="$first" 'BEGIN { exit !(first <= 1.0) }' || why="first request after $first s"
}
opens_in() { # opens_in SECONDS
    local before began=$EPOCHREALTIME
    before=$(property MainPID)
    within "$1" is_open || why="${why:+$why; }not open after $1 s"
    say "store open $(seconds_since "$began") s later, $(pending) records pending"
    expect is MainPID "$before"
    expect active
}
starts_with_a_sound_one() {
    begins
    opens_in 600
    records=$(pending)
    expect test "$records" -gt 1000000
}
starts_after_a_kill() {
    local before
    before=$(property MainPID)
    systemctl kill --signal=KILL $unit
    within 15 active_as_another_than "$before" || why="not back"
    opens_in 600
    expect test "$(pending)" -ge "$records"
}
starts_with_a_damaged_one() {
    local pages
    systemctl kill --signal=KILL $unit
    systemctl stop $unit
    pages=$(($(stat -c %s $store/outbox.db) / 4096))
    dd if=/dev/urandom of=$store/outbox.db bs=4096 count=3 seek=$((pages / 2)) conv=notrunc status=none
    begins
    opens_in 1500
    expect journal_has "outbox was damaged"
    expect test "$(pending)" -gt $((records * 99 / 100))
    journalctl --quiet --no-pager --unit=$unit --grep="outbox was damaged|outbox opened" | tail -n 3
}
stops() {
    local began=$EPOCHREALTIME
    expect systemctl stop $unit
    expect awk -v took="$(seconds_since "$began")" 'BEGIN { exit !(took < 5) }'
    expect is Result success
}

check "a site with a meter, and 180 s for its start" configures
check "a store of $gigabytes GB" makes_a_store
check "with it sound: polls within a second" starts_with_a_sound_one
check "left by a kill: comes back and opens it" starts_after_a_kill
check "with it damaged: polls within a second, rescues it and is not ended" starts_with_a_damaged_one
check "systemctl stop takes less than 5 s" stops
journalctl --no-pager --unit=$unit >journal
echo END
