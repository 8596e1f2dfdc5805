{{- define "penstock.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with .Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" . (regexReplaceAll "^[^/]*[.:][^/]*/|^localhost/" $repository "") -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "penstock.labels" -}}
app.kubernetes.io/name: penstock
{{- end -}}

{{- define "penstock.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  app.kubernetes.io/name: penstock
{{- end -}}

{{- define "penstock.pullSecrets" -}}
{{- with .Values.imagePullSecrets -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "penstock.log" -}}
{{- if ne .Values.log.level "info" }}
- name: PENSTOCK_LOG_LEVEL
  value: {{ .Values.log.level }}
{{- end }}
{{- if ne .Values.log.format "text" }}
- name: PENSTOCK_LOG_FORMAT
  value: {{ .Values.log.format }}
{{- end }}
{{- end -}}

{{- define "penstock.cacheMiB" -}}
{{ regexReplaceAll "[^0-9]" .Values.cache.memory "" }}
{{- end -}}

{{- define "penstock.cacheResources" -}}
{{- $mib := int (include "penstock.cacheMiB" .) -}}
{{- if .Values.cache.resources -}}
{{ toYaml .Values.cache.resources }}
{{- else -}}
requests:
  cpu: 100m
  memory: {{ add $mib 256 }}Mi
limits:
  memory: {{ add $mib 512 }}Mi
{{- end -}}
{{- end -}}

{{- /* Not empty: the operator serves metrics. */ -}}
{{- define "penstock.metrics" -}}
{{- if and .Values.operator.enabled (or .Values.metrics.enabled .Values.metrics.podMonitor.enabled) -}}
yes
{{- end -}}
{{- end -}}

{{- define "penstock.operatorPriority" -}}
{{ .Values.operator.priorityClassName | default "penstock-operator" }}
{{- end -}}
