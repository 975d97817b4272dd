# The custom metrics API has what the autoscaler scales on, of each running pod.
secret=${TOKENS:-/var/run/secrets/kubernetes.io/serviceaccount}
metrics=/apis/custom.metrics.k8s.io/v1beta1

# The token in a configuration on stdin: arguments are seen by who can list processes.
api() {
    path=$1
    shift
    token=$(cat "$secret/token")
    ask "${API:-https://kubernetes.default.svc}$path" --cacert "$secret/ca.crt" --config - "$@" <<EOT
header = "Authorization: Bearer $token"
EOT
}

is_there() { api "$metrics" && [ "$status" = 200 ]; }

is_complete() {
    api "/api/v1/namespaces/$NAMESPACE/pods" --get --data-urlencode "labelSelector=$SELECTOR" \
        --data-urlencode fieldSelector=status.phase=Running
    occurrences '"podIP":'
    pods=$found
    api "$metrics/namespaces/$NAMESPACE/pods/*/$METRIC" --get --data-urlencode "labelSelector=$SELECTOR"
    occurrences '"describedObject":'
    [ "$status" = 200 ] && [ "$found" -gt 0 ] && [ "$found" -ge "$pods" ]
}

within 30 is_there || case $status in
404) broken "there is no custom metrics API" "charts/stack/install --only prometheus-adapter" ;;
503) broken "the custom metrics API has nobody behind it: $body" \
    "kubectl get apiservice v1beta1.custom.metrics.k8s.io -o yaml; kubectl -n monitoring rollout status deployment/prometheus-adapter" ;;
*) broken "the custom metrics API answers $status: $body" "kubectl get apiservice v1beta1.custom.metrics.k8s.io -o yaml" ;;
esac
ok "the custom metrics API answers"

if ! within 180 is_complete; then
    case $status in
    403) broken "this test may not ask: $body" "kubectl -n $NAMESPACE get role,rolebinding: one was changed" ;;
    200) [ "$found" = 0 ] || broken "$METRIC is there of $found of $pods pods: the rest is not scraped, or not for long" \
        "helm test $RELEASE -n $NAMESPACE --filter name=$SERIES_TEST: says which" ;;
    esac
    answered="$status $body"
    if query "count(http_server_request_duration_seconds_count{job=\"glassbox\",namespace=\"$NAMESPACE\",pod!=\"\"})" &&
        [ -n "$value" ]; then
        broken "no $METRIC of pods in $NAMESPACE, though Prometheus has $value series: no rule of the adapter makes it of them: $answered" \
            "charts/stack/values/prometheus-adapter.yaml: rules.custom: name.as must be $METRIC, seriesQuery http_server_request_duration_seconds_count{namespace!=\"\",pod!=\"\"}" \
            "charts/stack/values/prometheus-adapter.yaml: prometheus.url must be the Prometheus that has them ($PROMETHEUS_URL)" \
            "values: autoscaling.requests.metric, if the adapter calls it otherwise"
    fi
    broken "no $METRIC of pods in $NAMESPACE, as Prometheus has no series: $answered" \
        "helm test $RELEASE -n $NAMESPACE --filter name=$SERIES_TEST: says why"
fi
ok "$METRIC of $found pods"
