{{/* Names are found out from the cluster's DNS alone. */}}
{{- define "fairloop.to-dns" -}}
- to: {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{- define "fairloop.to-database" -}}
{{- $database := .Values.networkPolicy.database -}}
- ports: [{port: {{ $database.port }}, protocol: TCP}]
  {{- with $database.to }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "fairloop.to-kafka" -}}
{{- $kafka := .Values.networkPolicy.kafka -}}
- ports:
    {{- range $kafka.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with $kafka.to }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* {root, name} → who may call a service's API, as peers. */}}
{{- define "fairloop.callers" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- $policy := $root.Values.networkPolicy -}}
{{- $callers := list -}}
{{- range $other, $service := $root.Values.services -}}
{{- if has $name $service.calls -}}
{{- range $component := list "api" "worker" -}}
{{- $caller := include "fairloop.selector" (dict "root" $root "name" $other "component" $component) | fromYaml -}}
{{- $callers = append $callers (dict "podSelector" (dict "matchLabels" $caller)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if (index $root.Values.services $name).ingress.host -}}
{{- $callers = concat $callers $policy.ingressController -}}
{{- end -}}
{{- concat $callers $policy.clients | toYaml -}}
{{- end -}}
