# shellcheck shell=bash
# What the commands of the runbooks speak to. Source it once in the shell you paste them into:
#
#     . alerts/runbooks/env.sh                        what is set already stays; else this machine's
#     . alerts/runbooks/env.sh build/demo/stack.json  the local stack
#
# It changes no option of your shell, ends nothing, and asks nobody anything until you call:
#
#     access FIELD...    those columns of the access log, tab-separated, a line a request
#     said [COMPONENT]   what the process said last on stderr, of one component or of all
#     ask QUERY          Prometheus's answer: value, tab, labels

# stack_value KEY: of the stack's file; empty where it has none.
stack_value() { jq -r --arg key "$1" '.[$key] // ""' "$GLASSBOX_STACK"; }

if [ -n "${1:-}" ]; then
    GLASSBOX_STACK=$1
    SERVICE=$(stack_value service) OPERATORS=$(stack_value operators)
    PROMETHEUS=$(stack_value prometheus) ALERTMANAGER=$(stack_value alertmanager)
    WEBHOOK=$(stack_value webhook) TRACES=$(stack_value traces) TOKEN_FILE=$(stack_value token_file)
    PLAN_FILE=$(stack_value plan_file) GLASSBOX_PID=$(jq -r '.pids.service' "$GLASSBOX_STACK")
    STACK_FOLDER=$(stack_value folder)
    ACCESS_LOG=$STACK_FOLDER/log/access.log DIAGNOSTICS=$STACK_FOLDER/log/service.log
fi
export SERVICE=${SERVICE:-http://127.0.0.1:8080}      # where users ask
export OPERATORS=${OPERATORS:-http://127.0.0.1:8081}  # --admin-listen; without one: $SERVICE
export PROMETHEUS=${PROMETHEUS:-http://127.0.0.1:9090}
export ALERTMANAGER=${ALERTMANAGER:-http://127.0.0.1:9093}
export WEBHOOK=${WEBHOOK:-http://127.0.0.1:9099}
export TRACES=${TRACES:-http://127.0.0.1:16686}       # what shows /trace/ID: the stack's, or Jaeger
export GLASSBOX_PID=${GLASSBOX_PID:-$(pgrep -o -x glassbox)}
export TOKEN_FILE=${TOKEN_FILE:-token}                # of --fault-token-file
export PLAN_FILE=${PLAN_FILE:-faults.json}            # of --faults
export ACCESS_LOG=${ACCESS_LOG:-/var/log/glassbox.log}
export DIAGNOSTICS=${DIAGNOSTICS:-}                   # a file with stderr; empty: the journal's
export NAMESPACE=${NAMESPACE:-glassbox}               # in a cluster

# recent_log: the log's newest #Fields line and its last lines; /dev/stdin is read as it comes.
recent_log() {
    if [ -f "$ACCESS_LOG" ]; then
        grep '^#Fields: ' "$ACCESS_LOG" | tail -n 1
        tail -n "${LOG_LINES:-100000}" "$ACCESS_LOG"
    else
        cat "$ACCESS_LOG"
    fi
}

# Names come from #Fields; a log without (the end of `kubectl logs`) has the default list.
access() {
    recent_log | awk -F'\t' -v wanted="$*" '
        function name_columns(list,    names, i, n) {
            split("", column)
            n = split(list, names, " ")
            for (i = 1; i <= n; i++) column[names[i]] = i
        }
        BEGIN {
            count = split(wanted, want, " ")
            name_columns("date time time-taken c-ip c-port s-ip s-port cs-method cs-uri-stem " \
                "cs-uri-query cs-version cs-host sc-status cs-bytes sc-bytes cs(User-Agent) " \
                "cs(Referer) x-trace-id x-span-id x-route x-error x-fault")
        }
        /^#Fields: / { name_columns(substr($0, 10)) }
        /^[0-9]/ {
            line = ""
            for (i = 1; i <= count; i++) {
                if (!(want[i] in column)) {
                    print "access: this log has no field " want[i] > "/dev/stderr"
                    exit 1
                }
                line = line (i > 1 ? "\t" : "") $(column[want[i]])
            }
            print line
        }'
}

said() {
    if [ -n "$DIAGNOSTICS" ]; then
        cat "$DIAGNOSTICS"
    else
        journalctl -u glassbox -o cat --since -1h
    fi | jq -cR --arg component "${1:-}" \
        'fromjson? | objects | select(.message and ($component == "" or .component == $component))' |
        tail -n 20
}

ask() {
    curl -sS --get --data-urlencode "query=$1" "$PROMETHEUS/api/v1/query" |
        jq -r 'if .status != "success" then .error
               else .data.result[] | "\(.value[1])\t\(.metric | del(.__name__) | tojson)" end'
}
