/** A data folder that moves into a database: what each had before it has after it. On a real server; skipped, aloud, without one. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type AccountAddress, type DeviceId, parseAccountAddress } from '@sealwire/wire/ids';
import {
  ALICE,
  account,
  appendAll,
  BOB,
  bundle,
  device,
  deviceId,
  expectError,
  LIFE_MS,
  legible,
  mail,
  manifest,
  NOW,
  oneTimeKeys,
  people,
  publicKey,
  REPEATED,
  ROOMY,
  readAll,
  secret,
  upTo,
} from './contract/fixture.ts';
import { copyStore } from './copying.ts';
import type { Store, StoreError } from './port.ts';
import { describeMoves } from './testing/moving.ts';
import { keepOperatorRecords, operatorRecordsOf } from './testing/operator-records.ts';

const TERMS = { maximum: 10, now: NOW };

describe('a copy', () => {
  it('K14: goes from a folder to a database, and nowhere else', async () => {
    for (const [from, to] of [
      ['memory:', 'mongodb://h/d'],
      ['lmdb:', 'mongodb://h/d'],
      ['mongodb://h/d', 'mongodb://h/e'],
      ['lmdb:data', 'lmdb:other'],
    ] as const)
      await expect(copyStore({ from, to, now: NOW })).rejects.toThrow('from lmdb:FOLDER to mongodb://HOST/DATABASE');
  });

  it('K14: makes no store where there is none', async () => {
    const nowhere = join(tmpdir(), 'sealwire-nowhere');
    await expect(copyStore({ from: `lmdb:${nowhere}`, to: 'mongodb://h/d', now: NOW })).rejects.toThrow(
      'there is no store in',
    );
  });
});

describeMoves('a copy into a database', 'copy', ({ source, moved, copy, engine: opened }) => {
  /** What everybody can see of these. */
  async function visible(store: Store, addresses: readonly AccountAddress[], devices: readonly DeviceId[]) {
    const suites = ['c25519', 'c448'] as const;
    const keys = suites.flatMap((suite) =>
      devices.map((id) => store.prekeys.listOneTime(id, suite).catch((error: StoreError) => error.kind)),
    );
    return {
      accounts: await Promise.all(addresses.map((address) => store.accounts.find(address))),
      newest: await Promise.all(addresses.map((address) => store.manifests.newest(address))),
      history: await Promise.all(addresses.map((address) => store.manifests.history(address, 0, 10))),
      devices: await store.devices.list(addresses),
      waiting: await Promise.all(addresses.map((address) => store.waiting.list(address))),
      passwords: await Promise.all(addresses.map((address) => store.appPasswords.list(address))),
      attachments: await Promise.all(addresses.map((address) => store.attachments.find(address, 'file'))),
      room: await Promise.all(addresses.map((address) => store.attachments.usage(address))),
      expired: (await store.attachments.expired(NOW, 10)).map(({ attachment: { id } }) => id),
      bundles: await Promise.all(suites.map((suite) => store.prekeys.find(suite, devices))),
      keys: await Promise.all(keys),
      mailboxes: await Promise.all(devices.map(async (id) => legible(await readAll(store, id)))),
      usage: await Promise.all(devices.map((id) => store.mailboxes.usage(id))),
      expiryTime: await store.expiryTime.read(),
    };
  }

  it('what everybody sees of accounts, keys and mailboxes is the same before and after', async () => {
    const store = await source();
    const [phone, laptop] = (await people(store, ALICE, 2)) as [DeviceId, DeviceId];
    const [bob] = (await people(store, BOB, 1)) as [DeviceId];
    await store.manifests.publish(ALICE, manifest(2), [device(ALICE, 1), device(ALICE, 3)], NOW);
    const tablet = deviceId(ALICE, 3);
    await store.prekeys.register(phone, 'c25519', bundle(1), oneTimeKeys(3, 1, 2));
    await store.prekeys.register(phone, 'c448', bundle(2), []);
    await store.prekeys.claim('c25519', [phone], NOW);
    await store.waiting.register(deviceId(BOB, 7), 'c25519', bundle(3), oneTimeKeys(9), TERMS);
    const nobody = parseAccountAddress(`${BOB.replace('@', '.2@')}`);
    await store.waiting.register(deviceId(nobody, 1), 'c448', bundle(4), [], { ...TERMS, withoutAccount: true });
    await store.appPasswords.add(ALICE, { id: 'a', name: 'desk', createdAt: NOW, verifier: secret(1) }, 5);
    await store.appPasswords.add(ALICE, { id: 'b', name: 'hall', createdAt: NOW, verifier: secret(2) }, 5);
    await store.appPasswords.markUsed(ALICE, 'b', NOW + 5);
    const room = { attachments: 9, bytes: 999 };
    for (const [n, id] of ['file', 'old'].entries())
      await store.attachments.add(ALICE, { id, bytes: 7 + n, handle: `h${n}`, expiresAt: NOW + 1 - n }, room);
    await store.attachments.complete(ALICE, 'file', NOW + 99);
    await appendAll(store, 1, 6, bob, phone);
    await appendAll(store, 7, 8, phone, bob);
    await store.mailboxes.append([mail(9, bob, [tablet], { at: NOW - LIFE_MS - 1 })], ROOMY);
    await store.mailboxes.expire(NOW - LIFE_MS, 10);
    await store.mailboxes.acknowledge([upTo(phone, 2)]);
    await store.expiryTime.write(NOW - 7);
    const addresses = [ALICE, BOB, nobody];
    const devices = [phone, laptop, tablet, bob, deviceId(BOB, 7), deviceId(nobody, 1)];
    const before = await visible(store, addresses, devices);
    await store.close();
    expect(await copy()).toMatchObject({ accounts: 3, messages: 6, ids: 9 });
    expect(await visible(await moved(), addresses, devices)).toEqual(before);
  });

  it('no number is given twice, no message taken twice, and an old session stays superseded', async () => {
    const store = await source();
    const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
    const [bob] = (await people(store, BOB, 1)) as [DeviceId];
    await appendAll(store, 1, 3, bob, phone);
    await store.mailboxes.claimSession(phone, 40);
    await store.mailboxes.acknowledge([{ device: phone, session: 40, upTo: 3 }]);
    await store.close();
    await copy();
    const { mailboxes } = await moved();
    expect(await mailboxes.append([mail(2, bob, [phone])], ROOMY)).toEqual([REPEATED]);
    expect(await mailboxes.append([mail(3, bob, [phone], { digest: 99 })], ROOMY)).toEqual([{ status: 'conflict' }]);
    expect(await mailboxes.append([mail(4, bob, [phone])], ROOMY)).toMatchObject([{ status: 'accepted' }]);
    expect(await mailboxes.acknowledge([{ device: phone, session: 39, upTo: 9 }])).toEqual(['superseded']);
    expect(await mailboxes.claimSession(phone, 39)).toBe(40);
    const [only, ...others] = (await readAll(await moved(), phone)).mails;
    expect(others).toEqual([]);
    expect(only?.seq).toBeGreaterThan(3);
  });

  it('no one-time key is handed out twice, nor comes back by a late repeat of its upload', async () => {
    const store = await source();
    const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
    await store.prekeys.register(phone, 'c25519', bundle(1), oneTimeKeys(5, 6, 7));
    await store.prekeys.claim('c25519', [phone], NOW);
    await store.close();
    await copy();
    const { prekeys } = await moved();
    await prekeys.addOneTime(phone, 'c25519', oneTimeKeys(5, 6, 7), { maximum: 10, now: NOW + 1 });
    const claimed = [];
    for (let n = 0; n < 3; n++) claimed.push((await prekeys.claim('c25519', [phone], NOW + 2))[0]?.oneTimePrekey?.id);
    expect(claimed).toEqual([6, 7, undefined]);
  });

  it('what is taken stays taken: names, ids, keys, uses of an invitation, what may happen once', async () => {
    const store = await source();
    await store.accounts.addInvitation(secret(7), 2, NOW + 100);
    const code = { hash: secret(7), now: NOW };
    await store.accounts.create(account(ALICE), manifest(1), [device(ALICE, 1), device(ALICE, 2)], code);
    await store.devices.remove(deviceId(ALICE, 2), NOW);
    await people(store, BOB, 1);
    await store.accounts.delete(BOB, NOW);
    await store.once.take(secret(8), NOW + 100, NOW);
    const nes = (name: string, n: number) => ({
      name: `${name}${ALICE.slice(5, ALICE.indexOf('@'))}`,
      messageKey: 'one key',
      signKey: 'another',
      activation: secret(n),
      deletion: secret(n + 1),
      expiresAt: NOW + 100,
    });
    for (const one of [nes('a', 20), nes('b', 30)]) await store.nesUsers.register(one, NOW);
    await store.nesUsers.activate(nes('a', 20).name, secret(20), NOW);
    const record = { version: 7, bytes: secret(9) };
    await store.accountRecords.replace(ALICE, 'contact-rules', 0, record);
    await store.close();
    await copy();
    const { accounts, manifests, once, nesUsers, accountRecords } = await moved();
    expect(await accountRecords.read([ALICE], 'contact-rules')).toEqual([record]);
    expect(await nesUsers.find(nes('a', 20).name)).toEqual({ ...nes('a', 20), expiresAt: undefined });
    expect(await nesUsers.register(nes('b', 40), NOW)).toBe('taken');
    expect(await nesUsers.activate(nes('b', 30).name, secret(30), NOW)).toBe(true);
    await expectError(accounts.create(account(BOB), manifest(1), [device(BOB, 1)]), 'conflict');
    const again = [device(ALICE, 1), device(ALICE, 2)];
    await expectError(manifests.publish(ALICE, manifest(2), again, NOW), 'conflict');
    const carol = parseAccountAddress(ALICE.replace('sip:', 'sip:c'));
    const thief = { ...device(carol, 1), loginKey: publicKey('login', ALICE, 1) };
    await expectError(accounts.create(account(carol), manifest(1), [thief], code), 'conflict');
    expect(await accounts.create(account(carol), manifest(1), [device(carol, 1)], code)).toBe('created');
    const dave = parseAccountAddress(ALICE.replace('sip:', 'sip:d'));
    await expectError(accounts.create(account(dave), manifest(1), [device(dave, 1)], code), 'not-found');
    expect(await once.take(secret(8), NOW + 100, NOW + 1)).toBe(false);
  });

  it('what operators decided, made and did is there: standings, invitations, blocks, days, and the trail in its order', async () => {
    const store = await source();
    await keepOperatorRecords(store);
    const before = await operatorRecordsOf(store);
    await store.close();
    await copy();
    expect(await operatorRecordsOf(await moved())).toEqual(before);
  });

  it('an account that nobody finished is one still, and its name free after as long', async () => {
    const store = await source();
    await people(store, ALICE, 1);
    await people(store, BOB, 1);
    await store.prekeys.register(deviceId(BOB, 1), 'c25519', bundle(1), []);
    await store.close();
    await copy();
    const { accounts } = await moved();
    const other = (address: AccountAddress, now: number) =>
      accounts.create(account(address, 9), manifest(1, 9), [device(address, 2)], undefined, { now, afterMs: 100 });
    await expectError(other(ALICE, NOW + 99), 'conflict');
    expect(await other(ALICE, NOW + 100)).toBe('created');
    await expectError(other(BOB, NOW + 100), 'conflict');
  });

  it('what the database would forget at once stays until both sides were compared', async () => {
    const store = await source();
    const [phone] = (await people(store, ALICE, 1)) as [DeviceId];
    await store.mailboxes.append([mail(1, phone, [phone], { at: 1_000 })], ROOMY);
    await store.once.take(secret(8), 2_000, 1_000);
    await store.close();
    await copy();
    const engine = await opened();
    for (const collection of ['accepted', 'once']) {
      const [one] = await engine.connection.db!.collection(collection).find().toArray();
      expect(one?.forget.getTime()).toBeGreaterThan(NOW);
    }
  });
});
