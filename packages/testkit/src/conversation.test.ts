/** Three people and more devices over real servers: everybody with everybody, on both curves. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Constellation, startConstellation } from './constellation.ts';
import { BOTH_CURVES, join, type Person, type PersonOptions, register, take, takeTexts } from './person.ts';

let constellation: Constellation;
const people: Person[] = [];

beforeAll(async () => {
  constellation = await startConstellation();
});

afterAll(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
});

async function person(name: string, options: PersonOptions = { curves: BOTH_CURVES }): Promise<Person> {
  const made = await register(constellation, name, options);
  people.push(made);
  return made;
}

describe('a conversation', () => {
  it('goes both ways, first with and then without key bundles', async () => {
    const alice = await person('alice');
    const bob = await person('bob');
    await alice.client.connect();
    await bob.client.connect();
    const first = await alice.client.send('bob', 'hello bob');
    await first.accepted;
    const [message] = await take(bob.client, 'message', 1);
    expect(message).toMatchObject({
      id: first.id,
      from: 'sip:alice@example.org',
      device: alice.client.device,
      conversation: 'sip:alice@example.org',
      type: 'text/plain',
      text: 'hello bob',
      trust: 'untrusted',
    });
    await bob.client.send('sip:alice@example.org', 'hello alice');
    expect(await takeTexts(alice.client, 1)).toEqual(['hello alice']);
  });

  it('a name typed in another form is the same account, and one that hides something is none', async () => {
    const [alice, bob] = people as [Person, Person];
    for (const to of ['Bob', 'ｂｏｂ', 'sip:ｂob@example.org']) {
      expect((await alice.client.trust.peer(to)).address).toBe('sip:bob@example.org');
      await (await alice.client.send(to, to)).accepted;
    }
    expect(await takeTexts(bob.client, 3)).toEqual(['Bob', 'ｂｏｂ', 'sip:ｂob@example.org']);
    for (const to of ['bo\u200bb', '\u202ebob', 'sip:bo\u200bb@example.org', 'sip:\u202ebob@example.org'])
      await expect(alice.client.send(to, 'lost')).rejects.toMatchObject({ code: 'bad-address' });
  });

  it('everybody with everybody, carol on Curve448 alone', async () => {
    const [alice, bob] = people as [Person, Person];
    const carol = await person('carol', { curves: ['c448'] });
    await carol.client.connect();
    await Promise.all([
      alice.client.send('carol', 'a→c'),
      bob.client.send('carol', 'b→c'),
      carol.client.send('alice', 'c→a'),
      carol.client.send('bob', 'c→b'),
    ]);
    expect((await takeTexts(carol.client, 2)).sort()).toEqual(['a→c', 'b→c']);
    expect(await takeTexts(alice.client, 1)).toEqual(['c→a']);
    expect(await takeTexts(bob.client, 1)).toEqual(['c→b']);
  });

  it('people without a common suite get one clear error, and the conversation goes on', async () => {
    const carol = people[2]!;
    const dave = await person('dave', { curves: ['c25519'] });
    await dave.client.connect();
    const { accepted } = await dave.client.send('carol', 'lost');
    await expect(accepted).rejects.toMatchObject({ code: 'curve-mismatch', retryable: false });
    expect(dave.client.outbox.pending()).toBe(0);
    expect((await carol.client.trust.peer('dave')).devices[0]!.identities.map(({ suite }) => suite)).toEqual([
      'c25519',
    ]);
  });

  it('binary content arrives as it is', async () => {
    const [alice, bob] = people as [Person, Person];
    const body = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
    await alice.client.send('bob', { type: 'application/octet-stream', body });
    const [message] = await take(bob.client, 'message', 1);
    expect(message!.body).toEqual(body);
    expect(message!.text).toBeUndefined();
  });

  it('reaches all devices of both people, each message once', async () => {
    const [alice, bob] = people as [Person, Person];
    const tablet = await join(constellation, bob, { curves: BOTH_CURVES });
    const phone = await join(constellation, alice, { curves: BOTH_CURVES });
    people.push(tablet, phone);
    await tablet.client.connect();
    await phone.client.connect();
    await alice.client.send('bob', 'to all of you');
    expect(await takeTexts(bob.client, 1)).toEqual(['to all of you']);
    expect(await takeTexts(tablet.client, 1)).toEqual(['to all of you']);
    const [copy] = await take(phone.client, 'message', 1);
    expect(copy).toMatchObject({ from: alice.client.address, conversation: bob.client.address, text: 'to all of you' });
    await phone.client.send('bob', 'from my phone');
    expect(await takeTexts(tablet.client, 1)).toEqual(['from my phone']);
    expect(await takeTexts(alice.client, 1)).toEqual(['from my phone']);
  });
});
