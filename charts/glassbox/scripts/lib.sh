# What the tests share: sh and curl are all that their image must have. A test says what it found, and of what is
# broken which line to change.

# ask URL [OPTION…]: what is answered in $body, with its status; 000 and why where nothing is.
ask() {
    url=$1
    shift
    answer=$(curl --silent --max-time 5 --write-out '\n%{errormsg}\n%{http_code}' "$@" "$url") || :
    status=${answer##*
}
    answer=${answer%
*}
    why=${answer##*
}
    body=${answer%
*}
    [ "$status" != 000 ] || body=$why
}

# within SECONDS COMMAND…: tries it until it succeeds, by the clock: on a busy node an answer takes as long as a pause.
within() {
    until=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 3
    done
}

# query PROMQL: the value of its first series in $value; empty where it has none.
query() {
    ask "$PROMETHEUS_URL/api/v1/query" --get --data-urlencode "query=$1"
    value=
    case $body in
    *'"value":['*)
        value=${body#*'"value":['}
        value=${value#*,\"}
        value=${value%%\"*}
        ;;
    esac
    [ "$status" = 200 ]
}

# occurrences TEXT: how often it is in $body, in $found.
occurrences() {
    rest=$body
    found=0
    while :; do
        case $rest in
        *"$1"*)
            rest=${rest#*"$1"}
            found=$((found + 1))
            ;;
        *) return 0 ;;
        esac
    done
}

ok() { echo "ok: $*"; }

# broken WHAT CHANGE…: what was found, and each line to change.
broken() {
    echo "broken: $1"
    shift
    for line in "$@"; do
        echo "  change: $line"
    done
    exit 1
}
