#!/bin/sh
# Who may include whom, and which room wraps which library. The three arms never touch each other;
# nothing includes the daemon.
set -eu
cd "$(dirname "$0")/.."
bad=0
forbid() { # forbid FOLDER 'a|b|c'
    if grep -rnE "^#include \"($2)/" "$1" --include='*.h' --include='*.cpp'; then bad=1; fi
}
forbid base       'model|southbound|storage|northbound|daemon|tests'
forbid model      'southbound|storage|northbound|daemon|tests'
forbid southbound 'storage|northbound|daemon|tests'
forbid storage    'southbound|northbound|daemon|tests'
forbid northbound 'southbound|storage|daemon|tests'
forbid daemon     'tests'

# The rooms of the daemon. What the files say knows nobody; what a site is, nobody but them.
forbid daemon/config 'daemon/(site|gate|local)'
for value in site site_change directory devices latest; do
    if grep -nE '^#include "daemon/(gate|local|flows|gateway)' daemon/site/$value.h daemon/site/$value.cpp 2>/dev/null; then
        bad=1
    fi
done

wraps() { # wraps FOLDER 'header|header': only FOLDER includes them
    for room in base model southbound storage northbound daemon; do
        [ "$room" = "$1" ] && continue
        if grep -rnE "^#include <($2)" "$room" --include='*.h' --include='*.cpp'; then bad=1; fi
    done
}
wraps base       'rapidjson/|openssl/'
wraps southbound 'modbus'
wraps storage    'sqlite3'
wraps northbound 'MQTT'
wraps daemon     'yaml-cpp/|zip\.h|CLI/|systemd/'
if grep -rlE '^#include <MQTT' northbound | grep -v '^northbound/mqtt/session'; then
    echo "only northbound/mqtt/session.* may include Paho's headers"; bad=1
fi
exit $bad
