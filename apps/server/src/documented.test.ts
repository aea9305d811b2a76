/** The commands of docs/operations/backup.md and doctor.md, as they stand there, beside a store that is in use. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { openStore } from '@sealwire/store/open';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { runBackupCommand } from './backups/run.ts';
import { doctor } from './doctor/doctor.ts';
import { systemMeans } from './doctor/means.ts';

jest.setTimeout(60_000);

const KEY = Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i)).toString('base64url');
const env = {
  DOMAIN: 'example.org',
  PUBLIC_ORIGIN: 'http://localhost:1',
  TOKEN_KEY_FILE: 'key',
  APP_PASSWORD_KEY: KEY,
  LISTEN: '127.0.0.1:1',
  BACKUPS_DIR: 'backups',
};
const before = process.cwd();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-documented-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

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

function terminal() {
  const said = { out: '', err: '' };
  const output = {
    out(text: string) {
      said.out += text;
    },
    err(text: string) {
      said.err += text;
    },
  };
  const sources = (argv: readonly string[]) => ({ argv, env, readFile: () => KEY });
  return { said, output, sources };
}

it('K12: back up what is in use, verify it, and bring it back elsewhere', async () => {
  const store = await openStore('lmdb:./data/store');
  const key = new Uint8Array(32).fill(1);
  const account = { address: parseAccountAddress('sip:alice@example.org'), accountKey: key, createdAt: 1 };
  await store.accounts.create(account, { version: 1, bytes: key, signature: key }, []);
  const commands = commandsOf('backup.md');
  expect(commands.map(([word]) => word)).toEqual(['backup', 'verify', 'restore']);
  for (const [name, ...words] of commands) {
    const { said, output, sources } = terminal();
    const code = await runBackupCommand(name as 'backup', sources(words), Date.now, output);
    expect([name, code, said.out]).toEqual([name, 0, '']);
    expect(said.err).toContain('1 accounts');
  }
  await store.close();
  const restored = await openStore('lmdb:restored/store');
  expect(await restored.accounts.find(account.address)).toBeDefined();
  await restored.close();
  expect(existsSync('data/blobs')).toBe(true);

  const { said, output, sources } = terminal();
  expect(await runBackupCommand('verify', sources(['none', '--json']), Date.now, output)).toBe(2);
  expect(said.err).toMatch(/^verify: FOLDER: .*none is no backup: .*\n$/);
});

it('T210, T211: say what is wrong, line by line or as JSON, for whom it is asked, and no secret', async () => {
  const [all = [], relay = []] = commandsOf('doctor.md').map(([, ...words]) => words);
  const { said, output, sources } = terminal();
  expect(await doctor(sources(all), systemMeans, output)).toBe(1);
  expect(said.out).toMatch(/^ok {4}config {5}all would start with it\n/);
  expect(said.out).toMatch(/^FAIL {2}api {8}http:\/\/localhost:1 is not reached .* → see that the proxy runs/m);
  expect(said.out).toMatch(/^FAIL {2}backup {5}backups cannot be read/m);
  const json = terminal();
  expect(await doctor(json.sources(relay), systemMeans, json.output)).toBe(1);
  const [config] = json.said.out.split('\n').map((line) => line && JSON.parse(line));
  expect(config).toMatchObject({ event: 'check', name: 'config', ok: false, fix: 'set that one' });
  expect(config.detail).toMatch(/^relay would not start: TOKEN_JWKS_URL: is not set/);
  expect(await doctor(json.sources(['nobody']), systemMeans, json.output)).toBe(2);
  expect(json.said.err).toBe(
    'doctor: arguments: there is no server nobody — write one of all, api, directory, relay, solo, or none\n',
  );
  expect(said.out + said.err + json.said.out).not.toContain(KEY);
});
