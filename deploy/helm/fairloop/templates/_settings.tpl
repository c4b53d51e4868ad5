{{/* {below, above} → the map below with what the map above says otherwise, also where that is empty, zero or false. */}}
{{- define "fairloop.over" -}}
{{- $out := deepCopy .below -}}
{{- range $key, $value := .above -}}
{{- $below := get $out $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $below) -}}
{{- $value = include "fairloop.over" (dict "below" $below "above" $value) | fromYaml -}}
{{- end -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* {root, name, component} → what holds for all APIs or all workers, with what this service says otherwise. */}}
{{- define "fairloop.component" -}}
{{- $own := index .root.Values.services .name .component -}}
{{- include "fairloop.over" (dict "below" (index .root.Values .component) "above" $own) -}}
{{- end -}}

{{/* {root, name, component} → the plain settings of a service, as a map of environment variables. */}}
{{- define "fairloop.settings" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $told := include "fairloop.secretSettings" . | fromYaml -}}
{{- $root := .root -}}
{{- $service := index $root.Values.services .name -}}
{{- $peers := dict -}}
{{- range $service.calls -}}
{{- $_ := set $peers . (printf "http://%s-%s" (include "fairloop.prefix" $root) .) -}}
{{- end -}}
FAIRLOOP_HOST: 0.0.0.0
FAIRLOOP_PORT: "8000"
{{- if not (hasKey $told "LOG_URL") }}
FAIRLOOP_LOG_URL: {{ printf "kafka://%s" (join "," $kafka.brokers) }}{{ with $kafka.parameters }}?{{ . }}{{ end }}
{{- end }}
FAIRLOOP_PEER_URLS: {{ $peers | toJson | quote }}
{{- if eq $root.Values.secretsAs "files" }}
FAIRLOOP_SECRETS_DIR: /run/secrets/fairloop
{{- end }}
{{- range $key, $value := include "fairloop.over" (dict "below" $root.Values.settings "above" $service.settings) | fromYaml }}
FAIRLOOP_{{ $key }}: {{ $value | quote }}
{{- end -}}
{{- end -}}

{{/* {root, name, component} → SETTING: {secret, key} of all secret settings of a service, or of the topics job. */}}
{{- define "fairloop.secretSettings" -}}
{{- $service := index .root.Values.services .name -}}
{{- $own := $service.secretSettings -}}
{{- if eq .component "topics" -}}
{{- $own = include "fairloop.over" (dict "below" $own "above" .root.Values.jobs.topics.secretSettings) | fromYaml -}}
{{- end -}}
{{- include "fairloop.over" (dict "below" .root.Values.secretSettings "above" $own) -}}
{{- end -}}

{{/* {root, name, component} → entries of `env`: where each secret is kept. */}}
{{- define "fairloop.secrets-env" -}}
{{- range $key, $kept := include "fairloop.secretSettings" . | fromYaml }}
- name: FAIRLOOP_{{ $key }}
  valueFrom: {secretKeyRef: {name: {{ $kept.secret }}, key: {{ $kept.key }}}}
{{- end -}}
{{- end -}}

{{/* {root, name, component} → a volume with one file a secret setting. */}}
{{- define "fairloop.secrets-volume" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $key, $kept := include "fairloop.secretSettings" . | fromYaml }}
      - secret:
          name: {{ $kept.secret }}
          items: [{key: {{ $kept.key }}, path: {{ printf "fairloop_%s" (lower $key) }}}]
      {{- end }}
{{- end -}}
