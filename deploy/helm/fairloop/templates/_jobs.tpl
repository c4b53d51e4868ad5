{{/* {weight}: before an install or upgrade, in the order of the weights; what failed is kept to be looked at. */}}
{{- define "fairloop.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* {root, name, component, command, weight}: one command of a service's image, run to its end. */}}
{{- define "fairloop.job" -}}
{{- $jobs := .root.Values.jobs -}}
{{- $account := printf "%s-jobs" (include "fairloop.prefix" .root) -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "fairloop.prefix" .root }}-{{ .name }}-{{ .component }}
  labels: {{- include "fairloop.labels" . | nindent 4 }}
  annotations: {{- include "fairloop.hook" . | nindent 4 }}
spec:
  backoffLimit: {{ $jobs.backoffLimit }}
  activeDeadlineSeconds: {{ $jobs.activeDeadlineSeconds }}
  template:
    metadata:
      labels:
        {{- include "fairloop.labels" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "fairloop.pod" (merge (dict "account" $account) .) | nindent 6 }}
      restartPolicy: Never
      containers:
        - name: {{ .component }}
          {{- include "fairloop.container" . | nindent 10 }}
          args: [{{ .component }}]
          env:
            {{- range $key, $value := include "fairloop.settings" . | fromYaml }}
            - {name: {{ $key }}, value: {{ $value | quote }}}
            {{- end }}
            {{- if eq .root.Values.secretsAs "env" }}
            {{- include "fairloop.secrets-env" . | nindent 12 }}
            {{- end }}
          resources: {{- toYaml $jobs.resources | nindent 12 }}
{{- end -}}
