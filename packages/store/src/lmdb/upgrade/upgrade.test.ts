/**
 * `schema-3.mdb.gz` is what the version before this schema left when it was closed: one account
 * with a backlog of which some was acknowledged one by one (device 1), a few messages and a session
 * (2), a gap out of the middle (3), a device that is gone (4), and one-time keys of the first
 * device, one of them claimed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type DeviceId, parseAccountAddress } from '@sealwire/wire/ids';
import { accepted, bytes, expectError, messageId, REPEATED, ROOMY, readAll } from '../../contract/fixture.ts';
import { openStore } from '../../open.ts';
import { KeyTakenError, type Mail, type Store } from '../../port.ts';
import { openEnvironment, SCHEMA_KEY } from '../environment.ts';
import { LOG_FILE, type Place, RING_ID_BYTES, RingFile } from '../log/ring-file.ts';

const ALICE = parseAccountAddress('sip:alice@example.org');
const SENDER = 'sip:bob@example.org;gr=urn:uuid:1' as DeviceId;
const AT = 1_000_000;
const HORIZON = { after: 0, messages: 1_000, bytes: 1e9, horizon: 0 };
const device = (n: number) => `${ALICE};gr=urn:uuid:${n}` as DeviceId;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-upgrade-'));
  const file = fileURLToPath(new URL('schema-3.mdb.gz', import.meta.url));
  writeFileSync(join(folder, 'data.mdb'), gunzipSync(readFileSync(file)));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What holds after the first opening holds after the second one. */
async function openedTwice(check: (store: Store, opening: number) => Promise<void>): Promise<void> {
  for (let opening = 0; opening < 2; opening++) {
    const store = await openStore(`lmdb:${folder}`);
    await check(store, opening);
    await store.close();
  }
}

const read = (store: Store, n: number) => store.mailboxes.read(device(n), HORIZON);

function mail(n: number, to: number, digest = n): Mail {
  const recipients = [{ device: device(to), own: [bytes(n)] }];
  return { sender: SENDER, id: messageId(n), digest: bytes(digest), at: AT, shared: [], recipients };
}

/** Another account with this key. */
function createdWith(store: Store, accountKey: Uint8Array): Promise<string> {
  const address = parseAccountAddress('sip:bob@example.org');
  const first = { version: 1, bytes: bytes(1), signature: bytes(1) };
  return store.accounts.create({ address, accountKey, createdAt: 1 }, first, []);
}

describe('a folder of schema 3', () => {
  it('keeps the messages, their numbers and bodies, and not what was acknowledged', async () => {
    await openedTwice(async (store) => {
      const backlog = await read(store, 1);
      const left = Array.from({ length: 40 }, (_, i) => i + 1).filter((n) => n > 5 && ![8, 11, 12].includes(n));
      expect(backlog).toEqual({
        mails: left.map((n) => ({ seq: n, at: AT, bytes: bytes(n, 20) })),
        end: true,
        settledSeq: 40,
      });
      expect(await store.mailboxes.usage(device(1))).toEqual({ messages: 32, bytes: 640 });
      expect((await read(store, 2)).mails.map(({ seq, bytes: body }) => [seq, body[0], body.length])).toEqual([
        [2, 102, 4],
        [3, 103, 2_000],
        [4, 104, 1_000],
      ]);
    });
  });

  it('keeps gaps, sessions, removals and prekeys', async () => {
    await openedTwice(async (store) => {
      expect(await read(store, 3)).toMatchObject({
        mails: [{ seq: 2 }, { seq: 4 }],
        gap: { count: 2, fromSeq: 1, toSeq: 3, reason: 'expired' },
      });
      expect(await store.mailboxes.claimSession(device(2), 6)).toBeGreaterThan(6);
      expect(await store.mailboxes.append([mail(900, 4)], ROOMY)).toEqual([
        { status: 'unknown', devices: [device(4)] },
      ]);
      expect(await store.prekeys.listOneTime(device(1), 'c25519')).toEqual([2, 3]);
      const again = [{ id: 1, publicKey: bytes(71) }];
      await store.prekeys.addOneTime(device(1), 'c25519', again, { maximum: 9, now: AT });
      expect(await store.prekeys.listOneTime(device(1), 'c25519')).toEqual([2, 3]);
      await expect(createdWith(store, bytes(50))).rejects.toBeInstanceOf(KeyTakenError);
    });
  });

  it('remembers message ids, goes on with the numbers, and loses out of what it had', async () => {
    await openedTwice(async (store, opening) => {
      expect(await store.mailboxes.append([mail(1, 1), mail(103, 2)], ROOMY)).toEqual([REPEATED, REPEATED]);
      expect(await store.mailboxes.append([mail(1, 1, 99)], ROOMY)).toEqual([{ status: 'conflict' }]);
      expect(await store.mailboxes.append([mail(200 + opening, 1)], ROOMY)).toEqual([accepted(41 + opening)]);
    });
    const store = await openStore(`lmdb:${folder}`);
    const tight = { ...ROOMY, messages: 30, whenFull: 'trim' as const };
    expect(await store.mailboxes.append([mail(300, 1)], tight)).toEqual([accepted(43)]);
    // The senders of the older messages are not known: together they fill most of it.
    expect((await read(store, 1)).gap).toEqual({ count: 5, fromSeq: 6, toSeq: 13, reason: 'trimmed' });
    expect((await readAll(store, device(1), AT)).mails).toHaveLength(30);
    await store.close();
  });

  it('is brought up to date to its end when a process died in the middle of that', async () => {
    const { root, close } = openEnvironment(folder);
    root.transactionSync(() => root.putSync(SCHEMA_KEY, Buffer.from('sealwire-store 3 to 4')));
    await close();
    await openedTwice(async (store) => expect((await read(store, 1)).mails).toHaveLength(32));
  });

  it('gets the index of key owners if it is from before there was one', async () => {
    const { databases, close } = openEnvironment(folder);
    await databases.keyowners.clearAsync();
    await close();
    await openedTwice(async (store) => {
      for (const key of [bytes(50), bytes(101), bytes(60), bytes(61)])
        await expect(createdWith(store, key)).rejects.toBeInstanceOf(KeyTakenError);
    });
    const store = await openStore(`lmdb:${folder}`);
    // Of the device that is gone.
    expect(await createdWith(store, bytes(104))).toBe('created');
    await store.close();
  });

  it('is refused when it was not closed, and stays what it was', async () => {
    const { databases, close } = openEnvironment(folder);
    const bytes = databases.journal.getBinary(Buffer.from('ring')) as Buffer;
    const number = (index: number) => bytes.readDoubleLE(RING_ID_BYTES + index * 8);
    const file = new RingFile(join(folder, LOG_FILE), { id: bytes.subarray(0, RING_ID_BYTES), capacity: number(0) });
    const start: Place = { offset: number(1), previous: number(2), seal: number(3) };
    file.append(start, start, number(4) + 1, [Buffer.from('something')]);
    file.close();
    await close();
    await expectError(openStore(`lmdb:${folder}`), 'corrupt');
    const { root, close: closeAgain } = openEnvironment(folder);
    expect(root.getBinary(SCHEMA_KEY)?.toString()).toBe('sealwire-store 3');
    await closeAgain();
  });
});
