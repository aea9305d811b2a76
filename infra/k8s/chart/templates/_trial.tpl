{{/* The disk of an engine for trials, as a volume claim template named data. */}}
{{- define "sealwire.trialDisk" -}}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: { name: data }
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .Values.trial.storageClassName }}
    storageClassName: {{ . }}
    {{- end }}
    resources: { requests: { storage: {{ .Values.trial.storage }} } }
{{- end }}

{{/* Who may reach an engine for trials: servers, and whom else `from` names; of (dict "root" $ "component" NAME "port" N "servers" LIST "from" PEERS). */}}
{{- define "sealwire.trialPolicy" -}}
{{- $at := dict "root" .root "component" .component -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "sealwire.name" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "sealwire.labels" $at | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "sealwire.selector" $at | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        {{- range .servers }}
        - podSelector:
            matchLabels: {{- include "sealwire.selector" (dict "root" $.root "component" .) | nindent 14 }}
        {{- end }}
        {{- with .from }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports: [{ protocol: TCP, port: {{ .port }} }]
  {{- if .dns }}
  # It looks up its own name.
  egress:
    {{- include "sealwire.egressDns" .root | nindent 4 }}
  {{- end }}
{{- end }}
