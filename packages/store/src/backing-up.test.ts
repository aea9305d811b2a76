/** Backup and restore of each kind of store by its URL (case K12). The database is a real one; skipped, aloud, without a server. */
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import { attachmentsOf, backUpStore, noteBackup, restoreStore, verifyBackup } from './backing-up.ts';
import {
  ALICE,
  appendAll,
  BOB,
  bundle,
  device,
  deviceId,
  mail,
  manifest,
  NOW,
  nameAnew,
  oneTimeKeys,
  people,
  REPEATED,
  ROOMY,
  readAll,
  upTo,
} from './contract/fixture.ts';
import { copyStore } from './copying.ts';
import { openLmdbStore } from './lmdb.ts';
import { openMongoStore } from './mongo.ts';
import type { Store } from './port.ts';
import { RESTORED_SEQS } from './restoring.ts';
import { emptyDatabase, testDatabase } from './testing/mongo-database.ts';
import { keepOperatorRecords, operatorRecordsOf } from './testing/operator-records.ts';

jest.setTimeout(60_000);

const TERMS = { maximum: 10, now: NOW };
const database = testDatabase('backup');
let folder: string;
let opened: Store[];

interface Kind {
  readonly name: string;
  /** Of the store that is backed up, and of the empty one that is restored. */
  url(which: 'live' | 'restored'): string;
  open(url: string): Promise<Store>;
  /** The live one is lost. */
  lose(): Promise<void>;
}

const lmdb: Kind = {
  name: 'an embedded store',
  url: (which) => `lmdb:${join(folder, which)}`,
  open: (url) => openLmdbStore({ path: url.slice(5) }),
  lose: async () => {},
};
const mongo: Kind = {
  name: 'a database',
  url: () => database!,
  open: async (url) => (await openMongoStore({ url, production: false })).store,
  lose: () => emptyDatabase(database!),
};

beforeEach(async () => {
  nameAnew();
  folder = await mkdtemp(join(tmpdir(), 'sealwire-backing-up-'));
  opened = [];
  if (database !== undefined) await emptyDatabase(database);
});

afterEach(async () => {
  for (const store of opened) await store.close();
  await rm(folder, { recursive: true });
});

const kept = () => join(folder, 'kept');

async function open(kind: Kind, which: 'live' | 'restored'): Promise<Store> {
  const store = await kind.open(kind.url(which));
  opened.push(store);
  return store;
}

async function backUp(kind: Kind, now = NOW) {
  mkdirSync(kept());
  const terms = { url: kind.url('live'), folder: kept(), now: () => now, production: false };
  const verdict = await backUpStore(terms);
  noteBackup(kept(), verdict);
  return verdict;
}

/** The live store is gone. */
async function restore(kind: Kind, now = NOW + 60_000) {
  for (const store of opened.splice(0)) await store.close();
  await kind.lose();
  expect((await verifyBackup(kept())).faults).toEqual([]);
  return restoreStore({ url: kind.url('restored'), folder: kept(), now: () => now, production: false });
}

const kinds: [string, Kind][] = [[lmdb.name, lmdb], ...(database ? [[mongo.name, mongo] as [string, Kind]] : [])];

describe.each(kinds)(
  `backup and restore of %s${database ? '' : ' (a database: skipped without MONGODB_URI)'}`,
  (_, kind) => {
    it('K12: keep accounts, keys, lists of devices and messages, what accounts keep, and what operators decided and did', async () => {
      const store = await open(kind, 'live');
      const [phone, laptop] = (await people(store, ALICE, 2)) as [DeviceId, DeviceId];
      const [bob] = (await people(store, BOB, 1)) as [DeviceId];
      await store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 3)], NOW);
      await store.prekeys.register(phone, 'c25519', bundle(1), oneTimeKeys(1, 2));
      await store.waiting.register(deviceId(BOB, 7), 'c25519', bundle(3), oneTimeKeys(9), TERMS);
      await store.accountRecords.replace(ALICE, 'contact-list', 0, { version: 1, bytes: new Uint8Array([7]) });
      const room = { attachments: 9, bytes: 999 };
      for (const id of ['whole', 'begun', 'over']) {
        await store.attachments.add(ALICE, { id, bytes: 7, handle: 'h', expiresAt: NOW + 9 }, room);
        if (id !== 'begun') await store.attachments.complete(ALICE, id, id === 'over' ? NOW : NOW + 99);
      }
      await appendAll(store, 1, 6, bob, phone);
      await store.mailboxes.acknowledge([upTo(phone, 2)]);
      await store.expiryTime.write(NOW - 7);
      await keepOperatorRecords(store);
      const visible = async (from: Store) => ({
        accounts: [await from.accounts.find(ALICE), await from.accounts.find(BOB)],
        lists: [await from.manifests.newest(ALICE), await from.manifests.history(ALICE, 0, 9)],
        devices: await from.devices.list([ALICE, BOB]),
        gone: await from.devices.find(laptop),
        bundles: await from.prekeys.find('c25519', [phone, laptop, deviceId(BOB, 7)]),
        waiting: await from.waiting.list(BOB),
        record: await from.accountRecords.read([ALICE], 'contact-list'),
        room: await from.attachments.usage(ALICE),
        mails: (await readAll(from, phone)).mails.map(({ at, bytes }) => ({ at, bytes })),
        usage: await from.mailboxes.usage(phone),
        time: await from.expiryTime.read(),
        operator: await operatorRecordsOf(from),
      });
      const before = await visible(store);
      const { note, faults } = await backUp(kind);
      expect([faults, note.begunAt, note.counts.accounts]).toEqual([[], NOW, 2]);
      const files: string[] = [];
      for await (const { id } of attachmentsOf(kept(), note, NOW + 50)) files.push(id);
      expect(files).toEqual(['whole']);
      expect(await restore(kind)).toMatchObject({ oneTimeKeys: 3 });
      expect(await visible(await open(kind, 'restored'))).toEqual(before);
    });

    it('K12: hand out no one-time key twice, give no number twice, and are acknowledged by no session of before', async () => {
      const store = await open(kind, 'live');
      const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
      const [bob] = (await people(store, BOB, 1)) as [DeviceId];
      await store.prekeys.register(phone, 'c25519', bundle(1), oneTimeKeys(1, 2, 3));
      await appendAll(store, 1, 3, bob, phone);
      await backUp(kind);
      // What the backup does not know of.
      await appendAll(store, 4, 6, bob, phone);
      const [taken] = await store.prekeys.claim('c25519', [phone], NOW);
      expect(taken?.oneTimePrekey?.id).toBe(1);
      const session = (NOW + 30_000) * 4_096;
      await store.mailboxes.claimSession(phone, session);
      await restore(kind);

      const again = await open(kind, 'restored');
      const [handed] = await again.prekeys.claim('c25519', [phone], NOW);
      expect([handed?.identityKey.length, handed?.oneTimePrekey]).toEqual([32, undefined]);
      // A late repeat of their upload brings none of them back, and new ones are taken.
      await again.prekeys.addOneTime(phone, 'c25519', oneTimeKeys(1, 2, 3, 4), { ...TERMS, now: NOW + 60_001 });
      expect(await again.prekeys.listOneTime(phone, 'c25519')).toEqual([4]);

      const [accepted] = await again.mailboxes.append([mail(7, bob, [phone])], ROOMY);
      const [seq = 0] = accepted?.status === 'accepted' ? accepted.seqs : [];
      expect(seq).toBeGreaterThan(RESTORED_SEQS);
      const page = await readAll(again, phone);
      expect([page.mails.length, page.mails.at(-1)?.seq, page.end, page.settledSeq]).toEqual([4, seq, true, seq]);
      // Told once all that waited has been read, and before what is new.
      expect(page.gap).toMatchObject({ count: 0, toSeq: seq - 1, reason: 'damaged' });
      expect(await again.mailboxes.acknowledge([{ device: phone, session, upTo: seq }])).toEqual(['superseded']);
      expect(await again.mailboxes.claimSession(phone, session)).toBeGreaterThan(session);
      expect(await again.mailboxes.append([mail(7, bob, [phone])], ROOMY)).toEqual([REPEATED]);
    });

    it('K12: made in the middle of traffic have all that was accepted before', async () => {
      const store = await open(kind, 'live');
      const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
      const [bob, other] = (await people(store, BOB, 2)) as [DeviceId, DeviceId];
      await appendAll(store, 1, 20, bob, phone);
      let isOver = false;
      const traffic = (async () => {
        let n = 21;
        for (; !isOver; n++) {
          await store.mailboxes.append([mail(n, bob, [phone, other])], ROOMY);
          if (n === 25) await store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 5)], NOW);
        }
        return n;
      })();
      const { faults } = await backUp(kind);
      isOver = true;
      await traffic;
      expect(faults).toEqual([]);
      await restore(kind);
      const page = await readAll(await open(kind, 'restored'), phone);
      const seqs = page.mails.map(({ seq }) => seq);
      const [first = 0] = seqs;
      expect(seqs.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => first + i));
      expect([...new Set(seqs)]).toEqual(seqs);
    });

    it('are refused where something is, and where it is another kind, in one line with the fix', async () => {
      const store = await open(kind, 'live');
      await people(store, ALICE, 1);
      await backUp(kind);
      const into = (url: string, production = false) =>
        restoreStore({ url, folder: kept(), now: () => NOW, production });
      await expect(into(kind.url('live'))).rejects.toThrow(/is not empty; name another|holds accounts already/);
      await expect(into(kind === lmdb ? 'mongodb://h/d' : 'lmdb:other')).rejects.toThrow('one of that kind');
      await expect(into('memory:')).rejects.toThrow('set STORE_URL');
      await expect(verifyBackup(folder)).rejects.toThrow('is no backup: it has no backup.json');
      writeFileSync(join(folder, 'backup.json'), '{"format":"sealwire-backup 9"}');
      await expect(verifyBackup(folder)).rejects.toThrow('of another version');
      expect(existsSync('other')).toBe(false);
    });
  },
);

(database ? describe : describe.skip)('a backup of a database (skipped without MONGODB_URI)', () => {
  const path = () => join(kept(), 'documents/mails.bson');

  async function backedUp(): Promise<void> {
    const store = await open(mongo, 'live');
    const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
    const [bob] = (await people(store, BOB, 1)) as [DeviceId];
    await appendAll(store, 1, 3, bob, phone);
    await backUp(mongo);
  }

  it.each([
    [
      'a byte that is another',
      () => {
        const bytes = readFileSync(path());
        bytes[40]! ^= 1;
        writeFileSync(path(), bytes);
      },
    ],
    ['an end that is cut off', () => truncateSync(path(), 60)],
    ['more than was written', () => writeFileSync(path(), 'more', { flag: 'a' })],
    ['a file that is gone', () => rmSync(path())],
  ])('K12: with %s says so', async (_, damage) => {
    await backedUp();
    damage();
    const { faults } = await verifyBackup(kept());
    expect(faults).toEqual([expect.stringMatching(/mails\.bson is damaged, after \d documents; use another backup$/)]);
    await mongo.lose();
    await expect(restore(mongo)).rejects.toThrow();
  });

  it('K12: that was restored in part opens to no server, and the same command goes on', async () => {
    await backedUp();
    const bytes = readFileSync(path());
    rmSync(path());
    for (const store of opened.splice(0)) await store.close();
    await mongo.lose();
    const terms = { url: database!, folder: kept(), now: () => NOW, production: false };
    await expect(restoreStore(terms)).rejects.toThrow('mails.bson is damaged');
    await expect(open(mongo, 'restored')).rejects.toThrow('has not ended');
    writeFileSync(path(), bytes);
    await restoreStore(terms);
    const store = await open(mongo, 'restored');
    expect((await readAll(store, deviceId(ALICE, 1))).mails).toHaveLength(3);
  });

  it('K12, K14: a folder that was restored moves into one, and its mailboxes are read at once', async () => {
    const store = await open(lmdb, 'live');
    const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
    const [bob] = (await people(store, BOB, 1)) as [DeviceId];
    await appendAll(store, 1, 3, bob, phone);
    await backUp(lmdb);
    await restore(lmdb);
    await copyStore({ from: lmdb.url('restored'), to: database!, now: NOW, production: false });
    const moved = await open(mongo, 'restored');
    await appendAll(moved, 4, 4, bob, phone);
    const { mails, gap, end } = await readAll(moved, phone);
    expect([mails.length, gap?.reason, end]).toEqual([4, 'damaged', true]);
  });
});
