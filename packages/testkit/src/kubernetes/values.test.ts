/**
 * The rules for the values of the Helm chart: what they refuse, that they know each setting of the servers, and the table that
 * docs/operations/kubernetes.md has of them. UPDATE_GENERATED=1 writes the names of settings and the table.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { apiSettings } from '@sealwire/api/settings';
import { directorySettings } from '@sealwire/directory/settings';
import { relayConfig } from '@sealwire/relay/config';
import { aboutOf, type Settings } from '@sealwire/service/config';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { K8S, podsOf, renderedManifests } from './manifests.ts';

const root = join(K8S, '../..');
const update = process.env.UPDATE_GENERATED === '1';
const schemaFile = join(K8S, 'chart/values.schema.json');
const schema = JSON.parse(readFileSync(schemaFile, 'utf8'));
const defaults = parse(readFileSync(join(K8S, 'chart/values.yaml'), 'utf8'));

/** Settings that one pod of several cannot have, or that would need a file of their own beside the pod. */
const NOT_OF_PODS = /^(TLS_(CERT|KEY)_FILE|ADMIN_SOCKET|NODE_ID|WHEN_STORE_DAMAGED|ACCOUNT_CERTS_FILE)$/;

/** What an operator may set of a server: no secret, nothing that the chart says itself. */
function settable(settings: Settings, component: string): string[] {
  const made = podsOf(renderedManifests('trial'))
    .find((each) => each.component === component)!
    .pod.containers[0]!.env!.map(({ name }) => name);
  return Object.keys(settings.shape)
    .filter((name) => {
      const { secret, alsoFile } = aboutOf(settings.shape[name] as never);
      return !secret && !alsoFile && !made.includes(name) && !NOT_OF_PODS.test(name);
    })
    .sort();
}

const names = {
  settingsOfApi: settable(apiSettings, 'api'),
  settingsOfDirectory: settable(directorySettings, 'directory'),
  settingsOfRelay: settable(relayConfig, 'relay'),
};
const ofAll = names.settingsOfApi.filter(
  (name) => names.settingsOfDirectory.includes(name) && names.settingsOfRelay.includes(name),
);

it('know each setting that an operator may set, and no other', () => {
  for (const [key, list] of Object.entries({ ...names, settingsOfAll: ofAll })) {
    if (update) schema.$defs[key].propertyNames.enum = list;
    expect([key, schema.$defs[key].propertyNames.enum]).toEqual([key, list]);
  }
  // As biome writes it.
  if (update) writeFileSync(schemaFile, `${JSON.stringify(schema, null, 2)}\n`);
});

const demanded = { domain: 'example.org', publicOrigin: 'https://chat.example.org' };

/** `path` of dots, as `--set` has it; undefined takes the value away. */
function withValue(path: string, value: unknown): object {
  const values = structuredClone({ ...defaults, ...demanded });
  const keys = path.split('.');
  const last = keys.pop()!;
  const place = keys.reduce((at, key) => at[key], values);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return values;
}

describe('values.schema.json', () => {
  const check = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema);
  const faults = (values: object) => (check(values) ? [] : check.errors!.map((each) => each.instancePath));

  it('takes the values that the chart has, with the two that it has not', () => {
    expect(faults({ ...defaults, ...demanded })).toEqual([]);
    for (const overlay of ['trial', 'production']) {
      const own = parse(readFileSync(join(K8S, `plain/overlays/${overlay}/values.yaml`), 'utf8'));
      const common = parse(readFileSync(join(K8S, 'plain/values.yaml'), 'utf8'));
      expect([overlay, faults({ ...common, ...own })]).toEqual([overlay, []]);
    }
  });

  it.each([
    ['domain', undefined],
    ['domain', 'Example.org'],
    ['domain', 'https://example.org'],
    ['publicOrigin', undefined],
    ['publicOrigin', 'http://chat.example.org'],
    ['publicOrigin', 'https://user@chat.example.org'],
    ['image.digest', 'sha256:abc'],
    ['image.pullPolicy', 'Sometimes'],
    ['imgae', { tag: '1' }],
    ['api.replica', 3],
    ['api.replicas', '3'],
    ['api.replicas', 0],
    ['relay.resources.limits', { cpu: '1' }],
    ['relay.resources.requests.memory', '256Mb'],
    ['relay.maxSockets', 10],
    ['drainSeconds', 0],
    ['settings.common', { LOG_LEVL: 'info' }],
    ['settings.common', { DOMAIN: 'example.net' }],
    ['settings.api', { ACCOUNTS_PER_ADDRESS: 20 }],
    ['settings.directory', { DIGEST_MD5: false }],
    ['settings.relay', { NODE_ID: 'relay-1' }],
    ['blobs.url', 'file:/data'],
    ['networkPolicy.store.to', [{ cidr: '10.0.0.0/8' }]],
    ['networkPolicy.clients', [{}]],
    ['trial.mongoImage', 'docker.io/library/mongo:8'],
    ['trustedProxies', ['everybody']],
  ])('refuses %s: %j', (path, value) => {
    const [first = ''] = path.split('.');
    const where = faults(withValue(path, value));
    expect(where.length).toBeGreaterThan(0);
    expect(where.every((each) => each === '' || each.startsWith(`/${first}`))).toBe(true);
  });

  it.each([
    ['settings.api', { TOKEN_KEY: 'x' }],
    ['settings.common', { STORE_URL: 'mongodb://user:password@host/sealwire' }],
    ['settings.common', { BUS_URL: 'redis://:password@host' }],
    ['settings.relay', { BUS_PEERS: 'west=redis://:password@host' }],
    ['settings.directory', { APP_PASSWORD_KEY: 'x' }],
    ['settings.api', { MAIL_URL: 'smtps://user:password@host' }],
    ['settings.api', { BLOBS_SECRET_KEY: 'x' }],
    ['blobs.url', 's3+https://key:secret@host/bucket'],
    ['blobs.secretKey', 'x'],
    ['secrets.tokenKey', 'x'],
    ['secrets.keys.tokenKey', 'YWJj/ZGVm+Zw=='],
  ])('T195: takes no value of a secret: %s', (path, value) => {
    expect(faults(withValue(path, value))).not.toEqual([]);
  });
});

describe('docs/operations/kubernetes.md', () => {
  it('has the table of the values', () => {
    const file = join(root, 'docs/operations/kubernetes.md');
    const text = readFileSync(file, 'utf8');
    const table = ['| value | default | meaning |', '| --- | --- | --- |', ...rows(schema, [])].join('\n');
    const expected = text.replace(
      /(<!-- values -->\n).*?(<!-- \/values -->)/s,
      (_, open, end) => `${open}${table}\n${end}`,
    );
    if (update) writeFileSync(file, expected);
    else expect(text).toBe(expected);
    expect(table.split('\n').length).toBeGreaterThan(40);
  });

  interface Rule {
    readonly description?: string;
    readonly properties?: Readonly<Record<string, Rule>>;
  }

  /** Each value that has a description; what has properties of its own has a row for each of them. */
  function rows(rule: Rule, path: readonly string[]): string[] {
    return Object.entries(rule.properties ?? {}).flatMap(([key, each]) => {
      const here = [...path, key];
      if (each.properties && !each.description) return rows(each, here);
      if (key === 'global') return [];
      const value = here.reduce((at, name) => at?.[name], defaults);
      return [
        `| \`${here.join('.')}\` | ${value === undefined ? '**required**' : shown(value)} | ${each.description} |`,
      ];
    });
  }

  /** What takes more than a few words stands in values.yaml. */
  function shown(value: unknown): string {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (/^(|\[\]|\{\})$/.test(text)) return '';
    return text.length > 40 ? '[as in values.yaml](../../infra/k8s/chart/values.yaml)' : `\`${text}\``;
  }
});

const openssl = spawnSync('openssl', ['version']).status === 0;

(openssl ? describe : describe.skip)('make-secret.sh (skipped without openssl)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-k8s-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const make = (...args: string[]) =>
    spawnSync('sh', [join(K8S, 'make-secret.sh'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '' },
    });
  const secretsIn = (text: string) =>
    Object.fromEntries(
      text
        .split(/^---$/m)
        .filter((each) => each.trim())
        .map((each) => parse(each))
        .map(({ metadata, data }) => [metadata.name, data]),
    ) as Record<string, Record<string, string>>;
  const textOf = (data: string | undefined) => Buffer.from(data!, 'base64').toString();

  it('T195: makes all that the pods of a trial mount, new each time, for the names that the chart gives', () => {
    const { status, stdout, stderr } = make('--trial');
    expect([status, stderr]).toEqual([0, '']);
    const secrets = secretsIn(stdout);
    for (const { pod } of podsOf(renderedManifests('trial')))
      for (const { secret } of pod.volumes as { secret?: { secretName: string; items?: { key: string }[] } }[]) {
        if (!secret) continue;
        expect(Object.keys(secrets)).toContain(secret.secretName);
        for (const { key } of secret.items ?? []) expect(secrets[secret.secretName]).toHaveProperty([key]);
      }
    const password = textOf(secrets['sealwire-mongo']!['servers.password']).trim();
    expect(textOf(secrets.sealwire!['store.url'])).toBe(
      `mongodb://sealwire:${password}@sealwire-mongo:27017/sealwire?replicaSet=rs0&authSource=admin\n`,
    );
    const services = renderedManifests('trial').filter(({ kind }) => kind === 'Service');
    expect(services.map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(['sealwire-mongo', 'sealwire-valkey']),
    );
    const keys = (text: string) => Object.values(secretsIn(text).sealwire!);
    expect(keys(make('--trial').stdout).filter((each) => keys(stdout).includes(each))).toEqual([]);
  });

  it('T195: takes URLs and the secret of files from files, and makes nothing of one that is missing', () => {
    const files = ['store', 'bus', 'blobs'].map((name) => {
      const path = join(folder, name);
      writeFileSync(path, `of ${name}\n`);
      return path;
    });
    const { status, stdout } = make(...files);
    expect([status, Object.keys(secretsIn(stdout))]).toEqual([0, ['sealwire']]);
    expect(textOf(secretsIn(stdout).sealwire!['store.url'])).toBe('of store\n');
    expect(Buffer.from(textOf(secretsIn(stdout).sealwire!['token.key']).trim(), 'base64url')).toHaveLength(32);
    expect(make(...files.slice(0, 2), join(folder, 'nowhere'))).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^make-secret\.sh: \S+nowhere is empty or not there\n$/),
    });
    expect(make()).toMatchObject({ status: 2, stdout: '' });
  });
});
