#!/usr/bin/env bash
# `make run`: builds, and starts the service on loopback with its page and with spans on stderr. Arguments
# go to it.
# What to open is printed to the terminal's stderr: stdout is the access log and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/build.sh
port=${PORT:-8080}
listen=(--listen "127.0.0.1:$port")
! grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || listen+=(--listen "[::1]:$port")

# suggest PATH WHAT: a line of what to open.
suggest() { printf '    %-56s %s\n' "curl -i 'http://localhost:$port$1'" "$2" >&2; }

printf '\n  glassbox, on loopback only; Ctrl-C ends it. Watch it live in a browser:\n\n' >&2
printf '    http://localhost:%s/\n' "$port" >&2
printf '\n  One request, three signals:\n\n' >&2
suggest /demo/hello "its access-log line and its span appear below,"
suggest /metrics "and it is counted here"
printf '\n' >&2
suggest / "a message"
suggest '/demo/hello?delay=250' "slower, with a child span"
suggest /demo/random-error "fails one time in ten"
suggest '/demo/work?cpu_ms=50' "burns CPU"
suggest /readyz "also /livez, /version"
printf '\n  stdout: access log (W3C Extended). stderr: spans and diagnostics, JSON a line.\n\n' >&2
export OTEL_TRACES_EXPORTER=${OTEL_TRACES_EXPORTER:-console}
exec build/release/glassbox "${listen[@]}" --page "$@"
