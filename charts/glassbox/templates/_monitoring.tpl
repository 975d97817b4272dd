{{/*
What ServiceMonitor, PrometheusRules and AlertmanagerConfig have in common. Rules and dashboards are the project's own
files, by links that `helm package` follows: nothing in them is a template of Helm's, and what Prometheus and Grafana
have in braces stays as it is.
*/}}

{{- define "glassbox.shippedName" -}}{{ include "glassbox.suffixed" (list . "shipped") }}{{- end }}

{{/* With what the operator selects by; it wins over labels of the same name. */}}
{{- define "glassbox.monitoringLabels" -}}
{{- merge (deepCopy .Values.monitoring.labels) (include "glassbox.labels" . | fromYaml) | toYaml -}}
{{- end }}

{{/*
(list . "prometheusrule.yaml"): the groups of a PrometheusRule of the profile, as they stand in the file, of this
namespace, with Grafana's address. An autoscaler has the name of the release, whatever that is.
*/}}
{{- define "glassbox.ruleGroups" -}}
{{- $root := index . 0 -}}
{{- $rules := $root.Values.monitoring.rules -}}
{{- $path := printf "rules/%s/%s" $rules.profile (index . 1) -}}
{{- $text := $root.Files.Get $path -}}
{{- if not (contains "\n  groups:\n" $text) -}}
{{- fail (printf "%s is not in the chart: charts/glassbox/rules is a link to alerts/kubernetes, which a copy of the chart alone has lost" $path) -}}
{{- end -}}
{{- index (splitn "\n  groups:\n" 2 $text) "_1"
  | replace "RELEASE_NAMESPACE" $root.Release.Namespace
  | replace "http://localhost:3000" (trimSuffix "/" $rules.grafanaUrl)
  | replace "horizontalpodautoscaler=~\".*glassbox.*\"" (printf "horizontalpodautoscaler=%q" (include "glassbox.fullname" $root)) -}}
{{- end }}

{{/* The shortest windows of a rate are of a minute in `real`, and of 20 s in `fast`. */}}
{{- define "glassbox.refuse.windows" -}}
{{- $m := .Values.monitoring -}}
{{- $interval := include "glassbox.milliseconds" $m.serviceMonitor.interval | int64 -}}
{{- if and $m.enabled $m.serviceMonitor.enabled $m.rules.enabled -}}
{{- $most := ternary "5s" "30s" (eq $m.rules.profile "fast") }}
{{- if gt $interval (include "glassbox.milliseconds" $most | int64) }}
monitoring.serviceMonitor.interval: {{ $m.serviceMonitor.interval }} is too long for the windows of monitoring.rules.profile {{ $m.rules.profile }}: {{ $most }} at most
{{- end }}
{{- end }}
{{- end }}

{{/* A severity that nobody is told of would look as if all were well. */}}
{{- define "glassbox.refuse.receivers" -}}
{{- $m := .Values.monitoring -}}
{{- if and $m.enabled $m.alertmanagerConfig.enabled -}}
{{- range $name := list "page" "ticket" "info" }}
{{- $r := get $m.alertmanagerConfig.receivers $name }}
{{- if not (or $r.webhookUrl $r.slackSecret $r.pagerdutySecret) }}
monitoring.alertmanagerConfig.receivers.{{ $name }}: nobody would be told: set webhookUrl, slackSecret or pagerdutySecret
{{- end }}
{{- if and $r.slackSecret (not $r.slackChannel) }}
monitoring.alertmanagerConfig.receivers.{{ $name }}.slackChannel: empty: which channel?
{{- end }}
{{- if and $r.webhookTokenSecret (not $r.webhookUrl) }}
monitoring.alertmanagerConfig.receivers.{{ $name }}.webhookTokenSecret: there is no webhookUrl that it is for
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What to look at, as Helm cannot: whether anybody selects what was made. */}}
{{- define "glassbox.monitoringNotes" -}}
{{- $m := .Values.monitoring -}}
{{- $labels := list -}}
{{- range $name, $value := $m.labels }}{{ $labels = append $labels (printf "%s: %s" $name $value) }}{{ end -}}
Prometheus scrapes it, and has its rules, only if its operator selects their labels ({{ join ", " $labels | default "none of their own" }}) and this
namespace. Each of the four selectors must be that, or {}:

  kubectl get prometheus -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name}: {.spec.serviceMonitorSelector} {.spec.serviceMonitorNamespaceSelector} {.spec.ruleSelector} {.spec.ruleNamespaceSelector}{"\n"}{end}'

If they are not, set monitoring.labels and monitoring.release to the release that they name, or install
kube-prometheus-stack with serviceMonitorSelectorNilUsesHelmValues and ruleSelectorNilUsesHelmValues false, both of
prometheus.prometheusSpec. To see each link, from a pod to the autoscaler:

  helm test {{ .Release.Name }} --namespace {{ .Release.Namespace }} --logs
  charts/stack/doctor --namespace {{ .Release.Namespace }} --release {{ .Release.Name }}
{{- if $m.alertmanagerConfig.enabled }}

The AlertmanagerConfig is taken when its Secrets are there, and sees alerts of this namespace alone. Why it was not taken:

  kubectl get events -A --field-selector involvedObject.kind=AlertmanagerConfig
{{- end }}
{{- end }}
