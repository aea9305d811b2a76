{{/* The name that everything begins with: the release's, which says so if it is not sealwire's. */}}
{{- define "sealwire.name" -}}
{{- if contains "sealwire" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-sealwire{{ end -}}
{{- end }}

{{/* Labels that select the pods of a component; of (dict "root" $ "component" NAME). */}}
{{- define "sealwire.selector" -}}
app.kubernetes.io/name: sealwire
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "sealwire.labels" -}}
{{ include "sealwire.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "sealwire.image" -}}
{{ required "image.repository: where you have pushed the image that infra/docker/Dockerfile builds" .Values.image.repository }}:{{ .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* What the level "restricted" demands of a pod. */}}
{{- define "sealwire.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* And of a container. */}}
{{- define "sealwire.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* The path under which all servers are, such as /chat; empty: none. */}}
{{- define "sealwire.basePath" -}}
{{ (urlParse .Values.publicOrigin).path | trimSuffix "/" }}
{{- end }}

{{/* Which secrets a server has, as a YAML list of (setting, key in the Secret); of (dict "root" $ "component" NAME). */}}
{{- define "sealwire.secrets" -}}
{{- $keys := .root.Values.secrets.keys -}}
{{- $has := list (list "STORE_URL" $keys.storeUrl) (list "BUS_URL" $keys.busUrl) -}}
{{- if ne .component "directory" }}{{ $has = append $has (list "BUS_PEERS" $keys.busPeers) }}{{ end -}}
{{- if ne .component "relay" }}{{ $has = append $has (list "APP_PASSWORD_KEY" $keys.appPasswordKey) }}{{ end -}}
{{- if eq .component "api" -}}
{{- $has = append $has (list "TOKEN_KEY" $keys.tokenKey) -}}
{{- $has = append $has (list "BLOBS_SECRET_KEY" $keys.blobsSecretKey) -}}
{{- end -}}
{{- if eq .component "directory" -}}
{{- $has = append $has (list "DIRECTORY_SIGNING_KEY" $keys.directorySigningKey) -}}
{{- $has = append $has (list "PEER_KEY" $keys.peerKey) -}}
{{- $has = append $has (list "NES_KEY" $keys.nesKey) -}}
{{- end -}}
{{- if ne .component "relay" }}{{ $has = append $has (list "MAIL_URL" $keys.mailUrl) }}{{ end -}}
{{- $used := list -}}
{{- range $has }}{{ if index . 1 }}{{ $used = append $used . }}{{ end }}{{ end -}}
{{ toYaml $used }}
{{- end }}

{{/* Everything that a server is told; secrets as names of files. */}}
{{- define "sealwire.env" -}}
{{- $values := .root.Values -}}
{{- $env := dict "LISTEN" "0.0.0.0:8080" "METRICS_LISTEN" "0.0.0.0:9090" "DOMAIN" $values.domain "PUBLIC_ORIGIN" $values.publicOrigin "TRUSTED_PROXIES" (join "," $values.trustedProxies) -}}
{{- if eq .component "api" -}}
{{- $_ := set $env "BLOBS_REGION" $values.blobs.region -}}
{{- $_ := set $env "BLOBS_ACCESS_KEY" $values.blobs.accessKey -}}
{{- if $values.trial.enabled -}}
{{- $_ := set $env "BLOBS_URL" (printf "s3+http://%s-s3:7070/sealwire-files" (include "sealwire.name" .root)) -}}
{{- $_ := set $env "BLOBS_PUBLIC_ORIGIN" (include "sealwire.origin" .root) -}}
{{- else -}}
{{- $_ := set $env "BLOBS_URL" (required "blobs.url: the S3 server and bucket of encrypted files, s3+https://HOST/BUCKET" $values.blobs.url) -}}
{{- with $values.blobs.publicOrigin }}{{ $_ := set $env "BLOBS_PUBLIC_ORIGIN" . }}{{ end -}}
{{- end -}}
{{- else -}}
{{- $_ := set $env "TOKEN_JWKS_URL" (printf "http://%s-api:8080%s/v1/.well-known/jwks.json" (include "sealwire.name" .root) (include "sealwire.basePath" .root)) -}}
{{- end -}}
{{- range fromYamlArray (include "sealwire.secrets" .) -}}
{{- $_ := set $env (printf "%s_FILE" (index . 0)) (printf "/run/sealwire/%s" (index . 1)) -}}
{{- end -}}
{{- $env = merge (dict) $env (index $values.settings .component) $values.settings.common -}}
{{- range $name := keys $env | sortAlpha }}
- { name: {{ $name }}, value: {{ get $env $name | toString | quote }} }
{{- end }}
{{- end }}

{{- define "sealwire.origin" -}}
{{- $url := urlParse .Values.publicOrigin -}}
{{ $url.scheme }}://{{ $url.host }}
{{- end }}

{{/* Peers that must be named, or nobody could be reached; of (dict "root" $ "name" NAME). */}}
{{- define "sealwire.egress" -}}
{{- $rule := index .root.Values.networkPolicy .name -}}
{{- if not $rule.to }}{{ fail (printf "networkPolicy.%s.to: name whom the servers reach, as peers of a NetworkPolicy, like [{ipBlock: {cidr: 10.1.2.0/24}}]; or networkPolicy.enabled: false" .name) }}{{ end }}
- to: {{- toYaml $rule.to | nindent 4 }}
  ports:
    {{- range $rule.ports }}
    - { protocol: TCP, port: {{ . }} }
    {{- end }}
{{- end }}

{{- define "sealwire.egressDns" -}}
- to: {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{- end }}
