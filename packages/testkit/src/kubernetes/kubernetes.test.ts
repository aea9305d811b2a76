/**
 * What infra/k8s promises, read from the manifests that the chart renders (infra/k8s/plain): pods without privileges or secrets in them,
 * settings that the servers have, probes that are answered, a network that lets pass what is needed. A real API server: `npm run k8s -- check`.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { apiSettings } from '@sealwire/api/settings';
import { directorySettings } from '@sealwire/directory/settings';
import { relayConfig } from '@sealwire/relay/config';
import { aboutOf, loadConfig, type Settings } from '@sealwire/service/config';
import { createHealth } from '@sealwire/service/health';
import { createMetrics } from '@sealwire/service/metrics';
import { LIMITS } from '@sealwire/wire/limits';
import { parse } from 'yaml';
import { edgesOf, K8S, podsOf, renderedManifests } from './manifests.ts';

const root = join(K8S, '../..');
const SERVERS: Record<string, Settings> = { api: apiSettings, directory: directorySettings, relay: relayConfig };
const SECRET = `${Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url')}\n`;
const shapes = (['production', 'trial'] as const).map((overlay) => [overlay, renderedManifests(overlay)] as const);
describe.each(shapes)('%s', (_shape, manifests) => {
  const pods = podsOf(manifests);

  it('T194: no pod has a privilege, a token of the cluster, or a root that can be written', () => {
    expect(pods.length).toBeGreaterThanOrEqual(3);
    for (const { name, pod } of pods) {
      const { runAsNonRoot, runAsUser, seccompProfile } = pod.securityContext as Record<string, unknown>;
      expect([name, runAsNonRoot, runAsUser, seccompProfile]).toEqual([name, true, 10001, { type: 'RuntimeDefault' }]);
      expect([name, pod.automountServiceAccountToken, pod.enableServiceLinks]).toEqual([name, false, false]);
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'hostAliases', 'initContainers', 'shareProcessNamespace'])
        expect([name, pod[key]]).toEqual([name, undefined]);
      for (const { securityContext, resources } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources?.limits?.memory).toMatch(/^\d+Mi$/);
      }
      const kinds = pod.volumes!.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
      expect(kinds.filter((kind) => !['secret', 'emptyDir', 'configMap'].includes(kind))).toEqual([]);
    }
    for (const { kind, metadata, ...rest } of manifests.filter((each) => each.kind === 'ServiceAccount'))
      expect([kind, metadata.name, rest]).toMatchObject([kind, metadata.name, { automountServiceAccountToken: false }]);
    expect(manifests.filter(({ kind }) => /Role|Namespace|CustomResource|Webhook/.test(kind))).toEqual([]);
  });

  it('T195: no secret is in a manifest; each server mounts those that it is told of, and no other', () => {
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(JSON.stringify(manifests)).not.toMatch(/:\/\/[^/"@]+:[^/"@]+@|-----BEGIN/);
    for (const { component, pod } of pods) {
      const schema = SERVERS[component];
      if (!schema) continue;
      const env = pod.containers[0]!.env!;
      const secret = Object.keys(schema.shape).filter((key) => {
        const about = aboutOf(schema.shape[key] as never);
        return about.secret || about.alsoFile;
      });
      expect(env.filter(({ name }) => secret.includes(name))).toEqual([]);
      for (const each of env) expect(Object.keys(each).sort()).toEqual(['name', 'value']);
      const files = env.filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => String(value));
      const [{ secret: mounted }] = pod.volumes!.filter((volume) => 'secret' in volume) as [
        { secret: { items: { path: string }[] } },
      ];
      expect(mounted.items.map(({ path }) => `/run/sealwire/${path}`).sort()).toEqual(files.sort());
    }
    const holders = (name: string) =>
      pods
        .filter(({ pod }) => pod.containers[0]!.env?.some((each) => each.name === `${name}_FILE`))
        .map(({ component }) => component);
    expect(holders('TOKEN_KEY')).toEqual(['api']);
    expect(holders('BLOBS_SECRET_KEY')).toEqual(['api']);
    expect(holders('DIRECTORY_SIGNING_KEY')).toEqual(['directory']);
    expect(holders('APP_PASSWORD_KEY').sort()).toEqual(['api', 'directory']);
    expect(holders('STORE_URL').sort()).toEqual(['api', 'directory', 'relay']);
  });

  it.each(Object.entries(SERVERS))('%s starts with the settings that it is given', (component, schema) => {
    const { pod } = pods.find((each) => each.component === component)!;
    const [container] = pod.containers;
    expect(container!.args).toEqual([component]);
    const env = Object.fromEntries(container!.env!.map(({ name, value }) => [name, String(value)]));
    const readFile = (path: string) => (/\.url$/.test(path) ? 'mongodb://h/d' : SECRET);
    expect(loadConfig(schema, { argv: [], env, readFile })).toMatchObject({ action: 'run', warnings: [] });
    for (const name of Object.keys(env).map((each) => each.replace(/_FILE$/, '')))
      expect(schema.shape).toHaveProperty(name);
  });

  it('asks each server what it answers, where it answers', () => {
    const health = createHealth({
      ...{ server: 'any', version: '0', ready: async () => {}, metrics: createMetrics(), now: () => 0 },
      log: { debug() {}, info() {}, warn() {}, error() {} } as never,
    });
    const response = { writeHead() {}, end() {}, setHeader() {} } as unknown as ServerResponse;
    const answers = (path: string) => health.handle({ method: 'GET' } as IncomingMessage, response, path);
    for (const { component, pod } of pods.filter((each) => each.component in SERVERS)) {
      const [container] = pod.containers;
      const env = Object.fromEntries(container!.env!.map(({ name, value }) => [name, String(value)]));
      const ports = Object.fromEntries(
        container!.ports!.map(({ name, containerPort }) => [name, String(containerPort)]),
      );
      expect([env.LISTEN, env.METRICS_LISTEN]).toEqual([`0.0.0.0:${ports.http}`, `0.0.0.0:${ports.metrics}`]);
      const paths = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map((probe) => {
        const { path, port } = container![probe]!.httpGet!;
        expect([component, port, answers(path)]).toEqual([component, 'metrics', true]);
        return path;
      });
      expect(paths).toEqual(['/livez', '/livez', '/readyz']);
    }
    expect(answers('/no-such-page')).toBe(false);
  });

  it('gives a pod the time that closing its sockets takes, after the time in which it serves on', () => {
    const { relay } = parse(readFileSync(join(K8S, 'chart/values.yaml'), 'utf8'));
    for (const { component, pod } of pods.filter((each) => each.component in SERVERS)) {
      const [program, seconds] = pod.containers[0]!.lifecycle!.preStop!.exec!.command;
      expect([program, Number(seconds)]).toEqual(['sleep', expect.any(Number)]);
      expect(Number(seconds)).toBeGreaterThanOrEqual(5);
      const sockets = component === 'relay' ? relay.maxSockets / LIMITS.drainSocketsPerSecond.value : 0;
      // HTTP_LIMITS.closeMs of the servers is ten seconds.
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(Number(seconds) + sockets + 10);
    }
  });
});

it('production: updates take no pod away before the next is ready, and one pod at a time may be put out', () => {
  const manifests = renderedManifests('production');
  const of = (kind: string) => manifests.filter((each) => each.kind === kind);
  for (const { metadata, spec } of of('Deployment')) {
    expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(spec.minReadySeconds).toBeGreaterThan(0);
    const selector = spec.selector.matchLabels;
    expect(spec.template.metadata.labels).toMatchObject(selector);
    const spread = spec.template.spec.topologySpreadConstraints;
    expect(spread.map((each: { topologyKey: string }) => each.topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    const budget = of('PodDisruptionBudget').find((each) => each.metadata.name === metadata.name)!;
    expect(budget.spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selector },
    });
  }
  expect(of('Deployment')).toHaveLength(3);
});

it('production: pods are counted by a metric that there is, and by processor time', async () => {
  const [scaler] = renderedManifests('production').filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const [sockets, cpu] = scaler!.spec.metrics;
  expect(await createMetrics().text()).toContain(`# TYPE ${sockets.pods.metric.name} gauge`);
  expect(cpu.resource.name).toBe('cpu');
  const { spec } = renderedManifests('production').find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === scaler!.spec.scaleTargetRef.name,
  )!;
  // Whoever writes a number here takes it from the scaler, at each update.
  expect(spec).not.toHaveProperty('replicas');
});

describe('T196: the network', () => {
  const clients = ['api', 'directory', 'relay'].flatMap((server) => [
    `ingress-nginx > ${server}:8080`,
    `monitoring > ${server}:9090`,
    `${server} > kube-system/kube-dns:53`,
    `${server} > kube-system/kube-dns:53/udp`,
  ]);
  const inside = ['directory > api:8080', 'relay > api:8080'];

  it.each(shapes)('%s: denies everything, then lets pass what is needed and nothing else', (shape, manifests) => {
    const { edges, half } = edgesOf(manifests);
    const engines = {
      production: [
        ...['api', 'directory', 'relay'].flatMap((server) =>
          [6379, 27017].map((port) => `${server} > 10.20.0.0/24:${port}`),
        ),
        'api > 10.20.0.0/24:443',
      ],
      trial: [
        ...['api', 'directory', 'relay'].flatMap((server) => [`${server} > mongo:27017`, `${server} > valkey:6379`]),
        ...['api > s3:7070', 'ingress-nginx > s3:7070'],
        ...['mongo > kube-system/kube-dns:53', 'mongo > kube-system/kube-dns:53/udp'],
      ],
    }[shape];
    expect(edges).toEqual([...clients, ...inside, ...engines].sort());
    expect(half).toEqual([]);
    const denial = manifests.find(({ metadata }) => metadata.name === 'sealwire-deny')!;
    expect(denial.spec).toEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'sealwire', 'app.kubernetes.io/instance': 'sealwire' } },
      policyTypes: ['Ingress', 'Egress'],
    });
    for (const { kind, spec } of manifests.filter((each) => ['Deployment', 'StatefulSet'].includes(each.kind)))
      expect([kind, spec.template.metadata.labels]).toMatchObject([kind, denial.spec.podSelector.matchLabels]);
  });

  it('from outside every public path is reached, at the server that has it, and nothing that is for the operator', () => {
    const rules = renderedManifests('production')
      .filter(({ kind }) => kind === 'Ingress')
      .flatMap(({ spec }) => spec.rules[0].http.paths as { path: string; backend: { service: { name: string } } }[]);
    const serverOf = (path: string) => {
      const under = rules.filter((rule) => path === rule.path || path.startsWith(`${rule.path}/`));
      return under.sort((a, b) => b.path.length - a.path.length)[0]?.backend.service.name;
    };
    for (const server of ['api', 'directory']) {
      const { paths } = JSON.parse(readFileSync(join(root, `apps/${server}/openapi.json`), 'utf8'));
      for (const path of Object.keys(paths)) expect([path, serverOf(path)]).toEqual([path, `sealwire-${server}`]);
    }
    expect(serverOf('/v1/files/1')).toBe('sealwire-api');
    expect(serverOf('/lime')).toBe('sealwire-directory');
    expect(serverOf('/relay')).toBe('sealwire-relay');
    for (const path of ['/', '/livez', '/readyz', '/metrics', '/version']) expect(serverOf(path)).toBeUndefined();
  });
});
