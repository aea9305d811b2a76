/**
 * The manifests before a real Kubernetes API server, and faults that it must refuse: a check that lets everything pass shows nothing. Skipped
 * aloud where `npm run k8s -- check` has not compiled one.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { K8S } from './manifests.ts';

jest.setTimeout(300_000);

const check = (...args: string[]) => spawnSync(join(K8S, 'check.sh'), args, { encoding: 'utf8' });
const isBuilt = check('built').status === 0;
const production = join(K8S, 'plain/overlays/production/rendered.yaml');
const folder = mkdtempSync(join(tmpdir(), 'sealwire-manifests-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
  if (isBuilt) check('stop');
});

(isBuilt ? describe : describe.skip)('a real API server (skipped without npm run k8s -- check)', () => {
  it.each(['production', 'trial'])('takes every object of the overlay %s, without a warning', (overlay) => {
    const { status, stdout, stderr } = check(join(K8S, `plain/overlays/${overlay}/rendered.yaml`));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('deployment.apps/sealwire-relay created (server dry run)');
  });

  it.each([
    ['a field that there is not', 'replicas:', 'replicaz:', 'unknown field "spec.replicaz"'],
    ['less than the level restricted', 'runAsNonRoot: true', 'runAsNonRoot: false', 'violate PodSecurity "restricted'],
    ['a net that is none', /cidr: \S+/, 'cidr: 10.20.0.0/99', 'must be a valid CIDR value'],
    [
      'a ServiceMonitor that its operator would not read',
      /interval: \S+/,
      'interval: often',
      'spec.endpoints[0].interval',
    ],
  ])('refuses %s', (_fault, before, after, reason) => {
    const sound = readFileSync(production, 'utf8');
    const planted = sound.replace(before, after);
    expect(planted).not.toBe(sound);
    const file = join(folder, 'planted.yaml');
    writeFileSync(file, planted);
    const { status, stderr } = check(file);
    expect(status).toBe(1);
    expect(stderr).toContain(reason);
  });
});
