/** Devices of one account over one server, which may forget, lie, or lose answers (docs/spec/contacts.md section 3). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { allowedEntry, isAllowed } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { ClientError } from '../errors.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { ClientContacts } from './client-contacts.ts';
import { ContactSync } from './contact-sync.ts';

const crypto = nodeCrypto();
const random = seededRandom('contact-sync');
const accountSeed = random(32);
const address = 'sip:alice@example.org' as AccountAddress;

interface Kept {
  readonly version: number;
  readonly list: Uint8Array;
}

/** As the API has it (apps/api/src/contacts). */
class Server {
  kept: Kept | undefined;
  rules: { version: number; policy: string; salt: string; allowed: string } | undefined;
  writes = 0;
  /** Called before each write. */
  beforeWrite: () => void = () => {};
  losesAnswer = false;

  async json({ path }: { readonly path: string }) {
    if (!path.endsWith('/contacts')) throw new Error(path);
    return this.kept ?? { version: 0 };
  }

  async bytes({ path, body }: { readonly path: string; readonly body: never }) {
    if (path.endsWith('/policy')) {
      this.rules = body;
      return;
    }
    const { after, version, list } = body as { after: number; version: number; list: string };
    this.beforeWrite();
    if ((this.kept?.version ?? 0) !== after || version <= after) throw new ClientError('conflict', 'another version');
    this.kept = { version, list: decodeBase64url(list) };
    this.writes += 1;
    if (this.losesAnswer) throw new ClientError('unreachable', 'lost');
  }
}

interface Device {
  readonly contacts: ClientContacts;
  readonly sync: ContactSync;
  readonly events: DurableEvent[];
  readonly clock: { now: number };
}

let server: Server;
beforeEach(() => {
  server = new Server();
});

async function device(given: object = { accountSeed }): Promise<Device> {
  const ledger = await Ledger.open(new MemoryStorage());
  const events: DurableEvent[] = [];
  const clock = { now: 1_000 };
  const self = { address, paths: { api: '/v1' }, ...given };
  const sync = new ContactSync({
    self,
    ledger,
    http: server,
    tokens: { authorized: (call: (token: string) => unknown) => call('token') },
    crypto,
    random,
    timers: { after: () => () => {} },
    inbox: { add: (_: unknown, event: DurableEvent) => () => void events.push(event) },
    trace: () => {},
  } as never);
  const addressOf = (name: string) => (name.includes('@') ? name : `sip:${name}@example.org`) as AccountAddress;
  const options = { self, ledger, book: { all: () => [] }, sync, now: () => clock.now, addressOf };
  return { contacts: new ClientContacts(options as never), sync, events, clock };
}

const names = ({ contacts }: Device) => contacts.list().map(({ address: of, name }) => `${of.slice(4, -12)}=${name}`);

describe('the contact list', () => {
  it('is the same on all devices, and each is told what others changed', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.add('bob', { name: 'Bob', note: 'from school' });
    await phone.contacts.synced();
    await laptop.contacts.synced();
    expect(laptop.contacts.get('bob')).toMatchObject({ name: 'Bob', note: 'from school' });
    expect(laptop.events).toEqual([{ kind: 'contacts-changed', changed: ['sip:bob@example.org'] }]);
    await laptop.contacts.rename('bob', 'Robert');
    await laptop.contacts.add('carol');
    await laptop.contacts.synced();
    await phone.contacts.remove('bob');
    await phone.contacts.synced();
    await laptop.contacts.synced();
    for (const each of [phone, laptop]) expect(names(each)).toEqual(['carol=']);
    expect(phone.events).toEqual([{ kind: 'contacts-changed', changed: ['sip:carol@example.org'] }]);
    expect(server.writes).toBe(3);
  });

  it('costs a write for a change, and none for a look', async () => {
    const phone = await device();
    await phone.contacts.synced();
    expect(server.writes).toBe(0);
    await phone.contacts.add('bob');
    for (let i = 0; i < 3; i++) await phone.contacts.synced();
    expect(server.writes).toBe(1);
  });

  it('of the same entry has the later word, whatever a clock says of one’s own', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.add('bob', { name: 'one' });
    await phone.contacts.synced();
    await laptop.contacts.synced();
    laptop.clock.now = 5;
    await laptop.contacts.rename('bob', 'two');
    // Another version, with the word that laptop has seen and changed.
    await phone.contacts.add('carol');
    await phone.contacts.synced();
    await laptop.contacts.synced();
    await phone.contacts.synced();
    expect([names(phone), names(laptop)]).toEqual([
      ['bob=two', 'carol='],
      ['bob=two', 'carol='],
    ]);
  });

  it('loses nothing when devices write at the same time', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.add('bob');
    await laptop.contacts.add('carol');
    server.beforeWrite = () => {
      server.beforeWrite = () => {};
      void laptop.contacts.synced();
    };
    await Promise.all([phone.contacts.synced(), laptop.contacts.synced()]);
    await phone.contacts.synced();
    expect([names(phone), names(laptop)]).toEqual([
      ['bob=', 'carol='],
      ['bob=', 'carol='],
    ]);
  });

  it('whose answer was lost is written no second time', async () => {
    const phone = await device();
    await phone.contacts.add('bob');
    server.losesAnswer = true;
    await expect(phone.contacts.synced()).rejects.toMatchObject({ code: 'unreachable' });
    server.losesAnswer = false;
    await phone.contacts.synced();
    expect([server.writes, server.kept!.version, phone.events]).toEqual([1, 1, []]);
  });

  it('comes to the same on all devices, whatever they do and whenever they meet the server', async () => {
    const step = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom('add', 'remove', 'rename', 'sync', 'policy'),
      on: fc.constantFrom('bob', 'carol', 'dave'),
      name: fc.constantFrom('', 'x', 'y'),
      later: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        server = new Server();
        const devices = [await device(), await device(), await device()];
        const policies = ['everyone', 'requests', 'contacts'] as const;
        for (const { who, what, on, name, later } of steps) {
          const { contacts, clock } = devices[who]!;
          clock.now += later;
          if (what === 'add') await contacts.add(on, { name });
          else if (what === 'sync') await contacts.synced();
          else if (what === 'policy') await contacts.setPolicy(policies[later]!);
          else if (contacts.get(on)) await (what === 'remove' ? contacts.remove(on) : contacts.rename(on, name));
        }
        for (let round = 0; round < 2; round++) for (const { contacts } of devices) await contacts.synced();
        const [first, ...others] = devices.map((each) => [names(each), each.contacts.policy()]);
        for (const other of others) expect(other).toEqual(first);
        for (const { events } of devices) expect(events.map(({ kind }) => kind)).not.toContain('contacts-alarm');
      }),
      { numRuns: 60 },
    );
  });

  it('is not read by a device that was given no key, which says so', async () => {
    const old = await device({ accountSeed: undefined });
    await old.contacts.add('bob');
    await expect(old.contacts.synced()).rejects.toMatchObject({ code: 'no-contacts-key' });
    expect(server.kept).toBeUndefined();
  });
});

describe('a server', () => {
  it('that goes back gets all again that a device knows, and the user is told once', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.add('bob');
    await phone.contacts.synced();
    const backup = server.kept!;
    await phone.contacts.add('carol');
    await phone.contacts.remove('bob');
    await phone.contacts.synced();
    await laptop.contacts.synced();
    server.kept = backup;
    for (let i = 0; i < 2; i++) await phone.contacts.synced();
    expect(phone.events).toEqual([{ kind: 'contacts-alarm', reason: 'rolled-back', version: 1, known: 2 }]);
    expect(server.kept.version).toBe(3);
    await laptop.contacts.synced();
    for (const each of [phone, laptop]) expect(names(each)).toEqual(['carol=']);
    expect(laptop.events.map(({ kind }) => kind)).toEqual(['contacts-changed']);
  });

  it('that has lost the list gets it again', async () => {
    const phone = await device();
    await phone.contacts.add('bob');
    await phone.contacts.synced();
    server.kept = undefined;
    await phone.contacts.synced();
    const fresh = await device();
    await fresh.contacts.synced();
    expect([names(fresh), server.kept!.version]).toEqual([['bob='], 2]);
  });

  it('that shows two devices two lists of one version is found out when it shows both', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.add('bob');
    await phone.contacts.synced();
    const ofPhone = server.kept!;
    server.kept = undefined;
    await laptop.contacts.add('carol');
    await laptop.contacts.synced();
    server.kept = ofPhone;
    await laptop.contacts.synced();
    expect(laptop.events[0]).toEqual({ kind: 'contacts-alarm', reason: 'forked', version: 1, known: 1 });
    await phone.contacts.synced();
    expect([names(phone), names(laptop)]).toEqual([
      ['bob=', 'carol='],
      ['bob=', 'carol='],
    ]);
  });

  it('that makes a list of its own is believed nothing, and the user is told once', async () => {
    const phone = await device();
    await phone.contacts.add('bob');
    await phone.contacts.synced();
    const { list } = server.kept!;
    for (const forged of [
      { version: 9, list },
      { version: 9, list: new Uint8Array(40) },
    ]) {
      server.kept = forged;
      for (let i = 0; i < 2; i++)
        await expect(phone.contacts.synced()).rejects.toMatchObject({ code: 'contacts-forged' });
    }
    const alarm = { kind: 'contacts-alarm', reason: 'forged', version: 9, known: 1 };
    expect(phone.events).toEqual([alarm, alarm]);
    expect(names(phone)).toEqual(['bob=']);
  });
});

describe('who may write', () => {
  const mayWrite = (name: string) => {
    const { salt, allowed } = server.rules!;
    const entry = allowedEntry(crypto.sha256, decodeBase64url(salt), `sip:${name}@example.org` as AccountAddress);
    return isAllowed(decodeBase64url(allowed), entry);
  };

  it('is told to the server when strangers are kept out, and not before', async () => {
    const phone = await device();
    await phone.contacts.add('bob');
    await phone.contacts.synced();
    expect(server.rules).toBeUndefined();
    await phone.contacts.setPolicy('requests');
    await phone.contacts.synced();
    expect(server.rules).toMatchObject({ policy: 'requests', version: 2 });
    expect(['bob', 'carol'].map(mayWrite)).toEqual([true, false]);
    expect(decodeBase64url(server.rules!.allowed)).toHaveLength(8);
    await phone.contacts.letIn('sip:carol@example.org' as AccountAddress);
    expect([names(phone), mayWrite('carol')]).toEqual([['bob='], true]);
    await phone.contacts.remove('bob');
    await phone.contacts.synced();
    expect(['bob', 'carol'].map(mayWrite)).toEqual([false, true]);
    await phone.contacts.setPolicy('everyone');
    await phone.contacts.synced();
    expect(server.rules).toMatchObject({ policy: 'everyone', allowed: '' });
  });

  it('is the same on all devices, which hear of it', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.setPolicy('contacts');
    await phone.contacts.synced();
    await laptop.contacts.synced();
    expect(laptop.contacts.policy()).toBe('contacts');
    expect(laptop.events).toEqual([{ kind: 'contacts-changed', changed: [], policy: 'contacts' }]);
  });
});

describe('what is refused', () => {
  it.each([
    ['the own account', 'alice', {}, 'forbidden'],
    ['a long name', 'bob', { name: 'x'.repeat(129) }, 'bad-request'],
    ['a name of two lines', 'bob', { name: 'a\nb' }, 'bad-request'],
    ['a long note', 'bob', { note: 'x'.repeat(513) }, 'bad-request'],
    ['control characters', 'bob', { note: '\u0007' }, 'bad-request'],
  ])('%s', async (_, of, words, code) => {
    const { contacts } = await device();
    await expect(contacts.add(of, words)).rejects.toMatchObject({ code });
    expect(contacts.list()).toEqual([]);
  });

  it('a contact that is none, and a request that was not made', async () => {
    const { contacts } = await device();
    for (const call of [
      () => contacts.rename('bob', 'x'),
      () => contacts.setNote('bob', 'x'),
      () => contacts.remove('bob'),
      () => contacts.accept('bob'),
      () => contacts.decline('bob'),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'not-found' });
    await expect(contacts.setPolicy('nobody' as never)).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('more contacts than a list holds; removals make room', async () => {
    const { contacts } = await device();
    for (let n = 0; n < 1_000; n++) await contacts.add(`n${n}`);
    await expect(contacts.add('over')).rejects.toMatchObject({ code: 'limit-reached' });
    await contacts.remove('n5');
    await contacts.add('over');
    expect(contacts.list()).toHaveLength(1_000);
  });
});
