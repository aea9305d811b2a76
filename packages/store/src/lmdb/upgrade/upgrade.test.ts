import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import {
  ALICE,
  appendAll,
  BOB,
  bytes,
  deviceId,
  expectError,
  mail,
  messageId,
  NOW,
  people,
  ROOMY,
  readAll,
  seqsIn,
  upTo,
} from '../../contract/fixture.ts';
import { openStore } from '../../open.ts';
import type { Mail, Store } from '../../port.ts';
import { type Databases, openEnvironment } from '../environment.ts';
import { MailboxHead } from '../mailboxes/head.ts';
import { prefixedKey, u48 } from '../records/keys.ts';

const SENDER = deviceId(BOB, 1);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-upgrade-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Alice's devices, in a folder of today. The first has messages 1 and 2 in its mailbox, and session 5; the second's is empty. */
async function settledFolder(): Promise<[DeviceId, DeviceId]> {
  const store = await openStore(`lmdb:${folder}`);
  const [full, empty] = (await people(store, ALICE, 2)) as [DeviceId, DeviceId];
  await appendAll(store, 1, 2, SENDER, full);
  await store.mailboxes.claimSession(full, 5);
  await store.close();
  return [full, empty];
}

/** Makes the folder one of an older schema: without what today's journal has in it. */
async function makeOlder(schema: 1 | 2, change: (databases: Databases) => void): Promise<void> {
  const { root, databases, close } = openEnvironment(folder);
  await root.transaction(() => {
    for (const key of [...databases.journal.getKeys()]) databases.journal.removeSync(key);
    change(databases);
    root.putSync(Buffer.from('schema'), Buffer.from(`sealwire-store ${schema}`));
  });
  await close();
  await rm(join(folder, 'journal.dat'));
}

async function opened(check: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(`lmdb:${folder}`);
  await check(store);
  await store.close();
}

/** First byte of each message. */
async function messagesIn(store: Store, device: DeviceId): Promise<(number | undefined)[]> {
  return (await readAll(store, device)).mails.map(({ bytes: [first] }) => first);
}

const u8 = (value: number) => Buffer.of(value);
const u16 = (value: number) => Buffer.of(value & 0xff, value >> 8);

function u32(value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeUInt32LE(value);
  return encoded;
}

function f64(value: number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeDoubleLE(value);
  return encoded;
}

const named = (device: DeviceId) => Buffer.concat([u16(device.length), Buffer.from(device)]);

/** What schema 2 wrote for messages to devices that get the first piece together and the second each for itself. */
function appendedRecord(...mails: readonly { readonly taken: boolean; readonly mail: Mail }[]): Buffer {
  let record = u8(1);
  for (const { taken, mail } of mails) {
    const bodyAt = record.length + 36 + mail.digest.length;
    const shared = mail.recipients[0]?.pieces[0] as Uint8Array;
    const own = mail.recipients.map(({ pieces }) => pieces[1] as Uint8Array);
    let end = bodyAt + shared.length;
    const rows = mail.recipients.map(({ device }, i) => {
      const begin = end;
      end += own[i]?.length ?? 0;
      if (i === 0) return Buffer.concat([named(device), u16(1), u32(bodyAt), u32(end)]);
      return Buffer.concat([named(device), u16(2), u32(bodyAt), u32(bodyAt + shared.length), u32(begin), u32(end)]);
    });
    const rest = Buffer.concat([
      Buffer.concat([u8(taken ? 1 : 0), f64(mail.at), u16(rows.length), u32(end), mail.id]),
      Buffer.concat([u8(mail.digest.length), mail.digest, shared, ...own, ...rows]),
    ]);
    record = Buffer.concat([record, u32(4 + rest.length), rest]);
  }
  return record;
}

function acknowledgedRecord(...all: readonly { readonly device: DeviceId; readonly upTo: number }[]): Buffer {
  return Buffer.concat([u8(2), ...all.flatMap(({ device, upTo }) => [f64(upTo), named(device)])]);
}

/** The ids of messages of `SENDER`. */
function acceptedRecord(...numbers: readonly number[]): Buffer {
  const ids = numbers.map((n) => Buffer.concat([messageId(n), u16(0), u8(32), bytes(n)]));
  return Buffer.concat([f64(NOW), u16(1), named(SENDER), ...ids]);
}

/** A message to several whose own pieces differ. */
function parted(n: number, ...recipients: readonly DeviceId[]): Mail {
  const shared = bytes(n, 5);
  return {
    ...mail(n, SENDER, []),
    recipients: recipients.map((device, i) => ({ device, pieces: [shared, bytes(100 + i, 3)] })),
  };
}

/** The folder's schema, and the keys that the journal has in LMDB. */
async function state(): Promise<{ schema: string | undefined; keys: Buffer[] }> {
  const { root, databases, close } = openEnvironment(folder);
  const schema = root.getBinary(Buffer.from('schema'))?.toString();
  const keys = [...databases.journal.getKeys()];
  await close();
  return { schema, keys };
}

const taken = (one: Mail) => ({ taken: true, mail: one });

describe('a folder of schema 1', () => {
  it('is brought up to date when it is opened, and keeps what is in it', async () => {
    const [device] = await settledFolder();
    await makeOlder(1, ({ mailboxes }) => {
      for (const key of [...mailboxes.getKeys()]) {
        const head = mailboxes.getBinary(key) as Buffer;
        mailboxes.putSync(key, Buffer.concat([head.subarray(0, 80), head.subarray(88)]));
      }
    });
    for (let opening = 0; opening < 2; opening++)
      await opened(async (store) => {
        expect(await seqsIn(store, device)).toEqual([1, 2]);
        expect(await store.mailboxes.append([mail(2, SENDER, [device])], ROOMY)).toEqual([{ status: 'repeated' }]);
        expect(await store.mailboxes.claimSession(device, 4)).toBe('superseded');
      });
  });
});

/** The journal's numbers and those of message ids were two sequences: one or the other is ahead, so little that the next number would be taken. */
describe.each([
  ['journal', 1_000, 10],
  ['message ids', 10, 14],
])('a folder of schema 2, the numbers of its %s ahead', (_, journaled, accepted) => {
  let full: DeviceId;
  let empty: DeviceId;

  beforeEach(async () => {
    [full, empty] = await settledFolder();
    const gone = deviceId(ALICE, 9);
    await makeOlder(2, ({ journal, mailboxes, accepted: ids }) => {
      const key = prefixedKey(full);
      const bytesOfHead = mailboxes.getBinary(key) as Buffer;
      const head = MailboxHead.decode(bytesOfHead, bytesOfHead.length);
      head.journaled = journaled;
      mailboxes.putSync(key, head.encode());
      const records = [
        appendedRecord(taken(mail(1, SENDER, [full]))),
        appendedRecord(taken(mail(2, SENDER, [full]))),
        appendedRecord(
          taken(parted(3, full, empty)),
          { taken: false, mail: mail(4, SENDER, [full]) },
          taken(mail(5, SENDER, [full])),
        ),
        acknowledgedRecord({ device: empty, upTo: 1 }),
        appendedRecord(taken(mail(6, SENDER, [gone])), taken(parted(7, empty, full))),
      ];
      records.forEach((record, i) => {
        journal.putSync(u48(journaled - 1 + i), record);
      });
      ids.putSync(u48(accepted), acceptedRecord(3, 5, 6, 7));
    });
  });

  it('keeps the messages, their numbers and bodies, and not those that were acknowledged or never taken', async () => {
    for (let opening = 0; opening < 2; opening++)
      await opened(async (store) => {
        expect(await seqsIn(store, full)).toEqual([1, 2, 3, 4, 5]);
        expect(await messagesIn(store, full)).toEqual([1, 2, 3, 5, 7]);
        const { mails, lastSeq } = await readAll(store, empty);
        expect(mails).toEqual([{ seq: 2, at: NOW, bytes: Uint8Array.of(7, 7, 7, 7, 7, 100, 100, 100) }]);
        expect(lastSeq).toBe(2);
        expect((await readAll(store, full)).mails.at(-1)?.bytes).toEqual(Uint8Array.of(7, 7, 7, 7, 7, 101, 101, 101));
      });
  });

  it('remembers the message ids, also when more have come', async () => {
    for (let opening = 0; opening < 2; opening++)
      await opened(async (store) => {
        for (const n of [1, 2, 3, 5, 6, 7])
          expect(await store.mailboxes.append([mail(n, SENDER, [full])], ROOMY)).toEqual([{ status: 'repeated' }]);
        const other = mail(5, SENDER, [full], { digest: 99 });
        expect(await store.mailboxes.append([other], ROOMY)).toEqual([{ status: 'conflict' }]);
        await appendAll(store, 20 + opening, 20 + opening, SENDER, empty);
      });
  });

  it('goes on with the numbers, and nothing of what comes is taken for known', async () => {
    await opened(async (store) => {
      expect(await store.mailboxes.append([mail(8, SENDER, [full, empty])], ROOMY)).toEqual([
        { status: 'accepted', seqs: [6, 3] },
      ]);
      await store.mailboxes.acknowledge([{ ...upTo(full, 4), session: 5 }, upTo(empty, 2)]);
      expect(await messagesIn(store, full)).toEqual([7, 8]);
    });
    await opened(async (store) => {
      expect(await messagesIn(store, full)).toEqual([7, 8]);
      expect(await messagesIn(store, empty)).toEqual([8]);
    });
  });

  it('keeps the sessions', async () => {
    for (let opening = 0; opening < 2; opening++)
      await opened(async (store) => {
        expect(await store.mailboxes.claimSession(full, 4)).toBe('superseded');
        expect(await store.mailboxes.claimSession(full, 6 + opening)).toBe('claimed');
      });
  });

  it('has no record of its older journal left', async () => {
    await opened(async () => {});
    expect(await state()).toEqual({ schema: 'sealwire-store 3', keys: [Buffer.from('ring')] });
  });
});

describe('a folder of schema 2 with a record that cannot be read', () => {
  it('is refused, and stays what it was', async () => {
    const [, empty] = await settledFolder();
    const record = appendedRecord(taken(mail(3, SENDER, [empty])));
    await makeOlder(2, ({ journal }) => {
      journal.putSync(u48(10), record);
      journal.putSync(u48(11), record.subarray(0, 60));
    });
    await expectError(openStore(`lmdb:${folder}`), 'unavailable');
    expect(await state()).toEqual({ schema: 'sealwire-store 2', keys: [u48(10), u48(11)] });
  });
});
