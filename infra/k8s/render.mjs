// The chart as plain manifests, for who does not use Helm: what both overlays share is in plain/base, the rest in each overlay.
//   npm run k8s -- render       writes them (needs infra/k8s/tools.sh up)
//   npm run k8s -- compare      exit code 1 when they are not what the chart renders now
//   npm run k8s -- fresh        the same by digests of what went in and came out: without Helm
//   npm run k8s -- shapes DIR   further renderings, for check.sh: chart and overlays in each shape that values can give them
//   npm run k8s -- check        all of these before a real API server (check.sh)
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const chart = join(here, 'chart');
const plain = join(here, 'plain');
const digests = join(plain, 'rendered.sha256');
/** What is rendered for, where a template asks. */
const KUBERNETES = '1.36.4';
const OVERLAYS = ['production', 'trial'];
/** What the values of `shapes` change, each beside the values of an overlay. */
const SHAPES = {
  production: ['production', []],
  trial: ['trial', []],
  'under-a-path': ['production', ['publicOrigin=https://example.org/chat', 'settings.directory.LIME_PATH=/x3dh']],
  'everything-on': [
    'production',
    [
      ...['api', 'directory'].map((name) => `${name}.autoscaling.enabled=true`),
      'secrets.keys.mailUrl=mail.url',
      'secrets.keys.peerKey=peer.key',
      'secrets.keys.nesKey=nes.pem',
      'secrets.keys.busPeers=bus-peers',
      'networkPolicy.mail.to[0].ipBlock.cidr=10.20.1.0/24',
      'networkPolicy.peerDirectories.to[0].ipBlock.cidr=0.0.0.0/0',
      'settings.directory.NES_PROVIDER=on',
      'settings.common.LOG_LEVEL=warn',
      'serviceMonitor.labels.release=prometheus',
      'image.pullSecrets[0].name=registry',
      'priorityClassName=system-cluster-critical',
      'podAnnotations.example\\.org/team=chat',
      'nodeSelector.kubernetes\\.io/os=linux',
      'tolerations[0].key=chat,tolerations[0].operator=Exists',
    ],
  ],
  'least-of-all': [
    'production',
    ['networkPolicy.enabled=false', 'ingress.enabled=false', 'serviceMonitor.enabled=false'],
  ],
};

function tool(name) {
  const folder = join(process.env.SEALWIRE_ENGINES ?? join(homedir(), '.cache/sealwire-engines'), 'bin');
  const version = new RegExp(`^${name}=(\\S+)$`, 'm').exec(readFileSync(join(here, 'tools.sh'), 'utf8'))[1];
  const path = join(folder, `${name}-${version}`);
  if (!existsSync(path)) fail(`there is no ${name} ${version} here: infra/k8s/tools.sh up`);
  return path;
}

function fail(reason) {
  process.stderr.write(`k8s: ${reason}\n`);
  process.exit(1);
}

/** What it prints. */
function run(name, args) {
  const { status, stdout, stderr } = spawnSync(tool(name), args, { encoding: 'utf8' });
  if (status !== 0) fail(stderr.trim());
  return stdout;
}

/** The chart with the values of an overlay, and `set` beside them: a list of manifests as text. */
function rendering(overlay, set = []) {
  const values = [join(plain, 'values.yaml'), join(plain, 'overlays', overlay, 'values.yaml')];
  const args = [
    'template',
    'sealwire',
    chart,
    '--namespace',
    'sealwire',
    '--kube-version',
    KUBERNETES,
    ...values.flatMap((file) => ['-f', file]),
  ];
  const text = run('helm', [...args, ...set.flatMap((each) => ['--set', each])]);
  return text
    .split(/^---$/m)
    .map((manifest) =>
      manifest
        .replace(/^# Source: .*\n|^ *app\.kubernetes\.io\/managed-by: Helm\n|^ {2}namespace: sealwire\n/gm, '')
        .trim(),
    )
    .filter((manifest) => /^kind: /m.test(manifest));
}

const joined = (manifests) => `${manifests.join('\n---\n')}\n`;

/** Path below `plain` → text. */
function rendered() {
  const all = OVERLAYS.map((overlay) => rendering(overlay));
  const base = all[0].filter((manifest) => all.every((manifests) => manifests.includes(manifest)));
  const own = OVERLAYS.map((overlay, i) => [
    `overlays/${overlay}/rendered.yaml`,
    joined(all[i].filter((manifest) => !base.includes(manifest))),
  ]);
  return Object.fromEntries([['base/rendered.yaml', joined(base)], ...own]);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name))
    .sort();
}

/** Of what goes in: all that Helm reads but the rules for values, which change nothing that is rendered. */
function digestOfInput() {
  const values = OVERLAYS.map((overlay) => join(plain, 'overlays', overlay, 'values.yaml'));
  const chartFiles = filesBelow(chart).filter((file) => !/(values\.schema\.json|NOTES\.txt)$/.test(file));
  const hash = createHash('sha256');
  for (const file of [...chartFiles, join(plain, 'values.yaml'), ...values])
    hash.update(`${relative(here, file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

const digestOf = (text) => createHash('sha256').update(text).digest('hex');
const digestText = (files) =>
  [
    `${digestOfInput()}  chart and values`,
    ...Object.entries(files).map(([name, text]) => `${digestOf(text)}  ${name}`),
    '',
  ].join('\n');
const committed = (names) =>
  Object.fromEntries(
    names.map((name) => [name, existsSync(join(plain, name)) ? readFileSync(join(plain, name), 'utf8') : '']),
  );
const NAMES = ['base/rendered.yaml', ...OVERLAYS.map((overlay) => `overlays/${overlay}/rendered.yaml`)];
const STALE = 'infra/k8s/plain is not what the chart renders: npm run k8s -- render';

const commands = {
  render() {
    const files = rendered();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(plain, name), text);
    writeFileSync(digests, digestText(files));
  },
  compare() {
    const files = rendered();
    const now = committed(NAMES);
    if (NAMES.some((name) => now[name] !== files[name])) fail(STALE);
  },
  fresh() {
    if (!existsSync(digests) || readFileSync(digests, 'utf8') !== digestText(committed(NAMES))) fail(STALE);
  },
  shapes(folder = fail('shapes: name a folder')) {
    mkdirSync(folder, { recursive: true });
    for (const [name, [overlay, set]] of Object.entries(SHAPES))
      writeFileSync(join(folder, `${name}.yaml`), joined(rendering(overlay, set)));
    for (const overlay of OVERLAYS) {
      const args = ['build', join(plain, 'overlays', overlay)];
      writeFileSync(join(folder, `overlay-${overlay}.yaml`), run('kustomize', args));
    }
  },
  check() {
    process.exitCode = spawnSync(join(here, 'check.sh'), { stdio: 'inherit' }).status ?? 1;
  },
};

const [command = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, command)) fail(`use one of ${Object.keys(commands).join(', ')}`);
commands[command](...args);
