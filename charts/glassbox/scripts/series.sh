# Prometheus has found the pods, can read them, has their series, and has loaded the rules.
ours="job=\"glassbox\",namespace=\"$NAMESPACE\""
selectors="kubectl get prometheus -A -o jsonpath='{range .items[*]}{.metadata.name}: {.spec.serviceMonitorSelector} {.spec.serviceMonitorNamespaceSelector} {.spec.ruleSelector} {.spec.ruleNamespaceSelector}{\"\\n\"}{end}'"

has() { query "$1" && [ "${value:-0}" != 0 ]; }
reads_all() { query "count(up{$targets} == 0) or vector(0)" && [ "$value" = 0 ]; }

query 'vector(1)' || broken "no Prometheus at $PROMETHEUS_URL: $status $body" "values: tests.prometheusUrl"

targets="$ours,service=\"$ADMIN_SERVICE\""
within 120 has "count(up{$targets})" || broken "Prometheus has no target of ServiceMonitor $NAMESPACE/$NAME" \
    "values: monitoring.labels ($LABELS) must be what the operator selects by: $selectors" \
    "kubectl -n $NAMESPACE get endpointslices -l kubernetes.io/service-name=$ADMIN_SERVICE: it has no pods"
ok "$value targets of ServiceMonitor $NAMESPACE/$NAME"

if ! within 60 reads_all; then
    blind=$value
    ask "$PROMETHEUS_URL/api/v1/targets?state=active&scrapePool=serviceMonitor/$NAMESPACE/$NAME/0"
    said=${body#*'"health":"down"'}
    body=${body%%'"health":"down"'*}
    said=${body##*'"lastError":"'}
    broken "$blind targets cannot be read: ${said%%\"*}" \
        "values: networkPolicy.monitoringFrom, if it does not let Prometheus in" \
        "kubectl -n $NAMESPACE get pods -l app.kubernetes.io/component=server"
fi
ok "each of them answers its scrapes"

within 60 has "count(http_server_request_duration_seconds_count{$targets,pod!=\"\"})" ||
    broken "targets are read, and have no series with the label pod" \
        "values: monitoring.serviceMonitor; a relabeling of the operator's drops it"
ok "$value series of http_server_request_duration_seconds_count"

if [ "$RULES" = true ]; then
    within 120 has "count(slo:objective:ratio{namespace=\"$NAMESPACE\"})" ||
        broken "Prometheus has not loaded PrometheusRule $NAMESPACE/$NAME" \
            "values: monitoring.labels ($LABELS) must be what the operator selects by: $selectors"
    ok "$value objectives recorded"
fi
