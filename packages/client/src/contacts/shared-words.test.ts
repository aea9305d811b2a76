/** Words that all devices of an account have beside their contacts, by the timers of pairs (docs/spec/contacts.md section 3). */
import { describe, expect, it } from '@jest/globals';
import type { ContactTimer } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import fc from 'fast-check';
import { ClientTimers } from '../messages/client-timers.ts';
import { TIMERS } from '../messages/conversation-timer.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { type ContactDevice, ContactServer, contactDevice } from '../testing/contact-world.ts';

const BOB = 'sip:bob@example.org' as AccountAddress;

function timersOf({ ledger, clock }: Pick<ContactDevice, 'ledger' | 'clock'>): ClientTimers {
  const groups = { info: () => ({}) as never, setTimer: async () => {} };
  return new ClientTimers({
    ledger,
    groups,
    addressOf: (name) => `sip:${name}@example.org` as AccountAddress,
    now: () => clock.now,
    share: () => {},
  });
}

async function pair() {
  const server = new ContactServer();
  const [phone, laptop] = [await contactDevice(server), await contactDevice(server)];
  const sync = async (...devices: readonly ContactDevice[]) => {
    for (const { contacts } of devices) await contacts.synced();
  };
  return { server, phone, laptop, sync };
}

describe('the timer of a pair', () => {
  it('is one on all devices: the later one counts, and the other device is told', async () => {
    const { phone, laptop, sync } = await pair();
    await timersOf(phone).set('bob', 60);
    await sync(phone, laptop);
    expect([timersOf(laptop).get('bob'), laptop.events]).toEqual([
      60,
      [{ kind: 'timer-changed', conversation: BOB, lifetime: 60 }],
    ]);
    laptop.clock.now = 5;
    await timersOf(laptop).set('bob', 0);
    await sync(laptop, phone, phone);
    expect([timersOf(phone).get('bob'), phone.events]).toEqual([
      0,
      [{ kind: 'timer-changed', conversation: BOB, lifetime: 0 }],
    ]);
  });

  it('that two devices set at once is the shorter one, on both; an older list of the server changes it no more', async () => {
    const { server, phone, laptop, sync } = await pair();
    await timersOf(phone).set('bob', 0);
    await sync(phone);
    const old = server.kept!;
    await timersOf(laptop).set('bob', 3_600);
    await sync(laptop, phone);
    expect([timersOf(phone).get('bob'), timersOf(laptop).get('bob')]).toEqual([3_600, 3_600]);
    server.kept = old;
    await sync(phone, laptop);
    expect([timersOf(phone).get('bob'), timersOf(laptop).get('bob')]).toEqual([3_600, 3_600]);
  });
});

it('a hundred conversations have a timer, none of which ends by another one', async () => {
  const { phone } = await pair();
  const timers = timersOf(phone);
  for (let n = 0; n < LIMITS.timersPerAccount.value; n++) await timers.set(`n${n}`, 60);
  await expect(timers.set('bob', 60)).rejects.toMatchObject({ code: 'limit-reached' });
  await timers.set('n5', 30);
  await timers.set('n6', 0);
  await timers.set('bob', 60);
  await phone.contacts.synced();
  expect(['n0', 'n5', 'n6', 'bob'].map((name) => timers.get(name))).toEqual([60, 30, 0, 60]);
});

const word: fc.Arbitrary<ContactTimer> = fc.record({
  address: fc.nat(3).map((n) => `sip:n${n}@example.org` as AccountAddress),
  lifetime: fc.constantFrom(0, 1, 60, 31_536_000),
  at: fc.nat(3),
});
const list = fc.uniqueArray(word, { maxLength: 4, selector: ({ address }) => address });

it('whoever meets whom first, all devices come to the same words, and none is earlier than one of theirs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(list, { minLength: 2, maxLength: 3 }), async (lists) => {
      const merged = async (order: readonly ContactTimer[][]) => {
        const ledger = await Ledger.open(new MemoryStorage());
        await ledger.commit((transaction) => {
          // As of a server that went back: what is here stays, and is merged.
          for (const each of order) TIMERS.take(transaction, each, true);
        });
        return TIMERS.all(ledger).sort((a, b) => (a.address < b.address ? -1 : 1));
      };
      const all = await merged(lists);
      expect(await merged(lists.toReversed())).toEqual(all);
      expect(await merged([...lists, ...lists])).toEqual(all);
      for (const { address, at } of lists.flat())
        expect(all.find((one) => one.address === address)!.at).toBeGreaterThanOrEqual(at);
    }),
  );
});

it('what others have dropped goes, what is new here stays', async () => {
  const ledger = await Ledger.open(new MemoryStorage());
  const carol = 'sip:carol@example.org' as AccountAddress;
  await ledger.commit((transaction) => {
    TIMERS.take(transaction, [{ address: BOB, lifetime: 9, at: 1 }], false);
    TIMERS.say(transaction, { address: carol, lifetime: 8 }, 1);
    expect(TIMERS.take(transaction, [], false)).toEqual([]);
  });
  expect(TIMERS.all(ledger).map(({ address }) => address)).toEqual([carol]);
});
