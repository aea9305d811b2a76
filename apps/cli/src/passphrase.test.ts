/** The prompt, with a terminal played by a stream. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type InProcess, openInProcess } from './testing/in-process.ts';
import { discoveredOnly } from './testing/profiles.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sealwire-passphrase-'));
});
afterEach(() => rmSync(home, { recursive: true }));

/** Types each line when its question has been asked. */
async function type(program: InProcess, ...lines: string[]) {
  const questions = () => (program.stderrSoFar().match(/: $/gm) ?? []).length;
  for (const line of lines) {
    while (!program.stderrSoFar().endsWith(': ')) await new Promise(setImmediate);
    const asked = questions();
    program.stdin.write(`${line}\n`);
    while (questions() === asked && program.stderrSoFar().endsWith(': ')) await new Promise(setImmediate);
  }
  return program.ended;
}

const register = () => openInProcess(home, ['register', '-u', 'alice'], { terminal: true, runtime: discoveredOnly });
const keys = () => join(home, '.local/share/sealwire/alice/keys.json');

describe('a new passphrase', () => {
  it('is asked for twice, and never shown', async () => {
    const { code, stdout, stderr } = await type(register(), 'open sesame', 'open sesame');
    // The server is gone: the keys are made, and wait.
    expect([code, existsSync(keys())]).toEqual([EXIT_OFFLINE, true]);
    expect(stderr).toContain('New passphrase for the keys of alice: \nOnce more: \n');
    expect(stdout + stderr).not.toContain('sesame');
  });

  it('L10: typed differently the second time makes nothing', async () => {
    const { code, stderr } = await type(register(), 'open sesame', 'open sesamy');
    expect([code, existsSync(keys())]).toEqual([2, false]);
    expect(stderr).toContain('the two passphrases differ');
  });

  it('of fewer than eight characters is refused', async () => {
    const { code, stderr } = await type(register(), 'sesame');
    expect([code, existsSync(keys())]).toEqual([2, false]);
    expect(stderr).toContain('at least 8 characters');
  });

  it('is not given by Ctrl-C', async () => {
    const program = register();
    while (!program.stderrSoFar().endsWith(': ')) await new Promise(setImmediate);
    program.stdin.write('open ses\u0003');
    expect((await program.ended).code).toBe(130);
  });
});

describe('the passphrase of existing keys', () => {
  it('is asked for once; a wrong one ends with 4 and one line', async () => {
    await type(register(), 'open sesame', 'open sesame');
    const { code, stderr } = await type(register(), 'open barley');
    expect(code).toBe(4);
    expect(stderr).toBe(`Passphrase for alice: \nsealwire: wrong passphrase for ${keys()}\n`);
  });
});

describe('a passphrase file', () => {
  it('that others may read is used, and warned of', async () => {
    const file = join(home, 'passphrase');
    writeFileSync(file, 'open sesame\n', { mode: 0o644 });
    const { code, stderr } = await openInProcess(home, ['register', '-u', 'alice', '--passphrase-file', file]).ended;
    expect(code).toBe(EXIT_OFFLINE);
    expect(stderr).toContain(`run chmod 600 ${file}`);
  });
});

const EXIT_OFFLINE = 3;
