/** A profile on exFAT, or on a network share: what such file systems lack is not needed, and what it costs is said. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openSealwire, startServer } from './testing/processes.ts';

jest.setTimeout(60_000);

const PLAIN = fileURLToPath(new URL('../../../infra/scripts/plain-file-system.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sealwire-plain-'));
const profile = join(folder, '.local/share/sealwire/alice');
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

const sealwire = (...args: string[]) =>
  openSealwire(folder, args, {
    NODE_OPTIONS: `--import ${PLAIN}`,
    SEALWIRE_SERVER: server.origin,
    SEALWIRE_PASSPHRASE_FILE: passphraseFile,
  }).ended;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(passphraseFile, 'correct horse battery staple\n');
  server = await startServer(join(folder, 'server'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

describe('on a file system without links, permissions and sockets', () => {
  it('register makes keys, and warns that others can read the files', async () => {
    const { code, stderr } = await sealwire('register', '-u', 'alice');
    expect([code, stderr]).toEqual([0, expect.stringContaining(`${profile} is open to other users`)]);
    expect(readdirSync(profile).sort()).toEqual(['keys.json', 'profile.json', 'store']);
  });

  it('they are used, and get another passphrase', async () => {
    expect(await sealwire('send', '-t', 'alice', '-m', 'a note')).toMatchObject({ code: 0 });
    const changed = await sealwire('passwd', '--new-passphrase-file', passphraseFile);
    expect(changed).toMatchObject({ code: 0 });
    expect(readdirSync(profile).sort()).toEqual(['keys.json', 'profile.json', 'store']);
  });

  it('a file is fetched, and replaces none that is there', async () => {
    const place = join(folder, 'got');
    expect(await sealwire('send', '-t', 'alice', '--file', passphraseFile)).toMatchObject({ code: 0 });
    expect(await sealwire('listen', '--until-caught-up')).toMatchObject({ code: 0 });
    expect(await sealwire('file', 'get', '1', '-o', place)).toMatchObject({ code: 0 });
    expect(readFileSync(place)).toEqual(readFileSync(passphraseFile));
    expect(await sealwire('file', 'get', '1', '-o', place)).toMatchObject({ code: 2 });
  });

  it('doctor says what chmod cannot do there', async () => {
    const { records } = await sealwire('doctor', '--json');
    const failed = records.filter(({ ok }) => ok === false);
    expect(failed.map(({ name }) => name)).toEqual(['access', 'access', 'access']);
    expect(records.at(-1)).toMatchObject({ name: 'relay', ok: true });
    expect(failed[0]).toMatchObject({
      fix: `run chmod 700 ${profile}; where that changes nothing (exFAT, a share), mount it with umask=077`,
    });
  });
});
