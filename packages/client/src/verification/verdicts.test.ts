/** Devices of one account take over what its user found out about others (docs/spec/verification.md section 9), by a server that may lie. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { LIMITS } from '@sealwire/wire/limits';
import { lowestTrust, type PeerRecord, pinPeer, readPeer, writePeer } from '../accounts/peer-record.ts';
import { type ContactDevice, ContactServer, contactDevice } from '../testing/contact-world.ts';
import { Account } from '../testing/verification-world.ts';
import { VERDICTS } from './verdict-records.ts';

const crypto = nodeCrypto();
let server: ContactServer;
let phone: ContactDevice;
let laptop: ContactDevice;
let bob: Account;
/** Under the same address. */
let reset: Account;

function pinned(account: Account): PeerRecord {
  const { address, accountKey, manifest: bytes, signature } = account.newest;
  return pinPeer(crypto, address, accountKey, { bytes, signature }, 0);
}

const meets = ({ ledger }: ContactDevice, account: Account) =>
  ledger.commit((transaction) => writePeer(transaction, pinned(account)));
const verifies = ({ ledger, verdicts }: ContactDevice) =>
  ledger.commit((transaction) => verdicts.verified(transaction, bob.address, bob.newest.accountKey));
const withdraws = ({ ledger, verdicts }: ContactDevice) =>
  ledger.commit((transaction) => verdicts.withdrawn(transaction, bob.address));
const seesOthers = ({ ledger, verdicts }: ContactDevice) =>
  ledger.commit((transaction) => verdicts.different(transaction, bob.address));
const trustIn = ({ ledger }: ContactDevice) => lowestTrust(readPeer(ledger, bob.address)!);
const wordsOf = ({ ledger }: ContactDevice) => VERDICTS.all(ledger).map(({ state, at }) => `${state} ${at}`);

async function meet(): Promise<void> {
  for (const device of [phone, laptop]) await meets(device, bob);
}

async function sync(...devices: readonly ContactDevice[]): Promise<void> {
  for (const device of devices) await device.contacts.synced();
}

beforeEach(async () => {
  server = new ContactServer();
  [phone, laptop] = [await contactDevice(server), await contactDevice(server)];
  bob = new Account('bob');
  reset = new Account('bob', 'another key');
  for (const account of [bob, reset]) account.publish([1, 2]);
});

describe('T226: what one device found out', () => {
  it('is so on the others, later devices of the peer too, and taken back there as well; each is told once', async () => {
    await meet();
    await verifies(phone);
    await sync(phone, laptop, laptop);
    expect([trustIn(laptop), laptop.events]).toEqual([
      'trusted',
      [{ kind: 'verification-changed', address: bob.address, state: 'verified' }],
    ]);
    expect(phone.events).toEqual([]);
    await withdraws(laptop);
    await sync(laptop, phone);
    expect([trustIn(phone), phone.events]).toEqual([
      'untrusted',
      [{ kind: 'verification-changed', address: bob.address, state: 'withdrawn' }],
    ]);
    expect(server.writes).toBe(2);
  });

  it('other characters make the account unsafe on all of them, and verifying it takes that back nowhere', async () => {
    await meet();
    await seesOthers(phone);
    await sync(phone, laptop);
    expect([trustIn(laptop), laptop.events]).toEqual([
      'unsafe',
      [{ kind: 'verification-changed', address: bob.address, state: 'different' }],
    ]);
    await verifies(phone);
    await sync(phone, laptop);
    expect([trustIn(phone), trustIn(laptop)]).toEqual(['unsafe', 'unsafe']);
  });

  it('is nothing that the server could read or make: its length says as much of any list', async () => {
    await meet();
    await verifies(phone);
    await sync(phone);
    const sealed = Buffer.from(server.kept!.list);
    for (const secret of [bob.address, Buffer.from(bob.newest.accountKey)]) expect(sealed.includes(secret)).toBe(false);
    const changed = server.kept!.list.slice();
    changed[40]! ^= 1;
    server.kept = { ...server.kept!, list: changed };
    await expect(sync(laptop)).rejects.toMatchObject({ code: 'contacts-forged' });
    expect(trustIn(laptop)).toBe('untrusted');
  });

  it('an older list brings nothing back, neither trust that was withdrawn nor an alarm that was settled', async () => {
    await meet();
    await verifies(phone);
    await sync(phone, laptop);
    const old = server.kept!;
    await withdraws(phone);
    await sync(phone, laptop);
    server.kept = old;
    await sync(laptop);
    expect(trustIn(laptop)).toBe('untrusted');
    expect(laptop.events.at(-1)).toMatchObject({ kind: 'contacts-alarm', reason: 'rolled-back' });
    // And it has back what it lost.
    await sync(phone);
    expect([wordsOf(phone), wordsOf(laptop)]).toEqual([['withdrawn 1001'], ['withdrawn 1001']]);
  });
});

describe('T227: a verdict on one key', () => {
  it('trusts no other: a device that knows another one is told of it, and sends nothing until its user decides', async () => {
    await meets(phone, bob);
    await meets(laptop, reset);
    await verifies(phone);
    await sync(phone, laptop);
    expect(readPeer(laptop.ledger, bob.address)).toMatchObject({ shown: reset.newest.accountKey });
    expect([trustIn(laptop), laptop.events]).toMatchObject([
      'unsafe',
      [{ kind: 'account-reset', address: bob.address }],
    ]);
    // Told once, also by what follows.
    await meets(phone, bob);
    await verifies(phone);
    await sync(phone, laptop);
    expect(laptop.events).toHaveLength(1);
  });

  it('takes no trust from another, and finds none unsafe', async () => {
    await meets(phone, bob);
    await meets(laptop, reset);
    await seesOthers(phone);
    await sync(phone, laptop);
    await withdraws(phone);
    await sync(phone, laptop);
    expect([trustIn(laptop), laptop.events]).toEqual(['untrusted', []]);
  });

  it('counts at the first contact of a device: its key is verified from the start, any other is told of', async () => {
    await meets(phone, bob);
    await verifies(phone);
    await sync(phone, laptop);
    expect(laptop.events).toEqual([]);
    const met = (account: Account) =>
      laptop.ledger.commit((transaction) => laptop.verdicts.met(transaction, pinned(account)));
    expect(lowestTrust(await met(bob))).toBe('trusted');
    const other = await met(reset);
    expect([lowestTrust(other), other.shown]).toEqual(['unsafe', reset.newest.accountKey]);
  });
});

it('of two that say something at once the one who trusts less is heard, on both', async () => {
  await meet();
  await verifies(phone);
  await seesOthers(laptop);
  await sync(phone, laptop, phone);
  expect([wordsOf(phone), wordsOf(laptop)]).toEqual([['different 1000'], ['different 1000']]);
  expect([trustIn(phone), trustIn(laptop)]).toEqual(['unsafe', 'unsafe']);
});

it('of too many the oldest that were taken back are forgotten, and trust stays', async () => {
  const most = LIMITS.verdictsPerAccount.value;
  const all = Array.from({ length: most + 1 }, (_, n) => new Account(`peer${n}`));
  for (const [n, account] of all.entries()) {
    account.publish([1]);
    await meets(phone, account);
    phone.clock.now = 10_000 + n;
    await phone.ledger.commit((transaction) => {
      phone.verdicts.verified(transaction, account.address, account.newest.accountKey);
      if (n === most) phone.verdicts.withdrawn(transaction, account.address);
    });
  }
  await sync(phone, laptop);
  for (const device of [phone, laptop]) {
    expect(VERDICTS.all(device.ledger)).toHaveLength(most);
    expect(VERDICTS.all(device.ledger).map(({ address }) => address)).not.toContain(all.at(-1)!.address);
  }
  expect(readPeer(phone.ledger, all[0]!.address)?.verified).toBe(true);
});

it('the user’s word on its devices settles other characters, also for a device that comes later', async () => {
  await meet();
  await seesOthers(phone);
  await phone.ledger.commit((transaction) => {
    const peer = { ...readPeer(transaction, bob.address)!, trust: new Map() };
    writePeer(transaction, peer);
    phone.verdicts.settled(transaction, peer);
  });
  await sync(phone);
  const tablet = await contactDevice(server);
  await sync(tablet);
  const met = await tablet.ledger.commit((transaction) => tablet.verdicts.met(transaction, pinned(bob)));
  expect(lowestTrust(met)).toBe('untrusted');
});
