# The users' Service answers, on the routes that users call.
answers() {
    ask "$SERVICE_URL$path"
    [ "$status" = 200 ]
}

for path in / /demo/hello; do
    within 30 answers || broken "$SERVICE_URL$path: $status $body" \
        "kubectl -n $NAMESPACE describe deployment/$NAME: no pod is ready, or none is at all" \
        "values: networkPolicy.ingressFrom, if it does not let this namespace in"
    ok "$SERVICE_URL$path answers 200"
done
