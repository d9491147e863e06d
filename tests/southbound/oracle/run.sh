#!/bin/sh
# run.sh REGISTERS_CHECK CASES: decode() against an oracle of its own language and arithmetic. The
# campaign sets FIELDGATE_ORACLE_CASES=1000000; FIELDGATE_ORACLE_SEED repeats or varies a run.
set -eu
cases=${FIELDGATE_ORACLE_CASES:-$2}
seed=${FIELDGATE_ORACLE_SEED:-1}
oracle=$(dirname "$0")/registers_oracle.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A pipe would hide it if the oracle stopped half way.
{ python3 "$oracle" "$cases" "$seed" || touch "$work/failed"; } | "$1" | tee "$work/said"
[ ! -e "$work/failed" ]
grep -qx "$cases cases, 0 wrong" "$work/said"
