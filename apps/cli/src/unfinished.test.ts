/** What a registration that failed leaves behind: nothing, or keys that wait for the same command, and that no other command takes for a choice. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existingUsers } from './profile.ts';
import { NO_NETWORK, openInProcess } from './testing/in-process.ts';
import { discoveredOnly, makeProfile } from './testing/profiles.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sealwire-unfinished-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const profiles = () => join(home, '.local/share/sealwire');
const register = (name: string, runtime = NO_NETWORK) =>
  openInProcess(home, ['register', '-u', name, '--no-passphrase'], { runtime }).ended;

describe('a registration that failed', () => {
  it('before any key was made leaves nothing', async () => {
    const { code, stderr } = await register('alice');
    expect(code).toBe(3);
    expect(stderr).not.toContain('the keys are kept');
    expect(readdirSync(profiles())).toEqual([]);
  });

  it('with keys that the server may know keeps them, and the same command goes on', async () => {
    const { code, stderr } = await register('alice', discoveredOnly);
    expect(code).toBe(3);
    expect(stderr).toContain('the keys are kept: the same command goes on where this one stopped');
    expect(existingUsers(profiles())).toEqual(['alice']);
    // Made before, kept now, though nothing came of it again.
    expect((await register('alice')).stderr).toContain('the keys are kept');
    expect(existingUsers(profiles())).toEqual(['alice']);
  });

  it('is no choice for later commands, while there are keys of somebody who is registered', async () => {
    await register('alice', discoveredOnly);
    makeProfile(home, 'bob');
    const { stderr } = await openInProcess(home, ['whoami', '--json']).ended;
    expect(stderr).not.toMatch(/say whose|alice/);
    makeProfile(home, 'carol');
    const asked = await openInProcess(home, ['whoami']).ended;
    expect([asked.code, asked.stderr]).toEqual([
      2,
      expect.stringContaining('there are keys of bob, carol here: say whose'),
    ]);
  });
});
