/** What infra/systemd promises of the service on one machine, read from its unit, and by systemd's own tools where they are. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '@sealwire/wire/limits';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const unit = readFileSync(join(root, 'infra/systemd/sealwire.service'), 'utf8');
const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];

/** Of systemd 252, in hundredths; a release that looks at more may find more. */
const EXPOSURE = 20;

describe('sealwire.service', () => {
  it('T197: has a user of its own, no privilege, and one folder that it can write', () => {
    expect(value('User')).toBe('sealwire');
    for (const key of ['CapabilityBoundingSet', 'AmbientCapabilities']) expect([key, value(key)]).toEqual([key, '']);
    expect(value('ProtectSystem')).toBe('strict');
    for (const key of ['NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'PrivateDevices', 'RestrictSUIDSGID'])
      expect([key, value(key)]).toEqual([key, 'yes']);
    expect([value('StateDirectory'), value('StateDirectoryMode'), value('UMask')]).toEqual([
      'sealwire',
      '0700',
      '0077',
    ]);
    expect(unit).not.toMatch(/^(ReadWritePaths|BindPaths|SupplementaryGroups)=/m);
    expect(unit).toMatch(/^Environment=.*\bDATA_DIR=\/var\/lib\/sealwire$/m);
  });

  it('runs what is built, and gives the end of its sockets its time', () => {
    const [, path] = /^ExecStart=\/usr\/bin\/node \/opt\/sealwire\/(\S+)$/m.exec(unit)!;
    expect(path).toBe('apps/solo/dist/main.js');
    const sockets = Number(value('LimitNOFILE')) / 4;
    // Half of the files are sockets of clients, behind a proxy half of these.
    expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(sockets / LIMITS.drainSocketsPerSecond.value + 10);
    // What a wrong setting ends with (packages/service/src/boot/config.ts).
    expect(value('RestartPreventExitStatus')).toBe('2');
  });

  const has = spawnSync('systemd-analyze', ['--version']).status === 0;
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-unit-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  (has ? it : it.skip)(
    'T197: systemd finds no fault in it, and next to nothing that it could still do (skipped without systemd-analyze)',
    () => {
      const file = join(folder, 'sealwire.service');
      writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath).replaceAll('/opt/sealwire/', root));
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
      expect([verified.status, verified.stderr]).toEqual([0, '']);
      const args = ['security', '--offline=true', `--threshold=${EXPOSURE}`, file];
      const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
      expect([status, /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]]).toEqual([0, expect.any(String)]);
    },
  );
});
