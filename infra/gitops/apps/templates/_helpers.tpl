{{/* Whether a child is of this part, and the cluster has what it is for: `yes`, or nothing. */}}
{{- define "environment.wanted" -}}
{{- $cluster := .root.Values.cluster }}
{{- $here := eq (.child.provider | default $cluster.provider) $cluster.provider }}
{{- $mine := eq (.child.part | default "platform") .root.Values.part }}
{{- if and $mine $here (or (not .child.domain) $cluster.domain) }}yes{{ end }}
{{- end }}

{{/* Labels of all that is made here. */}}
{{- define "environment.labels" -}}
app.kubernetes.io/part-of: glassbox
glassbox.io/environment: {{ .Values.environment }}
glassbox.io/part: {{ .Values.part }}
{{- end }}

{{/* The way in, on AWS: a load balancer. With a certificate it speaks TLS, and sends who does not to where it does. Its
     health checks ask the operators' port, from the public subnets: those of `/` would count as requests of users. */}}
{{- define "environment.ingress" -}}
{{- $cluster := .Values.cluster }}
ingress:
  enabled: true
  {{- with $cluster.domain }}
  hosts: [{{ printf "glassbox.%s" . | quote }}]
  {{- end }}
  annotations:
    {{- if $cluster.certificateArn }}
    alb.ingress.kubernetes.io/certificate-arn: {{ $cluster.certificateArn | quote }}
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}, {"HTTPS": 443}]'
    alb.ingress.kubernetes.io/ssl-redirect: "443"
    {{- else }}
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTP": 80}]'
    {{- end }}
networkPolicy:
  monitoringFrom:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
    {{- range compact (splitList "," $cluster.publicSubnets) }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
{{- end }}
