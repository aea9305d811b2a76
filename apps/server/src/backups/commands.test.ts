/** `backup`, `verify` and `restore` as their callers see them: store and files together, in this process. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openBlobs } from '@sealwire/blobs/open';
import { partsOf } from '@sealwire/blobs/parts';
import type { Blobs } from '@sealwire/blobs/port';
import { openStore } from '@sealwire/store/open';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { type BackupTask, backUp, restore, verify } from './commands.ts';
import type { BackupSettings } from './settings.ts';

jest.setTimeout(60_000);

const NOW = 1_800_000_000_000;
const BYTES = 5_000;
const ALICE = parseAccountAddress('sip:alice@example.org');
const CONTENT = Buffer.from(Uint8Array.from({ length: BYTES }, (_, i) => i * 7));
let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-backups-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

function settingsOf(name: string, more: Partial<BackupSettings> = {}): BackupSettings {
  const files = { BLOBS_URL: `file:${at(`${name}-files`)}`, BLOBS_REGION: 'us-east-1', FILES: undefined };
  return {
    STORE_URL: `lmdb:${at(name)}`,
    BLOBS_PUBLIC_ORIGIN: undefined,
    BLOBS_ACCESS_KEY: undefined,
    BLOBS_SECRET_KEY: undefined,
    ...files,
    ...more,
  };
}

const task = (settings: BackupSettings, now = NOW): BackupTask => ({
  settings,
  folder: at('kept'),
  now: () => now,
  suffix: 'x',
  say: (text) => void said.push(text),
});

async function put(blobs: Blobs, id: string): Promise<void> {
  const upload = { id, bytes: BYTES, handle: await blobs.begin(id, BYTES, NOW) };
  const [part] = partsOf(BYTES);
  if (blobs.way.by === 'streams')
    await blobs.way.writePart(
      upload,
      part!,
      (async function* () {
        yield CONTENT;
      })(),
    );
  else
    await fetch(await blobs.way.partUrl(upload, part!, { now: Date.now(), until: Date.now() + 60_000 }), {
      method: 'PUT',
      body: CONTENT,
    });
  await blobs.complete(upload);
}

/** With an account, and files of these names that it knows of. */
async function live(settings: BackupSettings, ...ids: readonly string[]): Promise<Blobs> {
  const store = await openStore(settings.STORE_URL);
  const key = new Uint8Array(32).fill(1);
  await store.accounts.create(
    { address: ALICE, accountKey: key, createdAt: 1 },
    { version: 1, bytes: key, signature: key },
    [],
  );
  const blobs = await openBlobs(settings.BLOBS_URL, {
    accessKey: settings.BLOBS_ACCESS_KEY,
    secretKey: settings.BLOBS_SECRET_KEY,
  });
  for (const id of ids) {
    await put(blobs, id);
    await store.attachments.add(
      ALICE,
      { id, bytes: BYTES, handle: 'h', expiresAt: NOW + 9 },
      { attachments: 9, bytes: 1e6 },
    );
    await store.attachments.complete(ALICE, id, NOW + 1e9);
  }
  await store.close();
  return blobs;
}

describe('store and files', () => {
  it('K12: come back as they were, for their user only, and what is gone since is said', async () => {
    const blobs = await live(settingsOf('live'), 'first', 'second');
    const made = await backUp(task(settingsOf('live')));
    expect(made).toMatchObject({ begunAt: NOW, files: 2, fileBytes: 2 * BYTES, faults: [], counts: { accounts: 1 } });
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
    expect(statSync(at('kept')).mode & 0o077).toBe(0);
    expect(await verify(task(settingsOf('live')))).toMatchObject({ files: 2, faults: [] });
    await blobs.close();

    said = [];
    const back = await restore(task(settingsOf('back'), NOW + 600_000));
    expect(back).toMatchObject({ faults: [], oneTimeKeys: 0 });
    expect(said.join('\n')).toMatch(/accepted since 2027-01-15T08:00:00.000Z \(10 minutes\) is gone/);
    const store = await openStore(`lmdb:${at('back')}`);
    expect(await store.accounts.find(ALICE)).toBeDefined();
    await store.close();
    const files = await openBlobs(`file:${at('back-files')}`);
    expect(await bytesOf(files, 'second')).toEqual(CONTENT);
  });

  it('K12: files that are not there, damaged or missing copies are told, and nothing is restored', async () => {
    const blobs = await live(settingsOf('live'), 'first', 'second', 'third');
    await blobs.delete('third');
    expect((await backUp(task(settingsOf('live')))).faults).toEqual(['files: third is not there']);
    writeFileSync(
      join(at('kept'), 'files/fi/first'),
      CONTENT.map((byte) => byte ^ 1),
    );
    rmSync(join(at('kept'), 'files/se/second'));
    const { faults } = await restore(task(settingsOf('back')));
    expect(faults).toEqual(['files: first is damaged', 'files: second is missing']);
    expect([existsSync(at('back')), said.at(-1)]).toEqual([false, 'nothing is restored: use another backup']);
  });

  it('K12: files that were listed only are looked for at their place', async () => {
    const blobs = await live(settingsOf('live'), 'first', 'second');
    const listing = settingsOf('live', { FILES: 'list' });
    expect(await backUp(task(listing))).toMatchObject({ files: 2, faults: [] });
    expect(existsSync(join(at('kept'), 'files'))).toBe(false);
    await blobs.delete('first');
    const elsewhere = { ...settingsOf('back'), BLOBS_URL: listing.BLOBS_URL };
    const { faults } = await restore(task(elsewhere));
    expect(faults).toEqual(['files: first is not at its place, and the backup lists it only']);
    expect(existsSync(at('back'))).toBe(true);
  });

  it('are refused where something is, in one line, and a copy that failed leaves nothing', async () => {
    await live(settingsOf('live'));
    await expect(backUp(task(settingsOf('nowhere')))).rejects.toThrow('STORE_URL: there is no store in');
    expect(readdirSync(folder).sort()).toEqual(['live', 'live-files']);
    await backUp(task(settingsOf('live')));
    await expect(backUp(task(settingsOf('live')))).rejects.toThrow('kept is there already — name a folder that is not');
    await expect(restore(task(settingsOf('live')))).rejects.toThrow('is not empty; name another folder');
    await expect(restore({ ...task(settingsOf('back')), folder: at('live') })).rejects.toThrow('is no backup');
  });

  it('T213: a list of files that names another folder is refused', async () => {
    await live(settingsOf('live'));
    await backUp(task(settingsOf('live')));
    writeFileSync(join(at('kept'), 'files.jsonl'), '{"id":"../../x","bytes":1}\n');
    await expect(verify(task(settingsOf('live')))).rejects.toThrow('files.jsonl is damaged');
  });
});

const S3 = process.env.S3_URL;
(S3 === undefined ? it.skip : it)(
  'K12: files of an S3 server are listed, and copied on request (skipped without S3_URL)',
  async () => {
    const s3 = {
      BLOBS_URL: `s3+${S3}/sealwire-backups`,
      BLOBS_ACCESS_KEY: 'sealwire',
      BLOBS_SECRET_KEY: 'sealwire-secret',
    };
    const blobs = await live(settingsOf('live', s3), 'first');
    expect(await backUp(task(settingsOf('live', s3)))).toMatchObject({ files: 1, faults: [] });
    expect(existsSync(join(at('kept'), 'files'))).toBe(false);
    rmSync(at('kept'), { recursive: true });
    await backUp({ ...task(settingsOf('live', { ...s3, FILES: 'copy' })), now: Date.now });
    expect(readFileSync(join(at('kept'), 'files/fi/first'))).toEqual(CONTENT);
    await blobs.delete('first');
    await restore({ ...task(settingsOf('back', s3)), now: Date.now });
    expect(await blobs.size('first')).toBe(BYTES);
    await blobs.delete('first');
    await blobs.close();
  },
);

async function bytesOf(blobs: Blobs, id: string): Promise<Buffer> {
  if (blobs.way.by !== 'streams') throw new Error('not a folder');
  const pieces: Uint8Array[] = [];
  for await (const piece of await blobs.way.read(id, { first: 0, last: BYTES - 1 })) pieces.push(piece);
  return Buffer.concat(pieces);
}
