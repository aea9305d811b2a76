/** Devices with identities on the hybrid suites (docs/spec/lime.md, "Hybrid suites"), over real servers, beside devices without. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { decodeRequest, encodeAnswer } from '@sealwire/wire/lime-server';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, BOTH_CURVES, join, type Person, type PersonOptions, register, takeTexts } from './person.ts';

let constellation: Constellation;
const people: Person[] = [];

beforeEach(async () => {
  constellation = await startConstellation();
});

afterEach(async () => {
  for (const { client } of people.splice(0)) await client.close();
  await constellation.stop();
});

async function person(name: string, options: PersonOptions): Promise<Person> {
  const made = await register(constellation, name, { curves: BOTH_CURVES, ...options });
  people.push(made);
  await made.client.connect();
  return made;
}

/** The suites on which `me` has a session with a device of anybody. */
async function suitesInUse(me: Person): Promise<string[]> {
  const records = await (me.storage as MemoryStorage).copy().load();
  const names = [...records.keys()].map((key) => /^lime-(\w+)\/active /.exec(key)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

async function exchange(from: Person, to: Person, name: string, text: string): Promise<void> {
  await (await from.client.send(name, text)).accepted;
  expect(await takeTexts(to.client, 1)).toEqual([text]);
}

describe('hybrid devices', () => {
  it('talk on the hybrid suite that both prefer, and on after a crash', async () => {
    const alice = await person('alice', { hybrid: true });
    const bob = await person('bob', { hybrid: true });
    expect(alice.client.suites).toEqual(['c25519mlk512', 'c448mlk1024', 'c25519', 'c448']);
    for (let turn = 0; turn < 3; turn += 1) {
      await exchange(alice, bob, 'bob', `there ${turn}`);
      await exchange(bob, alice, 'alice', `back ${turn}`);
    }
    expect([await suitesInUse(alice), await suitesInUse(bob)]).toEqual([['c25519mlk512'], ['c25519mlk512']]);
    const again = await afterCrash(bob);
    people.push(again);
    await again.client.connect();
    await exchange(alice, again, 'bob', 'still there');
    await exchange(again, alice, 'alice', 'still here');
  });

  it('on Curve448 alone as well', async () => {
    const alice = await person('alice', { hybrid: true, curves: ['c448'] });
    const bob = await person('bob', { hybrid: true });
    await exchange(alice, bob, 'bob', 'hello');
    await exchange(bob, alice, 'alice', 'hello yourself');
    expect([await suitesInUse(alice), await suitesInUse(bob)]).toEqual([['c448mlk1024'], ['c448mlk1024']]);
  });

  it('reach devices without, which stay as they are: one message, two suites, one body', async () => {
    const alice = await person('alice', { hybrid: true });
    const bob = await person('bob', { hybrid: true });
    const phone = await join(constellation, bob, { curves: BOTH_CURVES });
    people.push(phone);
    await phone.client.connect();
    expect(phone.client.suites).toEqual(['c25519', 'c448']);
    const text = 'x'.repeat(400);
    await (await alice.client.send('bob', text)).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual([text]);
    expect(await takeTexts(phone.client, 1)).toEqual([text]);
    expect(await suitesInUse(alice)).toEqual(['c25519', 'c25519mlk512']);
    expect(await suitesInUse(phone)).toEqual(['c25519']);
  });

  it('S16: a directory that hides the hybrid keys of a device does not get a classical message instead', async () => {
    const alice = await person('alice', { hybrid: true });
    const bob = await person('bob', { hybrid: true });
    const asked = new Set<string>();
    alice.network.intercept = async (request, ask) => {
      if (!request.url.endsWith('/lime')) return ask();
      const question = decodeRequest(new Uint8Array(await request.arrayBuffer()));
      if (question.kind !== 'getPeerBundle') return ask();
      asked.add(question.suite);
      if (question.suite !== 'c25519mlk512') return ask();
      const peers = question.devices.map((device) => ({ device }));
      return new Response(encodeAnswer({ kind: 'peerBundle', suite: question.suite, peers }), {
        headers: { 'content-type': 'x3dh/octet-stream' },
      });
    };
    const { accepted } = await alice.client.send('bob', 'only for the strong');
    const settled = accepted.then(
      () => 'accepted',
      () => 'refused',
    );
    await waitFor(() => asked.size > 0);
    expect(await Promise.race([settled, Promise.resolve('waits')])).toBe('waits');
    expect([...asked]).toEqual(['c25519mlk512']);
    expect(await suitesInUse(alice)).toEqual([]);
    alice.network.intercept = (_request, ask) => ask();
    expect(await settled).toBe('accepted');
    expect(await takeTexts(bob.client, 1)).toEqual(['only for the strong']);
    expect(await suitesInUse(alice)).toEqual(['c25519mlk512']);
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
