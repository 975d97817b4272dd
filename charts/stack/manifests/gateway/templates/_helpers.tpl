{{- define "labels" -}}
app.kubernetes.io/name: traefik
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: glassbox-stack
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: traefik
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* What it looks into: its own namespace, for the Gateway, and those of the routes. */}}
{{- define "namespaces" -}}
{{- prepend .Values.routes.namespaces .Release.Namespace | uniq | toJson }}
{{- end }}
