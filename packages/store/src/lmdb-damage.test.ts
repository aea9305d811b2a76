/**
 * What the LMDB store promises when its disk does not keep what it took: what is lost is told,
 * what is left is delivered, and no number is given twice (docs/adr/0023-damage-is-told.md).
 */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { ALICE, BOB, device, deviceId, MANY, mail, manifest, NOW, people, ROOMY, readAll } from './contract/fixture.ts';
import { openEnvironment } from './lmdb/environment.ts';
import { SKIPPED_SEQS } from './lmdb/mailboxes/head.ts';
import { prefixedKey } from './lmdb/records/keys.ts';
import { type LmdbStoreOptions, openLmdbStore } from './lmdb.ts';
import type { DamagedPart, Store } from './port.ts';
import { repairLmdbStore, verifyLmdbStore } from './repair.ts';
import { flip, placesOf } from './testing/damage.ts';
import { copyOf, JOURNAL, MARK } from './testing/power-cut.ts';

const SENDER = deviceId(BOB, 1);
const MESSAGES = 30;

let path: string;
let folders: string[];
let stores: Store[];
let damages: DamagedPart[];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sealwire-damage-'));
  folders = [path];
  stores = [];
  damages = [];
});

afterEach(async () => {
  for (const store of stores) await store.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function open(folder = path, options: Partial<LmdbStoreOptions> = {}): Promise<Store> {
  const reports = { isNew() {}, damaged: (part: DamagedPart) => void damages.push(part) };
  const store = await openLmdbStore({ path: folder, reports, ...options });
  stores.push(store);
  return store;
}

function copied(): string {
  const copy = copyOf(path);
  folders.push(copy);
  return copy;
}

const send = (store: Store, n: number, to: readonly DeviceId[], digest = n) =>
  store.mailboxes.append([mail(n, SENDER, to, { size: 100, digest })], ROOMY).then(([result]) => result);

/** Thirty messages for the first of two devices, and one before them for the second. */
async function filled(): Promise<[DeviceId, DeviceId]> {
  const store = await open();
  const [phone, laptop] = (await people(store, ALICE, 2)) as [DeviceId, DeviceId];
  await send(store, 1_000, [laptop]);
  for (let n = 1; n <= MESSAGES; n++) await send(store, n, [phone]);
  return [phone, laptop];
}

const numbersOf = (page: { mails: readonly { bytes: Uint8Array }[] }) => page.mails.map(({ bytes }) => bytes[0]);

describe('one flipped bit in the log', () => {
  it.each([
    ['in the middle', 3, 'one record after its head'],
    ['in the first record', 1, 'the first one'],
  ])('T87: %s costs that record; what follows is there, and the loss is told', async (_, lost) => {
    const [phone, laptop] = await filled();
    const folder = copied();
    // Each commit has a page of its own; the first one is the laptop's.
    flip(join(folder, JOURNAL), lost * 4_096 + 100);
    const store = await open(folder);
    expect(damages).toEqual(['log']);
    const page = await readAll(store, phone);
    const left = Array.from({ length: MESSAGES }, (_, i) => i + 1).filter((n) => n !== lost);
    expect(numbersOf(page)).toEqual(left);
    expect(page.gap).toEqual({ count: 1, fromSeq: lost, toSeq: lost, reason: 'damaged' });
    // Nobody knows whether it was for the laptop: its numbers skip those that may have been given.
    const doubt = { count: 0, fromSeq: 2, toSeq: 1 + SKIPPED_SEQS, reason: 'damaged' };
    expect(await readAll(store, laptop)).toMatchObject({ mails: [{ seq: 1 }], gap: doubt });
    expect(await send(store, 31, [phone, laptop])).toMatchObject({ seqs: [MESSAGES + 1, 2 + SKIPPED_SEQS] });
    // What was remembered is remembered; of what was lost the recipient knows.
    expect(await send(store, 7, [phone])).toMatchObject({ status: 'repeated' });
    expect(await send(store, 7, [phone], 99)).toMatchObject({ status: 'conflict' });
  });

  it('in the newest record is told from a write that a power cut tore, as long as the disk has the mark', async () => {
    const [phone] = await filled();
    const folder = copied();
    flip(join(folder, JOURNAL), MESSAGES * 4_096 + 100);
    const store = await open(folder);
    const page = await readAll(store, phone);
    expect(page.mails).toHaveLength(MESSAGES - 1);
    expect(page.gap).toEqual({ count: 0, fromSeq: MESSAGES, toSeq: MESSAGES - 1 + SKIPPED_SEQS, reason: 'damaged' });
    expect(await send(store, 31, [phone])).toMatchObject({ seqs: [MESSAGES + SKIPPED_SEQS] });
  });

  it('is the same after the next start, and after the gap is acknowledged nothing is left of it', async () => {
    const [phone, laptop] = await filled();
    const folder = copied();
    flip(join(folder, JOURNAL), 4 * 4_096 + 100);
    for (const _ of [1, 2]) {
      const store = await open(folder);
      expect((await readAll(store, phone)).gap).toMatchObject({ count: 1, fromSeq: 4 });
      expect((await readAll(store, laptop)).gap).toMatchObject({ count: 0, fromSeq: 2 });
      await store.close();
    }
    const store = await open(folder);
    const upTo = [phone, laptop].map((device) => ({ device, session: 0, upTo: 1e12 }));
    await store.mailboxes.acknowledge(upTo);
    for (const device of [phone, laptop]) expect(await readAll(store, device)).toMatchObject({ mails: [], end: true });
    expect((await readAll(store, laptop)).gap).toBeUndefined();
    expect(damages).toEqual(['log']);
  });
});

describe('a log that is lost', () => {
  it.each([
    ['removed', (folder: string) => rmSync(join(folder, JOURNAL))],
    ['emptied', (folder: string) => truncateSync(join(folder, JOURNAL))],
    ['full of zeros', (folder: string) => writeFileSync(join(folder, JOURNAL), Buffer.alloc(1 << 20))],
    ['removed with its mark', (folder: string) => [JOURNAL, MARK].map((file) => rmSync(join(folder, file)))],
    ['cut', (folder: string) => truncateSync(join(folder, JOURNAL), 12 * 4_096)],
  ])('T87: %s is told, and no number is given again', async (how, lose) => {
    const [phone, laptop] = await filled();
    const folder = copied();
    lose(folder);
    const store = await open(folder);
    expect(damages).toEqual(['log']);
    const { mails, gap } = await readAll(store, phone);
    expect(mails).toHaveLength(how === 'cut' ? 11 : 0);
    const last = mails.length;
    expect(gap).toEqual({ count: 0, fromSeq: last + 1, toSeq: last + SKIPPED_SEQS, reason: 'damaged' });
    expect((await readAll(store, laptop)).gap?.reason).toBe('damaged');
    expect(await send(store, 500, [phone])).toMatchObject({ seqs: [last + SKIPPED_SEQS + 1] });
  });

  it('is nothing to speak of once the store was closed: all of it was taken over', async () => {
    const [phone] = await filled();
    await (stores[0] as Store).close();
    rmSync(join(path, JOURNAL));
    const store = await open();
    expect(await readAll(store, phone)).toMatchObject({ mails: { length: MESSAGES } });
    expect((await readAll(store, phone)).gap).toBeUndefined();
    expect(damages).toEqual([]);
  });

  it('is no damage when nothing was ever in it', async () => {
    const folder = join(path, 'new');
    await open(folder);
    const killed = copyOf(folder);
    folders.push(killed);
    await open(killed);
    expect(damages).toEqual([]);
  });

  it('keeps the store closed with one line when the operator wants to know first, and changes nothing', async () => {
    await filled();
    const folder = copied();
    flip(join(folder, JOURNAL), 4 * 4_096 + 100);
    const before = readFileSync(join(folder, JOURNAL));
    await expect(open(folder, { whenDamaged: 'stop' })).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/is damaged, and accepted messages are lost: .* npm start -- repair$/),
    });
    expect(readFileSync(join(folder, JOURNAL)).equals(before)).toBe(true);
    expect(statSync(join(folder, JOURNAL)).size).toBe(before.length);
    await open(folder);
    expect(damages).toEqual(['log']);
  });
});

/** A closed folder whose mailboxes have all of it in segments: messages 1 to 30 of 100 bytes each. */
async function settled(): Promise<[DeviceId, DeviceId]> {
  const devices = await filled();
  await (stores[0] as Store).close();
  return devices;
}

const DATA = 'data.mdb';
/** Where the body of message `n` is in the data file; it is `n`, a hundred times. */
function bodyAt(folder: string, n: number): number {
  const places = placesOf(join(folder, DATA), new Uint8Array(100).fill(n));
  expect(places.length).toBeGreaterThan(0);
  return places.at(-1) as number;
}

describe('one damaged byte', () => {
  it('T88: in a stored message costs that message: the others are delivered, and the loss is told', async () => {
    const [phone] = await settled();
    for (const place of placesOf(join(path, DATA), new Uint8Array(100).fill(9))) flip(join(path, DATA), place + 50);
    const store = await open();
    const page = await readAll(store, phone);
    expect(numbersOf(page)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i + 1).filter((n) => n !== 9));
    expect(page.gap).toEqual({ count: 1, fromSeq: 9, toSeq: 9, reason: 'damaged' });
    // Told once, however often it is come across.
    await readAll(store, phone);
    expect(damages).toEqual(['message']);
    await store.mailboxes.acknowledge([{ device: phone, session: 0, upTo: 20 }]);
    expect(await store.mailboxes.usage(phone)).toEqual({ messages: 10, bytes: 1_000 });
    expect((await readAll(store, phone)).gap).toBeUndefined();
    await store.close();
    expect(numbersOf(await readAll(await open(), phone))).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });

  it('in what a segment says of a message is not told as expiry, whether it is read or swept', async () => {
    const [phone] = await settled();
    // When it was taken: the f64 behind its number.
    const entry = Buffer.alloc(14);
    entry.writeUIntLE(9, 0, 6);
    entry.writeDoubleLE(NOW, 6);
    const places = placesOf(join(path, DATA), entry);
    expect(places.length).toBeGreaterThan(0);
    for (const place of places) flip(join(path, DATA), place + 12, 0xff);
    const store = await open();
    const lost = { count: 1, fromSeq: 9, toSeq: 9, reason: 'damaged' };
    expect(await readAll(store, phone)).toMatchObject({ mails: { length: MESSAGES - 1 }, gap: lost });
    expect(await store.mailboxes.expire(NOW + 1, MANY)).toBe(MESSAGES + 1);
    expect((await readAll(store, phone)).gap).toMatchObject({ count: MESSAGES, reason: 'damaged' });
  });

  it('stays damage when its segment is written anew, and gives way in a full mailbox', async () => {
    const [phone] = await settled();
    flip(join(path, DATA), bodyAt(path, 9) + 50);
    const store = await open();
    const tight = { ...ROOMY, messages: 25, whenFull: 'trim' as const };
    expect(await store.mailboxes.append([mail(31, SENDER, [phone])], tight)).toMatchObject([{ status: 'accepted' }]);
    await store.close();
    const again = await open();
    const page = await readAll(again, phone);
    expect(numbersOf(page)).toEqual([...Array.from({ length: 24 }, (_, i) => i + 7).filter((n) => n !== 9), 31]);
    expect(page.gap).toMatchObject({ count: 7, reason: 'damaged' });
  });

  it('T88: in the head of a mailbox: what it has is delivered, and its numbers go on where nobody has been', async () => {
    const [phone, laptop] = await settled();
    const { databases, root, close } = openEnvironment(path);
    for (const device of [phone, laptop]) {
      const head = databases.mailboxes.getBinary(prefixedKey(device)) as Buffer;
      head[8] = (head[8] as number) ^ 0x40;
      root.transactionSync(() => databases.mailboxes.putSync(prefixedKey(device), head));
    }
    await close();
    const store = await open();
    const page = await readAll(store, phone);
    expect(page.mails).toHaveLength(MESSAGES);
    expect(page.gap).toEqual({ count: 0, fromSeq: 1, toSeq: MESSAGES, reason: 'damaged' });
    const next = MESSAGES + SKIPPED_SEQS + 1;
    expect(await send(store, 31, [laptop])).toMatchObject({ seqs: [next] });
    const killed = copied();
    for (const one of [store, await open(killed)]) {
      expect((await readAll(one, laptop)).gap).toEqual({ count: 0, fromSeq: 1, toSeq: next - 1, reason: 'damaged' });
      expect(await one.mailboxes.claimSession(laptop, 3)).toBe('claimed');
      expect(await send(one, 32, [laptop])).toMatchObject({ seqs: [next + 1] });
      await one.close();
    }
    const again = await open(killed);
    damages = [];
    expect((await readAll(again, laptop)).mails.map(({ seq }) => seq)).toEqual([1, next, next + 1]);
    expect(damages).toEqual([]);
    // Of this one nobody has written a new head yet.
    expect(await readAll(again, phone)).toMatchObject({ mails: { length: MESSAGES } });
    expect(damages).toEqual(['mailbox']);
  });

  it('in the memory of message ids: those of its record are forgotten, and the store opens', async () => {
    const [phone] = await settled();
    const { databases, root, close } = openEnvironment(path);
    for (const { key, value } of [...databases.accepted.getRange({})]) {
      value[9] = 0xff;
      root.transactionSync(() => databases.accepted.putSync(key, value));
    }
    await close();
    const store = await open();
    expect(damages).toContain('ids');
    expect(await send(store, 7, [phone])).toMatchObject({ status: 'accepted' });
  });
});

describe('a damaged record of a device', () => {
  it('costs that device its login; the others of its account are served, and a manifest heals it', async () => {
    const [phone, laptop] = await settled();
    flip(join(path, DATA), (placesOf(join(path, DATA), device(ALICE, 2).loginKey).at(-1) as number) + 31);
    const store = await open();
    await expect(store.devices.find(laptop)).rejects.toMatchObject({ kind: 'corrupt' });
    expect(damages).toEqual(['record']);
    expect(await store.devices.find(phone)).toEqual(device(ALICE, 1));
    expect((await store.devices.list([ALICE]))[0]?.map(({ id }) => id).sort()).toEqual([phone, laptop]);
    expect(await send(store, 31, [phone, laptop])).toMatchObject({ status: 'accepted' });
    await store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
    expect(await store.devices.find(laptop)).toEqual(device(ALICE, 2));
    expect(await readAll(store, laptop)).toMatchObject({ mails: [{ seq: 1 }, { seq: 2 }] });
  });

  it('does not keep it from being removed', async () => {
    const [, laptop] = await settled();
    flip(join(path, DATA), (placesOf(join(path, DATA), device(ALICE, 2).loginKey).at(-1) as number) + 31);
    const store = await open();
    await store.devices.remove(laptop, NOW);
    expect(await store.devices.find(laptop)).toBeUndefined();
    expect((await store.devices.list([ALICE]))[0]).toEqual([device(ALICE, 1)]);
  });
});

describe('a data file', () => {
  it('T89: that is missing or empty beside its log is not taken for a new store', async () => {
    await settled();
    truncateSync(join(path, DATA));
    const refusal = (how: string) => ({
      kind: 'corrupt',
      message: `${path}/data.mdb is ${how}, but its log journal.dat is there: restore data.mdb from a backup, or remove journal.dat to begin anew, with nothing`,
    });
    await expect(open()).rejects.toMatchObject(refusal('empty'));
    rmSync(join(path, DATA));
    await expect(open()).rejects.toMatchObject(refusal('missing'));
    rmSync(join(path, JOURNAL));
    await open();
  });

  it('T89: that was cut is refused with one line, wherever, and does not end the process', async () => {
    await settled();
    const whole = readFileSync(join(path, DATA));
    for (let size = 4_096; size < whole.length; size += 4_096 * 3 + 100) {
      writeFileSync(join(path, DATA), whole.subarray(0, size));
      await expect(open()).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringMatching(/^[^\n]*backup$/) });
    }
    writeFileSync(join(path, DATA), whole);
    await open();
  });

  it('may lack pages that nothing needs', async () => {
    const [phone] = await settled();
    const file = join(path, DATA);
    const pages = statSync(file).size / 4_096;
    // As if the newest transaction had got pages that it did not write.
    for (const meta of [0, 4_096]) {
      const handle = openSync(file, 'r+');
      const newest = Buffer.alloc(8);
      newest.writeBigUInt64LE(BigInt(pages + 5));
      writeSync(handle, newest, 0, 8, meta + 144);
      closeSync(handle);
    }
    expect(await readAll(await open(), phone)).toMatchObject({ mails: { length: MESSAGES } });
  });

  it('that is new is announced, and only then', async () => {
    const news: string[] = [];
    const reports = { isNew: () => void news.push('new'), damaged() {} };
    for (const _ of [1, 2]) await (await openLmdbStore({ path, reports })).close();
    expect(news).toEqual(['new']);
  });
});

describe('a folder that is verified', () => {
  it('T88: names each damaged record in one line, and nothing when all is well; repair leaves only what is lost', async () => {
    const [phone, laptop] = await settled();
    const whole = await verifyLmdbStore(path);
    expect(whole).toMatchObject({ faults: [], counts: { accounts: 1, devices: 2, manifests: 1, messages: 31 } });
    const { databases, root, close } = openEnvironment(path);
    root.transactionSync(() => {
      for (const [db, key, at] of [
        [databases.mailboxes, prefixedKey(laptop), 8],
        [databases.accounts, Buffer.from(ALICE), 10],
      ] as const) {
        const record = db.getBinary(key) as Buffer;
        record[at] = (record[at] as number) ^ 1;
        db.putSync(key, record);
      }
    });
    await close();
    flip(join(path, DATA), bodyAt(path, 9) + 50);
    const faults = [
      `accounts: the record of ${ALICE} is damaged`,
      `mailboxes: message 9 of ${phone} is damaged`,
      `mailboxes: the head of ${laptop} is damaged`,
    ];
    expect((await verifyLmdbStore(path)).faults).toEqual(faults);
    const { before, after } = await repairLmdbStore(path);
    expect([before.faults, after.faults]).toEqual([faults, faults.slice(0, 2)]);
  });

  it('is told of a damaged log, which repair takes over as far as it can be read', async () => {
    await filled();
    const folder = copied();
    flip(join(folder, JOURNAL), 4 * 4_096 + 100);
    const before = readFileSync(join(folder, JOURNAL));
    const fault = 'journal.dat: records are damaged or missing, and accepted messages with them';
    expect(await verifyLmdbStore(folder)).toMatchObject({
      faults: [fault],
      counts: { 'commits in the log': MESSAGES },
    });
    expect(readFileSync(join(folder, JOURNAL)).equals(before)).toBe(true);
    expect(await repairLmdbStore(folder)).toMatchObject({ before: { faults: [fault] }, after: { faults: [] } });
    rmSync(join(folder, JOURNAL));
    expect((await verifyLmdbStore(folder)).faults).toEqual([]);
  });

  it('is told of a damaged page without LMDB, which would trust it', async () => {
    await settled();
    const size = statSync(join(path, DATA)).size;
    let found = 0;
    for (let page = 2; page < size / 4_096; page++) {
      flip(join(path, DATA), page * 4_096, 0x40);
      const { faults } = await verifyLmdbStore(path);
      if (faults.length > 0) {
        found++;
        expect(faults).toEqual([`data.mdb: page ${page} is another one`]);
      }
      flip(join(path, DATA), page * 4_096, 0x40);
    }
    expect(found).toBeGreaterThan(5);
  });

  it('is refused while a process has it, and when there is none, which does not make one', async () => {
    await open();
    await expect(verifyLmdbStore(path)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(verifyLmdbStore(join(path, 'none'))).rejects.toMatchObject({ kind: 'not-found' });
    expect(existsSync(join(path, 'none'))).toBe(false);
  });
});
