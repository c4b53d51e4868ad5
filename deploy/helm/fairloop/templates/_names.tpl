{{/* What every object's name begins with. */}}
{{- define "fairloop.prefix" -}}
{{- .Values.nameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* {root, name, component}: how pods are found, and nothing that may change. */}}
{{- define "fairloop.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "fairloop.labels" -}}
{{ include "fairloop.selector" . }}
app.kubernetes.io/part-of: fairloop
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* {root, name} → the reference of a service's image. */}}
{{- define "fairloop.image" -}}
{{- $image := .root.Values.image -}}
{{- $service := index .root.Values.services .name -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository }}/{{ .name -}}
{{- if $service.digest }}@{{ $service.digest }}{{ else }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end -}}
