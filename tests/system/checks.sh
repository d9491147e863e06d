# shellcheck shell=bash
# What the scripts that run inside the booted root share. Sourced, in /opt/trial. Each check is a sentence;
# a check that does not hold prints FAILED and why, and the rest still runs.
unit=fieldgate.service
export DEBIAN_FRONTEND=noninteractive

why=
expect() { "$@" || { why="${why:+$why; }$*"; return 1; }; }
check() { # check "sentence" function
    local began=$EPOCHREALTIME took
    why=
    "$2"
    took=$(seconds_since "$began")
    if [ -z "$why" ]; then echo "ok      $1 ($took s)"; else echo "FAILED  $1 ($took s): $why"; fi
}
seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }
property() { systemctl show --value --property "$1" $unit; }
is() { [ "$(property "$1")" = "$2" ]; }
within() { # within SECONDS command...: true as soon as the command is
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}
active() { is ActiveState active; }
active_as_another_than() { # the process first: a dead one is called active until systemd has seen it
    local now
    now=$(property MainPID)
    [ "$now" -ne 0 ] && [ "$now" -ne "$1" ] && active
}
journal_has() { journalctl --quiet --no-pager --unit=$unit --grep="$1" >/dev/null; }
