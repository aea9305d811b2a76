/** infra/k8s/plain is what the chart renders, and its overlays are whole: by digests, and by Helm and Kustomize where infra/k8s/tools.sh built them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { edgesOf, K8S, type Manifest, manifestsIn, podsOf, renderedManifests } from './manifests.ts';

const root = join(K8S, '../..');
const k8s = (...args: string[]) =>
  spawnSync(process.execPath, [join(K8S, 'render.mjs'), ...args], { encoding: 'utf8' });

const toolOf = (name: string) => {
  const version = new RegExp(`^${name}=(\\S+)$`, 'm').exec(readFileSync(join(K8S, 'tools.sh'), 'utf8'))![1];
  return join(process.env.SEALWIRE_ENGINES ?? join(homedir(), '.cache/sealwire-engines'), 'bin', `${name}-${version}`);
};
const [hasHelm, hasKustomize] = [existsSync(toolOf('helm')), existsSync(toolOf('kustomize'))];

describe('the plain rendering', () => {
  it('is of the chart and the values that are there, and nobody has changed it since', () => {
    expect(k8s('fresh')).toMatchObject({ status: 0, stderr: '' });
  });

  (hasHelm ? it : it.skip)('is what Helm makes of the chart now (skipped without infra/k8s/tools.sh up)', () => {
    expect(k8s('compare')).toMatchObject({ status: 0, stderr: '' });
  });

  (hasKustomize ? it : it.skip).each(['production', 'trial'] as const)(
    'overlay %s: has what the chart has, under the names that plain/yours says (skipped without infra/k8s/tools.sh up)',
    (overlay) => {
      const folder = mkdtempSync(join(tmpdir(), 'sealwire-plain-'));
      cpSync(join(K8S, 'plain'), folder, { recursive: true });
      for (const name of ['address', 'host']) {
        const file = join(folder, `yours/${name}.yaml`);
        writeFileSync(file, readFileSync(file, 'utf8').replaceAll('chat.example.org', 'talk.example.net'));
      }
      const { stdout, stderr } = spawnSync(toolOf('kustomize'), ['build', join(folder, 'overlays', overlay)], {
        encoding: 'utf8',
      });
      rmSync(folder, { recursive: true });
      expect(stderr).toBe('');
      expect(stdout).not.toContain('chat.example.org');
      const names = (manifests: readonly Manifest[]) =>
        manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
      const rendered = renderedManifests(overlay);
      const built = manifestsIn(stdout);
      expect(names(built)).toEqual(names(rendered));
      expect(edgesOf(built)).toEqual(edgesOf(rendered));
      const images = podsOf(built).map(({ pod }) => pod.containers[0]!.image);
      expect(images.filter((image) => image === 'registry.example.org/sealwire/server:0.1.0')).toHaveLength(3);
      expect(images.filter((image) => image.startsWith('localhost/'))).toEqual([]);
    },
  );

  it('is the version of this repository, with the engines of docker-compose.yml', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const chart = parse(readFileSync(join(K8S, 'chart/Chart.yaml'), 'utf8'));
    expect([chart.version, chart.appVersion]).toEqual([version, version]);
    const values = parse(readFileSync(join(K8S, 'chart/values.yaml'), 'utf8'));
    expect(values.image.tag).toBe(version);
    const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });
    expect([values.trial.mongoImage, values.trial.valkeyImage, values.trial.s3Image]).toEqual(
      ['mongo', 'valkey', 's3'].map((name) => services[name].image),
    );
    const script = (path: string) => readFileSync(join(root, path), 'utf8');
    expect(script('infra/k8s/chart/files/replica-set.js')).toBe(script('infra/docker/replica-set.js'));
  });
});
