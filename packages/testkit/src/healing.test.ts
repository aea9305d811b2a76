/** Sessions that broke begin anew by themselves, and what could not be read is sent again: docs/spec/healing.md, over real servers. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IncomingEvent } from '@sealwire/client/events';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import type { Deliver } from '@sealwire/wire/frames';
import { type DeviceId, parseMessageId } from '@sealwire/wire/ids';
import { decodeAnswer, encodeAnswer, type LimeBundle } from '@sealwire/wire/lime-server';
import { Company, say, shownUntil } from './company.ts';
import { afterCrash, type Person, take, takeTexts } from './person.ts';

jest.setTimeout(20_000);

const company = new Company(1);
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
});

const textsOf = (shown: readonly (string | IncomingEvent)[]) => shown.filter((each) => typeof each === 'string');
/** But that something was delivered. */
const kindsOf = (shown: readonly (string | IncomingEvent)[]) =>
  shown.flatMap((each) => (typeof each === 'string' || each.kind === 'delivered' ? [] : [each.kind]));

/** Both have written and read, so that the ratchet has turned. Answers everything that they were shown. */
async function talk(from: number, to: number): Promise<(string | IncomingEvent)[]> {
  const shown: (string | IncomingEvent)[] = [];
  for (let n = from; n <= to; n++) {
    await say(alice, 'bob', `a${n}`);
    shown.push(...(await shownUntil(bob, `a${n}`)));
    await say(bob, 'alice', `b${n}`);
    shown.push(...(await shownUntil(alice, `b${n}`)));
  }
  return shown;
}

const backupOf = (of: Person): Person => ({ ...of, storage: (of.storage as MemoryStorage).copy() });

/** The relay has forgotten what was read, and repeats nothing of it to a profile that is put back. */
async function acknowledged(device: DeviceId): Promise<void> {
  while ((await company.constellation.store.mailboxes.usage(device)).messages > 0)
    await new Promise((resolve) => setImmediate(resolve));
}

/** The profile as it was, instead of what it has become. */
async function putBack(backup: Person): Promise<Person> {
  if (backup.network.up) await acknowledged(backup.client.device);
  return company.online(await afterCrash(backup));
}

describe('a profile that was copied back', () => {
  it('of the recipient: asks for what it cannot read, gets it, and both talk on', async () => {
    await talk(1, 1);
    const backup = backupOf(bob);
    await talk(2, 4);
    bob = await putBack(backup);
    await say(alice, 'bob', 'a5', 'a6');
    const shown = await shownUntil(bob, 'a6');
    expect(textsOf(shown)).toEqual(['a5', 'a6']);
    expect(kindsOf(shown).filter((kind) => kind === 'session-restarted')).toHaveLength(1);
    await say(bob, 'alice', 'b5');
    const told = await shownUntil(alice, 'b5');
    const again = told.flatMap((event) => (typeof event === 'object' && event.kind === 'sent-again' ? event.ids : []));
    expect(again).toHaveLength(2);
    await talk(6, 7);
  });

  it('of the one that writes first: whoever notices first asks, and both talk on', async () => {
    await talk(1, 1);
    const backup = backupOf(bob);
    await talk(2, 4);
    bob = await putBack(backup);
    await say(bob, 'alice', 'b5', 'b6');
    // The second one is first where it was written in the new session already.
    expect((await takeTexts(alice.client, 2)).toSorted()).toEqual(['b5', 'b6']);
    await say(alice, 'bob', 'a5');
    expect(textsOf(await shownUntil(bob, 'a5'))).toEqual(['a5']);
    await talk(7, 8);
  });

  it('of the sender: what nobody could read is sent again, and both talk on', async () => {
    await talk(1, 1);
    const backup = backupOf(alice);
    await talk(2, 4);
    alice = await putBack(backup);
    await say(alice, 'bob', 'a5', 'a6');
    expect((await takeTexts(bob.client, 2)).toSorted()).toEqual(['a5', 'a6']);
    await talk(7, 8);
  });

  it('of the recipient, for whom much waits: all of it comes', async () => {
    await talk(1, 1);
    const backup = backupOf(bob);
    await talk(2, 4);
    await acknowledged(bob.client.device);
    bob.network.up = false;
    bob.network.cut();
    const texts = Array.from({ length: 100 }, (_, n) => `m${n}`);
    await say(alice, 'bob', ...texts);
    bob = await putBack(backup);
    const messages = await take(bob.client, 'message', texts.length);
    expect(messages.map(({ text }) => text).sort()).toEqual(texts.sort());
  });

  it('of both: each begins anew, and nothing that was written afterwards is lost', async () => {
    await talk(1, 1);
    const backup = backupOf(alice);
    await talk(2, 3);
    const later = backupOf(bob);
    await talk(4, 6);
    [alice, bob] = [await putBack(backup), await putBack(later)];
    await Promise.all([say(alice, 'bob', 'a5', 'a6'), say(bob, 'alice', 'b5', 'b6')]);
    // What is sent again may come after what was readable at once.
    for (const [of, texts] of [[bob, ['a5', 'a6']] as const, [alice, ['b5', 'b6']] as const])
      expect((await take(of.client, 'message', 2)).map(({ text }) => text).sort()).toEqual(texts);
    await talk(7, 8);
  });
});

describe('processes that end in between', () => {
  it('the one that asks: the request goes out with its next connection', async () => {
    await talk(1, 1);
    const backup = backupOf(bob);
    await talk(2, 4);
    bob = await putBack(backup);
    bob.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    await say(alice, 'bob', 'a5');
    await take(bob.client, 'session-restarted', 1);
    bob = await putBack(bob);
    expect(textsOf(await shownUntil(bob, 'a5'))).toEqual(['a5']);
  });

  it('the one that is asked: what it owes goes out with its next connection', async () => {
    await talk(1, 1);
    const backup = backupOf(bob);
    await talk(2, 4);
    bob = await putBack(backup);
    await say(alice, 'bob', 'a5');
    alice.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    await take(alice.client, 'sent-again', 1);
    alice = await putBack(alice);
    expect(textsOf(await shownUntil(bob, 'a5'))).toEqual(['a5']);
    await talk(6, 7);
  });
});

describe('by the user’s word', () => {
  it('a new session begins with the next connection, whatever the state of the one there is', async () => {
    await talk(1, 2);
    const asked: string[] = [];
    bob.network.intercept = (request, ask) => {
      if (request.url.endsWith('/lime')) asked.push(request.url);
      return ask();
    };
    expect(await bob.client.sessions.reset('alice')).toEqual([alice.client.device]);
    await say(bob, 'alice', 'b3');
    expect(asked).toHaveLength(1);
    expect(await shownUntil(alice, 'b3')).toEqual(['b3']);
    await talk(4, 5);
    expect(asked).toHaveLength(1);
  });
});

describe('a session that one side does not have', () => {
  it('a first message with a one-time prekey that is used up: carol gets the one that alice got', async () => {
    const carol = await company.person('carol');
    let handedOut: LimeBundle | undefined;
    for (const { network } of [alice, carol])
      network.intercept = async (request, ask) => {
        const answer = await ask();
        if (!request.url.endsWith('/lime')) return answer;
        const decoded = decodeAnswer(new Uint8Array(await answer.arrayBuffer()), 'c25519');
        if (decoded.kind !== 'peerBundle') throw new Error('unexpected request');
        handedOut ??= decoded.peers[0]!.bundle;
        const peers = decoded.peers.map(({ device }) => ({ device, bundle: handedOut! }));
        return new Response(encodeAnswer({ ...decoded, peers }));
      };
    await say(alice, 'bob', 'a1');
    expect(textsOf(await shownUntil(bob, 'a1'))).toEqual(['a1']);
    await say(carol, 'bob', 'c1', 'c2');
    const shown = await shownUntil(bob, 'c2');
    expect(shown.filter((event) => typeof event === 'object' && event.kind === 'session-restarted')).toEqual([
      { kind: 'session-restarted', device: carol.client.device, code: 'unknown-one-time-prekey', asked: true },
    ]);
    expect(textsOf(shown)).toEqual(['c1', 'c2']);
    await say(bob, 'carol', 'b1');
    expect(textsOf(await shownUntil(carol, 'b1'))).toEqual(['b1']);
  });

  it('the recipient has forgotten it: what is written on it is asked for', async () => {
    await talk(1, 2);
    await bob.client.trust.forget('alice');
    await say(alice, 'bob', 'a3', 'a4');
    const shown = await shownUntil(bob, 'a4');
    expect(shown.filter((event) => typeof event === 'object' && event.kind === 'session-restarted')).toEqual([
      { kind: 'session-restarted', device: alice.client.device, code: 'no-session', asked: true },
    ]);
    expect(textsOf(shown)).toEqual(['a3', 'a4']);
    await talk(5, 6);
  });

  it('a store that is lost is a new device: nothing of the old one is sent to it, and nothing is restarted', async () => {
    await talk(1, 2);
    await bob.client.close();
    await say(alice, 'bob', 'a3');
    const anew = await company.anotherDevice(bob);
    await say(alice, 'bob', 'a4');
    expect(await shownUntil(anew, 'a4')).toEqual(['a4']);
    await say(anew, 'alice', 'b4');
    expect(kindsOf(await shownUntil(alice, 'b4'))).toEqual([]);
  });

  it('our own other device was put back: it asks for its copies, in the conversations that they belong to', async () => {
    const phone = await company.anotherDevice(alice);
    await alice.client.trust.peer('alice');
    const round = async (n: number) => {
      await say(alice, 'bob', `a${n}`);
      await shownUntil(phone, `a${n}`);
      await say(phone, 'bob', `p${n}`);
      await shownUntil(alice, `p${n}`);
    };
    await round(1);
    const backup = backupOf(phone);
    for (const n of [2, 3, 4]) await round(n);
    const restored = await putBack(backup);
    await say(alice, 'bob', 'a5', 'a6');
    const messages = await take(restored.client, 'message', 2);
    expect(messages.map(({ text, conversation }) => [text, conversation])).toEqual([
      ['a5', bob.client.address],
      ['a6', bob.client.address],
    ]);
  });
});

describe('what cannot be had again', () => {
  it('both are told, once: the sender was put back to before it wrote', async () => {
    await talk(1, 1);
    const [a, b] = [backupOf(alice), backupOf(bob)];
    await talk(2, 3);
    bob.network.up = false;
    bob.network.cut();
    await say(alice, 'bob', 'a4');
    alice = await putBack(a);
    bob = await putBack(b);
    expect(await take(bob.client, 'messages-gone', 1)).toEqual([
      { kind: 'messages-gone', device: alice.client.device, messages: expect.any(Number) },
    ]);
    expect(await take(alice.client, 'sent-again', 1)).toEqual([
      { kind: 'sent-again', device: bob.client.device, ids: [], gone: expect.any(Number) },
    ]);
    await talk(5, 6);
  });
});

describe('T98: who wants a device to begin sessions without end', () => {
  /** What has arrived at `of` once, changed so that nobody can read it, under a new id. */
  const forge = (of: Person, deliver: Deliver, n: number) =>
    of.network.inject({
      ...deliver,
      id: parseMessageId(Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? n : 0xee))),
      content: deliver.content.map((byte, i) => (i === deliver.content.length - 1 ? byte ^ n : byte)),
    });
  const bundlesAskedBy = (of: Person) => {
    const asked: unknown[] = [];
    of.network.intercept = (request, ask) => {
      if (request.url.endsWith('/lime')) asked.push(request);
      return ask();
    };
    return asked;
  };

  it('a relay forges what cannot be read, by the hundred: three sessions, twelve requests, and the real one goes on', async () => {
    await talk(1, 2);
    const asked = bundlesAskedBy(bob);
    const sent = bob.network.framesSent('send').length;
    const [deliver] = bob.network.framesReceived('deliver').slice(-1);
    for (let n = 1; n <= 200; n++) {
      forge(bob, deliver!, n);
      if (n % 10 === 0) await say(alice, 'bob', `a${n + 100}`);
    }
    const shown = await shownUntil(bob, 'a300');
    const restarts = kindsOf(shown).filter((kind) => kind === 'session-restarted').length;
    expect(restarts).toBeGreaterThan(0);
    expect(restarts).toBeLessThanOrEqual(3);
    expect(asked.length).toBeLessThanOrEqual(3);
    await say(bob, 'alice', 'b301');
    expect(textsOf(await shownUntil(alice, 'b301'))).toEqual(['b301']);
    // Requests, receipts, and the message.
    expect(bob.network.framesSent('send').length - sent).toBeLessThanOrEqual(12 + 20 + 1);
  });

  it('two of one device take turns: each begins so many sessions, and then it is only told', async () => {
    await talk(1, 1);
    const copies = [bob, { ...bob, storage: (bob.storage as MemoryStorage).copy() }];
    const frames = () => [alice, ...company.people].flatMap(({ network }) => network.framesSent('send')).length;
    const restarts = [0, 0];
    for (let round = 0; round < 14; round++) {
      const which = round % 2;
      const one = await afterCrash(copies[which]!);
      company.people.push(one);
      copies[which] = one;
      await one.client.connect();
      await say(alice, 'bob', `m${round}`);
      const enough = new AbortController();
      for await (const event of one.client.messages({ signal: enough.signal })) {
        if (event.kind === 'session-restarted') restarts[which]! += 1;
        if (event.kind === 'message' && event.text === `m${round}`) enough.abort();
        if (event.kind === 'undecryptable' && !event.asked) enough.abort();
      }
      await one.client.close();
    }
    for (const count of restarts) expect(count).toBeLessThanOrEqual(3);
    expect(frames()).toBeLessThan(14 * 8);
  });
});
