# shellcheck shell=bash
# What the scripts of this folder share: packages, builds, steps with their times.
# Sourced, never run:  . "$(dirname "$0")/lib.sh"   It changes to the top of the tree.
#
#   install_packages $BUILD_PACKAGES      apt-get for what is missing; silent when nothing is
#   build_preset dev fieldgate_demo       configure and build a preset (targets: all if none given)
#   step "title" command...               say what begins, how long it took, and whether it failed

set -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
FIELDGATE_ROOT=$PWD
export FIELDGATE_ROOT

# One list for each kind of work, so that a demo does not wait for a fuzzer's compiler.
# shellcheck disable=SC2034
BUILD_PACKAGES="build-essential cmake ninja-build ccache pkg-config libasio-dev libpaho-mqtt-dev
    libmodbus-dev libsqlite3-dev libssl-dev libyaml-cpp-dev libgtest-dev rapidjson-dev libzip-dev
    libsystemd-dev libcli11-dev zlib1g-dev mosquitto mosquitto-dev
    mosquitto-clients faketime openssl python3 zip procps git ca-certificates"
# shellcheck disable=SC2034
LINT_PACKAGES="clang-format-14 clang-tidy-16 shellcheck systemd"
# shellcheck disable=SC2034
FUZZ_PACKAGES="clang-16 libclang-rt-16-dev"
# shellcheck disable=SC2034
PACKAGE_PACKAGES="file dpkg-dev"
# shellcheck disable=SC2034
SYSTEM_PACKAGES="debootstrap systemd-container dbus"

say() { printf '\n== %s\n' "$*"; }
warn() { printf '!! %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        warn "root is needed for: $*"
        return 1
    fi
}

# Packages are installed with policy-rc.d saying no: a test machine must not get a running broker.
install_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "installing ${#missing[@]} packages: ${missing[*]}"
    local log began=$SECONDS policy=/usr/sbin/policy-rc.d forbidden=0 result=0
    log=$(mktemp)
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy
        forbidden=1
    fi
    # A list that could not be renewed may still serve; the install below decides.
    [ -n "${FIELDGATE_APT_UPDATED:-}" ] || apt_get update >"$log" 2>&1
    export FIELDGATE_APT_UPDATED=1
    apt_get install "${missing[@]}" >>"$log" 2>&1 || result=$?
    [ $forbidden -eq 0 ] || as_root rm -f $policy
    if [ $result -ne 0 ]; then
        tail -n 40 "$log" >&2
        warn "apt-get could not install: ${missing[*]}"
    else
        echo "   installed in $((SECONDS - began)) s"
    fi
    rm -f "$log"
    return $result
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

jobs_max() { echo "${FIELDGATE_JOBS:-$(nproc)}"; }

# Ninja's progress, one line every 15 s; everything else it says, at once.
thin_progress() {
    local line shown=-15
    while IFS= read -r line; do
        case $line in
        \[*/*\]\ *)
            [ $((SECONDS - shown)) -lt 15 ] && continue
            echo "   $line"
            shown=$SECONDS
            ;;
        'ninja: no work to do.' | 'ninja: Entering'*) ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}

# build_preset NAME [TARGETS...]    FIELDGATE_UNITY_TESTS=ON in the environment: the tests eight files at a time
build_preset() {
    local preset=$1 log=build/$1/configure.log
    shift
    mkdir -p "build/$preset"
    if ! cmake --preset "$preset" -DFIELDGATE_UNITY_TESTS="${FIELDGATE_UNITY_TESTS:-OFF}" >"$log" 2>&1; then
        cat "$log" >&2
        return 1
    fi
    ninja -C "build/$preset" -j "$(jobs_max)" -k 20 "$@" 2>&1 | thin_progress
}

# Stages remember their times and failures for report_stages.
STAGES=()
FAILED_STAGES=()

# Processor time of everything that this shell has started and waited for.
cpu_seconds() {
    local stat
    read -r stat <"/proc/$$/stat"
    # shellcheck disable=SC2086  # the fields behind the name in brackets; 14 and 15: cutime and cstime
    set -- ${stat##*) }
    echo $(((${14} + ${15}) / $(getconf CLK_TCK)))
}

# step TITLE COMMAND...: runs it, times it, says loudly when it fails; returns its status.
step() {
    local title=$1 began=$SECONDS worked result=0 verdict=ok
    worked=$(cpu_seconds)
    shift
    say "$title"
    "$@" || result=$?
    local took=$((SECONDS - began))
    worked=$(($(cpu_seconds) - worked))
    [ $result -eq 0 ] || verdict=FAILED
    STAGES+=("$(printf '%5d s  %5d CPU-s  %-6s  %s' $took $worked $verdict "$title")")
    if [ $result -eq 0 ]; then
        echo "-- ok: $title ($took s)"
    else
        FAILED_STAGES+=("$title")
        warn "FAILED: $title (exit $result after $took s)"
    fi
    return $result
}

report_stages() {
    say "stages"
    printf '%s\n' "${STAGES[@]}"
    printf '%5d s  %5d CPU-s  total\n' "$SECONDS" "$(cpu_seconds)"
    [ ${#FAILED_STAGES[@]} -eq 0 ] || printf '!! failed: %s\n' "${FAILED_STAGES[@]}"
}
