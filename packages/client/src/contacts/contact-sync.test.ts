/** Devices of one account over one server, which may forget, lie, or lose answers (docs/spec/contacts.md section 3). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ContactServer, contactDevice, names } from '../testing/contact-world.ts';

let server: ContactServer;
beforeEach(() => {
  server = new ContactServer();
});
const device = (given?: object) => contactDevice(server, given);

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
      ['carol=', 'bob=two'],
      ['carol=', 'bob=two'],
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
        server = new ContactServer();
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
