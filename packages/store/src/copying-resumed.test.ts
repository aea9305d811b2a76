/** A copy that goes on: after an interruption, after a server that ran between two halves, into a database that is not empty. */
import { expect, it } from '@jest/globals';
import { type DeviceId, parseAccountAddress } from '@sealwire/wire/ids';
import {
  ALICE,
  account,
  appendAll,
  BOB,
  bundle,
  device,
  deviceId,
  expectError,
  mail,
  manifest,
  NOW,
  oneTimeKeys,
  people,
  ROOMY,
  readAll,
  secret,
  upTo,
} from './contract/fixture.ts';
import { emptyDatabase } from './testing/mongo-database.ts';
import { describeMoves } from './testing/moving.ts';

describeMoves('a copy that goes on', 'copy-resumed', ({ source, moved, copy, copyHalf, engine: opened, url }) => {
  it('goes on where it was interrupted; until it has ended no server opens the database', async () => {
    const store = await source();
    const many = Array.from({ length: 120 }, (_, n) => parseAccountAddress(ALICE.replace('sip:', `sip:n${n}.`)));
    await Promise.all(many.map((address) => people(store, address, 1)));
    await store.close();
    await expect(copy({ report: (doing, done) => doing === 'copying' && done === 0 })).rejects.toThrow(
      'the same command goes on',
    );
    await expect(moved()).rejects.toThrow('a copy into this database has not ended');
    const begun: number[] = [];
    const result = await copy({
      report(doing, done) {
        if (doing === 'copying') begun.push(done);
        return true;
      },
    });
    expect(begun).toEqual([50, 100]);
    expect(result).toMatchObject({ accounts: 120 });
    expect(await (await moved()).accounts.find(many[119]!)).toBeDefined();
  });

  it('finds what a server changed between two halves, and copies it anew', async () => {
    const before = await source();
    const [phone] = (await people(before, ALICE, 1)) as [DeviceId];
    const [bob] = (await people(before, BOB, 1)) as [DeviceId];
    await before.prekeys.register(phone, 'c25519', bundle(1), oneTimeKeys(5, 6));
    await appendAll(before, 1, 2, bob, phone);
    await before.close();
    await copyHalf();
    const between = await source();
    await between.prekeys.claim('c25519', [phone], NOW);
    await between.mailboxes.acknowledge([upTo(phone, 1)]);
    await between.close();
    await copy();
    const after = await moved();
    expect(await after.prekeys.listOneTime(phone, 'c25519')).toEqual([6]);
    expect((await readAll(after, phone)).mails.map(({ seq }) => seq)).toEqual([2]);
  });

  it('K14: refuses a folder that a server has open, and a database that holds something, or has a copy', async () => {
    const store = await source();
    await people(store, ALICE, 1);
    await expect(copy()).rejects.toThrow(/open|process|owner/);
    await store.close();
    await copy();
    await expect(copy()).rejects.toThrow('a copy into this database has ended');
    await emptyDatabase(url);
    await people(await moved(), BOB, 1);
    await expect(copy()).rejects.toThrow('holds accounts already');
  });

  it('a database that differs is not taken for a copy', async () => {
    const store = await source();
    await people(store, ALICE, 1);
    await store.close();
    const engine = await opened();
    const spoil = copy({
      report(doing) {
        if (doing === 'comparing') void engine.connection.db!.collection('accounts').insertOne({ rev: 1 });
        return true;
      },
    });
    await expect(spoil).rejects.toThrow('the database holds 2 accounts, the folder 1');
    await expect(moved()).rejects.toThrow('has not ended');
  });

  it('keeps nothing of what left between two halves: devices, those that waited, accounts, keys, invitations', async () => {
    const before = await source();
    await people(before, ALICE, 2);
    const [bob] = (await people(before, BOB, 1)) as [DeviceId];
    const [phone, tablet, waiting] = [1, 2, 7].map((n) => deviceId(ALICE, n)) as [DeviceId, DeviceId, DeviceId];
    await before.prekeys.register(phone, 'c25519', bundle(1), []);
    await before.prekeys.register(tablet, 'c25519', bundle(2), oneTimeKeys(5));
    await before.waiting.register(waiting, 'c25519', bundle(3), [], { maximum: 10, now: NOW });
    await before.prekeys.register(bob, 'c25519', bundle(4), []);
    await appendAll(before, 1, 2, bob, tablet);
    await appendAll(before, 3, 4, phone, bob);
    await before.accounts.addInvitation(secret(7), 1, NOW + 100);
    await before.close();
    await expect(copy({ report: (doing) => doing !== 'comparing' })).rejects.toThrow('the same command goes on');
    const between = await source();
    await between.devices.remove(tablet, NOW);
    await between.waiting.remove(waiting);
    await between.prekeys.replaceSignedPrekey(phone, 'c25519', bundle(5).signedPrekey);
    await between.accounts.delete(BOB, NOW);
    const carol = parseAccountAddress(ALICE.replace('sip:', 'sip:c'));
    const code = { hash: secret(7), now: NOW };
    await between.accounts.create(account(carol), manifest(1), [device(carol, 1)], code);
    await between.close();
    await copy();
    const after = await moved();
    expect(await after.prekeys.find('c25519', [tablet, waiting, bob])).toEqual([undefined, undefined, undefined]);
    for (const gone of [tablet, bob])
      expect(await after.mailboxes.append([mail(9, phone, [gone])], ROOMY)).toEqual([
        { status: 'unknown', devices: [gone] },
      ]);
    const dave = parseAccountAddress(ALICE.replace('sip:', 'sip:d'));
    await expectError(after.accounts.create(account(dave), manifest(1), [device(dave, 1)], code), 'not-found');
    const { db } = (await opened()).connection;
    const left = async (name: string) => db!.collection(name).countDocuments();
    // Alice’s phone and Carol’s: an account key, a login key, two identity keys each; and what Alice registered.
    expect({ keys: await left('keys'), mails: await left('mails'), mailboxes: await left('mailboxes') }).toEqual({
      keys: 10,
      mails: 0,
      mailboxes: 2,
    });
  });

  it('goes on after a database that refused a write half-way, as a full one does', async () => {
    const store = await source();
    await people(store, ALICE, 1);
    await people(store, BOB, 1);
    await store.close();
    const accounts = (await opened()).connection.db!.collection('accounts');
    await accounts.createIndex({ rev: 1 }, { unique: true });
    const error = await copy()
      .catch((reason: unknown) => reason)
      .finally(() => accounts.dropIndex('rev_1'));
    expect(error).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    expect((error as Error).message).not.toContain('\n');
    await expect(moved()).rejects.toThrow('has not ended');
    expect(await copy()).toMatchObject({ accounts: 2 });
  });
});
