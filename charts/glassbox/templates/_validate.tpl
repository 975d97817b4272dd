{{/*
What cannot work is refused here, when the chart is rendered, all at once and each by name, with what was found and what
is allowed. What a value may be by itself is said in values.schema.json. To add a refusal: a define that gives a line or
nothing, its name in the list below, a case in tests/refusals_test.yaml.
*/}}

{{- define "glassbox.validate" -}}
{{- $refusals := list -}}
{{- range list "name" "labels" "drain" "grace" "strategy" "least" "evictions" "cpu" "requests" "selected" "admitted" "scrapes" "windows" "receivers" "plan" "incident" "token" "route" "logs" "sampler" "args" "env" -}}
{{- $refusals = concat $refusals (include (printf "glassbox.refuse.%s" .) $ | trim | splitList "\n" | compact) -}}
{{- end -}}
{{- if $refusals -}}
{{- fail (printf "\n  %s" (join "\n  " $refusals)) -}}
{{- end -}}
{{- end }}

{{/* A Service's begins with a letter. */}}
{{- define "glassbox.refuse.name" -}}
{{- if not (regexMatch "^[a-z]" (include "glassbox.fullname" .)) }}
{{ include "glassbox.fullname" . }}: the name of a Service begins with a letter: set fullnameOverride
{{- end }}
{{- end }}

{{/* By them pods and the Service to scrape are selected, and Helm tells what is its own. */}}
{{- define "glassbox.refuse.labels" -}}
{{- $own := concat (include "glassbox.selectorLabels" . | fromYaml | keys) (list "app.kubernetes.io/managed-by" "glassbox.dev/listener") -}}
{{- range $value := list "commonLabels" "podLabels" }}
{{- range $label := keys (get $.Values $value | default dict) | sortAlpha }}
{{- if has $label $own }}
{{ $value }}: {{ $label }} is the chart's to set
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.refuse.drain" -}}
{{- range $name, $value := .Values.drain }}
{{- if gt (include "glassbox.milliseconds" $value | int64) 3600000 }}
drain.{{ $name }}: {{ $value }} is more than 1h
{{- end }}
{{- end }}
{{- end }}

{{/* The process must have ended by itself before the kubelet kills it, and a second is for ending. */}}
{{- define "glassbox.refuse.grace" -}}
{{- $drain := .Values.drain -}}
{{- $ms := add (include "glassbox.milliseconds" $drain.delay | int64) (include "glassbox.milliseconds" $drain.timeout | int64) (include "glassbox.milliseconds" $drain.flushTimeout | int64) -}}
{{- $needed := add 1 (ceil (divf $ms 1000) | int64) -}}
{{- if lt (.Values.terminationGracePeriodSeconds | int64) $needed }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }} is too short: drain.delay {{ $drain.delay }}, drain.timeout {{ $drain.timeout }}, drain.flushTimeout {{ $drain.flushTimeout }} and a second to end need {{ $needed }} at least
{{- end }}
{{- end }}

{{- define "glassbox.refuse.strategy" -}}
{{- if eq .Values.strategy.type "RollingUpdate" -}}
{{- with .Values.strategy.rollingUpdate -}}
{{- if and (regexMatch "^0%?$" (toString .maxUnavailable)) (regexMatch "^0%?$" (toString .maxSurge)) }}
strategy.rollingUpdate: maxUnavailable {{ .maxUnavailable }} and maxSurge {{ .maxSurge }} leave nothing to roll with
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.refuse.least" -}}
{{- $a := .Values.autoscaling -}}
{{- if and $a.enabled (gt (int $a.minReplicas) (int $a.maxReplicas)) }}
autoscaling.minReplicas: {{ $a.minReplicas }} is more than autoscaling.maxReplicas, {{ $a.maxReplicas }}
{{- end }}
{{- if and .Values.podDisruptionBudget.enabled (lt (include "glassbox.leastReplicas" . | int) 2) }}
{{ ternary "autoscaling.minReplicas" "replicaCount" $a.enabled }}: {{ include "glassbox.leastReplicas" . }} is too few for podDisruptionBudget.enabled: 2 at least, as one pod alone can only be kept from eviction or be out
{{- end }}
{{- end }}

{{/* Percentages are rounded up, of both: 1 % may always go, and 67 % of three are all three. */}}
{{- define "glassbox.refuse.evictions" -}}
{{- $pdb := .Values.podDisruptionBudget -}}
{{- if $pdb.enabled -}}
{{- $least := include "glassbox.leastReplicas" . | int -}}
{{- $max := $pdb.maxUnavailable | toString -}}
{{- $has := dict "max" (not (kindIs "invalid" $pdb.maxUnavailable)) "min" (not (kindIs "invalid" $pdb.minAvailable)) -}}
{{- if and $has.max $has.min }}
podDisruptionBudget: maxUnavailable {{ $max }} and minAvailable {{ $pdb.minAvailable }} exclude each other: set one of them to null
{{- else if not (or $has.max $has.min) }}
podDisruptionBudget: neither maxUnavailable nor minAvailable: set one of them
{{- else if $has.max }}
{{- if eq 0 (trimSuffix "%" $max | int) }}
podDisruptionBudget.maxUnavailable: {{ $max }} lets no pod go: a node could never be drained
{{- end }}
{{- else }}
{{- $min := $pdb.minAvailable | toString -}}
{{- $stay := trimSuffix "%" $min | int -}}
{{- if hasSuffix "%" $min }}{{ $stay = ceil (divf (mul $stay $least) 100) | int }}{{ end }}
{{- if ge $stay $least }}
podDisruptionBudget.minAvailable: {{ $min }} lets none of {{ $least }} pods go: a node could never be drained
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Kubernetes takes the limit for what is asked for, where nothing else says. */}}
{{- define "glassbox.refuse.cpu" -}}
{{- $cpu := coalesce (dig "requests" "cpu" "" (.Values.resources | default dict)) (dig "limits" "cpu" "" (.Values.resources | default dict)) -}}
{{- if and .Values.autoscaling.enabled (not $cpu) }}
resources.requests.cpu: none, and autoscaling.cpu.averageUtilization is a share of it
{{- end }}
{{- end }}

{{- define "glassbox.refuse.requests" -}}
{{- $a := .Values.autoscaling -}}
{{- if and $a.enabled $a.requests.enabled (regexMatch "^0+(\\.0+)?([a-zA-Z]|$)" (toString $a.requests.averageValue)) }}
autoscaling.requests.averageValue: {{ $a.requests.averageValue }}: more than 0, or there are never enough pods
{{- end }}
{{- if and $a.enabled $a.requests.enabled (not (and .Values.monitoring.enabled .Values.monitoring.serviceMonitor.enabled)) }}
autoscaling.requests.enabled: nothing would scrape the metric: it needs monitoring.enabled and monitoring.serviceMonitor.enabled
{{- end }}
{{- end }}

{{- define "glassbox.refuse.selected" -}}
{{- $m := .Values.monitoring -}}
{{- if and $m.enabled $m.release (ne $m.release (get $m.labels "release" | toString)) }}
monitoring.labels.release: {{ get $m.labels "release" | default "none" }} is not what release {{ $m.release }} of kube-prometheus-stack selects: make it {{ $m.release }}, or monitoring.release empty if that one selects everything
{{- end }}
{{- end }}

{{- define "glassbox.refuse.admitted" -}}
{{- $n := .Values.networkPolicy -}}
{{- if and $n.enabled .Values.monitoring.enabled .Values.monitoring.serviceMonitor.enabled (not (or $n.monitoringFrom $n.extraIngress)) }}
networkPolicy.monitoringFrom: empty: nobody could scrape, which monitoring.serviceMonitor.enabled asks for
{{- end }}
{{- end }}

{{/* A rate wants four scrapes in its window; what the rules hold for is in _monitoring.tpl. */}}
{{- define "glassbox.refuse.scrapes" -}}
{{- $m := .Values.monitoring -}}
{{- if and $m.enabled $m.serviceMonitor.enabled -}}
{{- $interval := include "glassbox.milliseconds" $m.serviceMonitor.interval | int64 -}}
{{- $keda := .Values.autoscaling.keda -}}
{{- if gt (include "glassbox.milliseconds" $m.serviceMonitor.scrapeTimeout | int64) $interval }}
monitoring.serviceMonitor.scrapeTimeout: {{ $m.serviceMonitor.scrapeTimeout }} is longer than the interval, {{ $m.serviceMonitor.interval }}
{{- end }}
{{- if and (include "glassbox.isScaledObject" .) .Values.autoscaling.requests.enabled (lt (include "glassbox.milliseconds" $keda.window | int64) (mul 4 $interval)) }}
autoscaling.keda.window: {{ $keda.window }} is less than four scrapes, one each {{ $m.serviceMonitor.interval }}
{{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.refuse.plan" -}}
{{- with .Values.faults.plan -}}
{{- $plan := include "glassbox.document" . | fromJson -}}
{{- if hasKey $plan "Error" }}
faults.plan: not a JSON object: {{ $plan.Error }}
{{- else if not (hasKey $plan "begin") }}
faults.plan: no begin: in a file it must be there
{{- else if not (or (hasKey $plan "faults") (hasKey $plan "timeline")) }}
faults.plan: neither faults nor timeline
{{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.refuse.incident" -}}
{{- $incidents := include "glassbox.incidents" . | fromJson -}}
{{- range $name, $text := $incidents }}
{{- $incident := fromJson $text }}
{{- if hasKey $incident "Error" }}
faults.incidents.{{ $name }}: not a JSON object: {{ $incident.Error }}
{{- else if not (and (hasKey $incident "name") (hasKey $incident "timeline")) }}
faults.incidents.{{ $name }}: an incident has a name and a timeline
{{- end }}
{{- end }}
{{- with .Values.faults.incident }}
{{- if not (hasKey $incidents .) }}
faults.incident: {{ . }} is neither in faults.incidents nor one of the program's own: outage, saturation, slow-burn
{{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.refuse.token" -}}
{{- $t := .Values.faults.token -}}
{{- if and $t.enabled (not $t.existingSecret) (not $t.value) }}
faults.token.enabled: neither faults.token.existingSecret nor faults.token.value: no token is made up, it would be another one at each rendering
{{- else if and $t.enabled $t.existingSecret $t.value }}
faults.token: existingSecret and value exclude each other
{{- end }}
{{- end }}

{{- define "glassbox.refuse.route" -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
httpRoute.parentRefs: empty: name the Gateway, [{name: …}]
{{- end }}
{{- end }}

{{- define "glassbox.refuse.logs" -}}
{{- if and .Values.otlp.logs (not .Values.otlp.endpoint) }}
otlp.logs: there is no otlp.endpoint to send them to
{{- end }}
{{- end }}

{{- define "glassbox.refuse.sampler" -}}
{{- $s := .Values.otlp.sampler -}}
{{- if and (ne "" (toString $s.ratio)) (not (hasSuffix "traceidratio" $s.name)) }}
otlp.sampler.ratio: {{ $s.ratio }} means nothing to {{ $s.name }}: traceidratio or parentbased_traceidratio take it
{{- end }}
{{- end }}

{{/* Flags that a value sets, by that value: a second one would win unseen, also over what is checked above. */}}
{{- define "glassbox.refuse.args" -}}
{{- $values := include "glassbox.flags" . | fromJson -}}
{{- range .Values.extraArgs }}
{{- $flag := regexFind "^--[a-z-]+" . | trimPrefix "--" }}
{{- if hasKey $values $flag }}
extraArgs: --{{ $flag }} is set by {{ get $values $flag }}
{{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.refuse.env" -}}
{{- $values := include "glassbox.flags" . | fromJson -}}
{{- $own := include "glassbox.variables" . | fromJson -}}
{{- range .Values.extraEnv }}
{{- $flag := .name | trimPrefix "GLASSBOX_" | lower | replace "_" "-" }}
{{- if and (hasPrefix "GLASSBOX_" .name) (hasKey $values $flag) }}
extraEnv: {{ .name }} is set by {{ get $values $flag }}
{{- else if hasKey $own .name }}
extraEnv: {{ .name }} is set by {{ get $own .name }}
{{- end }}
{{- end }}
{{- end }}

{{/* Which value sets a flag, and its variable. */}}
{{- define "glassbox.flags" -}}
{{- dict "listen" "the chart" "admin-listen" "the chart" "access-log" "the chart, to stdout"
  "workers" "workers" "max-connections" "maxConnections" "log-level" "logLevel" "message" "message" "random-error-ratio" "randomError.ratio"
  "random-error-status" "randomError.status" "page" "page.enabled" "page-viewers" "page.viewers"
  "access-log-format" "accessLog.format" "access-log-fields" "accessLog.fields" "faults" "faults.plan"
  "incident" "faults.incident" "fault-token-file" "faults.token" "drain-delay" "drain.delay"
  "drain-timeout" "drain.timeout" "flush-timeout" "drain.flushTimeout" | toJson -}}
{{- end }}

{{- define "glassbox.variables" -}}
{{- dict "K8S_NAMESPACE_NAME" "the chart" "K8S_POD_NAME" "the chart" "K8S_POD_UID" "the chart" "K8S_NODE_NAME" "the chart"
  "OTEL_SERVICE_NAME" "the chart" "OTEL_RESOURCE_ATTRIBUTES" "otlp.resourceAttributes"
  "OTEL_EXPORTER_OTLP_ENDPOINT" "otlp.endpoint" "OTEL_EXPORTER_OTLP_HEADERS" "otlp.headersSecret"
  "OTEL_TRACES_EXPORTER" "otlp.endpoint" "OTEL_LOGS_EXPORTER" "otlp.logs"
  "OTEL_TRACES_SAMPLER" "otlp.sampler.name" "OTEL_TRACES_SAMPLER_ARG" "otlp.sampler.ratio" | toJson -}}
{{- end }}
