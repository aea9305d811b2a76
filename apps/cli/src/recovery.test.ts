/** `sealwire recovery`, `recover` and `devices undo`, against a server of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { resetAccount, startServer } from './testing/processes.ts';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-recovery-'));
const data = join(folder, 'server');
const passphrase = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const on = (machine: string, args: readonly string[], user = 'alice', terminal = false) => {
  const home = join(folder, machine);
  mkdirSync(home, { recursive: true });
  const argv = [...args, '-u', user, '--passphrase-file', passphrase];
  return openInProcess(home, argv, { runtime: REAL_RUNTIME, terminal, env: { SEALWIRE_SERVER: server.origin } });
};
const done = async (machine: string, ...args: string[]) => on(machine, args).ended;
const written = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};

beforeAll(async () => {
  writeFileSync(passphrase, 'correct horse battery', { mode: 0o600 });
  server = await startServer(data);
  expect(await done('desk', 'register')).toMatchObject({ code: 0 });
  expect(await on('bobs', ['register'], 'bob').ended).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('recovery', () => {
  it('shows the key, finds a mistake in what was typed, and lets a new machine in with it', async () => {
    const shown = await done('desk', 'recovery', 'show');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(?:[0-9A-Z]{5}[ \n]){14}$/) });
    const paper = shown.stdout.trim();
    const good = await done('desk', 'recovery', 'check', '--key-file', written('paper', paper.toLowerCase()));
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('this is the recovery key of sip:alice@') });
    const wrong = written(
      'wrong',
      paper.replace(/^.{5}/, (group) => (group[0] === '2' ? `3${group.slice(1)}` : `2${group.slice(1)}`)),
    );
    for (const command of [['recovery', 'check'], ['recover']])
      expect(await done(command[0] === 'recover' ? 'laptop' : 'desk', ...command, '--key-file', wrong)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('there is a mistake in group 1'),
      });
    const laptop = on('laptop', ['recover'], 'alice', true);
    await laptop.says('Recovery key');
    laptop.stdin.write(`${paper.replaceAll(/\s/g, ' ')}\r`);
    expect(await laptop.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('registered at') });
    expect((await done('laptop', 'devices', '--json')).records).toHaveLength(1);
    expect(await done('desk', 'devices')).toMatchObject({ code: 4 });
  });

  it('without the key: the operator’s code makes the name anew, and a contact is asked before anything is sent', async () => {
    const send = () => on('bobs', ['send', '-t', 'alice', '-m', 'hello'], 'bob').ended;
    expect(await send()).toMatchObject({ code: 0 });
    const { code, said } = await resetAccount(data, 'alice');
    expect(said).toMatch(/^reset [0-9a-f]{8} of sip:alice@localhost: good once, until 2/);
    const phone = await done('phone', 'recover', '--reset-code-file', written('code', code));
    expect(phone).toMatchObject({ code: 0, stdout: expect.stringContaining('registered at') });
    expect(await send()).toMatchObject({ code: 1, stderr: expect.stringContaining('sealwire trust accept') });
    expect(await on('bobs', ['trust', '--json'], 'bob').ended).toMatchObject({
      records: [{ event: 'keys', shownKey: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    const told = await on('bobs', ['listen', '--until-caught-up'], 'bob').ended;
    expect(told.stderr).toContain('accept the new key: sealwire trust accept -t alice');
    expect(await on('bobs', ['trust', 'accept', '-t', 'alice', '--yes'], 'bob').ended).toMatchObject({ code: 0 });
    expect(await send()).toMatchObject({ code: 0 });
    expect(await done('phone', 'listen', '--until-caught-up')).toMatchObject({
      stdout: expect.stringContaining('hello'),
    });
    expect(await done('laptop', 'listen')).toMatchObject({ code: 4, stderr: expect.stringContaining('was reset') });
  });

  it('undoes a linking, also while `listen` has the keys', async () => {
    expect(await done('phone', 'devices', 'undo')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no device came'),
    });
    const secret = written('secret', (await done('phone', 'devices', 'export-secret')).stdout);
    const listening = on('phone', ['listen', '--json']);
    await listening.says('caught-up');
    expect(await done('tablet', 'devices', 'join', '--secret-file', secret)).toMatchObject({ code: 0 });
    await listening.says('devices-changed');
    const undone = await done('phone', 'devices', 'undo', '--json');
    expect(undone).toMatchObject({ code: 0, records: [{ event: 'undone', administrator: false }] });
    listening.interrupt();
    await listening.ended;
    expect((await done('phone', 'devices', '--json')).records).toHaveLength(1);
  });
});
