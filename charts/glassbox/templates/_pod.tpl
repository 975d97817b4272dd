{{/*
What the container is told: settings of the program as flags, so that `kubectl describe` shows them and nothing in the
environment can undo them; OTEL_* as the specification has them.
*/}}

{{- define "glassbox.args" -}}
- --listen=*:8080
- --admin-listen=*:8081
- --workers={{ .Values.workers }}
- --max-connections={{ int .Values.maxConnections }}
- --log-level={{ .Values.logLevel }}
- --access-log=-
- --access-log-format={{ .Values.accessLog.format }}
{{- with .Values.accessLog.fields }}
- {{ printf "--access-log-fields=%s" (include "glassbox.literal" .) | quote }}
{{- end }}
{{- with .Values.message }}
- {{ printf "--message=%s" (include "glassbox.literal" .) | quote }}
{{- end }}
- --random-error-ratio={{ .Values.randomError.ratio }}
- --random-error-status={{ .Values.randomError.status }}
{{- if .Values.page.enabled }}
- --page
- --page-viewers={{ .Values.page.viewers }}
{{- end }}
- --faults=/etc/glassbox/faults/plan.json
{{- with .Values.faults.incident }}
- --incident=/etc/glassbox/incidents/{{ . }}.json
{{- end }}
{{- if .Values.faults.token.enabled }}
- --fault-token-file=/etc/glassbox/token/token
{{- end }}
- --drain-delay={{ include "glassbox.duration" .Values.drain.delay }}
- --drain-timeout={{ include "glassbox.duration" .Values.drain.timeout }}
- --flush-timeout={{ include "glassbox.duration" .Values.drain.flushTimeout }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The resource: who speaks. Values of the user's are percent-encoded, as the specification wants, and win. */}}
{{- define "glassbox.resource" -}}
{{- $attributes := dict "service.namespace" .Release.Namespace "service.instance.id" "$(K8S_POD_UID)"
  "k8s.namespace.name" "$(K8S_NAMESPACE_NAME)" "k8s.pod.name" "$(K8S_POD_NAME)" "k8s.pod.uid" "$(K8S_POD_UID)"
  "k8s.node.name" "$(K8S_NODE_NAME)" "k8s.deployment.name" (include "glassbox.fullname" .)
  "k8s.container.name" "glassbox" -}}
{{- range $key, $value := .Values.otlp.resourceAttributes -}}
{{- $_ := set $attributes $key (urlquery $value | replace "+" "%20") -}}
{{- end -}}
{{- $pairs := list -}}
{{- range $key, $value := $attributes }}{{ $pairs = append $pairs (printf "%s=%s" $key $value) }}{{ end -}}
{{- join "," $pairs -}}
{{- end }}

{{- define "glassbox.env" -}}
{{- range $name, $path := dict "K8S_NAMESPACE_NAME" "metadata.namespace" "K8S_NODE_NAME" "spec.nodeName" "K8S_POD_NAME" "metadata.name" "K8S_POD_UID" "metadata.uid" }}
- name: {{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ $path }}
{{- end }}
- name: OTEL_SERVICE_NAME
  value: glassbox
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ include "glassbox.resource" . | quote }}
- name: OTEL_TRACES_EXPORTER
  value: {{ ternary "otlp" "none" (ne "" .Values.otlp.endpoint) | quote }}
- name: OTEL_LOGS_EXPORTER
  value: {{ ternary "otlp" "none" .Values.otlp.logs | quote }}
{{- with .Values.otlp.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- with $.Values.otlp.headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: headers
{{- end }}
- name: OTEL_TRACES_SAMPLER
  value: {{ $.Values.otlp.sampler.name }}
{{- with $.Values.otlp.sampler.ratio | toString }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* An incident is read at the start alone. The plan and the token are read again when they change: they roll nothing. */}}
{{- define "glassbox.podAnnotations" -}}
kubectl.kubernetes.io/default-container: glassbox
{{- with .Values.faults.incident }}
checksum/incident: {{ get (include "glassbox.incidents" $ | fromJson) . | sha256sum }}
{{- end }}
{{- end }}

{{/* Folders, never single files: what is mounted by subPath is not renewed. */}}
{{- define "glassbox.volumeMounts" -}}
- name: faults
  mountPath: /etc/glassbox/faults
  readOnly: true
{{- if .Values.faults.incident }}
- name: incidents
  mountPath: /etc/glassbox/incidents
  readOnly: true
{{- end }}
{{- if .Values.faults.token.enabled }}
- name: fault-token
  mountPath: /etc/glassbox/token
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "glassbox.volumes" -}}
- name: faults
  configMap:
    name: {{ include "glassbox.faultsName" . }}
{{- if .Values.faults.incident }}
- name: incidents
  configMap:
    name: {{ include "glassbox.incidentsName" . }}
{{- end }}
{{- if .Values.faults.token.enabled }}
- name: fault-token
  secret:
    secretName: {{ include "glassbox.tokenName" . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* (list . constraints): with the selector, and what a user has not said otherwise. */}}
{{- define "glassbox.spread" -}}
{{- $selector := dict "matchLabels" (include "glassbox.selectorLabels" (index . 0) | fromYaml) -}}
{{- $defaults := dict "labelSelector" $selector "matchLabelKeys" (list "pod-template-hash") "nodeTaintsPolicy" "Honor" -}}
{{- range index . 1 }}
{{- $constraint := deepCopy . }}
{{- range $key, $value := $defaults }}
{{- if not (hasKey $constraint $key) }}{{ $_ := set $constraint $key $value }}{{ end }}
{{- end }}
- {{ toYaml $constraint | nindent 2 | trim }}
{{- end }}
{{- end }}
