/**
 * `schema-4.mdb.gz` and `schema-4.journal.gz` are what the version before this schema left when it
 * was killed: an account with a backlog of which some was acknowledged (device 1), a session (2), a
 * gap (3), prekeys, an app password and an invitation; the last eight messages and an
 * acknowledgement in the log.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type DeviceId, parseAccountAddress } from '@sealwire/wire/ids';
import { accepted, bytes, messageId, REPEATED, ROOMY } from '../../contract/fixture.ts';
import { openLmdbStore } from '../../lmdb.ts';
import type { Mail, Store } from '../../port.ts';
import { verifyLmdbStore } from '../../repair.ts';
import { openEnvironment, SCHEMA_KEY } from '../environment.ts';

const ALICE = parseAccountAddress('sip:alice@example.org');
const SENDER = 'sip:bob@example.org;gr=urn:uuid:1' as DeviceId;
const AT = 1_000_000;
const device = (n: number) => `${ALICE};gr=urn:uuid:${n}` as DeviceId;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-upgrade-4-'));
  for (const [file, packed] of [
    ['data.mdb', 'schema-4.mdb.gz'],
    ['journal.dat', 'schema-4.journal.gz'],
  ] as const)
    writeFileSync(join(folder, file), gunzipSync(readFileSync(fileURLToPath(new URL(packed, import.meta.url)))));
});

afterEach(() => rmSync(folder, { recursive: true }));

const read = (store: Store, n: number) =>
  store.mailboxes.read(device(n), { after: 0, messages: 1_000, bytes: 1e9, horizon: 0 });

function mail(n: number, to: number): Mail {
  const recipients = [{ device: device(to), own: [] }];
  return { sender: SENDER, id: messageId(n), digest: bytes(n), at: AT, shared: [bytes(n, 20)], recipients };
}

/** What holds after the first opening holds after the second one. */
async function isUpgraded(): Promise<void> {
  const parts: string[] = [];
  const damaged = (part: string) => void parts.push(part);
  const reports = { isNew: () => void parts.push('new'), damaged, full() {}, hasSpace() {} };
  for (const opening of [0, 1]) {
    const store = await openLmdbStore({ path: folder, reports });
    const { mails } = await read(store, 1);
    const left = [...Array.from({ length: 30 }, (_, i) => i + 11), 43, 44, 45, 46, 47, 48, 49, 50];
    expect(mails.map(({ bytes: body }) => body[0])).toEqual(left);
    expect(mails.every(({ seq, bytes: body, at }) => body.length === 20 && at === AT && seq > 10)).toBe(true);
    expect(await store.mailboxes.usage(device(1))).toEqual({ messages: 38, bytes: 760 });
    expect(await read(store, 3)).toMatchObject({
      mails: { length: 1 + opening },
      gap: { count: 1, fromSeq: 1, toSeq: 1, reason: 'expired' },
    });
    expect(await store.mailboxes.claimSession(device(2), 6)).toBeGreaterThan(6);
    expect(await store.mailboxes.append([mail(7, 1), mail(45, 2)], ROOMY)).toEqual([REPEATED, REPEATED]);
    expect(await store.prekeys.listOneTime(device(1), 'c25519')).toEqual([2, 3]);
    expect(await store.appPasswords.list(ALICE)).toMatchObject([{ name: 'one' }]);
    expect((await store.devices.find(device(2)))?.loginKey).toEqual(bytes(102));
    expect(await store.mailboxes.append([mail(200 + opening, 3)], ROOMY)).toEqual([accepted(3 + opening)]);
    await store.close();
    expect((await verifyLmdbStore(folder)).faults).toEqual([]);
  }
  expect(parts).toEqual([]);
}

describe('a folder of schema 4', () => {
  it('is brought up to date with its log, though its process was killed', isUpgraded);

  it('is brought up to date to its end when a process died in the middle of that', async () => {
    const { root, close } = openEnvironment(folder);
    root.transactionSync(() => root.putSync(SCHEMA_KEY, Buffer.from('sealwire-store 4 to 5')));
    await close();
    await isUpgraded();
  });
});
