{{- /* The daemon's DaemonSet: applied as it is without the operator, else the base of what the operator makes of a CacheRuntime. */ -}}
{{- define "penstock.daemon" -}}
{{- $mib := int (include "penstock.cacheMiB" .) -}}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: penstock-daemon
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: penstock
    app.kubernetes.io/component: daemon
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: penstock
      app.kubernetes.io/component: daemon
  updateStrategy:
    {{- toYaml .Values.cache.updateStrategy | nindent 4 }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: penstock
        app.kubernetes.io/component: daemon
        {{- with .Values.cache.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.cache.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: penstock-node
      automountServiceAccountToken: false
      # A Service called penstock would become variables that are no keys of ours.
      enableServiceLinks: false
      {{- with include "penstock.pullSecrets" . }}
      {{- . | nindent 6 }}
      {{- end }}
      priorityClassName: {{ .Values.cache.priorityClassName }}
      terminationGracePeriodSeconds: 30
      nodeSelector:
        {{- toYaml .Values.cache.nodeSelector | nindent 8 }}
      tolerations:
        {{- toYaml .Values.cache.tolerations | nindent 8 }}
      {{- with .Values.cache.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: daemon
          image: {{ include "penstock.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: [daemon, --await-holder]
          env:
            - name: PENSTOCK_DAEMON_HEALTH
              value: 0.0.0.0:9809
            - name: PENSTOCK_STATE_DIR
              value: /run/penstock
            - name: PENSTOCK_CACHE_DIR
              value: {{ .Values.cache.storage.path }}
            {{- with .Values.cache.storage.size }}
            - name: PENSTOCK_CACHE_SIZE
              value: {{ . }}
            {{- end }}
            {{- if ne (toString .Values.cache.storage.reserve) "0.05" }}
            - name: PENSTOCK_CACHE_RESERVE
              value: {{ .Values.cache.storage.reserve | quote }}
            {{- end }}
            - name: PENSTOCK_CACHE_MEMORY
              value: {{ .Values.cache.memory }}
            {{- if ne .Values.cache.bandwidth "unlimited" }}
            - name: PENSTOCK_CACHE_BANDWIDTH
              value: {{ .Values.cache.bandwidth }}
            {{- end }}
            # MaxDirectMemorySize: cache.memory and 64 MiB. The container's memory limit: cache.memory and 512 MiB.
            - name: PENSTOCK_JAVA_OPTS
              value: >-
                -Xms32m -Xmx128m -XX:MaxDirectMemorySize={{ add $mib 64 }}m -Xss512k -XX:ReservedCodeCacheSize=64m
                -XX:+ExitOnOutOfMemoryError
            {{- if .Values.operator.enabled }}
            # The operator's port: TLS 1.3, and only the operator's certificate is let in.
            - name: PENSTOCK_CONTROL_LISTEN
              value: 0.0.0.0:9810
            - name: PENSTOCK_CONTROL_TLS_DIR
              value: /etc/penstock/tls
            {{- end }}
            {{- with include "penstock.log" . | trim }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- with .Values.cache.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: health
              containerPort: 9809
            {{- if .Values.operator.enabled }}
            - name: control
              containerPort: 9810
            {{- end }}
          readinessProbe:
            httpGet:
              path: /readyz
              port: health
            periodSeconds: 5
            timeoutSeconds: 5
          livenessProbe:
            httpGet:
              path: /healthz
              port: health
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          resources:
            {{- include "penstock.cacheResources" . | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: state
              mountPath: /run/penstock
            - name: cache
              mountPath: {{ .Values.cache.storage.path }}
            {{- if .Values.operator.enabled }}
            - name: tls
              mountPath: /etc/penstock/tls
              readOnly: true
            {{- end }}
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: state
          hostPath:
            path: /run/penstock
            type: DirectoryOrCreate
        - name: cache
          hostPath:
            path: {{ .Values.cache.storage.path }}
            type: DirectoryOrCreate
        {{- if .Values.operator.enabled }}
        - name: tls
          secret:
            secretName: penstock-daemon-tls
            defaultMode: 0444
        {{- end }}
        - name: tmp
          emptyDir:
            medium: Memory
            sizeLimit: 64Mi
{{- end -}}
