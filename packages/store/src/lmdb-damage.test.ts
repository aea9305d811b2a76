/**
 * What the LMDB store promises when its disk does not keep what it took: what is lost is told,
 * what is left is delivered, and no number is given twice (docs/adr/0023-damage-is-told.md).
 */
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ALICE, device, MANY, mail, manifest, NOW, ROOMY, readAll } from './contract/fixture.ts';
import { openEnvironment } from './lmdb/environment.ts';
import { SKIPPED_SEQS } from './lmdb/mailboxes/head.ts';
import { prefixedKey } from './lmdb/records/keys.ts';
import { flip, placesOf } from './testing/damage.ts';
import { bodyAt, DATA, eachWithFolder, MESSAGES, SENDER, send } from './testing/damaged-folder.ts';
import { JOURNAL, MARK } from './testing/power-cut.ts';

const at = eachWithFolder();

const numbersOf = (page: { mails: readonly { bytes: Uint8Array }[] }) => page.mails.map(({ bytes }) => bytes[0]);

describe('one flipped bit in the log', () => {
  it.each([
    ['in the middle', 3, 'one record after its head'],
    ['in the first record', 1, 'the first one'],
  ])('T87: %s costs that record; what follows is there, and the loss is told', async (_, lost) => {
    const [phone, laptop] = await at.filled();
    const folder = at.copied();
    // Each commit has a page of its own; the first one is the laptop's.
    flip(join(folder, JOURNAL), lost * 4_096 + 100);
    const store = await at.open(folder);
    expect(at.damages).toEqual(['log']);
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
    const [phone] = await at.filled();
    const folder = at.copied();
    flip(join(folder, JOURNAL), MESSAGES * 4_096 + 100);
    const store = await at.open(folder);
    const page = await readAll(store, phone);
    expect(page.mails).toHaveLength(MESSAGES - 1);
    expect(page.gap).toEqual({ count: 0, fromSeq: MESSAGES, toSeq: MESSAGES - 1 + SKIPPED_SEQS, reason: 'damaged' });
    expect(await send(store, 31, [phone])).toMatchObject({ seqs: [MESSAGES + SKIPPED_SEQS] });
  });

  it('is the same after the next start, and after the gap is acknowledged nothing is left of it', async () => {
    const [phone, laptop] = await at.filled();
    const folder = at.copied();
    flip(join(folder, JOURNAL), 4 * 4_096 + 100);
    for (const _ of [1, 2]) {
      const store = await at.open(folder);
      expect((await readAll(store, phone)).gap).toMatchObject({ count: 1, fromSeq: 4 });
      expect((await readAll(store, laptop)).gap).toMatchObject({ count: 0, fromSeq: 2 });
      await store.close();
    }
    const store = await at.open(folder);
    const upTo = [phone, laptop].map((device) => ({ device, session: 0, upTo: 1e12 }));
    await store.mailboxes.acknowledge(upTo);
    for (const device of [phone, laptop]) expect(await readAll(store, device)).toMatchObject({ mails: [], end: true });
    expect((await readAll(store, laptop)).gap).toBeUndefined();
    expect(at.damages).toEqual(['log']);
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
    const [phone, laptop] = await at.filled();
    const folder = at.copied();
    lose(folder);
    const store = await at.open(folder);
    expect(at.damages).toEqual(['log']);
    const { mails, gap } = await readAll(store, phone);
    expect(mails).toHaveLength(how === 'cut' ? 11 : 0);
    const last = mails.length;
    expect(gap).toEqual({ count: 0, fromSeq: last + 1, toSeq: last + SKIPPED_SEQS, reason: 'damaged' });
    expect((await readAll(store, laptop)).gap?.reason).toBe('damaged');
    expect(await send(store, 500, [phone])).toMatchObject({ seqs: [last + SKIPPED_SEQS + 1] });
  });

  it('is nothing to speak of once the store was closed: all of it was taken over', async () => {
    const [phone] = await at.filled();
    await at.stores[0]?.close();
    rmSync(join(at.path, JOURNAL));
    const store = await at.open();
    expect(await readAll(store, phone)).toMatchObject({ mails: { length: MESSAGES } });
    expect((await readAll(store, phone)).gap).toBeUndefined();
    expect(at.damages).toEqual([]);
  });

  it('is no damage when nothing was ever in it', async () => {
    const folder = join(at.path, 'new');
    await at.open(folder);
    await at.open(at.copied(folder));
    expect(at.damages).toEqual([]);
  });

  it('keeps the store closed with one line when the operator wants to know first, and changes nothing', async () => {
    await at.filled();
    const folder = at.copied();
    flip(join(folder, JOURNAL), 4 * 4_096 + 100);
    const before = readFileSync(join(folder, JOURNAL));
    await expect(at.open(folder, { whenDamaged: 'stop' })).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/is damaged, and accepted messages are lost: .* npm start -- repair$/),
    });
    expect(readFileSync(join(folder, JOURNAL)).equals(before)).toBe(true);
    expect(statSync(join(folder, JOURNAL)).size).toBe(before.length);
    await at.open(folder);
    expect(at.damages).toEqual(['log']);
  });
});

describe('one damaged byte', () => {
  it('T88: in a stored message costs that message: the others are delivered, and the loss is told', async () => {
    const [phone] = await at.settled();
    for (const place of placesOf(join(at.path, DATA), new Uint8Array(100).fill(9)))
      flip(join(at.path, DATA), place + 50);
    const store = await at.open();
    const page = await readAll(store, phone);
    expect(numbersOf(page)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i + 1).filter((n) => n !== 9));
    expect(page.gap).toEqual({ count: 1, fromSeq: 9, toSeq: 9, reason: 'damaged' });
    // Told once, however often it is come across.
    await readAll(store, phone);
    expect(at.damages).toEqual(['message']);
    await store.mailboxes.acknowledge([{ device: phone, session: 0, upTo: 20 }]);
    expect(await store.mailboxes.usage(phone)).toEqual({ messages: 10, bytes: 1_000 });
    expect((await readAll(store, phone)).gap).toBeUndefined();
    await store.close();
    expect(numbersOf(await readAll(await at.open(), phone))).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });

  it('in what a segment says of a message is not told as expiry, whether it is read or swept', async () => {
    const [phone] = await at.settled();
    // When it was taken: the f64 behind its number.
    const entry = Buffer.alloc(14);
    entry.writeUIntLE(9, 0, 6);
    entry.writeDoubleLE(NOW, 6);
    const places = placesOf(join(at.path, DATA), entry);
    expect(places.length).toBeGreaterThan(0);
    for (const place of places) flip(join(at.path, DATA), place + 12, 0xff);
    const store = await at.open();
    const lost = { count: 1, fromSeq: 9, toSeq: 9, reason: 'damaged' };
    expect(await readAll(store, phone)).toMatchObject({ mails: { length: MESSAGES - 1 }, gap: lost });
    expect(await store.mailboxes.expire(NOW + 1, MANY)).toBe(MESSAGES + 1);
    expect((await readAll(store, phone)).gap).toMatchObject({ count: MESSAGES, reason: 'damaged' });
  });

  it('stays damage when its segment is written anew, and gives way in a full mailbox', async () => {
    const [phone] = await at.settled();
    flip(join(at.path, DATA), bodyAt(at.path, 9) + 50);
    const store = await at.open();
    const tight = { ...ROOMY, messages: 25, whenFull: 'trim' as const };
    expect(await store.mailboxes.append([mail(31, SENDER, [phone])], tight)).toMatchObject([{ status: 'accepted' }]);
    await store.close();
    const again = await at.open();
    const page = await readAll(again, phone);
    expect(numbersOf(page)).toEqual([...Array.from({ length: 24 }, (_, i) => i + 7).filter((n) => n !== 9), 31]);
    expect(page.gap).toMatchObject({ count: 7, reason: 'damaged' });
  });

  it('T88: in the head of a mailbox: what it has is delivered, and its numbers go on where nobody has been', async () => {
    const [phone, laptop] = await at.settled();
    const { databases, root, close } = openEnvironment(at.path);
    for (const device of [phone, laptop]) {
      const head = databases.mailboxes.getBinary(prefixedKey(device)) as Buffer;
      head[8] = (head[8] as number) ^ 0x40;
      root.transactionSync(() => databases.mailboxes.putSync(prefixedKey(device), head));
    }
    await close();
    const store = await at.open();
    const page = await readAll(store, phone);
    expect(page.mails).toHaveLength(MESSAGES);
    expect(page.gap).toEqual({ count: 0, fromSeq: 1, toSeq: MESSAGES, reason: 'damaged' });
    const next = MESSAGES + SKIPPED_SEQS + 1;
    expect(await send(store, 31, [laptop])).toMatchObject({ seqs: [next] });
    const killed = at.copied();
    for (const one of [store, await at.open(killed)]) {
      expect((await readAll(one, laptop)).gap).toEqual({ count: 0, fromSeq: 1, toSeq: next - 1, reason: 'damaged' });
      expect(await one.mailboxes.claimSession(laptop, 3)).toBe(3);
      expect(await send(one, 32, [laptop])).toMatchObject({ seqs: [next + 1] });
      await one.close();
    }
    const again = await at.open(killed);
    at.damages = [];
    expect((await readAll(again, laptop)).mails.map(({ seq }) => seq)).toEqual([1, next, next + 1]);
    expect(at.damages).toEqual([]);
    // Of this one nobody has written a new head yet.
    expect(await readAll(again, phone)).toMatchObject({ mails: { length: MESSAGES } });
    expect(at.damages).toEqual(['mailbox']);
  });

  it('in the memory of message ids: those of its record are forgotten, and the store opens', async () => {
    const [phone] = await at.settled();
    const { databases, root, close } = openEnvironment(at.path);
    for (const { key, value } of [...databases.accepted.getRange({})]) {
      value[9] = 0xff;
      root.transactionSync(() => databases.accepted.putSync(key, value));
    }
    await close();
    const store = await at.open();
    expect(at.damages).toContain('ids');
    expect(await send(store, 7, [phone])).toMatchObject({ status: 'accepted' });
  });
});

describe('a damaged record of a device', () => {
  it('costs that device its login; the others of its account are served, and a manifest heals it', async () => {
    const [phone, laptop] = await at.settled();
    flip(join(at.path, DATA), (placesOf(join(at.path, DATA), device(ALICE, 2).loginKey).at(-1) as number) + 31);
    const store = await at.open();
    await expect(store.devices.find(laptop)).rejects.toMatchObject({ kind: 'corrupt' });
    expect(at.damages).toEqual(['record']);
    expect(await store.devices.find(phone)).toEqual(device(ALICE, 1));
    expect((await store.devices.list([ALICE]))[0]?.map(({ id }) => id).sort()).toEqual([phone, laptop]);
    expect(await send(store, 31, [phone, laptop])).toMatchObject({ status: 'accepted' });
    await store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 2)], NOW);
    expect(await store.devices.find(laptop)).toEqual(device(ALICE, 2));
    expect(await readAll(store, laptop)).toMatchObject({ mails: [{ seq: 1 }, { seq: 2 }] });
  });

  it('does not keep it from being removed', async () => {
    const [, laptop] = await at.settled();
    flip(join(at.path, DATA), (placesOf(join(at.path, DATA), device(ALICE, 2).loginKey).at(-1) as number) + 31);
    const store = await at.open();
    await store.devices.remove(laptop, NOW);
    expect(await store.devices.find(laptop)).toBeUndefined();
    expect((await store.devices.list([ALICE]))[0]).toEqual([device(ALICE, 1)]);
  });
});
