{{/*
The pods of `helm test`: what is asked from within the cluster, each with a script of scripts/ that says why. They stay
until the next run, so that `kubectl logs` and `helm test --logs` can tell. Helm ends at the first that fails, so the link
that others hang on comes first.
*/}}

{{- define "glassbox.seriesTestName" -}}{{ include "glassbox.suffixed" (list . "test-series") }}{{- end }}
{{- define "glassbox.metricsTestName" -}}{{ include "glassbox.suffixed" (list . "test-custom-metrics") }}{{- end }}

{{- define "glassbox.testLabels" -}}
{{ include "glassbox.instanceLabels" . }}
app.kubernetes.io/component: test
{{ include "glassbox.commonLabels" . }}
{{- end }}

{{- define "glassbox.isMetricsTest" -}}
{{- $a := .Values.autoscaling -}}
{{- if and .Values.monitoring.enabled (include "glassbox.isHpa" .) $a.requests.enabled }}true{{ end -}}
{{- end }}

{{/* (dict "root" . "name" … "script" … "env" (dict NAME VALUE) "weight" 1 "account" …): the account is that whose token is mounted. */}}
{{- define "glassbox.testPod" -}}
{{- $script := printf "%s\n%s" (.root.Files.Get "scripts/lib.sh") (.root.Files.Get (printf "scripts/%s.sh" .script)) -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .name }}
  labels:
    {{- include "glassbox.testLabels" .root | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: before-hook-creation
    # CPU is not limited, a tag is pulled once, and no policy is for a pod of a minute.
    kube-score/ignore: container-resources,container-image-pull-policy,pod-networkpolicy
    checkov.io/skip1: CKV_K8S_8=it ends by itself
    checkov.io/skip2: CKV_K8S_9=it serves nothing
    {{- if .account }}
    checkov.io/skip3: CKV_K8S_38=it asks the API
    {{- end }}
spec:
  restartPolicy: Never
  activeDeadlineSeconds: 600
  {{- with .account }}
  serviceAccountName: {{ . }}
  {{- end }}
  automountServiceAccountToken: {{ not (empty .account) }}
  enableServiceLinks: false
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .root.Values.podSecurityContext | nindent 4 }}
  containers:
    - name: test
      image: {{ .root.Values.tests.image }}
      imagePullPolicy: IfNotPresent
      command: [sh, -eu, -c]
      args:
        - |
          {{- include "glassbox.literal" $script | nindent 10 }}
      env:
        {{- range $name, $value := .env }}
        - name: {{ $name }}
          value: {{ $value | quote }}
        {{- end }}
      # `kubectl describe` says why, too.
      terminationMessagePolicy: FallbackToLogsOnError
      securityContext:
        {{- toYaml .root.Values.securityContext | nindent 8 }}
      resources:
        requests: {cpu: 10m, memory: 16Mi, ephemeral-storage: 1Mi}
        limits: {memory: 64Mi, ephemeral-storage: 8Mi}
  {{- with .root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
