{{/*
A receiver of the AlertmanagerConfig. Each Secret is one of this namespace, with the keys that alerts/alertmanager has as
names of files, so that one Secret does for all. Messages have no templates but Alertmanager's own functions; what comes
from labels loses what Slack would take for markup.
*/}}

{{- define "glassbox.receiver" -}}
{{ with .pagerdutySecret -}}
pagerdutyConfigs:
  - routingKey: {name: {{ . }}, key: pagerduty-routing-key}
    sendResolved: true
    description: {{ include "glassbox.messageTitle" "" | quote }}
    severity: '{{ `{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}` }}'
    source: '{{ `{{ .CommonLabels.namespace }}` }}'
    component: '{{ `{{ .CommonLabels.service }}` }}'
    group: '{{ `{{ .CommonLabels.job }}` }}'
    class: '{{ `{{ .CommonLabels.alertname }}` }}'
    pagerDutyLinkConfigs:
      - {alt: "First: the runbook", href: {{ include "glassbox.messageLink" "runbook_url" | quote }}}
      - {alt: Dashboard, href: {{ include "glassbox.messageLink" "dashboard_url" | quote }}}
{{- end }}
{{- if .slackSecret }}
slackConfigs:
  - apiURL: {name: {{ .slackSecret }}, key: slack-url}
    channel: {{ .slackChannel | quote }}
    sendResolved: true
    color: '{{ `{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}` }}'
    title: {{ include "glassbox.messageTitle" "" | quote }}
    titleLink: {{ include "glassbox.messageLink" "runbook_url" | quote }}
    fallback: {{ include "glassbox.messageTitle" "" | quote }}
    text: |-
      {{ `{{ range .Alerts }}{{ reReplaceAll "[<>&]" " " .Annotations.description }}` }}
      {{ `{{ end }}First: {{ (index .Alerts 0).Annotations.runbook_url }}` }}
      {{ `Dashboard: {{ (index .Alerts 0).Annotations.dashboard_url }}` }}
{{- end }}
{{- if .webhookUrl }}
webhookConfigs:
  - url: {{ .webhookUrl | quote }}
    sendResolved: true
    # Of a group, in one message; it says how many it left out.
    maxAlerts: 200
    {{- with .webhookTokenSecret }}
    httpConfig:
      authorization:
        credentials: {name: {{ . }}, key: webhook-token}
    {{- end }}
{{- end }}
{{- end }}

{{- define "glassbox.messageTitle" -}}
{{ `{{ .CommonLabels.severity | toUpper }} {{ .Alerts | len }} {{ .Status }}: {{ .CommonLabels.alertname }}: {{ reReplaceAll "[<>&]" " " (index .Alerts 0).Annotations.summary }}` }}
{{- end }}

{{- define "glassbox.messageLink" -}}
{{ `{{ (index .Alerts 0).Annotations.` }}{{ . }}{{ ` }}` }}
{{- end }}
