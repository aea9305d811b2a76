/** The commands of docs/operations/backup.md and doctor.md, typed as they stand there, beside a server that runs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { serverProcesses } from '@sealwire/service/testing/server-process';

jest.setTimeout(120_000);

const KEY = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url');
const processes = serverProcesses(import.meta.url);

/** Of the fenced `sh` blocks, the words after `sealwire-server`. */
function commandsOf(page: string): string[][] {
  const text = readFileSync(new URL(`../../../docs/operations/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) =>
    block!
      .split('\n')
      .filter((line) => line.startsWith('sealwire-server '))
      .map((line) => line.split(' ').slice(1)),
  );
}

it('K12, T210: are taken, back up what runs, bring it back elsewhere, and say what is wrong', async () => {
  const env = {
    DOMAIN: 'example.org',
    PUBLIC_ORIGIN: 'http://localhost:1',
    TOKEN_KEY: KEY,
    APP_PASSWORD_KEY: KEY,
    LISTEN: '127.0.0.1:0',
    BACKUPS_DIR: 'backups',
  };
  const url = await processes.start(['all'], env).listening();
  const backups = commandsOf('backup.md');
  expect(backups.map(([word]) => word)).toEqual(['backup', 'verify', 'restore']);
  for (const words of backups) {
    const { code, stdout, stderr } = await processes.start(words, env).ended;
    expect([words[0], code, stdout]).toEqual([words[0], 0, '']);
    expect(stderr).toContain(`${words[0]}: `);
    expect(stderr).not.toContain(KEY);
  }
  expect(existsSync(join(processes.folder, 'restored/store/data.mdb'))).toBe(true);

  const [doctor = [], relay = []] = commandsOf('doctor.md');
  const here = { ...env, LISTEN: new URL(url).host };
  const [said, json] = await Promise.all([
    processes.start(doctor, here).ended,
    // It lacks a setting, and its front is the server itself.
    processes.start(relay, { ...here, PUBLIC_ORIGIN: url.replace('127.0.0.1', 'localhost') }).ended,
  ]);
  expect([said.code, said.stderr]).toEqual([1, '']);
  expect(said.stdout).toMatch(/^ok {4}config +all would start with it\n/);
  expect(said.stdout).toMatch(/^FAIL {2}api +http:\/\/localhost:1 is not reached .* → see that the proxy runs/m);
  expect(said.stdout).toMatch(/^ok {4}store +the server that runs here writes and reads it$/m);
  expect(said.stdout).toMatch(/^ok {4}backup +the newest is 0\.\d hours old/m);
  const found = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; ok: boolean; fix: string });
  expect(found[0]).toMatchObject({ event: 'check', name: 'config', ok: false, fix: 'set that one' });
  for (const name of ['api', 'directory', 'relay', 'store', 'backup'])
    expect(found).toContainEqual(expect.objectContaining({ name, ok: true }));
  expect(said.stdout + json.stdout).not.toContain(KEY);
});
