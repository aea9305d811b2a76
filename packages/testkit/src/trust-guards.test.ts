/**
 * Guards of whom the SDK believes, each with the test that fails without it (docs/testing.md): relay and directory that lie, the user's
 * word, sessions that are forgotten. docs/spec/client.md section 4.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { Company } from './company.ts';
import { join, type Person, take, takeTexts } from './person.ts';

const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
});

/** Both sides have a session and know each other. */
async function meet(): Promise<void> {
  await (await alice.client.send('bob', 'hello')).accepted;
  expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
}

describe('a relay that lies about the sender', () => {
  it('S37: a message in our own device’s name is refused as such', async () => {
    await meet();
    bob.network.incoming = (frame) => (frame.kind === 'deliver' ? { ...frame, sender: bob.client.device } : frame);
    await alice.client.send('bob', 'from myself?');
    expect(await take(bob.client, 'undecryptable', 1)).toMatchObject([
      { device: bob.client.device, code: 'own-device' },
    ]);
  });
});

describe('a first message that shows another identity key than before', () => {
  it('D18: is not read, is told of, and nothing is sent to that account until the user has decided', async () => {
    const carol = await company.person('carol');
    await meet();
    bob.network.incoming = (frame) => (frame.kind === 'deliver' ? { ...frame, sender: alice.client.device } : frame);
    await (await carol.client.send('bob', 'I am alice')).accepted;
    const device = alice.client.device;
    expect(await take(bob.client, 'identity-change', 1)).toEqual([{ kind: 'identity-change', device }]);
    await expect(bob.client.send('alice', 'hello')).rejects.toMatchObject({ code: 'unsafe-device' });
    expect((await bob.client.trust.peer('alice')).devices).toMatchObject([{ id: device, trust: 'unsafe' }]);
  });
});

describe('a directory that lies', () => {
  it('S38: a page of history that leads nowhere is not asked for again and again', async () => {
    await meet();
    for (const person of [bob, bob]) company.people.push(await join(company.constellation, person));
    let asked = 0;
    alice.network.intercept = async (request, ask) => {
      if (!request.url.includes('/history?after=')) return ask();
      asked += 1;
      const page = (await (await ask()).json()) as object;
      return Response.json({ ...page, manifests: [], next: Number(new URL(request.url).searchParams.get('after')) });
    };
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: expect.stringMatching(/^manifest-/) });
    expect(asked).toBe(1);
  });

  it('S37: an answer for another account is not taken for the one that was asked for', async () => {
    const answer = await (await fetch(`${company.constellation.origin}/directory/manifests/alice`)).json();
    alice.network.intercept = async (request, ask) =>
      request.url.endsWith('/manifests/bob') ? Response.json(answer) : ask();
    await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'unknown-account' });
  });
});

describe('the user’s word', () => {
  it('S49: said while the directory is asked stays: the answer does not bring the older trust back', async () => {
    await meet();
    for (const person of [bob, bob]) company.people.push(await join(company.constellation, person));
    let go: (() => void) | undefined;
    alice.network.intercept = (request, ask) => {
      if (!request.url.includes('/history?after=')) return ask();
      return new Promise((resolve) => {
        go = () => resolve(ask());
      });
    };
    const asking = alice.client.trust.peer('bob');
    while (!go) await new Promise((resolve) => setImmediate(resolve));
    await alice.client.trust.set(bob.client.device, 'unsafe');
    go();
    const { devices } = await asking;
    expect(devices.length).toBe(3);
    expect(devices.find(({ id }) => id === bob.client.device)).toMatchObject({ trust: 'unsafe' });
  });
});

describe('a device that is forgotten', () => {
  const bundlesAsked = (person: Person) => {
    let count = 0;
    person.network.intercept = (request, ask) => {
      if (request.url.endsWith('/lime')) count += 1;
      return ask();
    };
    return () => count;
  };

  /** What the storage of `person` holds under the name of a device. */
  async function recordsOf(person: Person, device: string): Promise<string[]> {
    const records = await (person.storage as MemoryStorage).copy().load();
    return [...records.keys()].filter((key) => key.startsWith('lime') && key.includes(device));
  }

  it('S45: its sessions and pinned keys go with it from the storage of all who wrote to it', async () => {
    const tablet = await join(company.constellation, bob);
    company.people.push(tablet);
    await meet();
    const { device } = tablet.client;
    expect(await recordsOf(alice, device)).not.toEqual([]);
    await bob.client.devices.remove(device);
    await alice.client.trust.peer('bob');
    expect(await recordsOf(alice, device)).toEqual([]);
    expect(await recordsOf(alice, bob.client.device)).not.toEqual([]);
  });

  it('D18: after an accepted identity change the next message begins a new session', async () => {
    await meet();
    const asked = bundlesAsked(alice);
    await (await alice.client.send('bob', 'in the old session')).accepted;
    expect(asked()).toBe(0);
    await alice.client.trust.acceptIdentityChange(bob.client.device);
    await (await alice.client.send('bob', 'in a new session')).accepted;
    expect(asked()).toBe(1);
    expect(await takeTexts(bob.client, 2)).toEqual(['in the old session', 'in a new session']);
  });

  it('a forgotten account is met as a stranger: pinned again, in a new session', async () => {
    await meet();
    const asked = bundlesAsked(alice);
    await alice.client.trust.forget('bob');
    expect(await recordsOf(alice, bob.client.device)).toEqual([]);
    await (await alice.client.send('bob', 'again')).accepted;
    expect(asked()).toBe(1);
    expect(await takeTexts(bob.client, 1)).toEqual(['again']);
  });
});
