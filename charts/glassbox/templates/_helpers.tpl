{{/*
Names, labels, and what several templates have in common. A release that has the chart's name in its own gives it
to everything, else it is RELEASE-glassbox; 63 characters are the most that a Service may have, without the dots that
a release may have, and a suffix takes its place from the end of the name.
*/}}

{{- define "glassbox.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* (list . "admin"): the name with a suffix. */}}
{{- define "glassbox.suffixed" -}}
{{- $suffix := printf "-%s" (index . 1) -}}
{{- $room := sub 63 (len $suffix) | int -}}
{{- printf "%s%s" (include "glassbox.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix -}}
{{- end }}

{{- define "glassbox.adminName" -}}{{ include "glassbox.suffixed" (list . "admin") }}{{- end }}
{{- define "glassbox.faultsName" -}}{{ include "glassbox.suffixed" (list . "faults") }}{{- end }}
{{- define "glassbox.incidentsName" -}}{{ include "glassbox.suffixed" (list . "incidents") }}{{- end }}
{{- define "glassbox.tokenName" -}}
{{- .Values.faults.token.existingSecret | default (include "glassbox.suffixed" (list . "fault-token")) -}}
{{- end }}

{{- define "glassbox.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "glassbox.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* The name is the metrics' job, by the ServiceMonitor's jobLabel: no override changes it. */}}
{{- define "glassbox.instanceLabels" -}}
app.kubernetes.io/name: glassbox
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What selects the service's pods, and not those of tests. Never to be changed: a Deployment's is immutable. */}}
{{- define "glassbox.selectorLabels" -}}
{{ include "glassbox.instanceLabels" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "glassbox.productLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: glassbox
{{- end }}

{{/* The user's win; those that select are refused. */}}
{{- define "glassbox.commonLabels" -}}
{{- $chart := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63)
  "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge dict (.Values.commonLabels | default dict) $chart (include "glassbox.productLabels" . | fromYaml) | toYaml -}}
{{- end }}

{{/* Of pods: without the chart's version, which would roll them for nothing. */}}
{{- define "glassbox.podLabels" -}}
{{ include "glassbox.selectorLabels" . }}
{{ merge dict (.Values.podLabels | default dict) (.Values.commonLabels | default dict) (include "glassbox.productLabels" . | fromYaml) | toYaml }}
{{- end }}

{{- define "glassbox.labels" -}}
{{ include "glassbox.selectorLabels" . }}
{{ include "glassbox.commonLabels" . }}
{{- end }}

{{- define "glassbox.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end }}

{{/* A duration as people write it, `1m30s`, `1.5m`, `500ms`, `0`, in milliseconds, rounded up. Prometheus has days, too. */}}
{{- define "glassbox.milliseconds" -}}
{{- $units := dict "h" 3600000 "m" 60000 "s" 1000 "ms" 1 "d" 86400000 -}}
{{- $total := 0.0 -}}
{{- range regexFindAll "[0-9]+(\\.[0-9]+)?(ms|d|h|m|s)" (toString .) -1 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $total = addf $total (mulf (trimSuffix $unit . | float64) (get $units $unit)) -}}
{{- end -}}
{{- printf "%.0f" (ceil $total) -}}
{{- end }}

{{/* A duration as the program takes it: one number, one unit, whole milliseconds. */}}
{{- define "glassbox.duration" -}}
{{- if regexMatch "^[0-9]+(ms|h|m|s)$" . -}}{{ . }}{{- else -}}{{ include "glassbox.milliseconds" . }}ms{{- end -}}
{{- end }}

{{/* What Kubernetes takes literally in arguments and variables, where it would look for $(NAME). */}}
{{- define "glassbox.literal" -}}{{ replace "$" "$$" . }}{{- end }}

{{- define "glassbox.isHpa" -}}
{{- if and .Values.autoscaling.enabled (eq .Values.autoscaling.type "HorizontalPodAutoscaler") }}true{{ end -}}
{{- end }}
{{- define "glassbox.isScaledObject" -}}
{{- if and .Values.autoscaling.enabled (eq .Values.autoscaling.type "ScaledObject") }}true{{ end -}}
{{- end }}

{{/* The fewest pods there are meant to be. */}}
{{- define "glassbox.leastReplicas" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled | int -}}
{{- end }}

{{/*
How many pods the Deployment says. With an autoscaler none, for that is the autoscaler's to say. But taking the field
away from a Deployment that had it makes Kubernetes put 1, and all but one pod end. So as long as Helm is the one whose
field it is, which server-side apply tells, it says what is there; the first time that the autoscaler acts the field is
that one's, and Helm says nothing more. Offline nothing is there.
*/}}
{{- define "glassbox.replicas" -}}
{{- if not .Values.autoscaling.enabled -}}
{{- .Values.replicaCount -}}
{{- else -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "glassbox.fullname" .) | default dict -}}
{{- range dig "metadata" "managedFields" list $live -}}
{{- if and (hasPrefix "helm" .manager) (eq .operation "Apply") (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") -}}
{{- $live.spec.replicas -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The routes that users call, as alerts/slo.yaml has them: a test holds the two together. */}}
{{- define "glassbox.userRoutes" -}}/|/demo/hello|/demo/random-error|/demo/work{{- end }}

{{/* A document of values, given as YAML or as its text. */}}
{{- define "glassbox.document" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toPrettyJson . }}{{- end -}}
{{- end }}

{{/* The incidents to mount: the user's, and of the program's own the one that is played. */}}
{{- define "glassbox.incidents" -}}
{{- $incidents := dict -}}
{{- range $name, $incident := .Values.faults.incidents -}}
{{- $_ := set $incidents $name (include "glassbox.document" $incident) -}}
{{- end -}}
{{- with .Values.faults.incident -}}
{{- if not (hasKey $incidents .) -}}
{{- with $.Files.Get (printf "incidents/%s.json" .) -}}
{{- $_ := set $incidents $.Values.faults.incident . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $incidents -}}
{{- end }}

{{/* Of otlp.endpoint: the port that is written, or its scheme's. */}}
{{- define "glassbox.collectorPort" -}}
{{- $url := urlParse .Values.otlp.endpoint -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end }}

{{/* Whom the policy lets the collector be: who is named, or the namespace in `name.namespace.svc…`, or anybody. */}}
{{- define "glassbox.collectorPeers" -}}
{{- $host := (urlParse .Values.otlp.endpoint).host | regexFind "^[^:]+" -}}
{{- $namespace := regexReplaceAll "^[^.]+\\.([^.]+)\\.svc($|\\..*$)" $host "${1}" -}}
{{- if .Values.networkPolicy.collectorTo -}}
{{- toJson .Values.networkPolicy.collectorTo -}}
{{- else if ne $namespace $host -}}
{{- list (dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $namespace))) | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end }}

{{/*
What kube-score finds and is meant to be so: of every pod that CPU is not limited (values.yaml says why), and that a tag
is pulled once, as it is not moved; that the pods are spread by topologySpreadConstraints rather than kept apart; and what a
value has off, which whoever has left it off knows. It does not see that a ScaledObject says how many pods there are.
*/}}
{{- define "glassbox.scored" -}}
{{- $ignore := list "container-resources" "container-image-pull-policy" "deployment-has-host-podantiaffinity" -}}
{{- if not .Values.networkPolicy.enabled }}{{ $ignore = append $ignore "pod-networkpolicy" }}{{ end -}}
{{- if not .Values.podDisruptionBudget.enabled }}{{ $ignore = append $ignore "deployment-has-poddisruptionbudget" }}{{ end -}}
{{- if or .Values.autoscaling.enabled (lt (int .Values.replicaCount) 2) }}{{ $ignore = append $ignore "deployment-replicas" }}{{ end -}}
{{- join "," $ignore -}}
{{- end }}
