#!/usr/bin/env bash
# Drills: their tests (tests/alerts/test_drill_*), then some on a live stack with short windows, on free ports: a page
# by the API, a ticket by the plan's file, a saturation, one that is interrupted and one that is killed. With --all,
# every one that there is, in ten minutes or so. PYTEST_ARGS may be set, and GLASSBOX_BIN, where a service is built.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

folder=build/drills
stack=$folder/stack.json
serving "drills" || { total; exit; }
read -ra pytest_args <<<"${PYTEST_ARGS:-}"

tests() {
    say "drills, their tests"
    pytests "drills, their tests" build/check/drills.xml "" tests/alerts -k test_drill -n 3 --dist loadfile \
        "${pytest_args[@]}"
}

drill() { alerts/drill --stack "$stack" --fast "$@"; }
state() { "$venv/bin/python" -c "import json, sys; print(json.load(open('$stack'))[sys.argv[1]])" "$1"; }

# The faults that the service has in force, one a line; and whether there are none, within seconds. Who does not
# answer is not well.
in_force() {
    curl -sS --max-time 5 -H "Authorization: Bearer $(cat "$(state token_file)")" "$(state operators)/faults" |
        "$venv/bin/python" -c 'import json, sys
for fault in json.load(sys.stdin)["faults"]:
    if fault["state"] == "in_force":
        print(fault["fault"], fault["remaining_ms"])'
}
is_well() {
    local attempt left
    for attempt in $(seq "$1"); do
        if ! left=$(in_force); then
            left="no answer"
        elif [ -z "$left" ]; then
            return 0
        fi
        sleep 1
    done
    echo "after $attempt s still in force: $left"
    return 1
}

# The swapped profile is put back: a drill leaves the windows that it found.
is_real() { [ "$(state profile)" = real ]; }

# until_seen NAME: starts its drill in the background, and waits until its fault is in force; sets `pid`.
until_seen() {
    local attempt
    (exec alerts/drill --stack "$stack" --fast "$1") >"$folder.txt" 2>&1 &
    pid=$!
    for attempt in $(seq 180); do
        if grep -q '  seen$' "$folder.txt"; then
            [ -n "$(in_force)" ]
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.5
    done
    echo "not seen at look $attempt"
    cat "$folder.txt"
    return 1
}

# Ended by SIGTERM it exits with 143, and fault and windows are as before.
interrupted() {
    local status=0
    until_seen NotReady || return
    kill -TERM "$pid"
    wait "$pid" || status=$?
    cat "$folder.txt"
    [ "$status" -eq 143 ] && is_well 2 && is_real
}

# Killed it can restore nothing: the fault's own end does, which for the shortest of drills is a minute away.
killed() {
    until_seen FaultInForce || return
    kill -KILL "$pid"
    wait "$pid" || true
    [ -n "$(in_force)" ] && is_well 150
}

up=
down() {
    [ -z "$up" ] || { kill -TERM "$up" && wait "$up"; } 2>/dev/null || true
    up=
}
trap down EXIT

# Whether Prometheus has scraped the load's answers four times, as rates need, on the route that is drilled.
is_loaded() {
    curl -sS --max-time 5 --get "$(state prometheus)/api/v1/query" --data-urlencode \
        'query=sum(rate(http_server_request_duration_seconds_count{http_route="/demo/hello"}[1m])) > 1
            and min(count_over_time(http_server_request_duration_seconds_count{http_route="/demo/hello"}[1m])) >= 4' |
        grep -q '"value"'
}

# come_up: the stack with its load, until its rates are known.
come_up() {
    local attempt
    rm -f "$stack"
    "$venv/bin/python" infra/local/stack.py --folder "$folder" --no-collector --free-ports >"$folder.log" 2>&1 &
    up=$!
    for attempt in $(seq 60); do
        [ ! -e "$stack" ] || break
        sleep 1
    done
    [ -e "$stack" ] || { echo "the stack did not come up in $attempt s" && cat "$folder.log" && return 1; }
    for attempt in $(seq 120); do
        ! is_loaded || return 0
        sleep 1
    done
    echo "no load on /demo/hello in $attempt s" && tail -20 "$folder.log"
    return 1
}

if [ "${1:-}" != --all ]; then
    tests
fi
step "a stack to drill on" come_up
if is_loaded; then
    if [ "${1:-}" = --all ]; then
        step "all drills" drill --all
    else
        step "a page, by the API" drill ErrorBudgetBurn
        step "the windows are back" is_real
        step "a ticket, by the plan's file" drill NotReady --by file
        step "a saturation" drill ConnectionsNearLimit
        step "an interrupted drill restores" interrupted
        step "a killed drill's fault ends" killed
    fi
fi
down
total
