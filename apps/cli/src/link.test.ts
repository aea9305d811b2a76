/** `sealwire link` on two machines, against a server of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';

jest.setTimeout(30_000);

const folder = mkdtempSync(join(tmpdir(), 'sealwire-link-'));
const passphrase = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const on = (machine: string, args: readonly string[], terminal = false) => {
  const home = join(folder, machine);
  mkdirSync(home, { recursive: true });
  const argv = [...args, '-u', 'alice', '--passphrase-file', passphrase];
  return openInProcess(home, argv, { runtime: REAL_RUNTIME, terminal, env: { SEALWIRE_SERVER: server.origin } });
};
const done = async (machine: string, ...args: string[]) => on(machine, args).ended;

beforeAll(async () => {
  writeFileSync(passphrase, 'correct horse battery', { mode: 0o600 });
  server = await startServer(join(folder, 'server'));
  expect(await done('desk', 'register')).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const codeIn = (text: string) => /sealwire-link-1:[\w-]{64}/.exec(text)![0];
const digitsIn = (text: string) => /type there: (\d\d)/.exec(text)![1]!;

describe('link', () => {
  it('shows a code and digits, lets the machine in, and tells both', async () => {
    const laptop = on('laptop', ['link']);
    await laptop.says('sealwire link approve');
    const desk = on('desk', ['link', 'approve', codeIn(laptop.stdoutSoFar())], true);
    await desk.says('two digits');
    await laptop.says('type there');
    const digits = digitsIn(laptop.stdoutSoFar());
    desk.stdin.write(`${(Number(digits) + 1) % 100}\r`);
    await desk.says('these are not the digits');
    desk.stdin.write(`${digits}\r`);
    const approved = await desk.ended;
    expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('linked sip:alice@') });
    expect(approved.stderr).toContain('sealwire devices remove');
    expect(await laptop.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('registered at') });
    expect((await done('laptop', 'devices', '--json')).records).toHaveLength(2);
    // It was not given the account's secret.
    expect(await done('laptop', 'devices', 'export-secret')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^sealwire: this device may not change the list of devices.*\n$/),
    });
  });

  it('whom one machine verifies, or not any more, the other one trusts as much', async () => {
    mkdirSync(join(folder, 'bob'), { recursive: true });
    const argv = ['register', '-u', 'bob', '--passphrase-file', passphrase];
    const env = { SEALWIRE_SERVER: server.origin };
    expect(await openInProcess(join(folder, 'bob'), argv, { runtime: REAL_RUNTIME, env }).ended).toMatchObject({
      code: 0,
    });
    expect(await done('laptop', 'verify', 'bob', '--show')).toMatchObject({ code: 0 });
    expect(await done('desk', 'verify', 'bob', '--yes')).toMatchObject({ code: 0 });
    const listen = on('laptop', ['listen']);
    await listen.says('another of your devices has verified bob');
    expect(await done('desk', 'verify', 'bob', '--withdraw')).toMatchObject({ code: 0 });
    await listen.says('another of your devices has taken back that you verified bob');
    listen.interrupt();
    await listen.ended;
    expect((await done('laptop', 'trust', '--json')).records).toMatchObject([{ devices: [{ trust: 'untrusted' }] }]);
  });

  it('without a terminal: the digits as an option, the code and all else as JSON', async () => {
    const tablet = on('tablet', ['link', '--json']);
    await tablet.says('link-code');
    const { code } = JSON.parse(tablet.stdoutSoFar().split('\n')[0]!);
    const wrong = on('desk', ['link', 'approve', code, '--digits', 'ab', '--json']);
    await tablet.says('link-digits');
    expect(await wrong.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('"wrong-digits"') });
    tablet.interrupt();
    expect(await tablet.ended).toMatchObject({ code: 130 });
    const again = on('tablet', ['link', '--json']);
    await again.says('link-code');
    const second = JSON.parse(again.stdoutSoFar().split('\n')[0]!);
    const asked = on('desk', ['link', 'approve', second.code, '--json']);
    expect(await asked.ended).toMatchObject({ code: 2, stderr: expect.stringContaining('--digits') });
    again.interrupt();
    expect(await again.ended).toMatchObject({ code: 130 });
  });

  it.each([
    ['hello', 'a link code begins with sealwire-link-1:'],
    ['sealwire-link-1:AAAA', 'the link code is not whole: copy it again'],
  ])('refuses the code %s in one line', async (code, text) => {
    expect(await done('desk', 'link', 'approve', code)).toMatchObject({ code: 2, stderr: `sealwire: ${text}\n` });
  });
});
