/** What a relay that drops, reorders, forges or withholds cannot hide: docs/spec/chain.md, over real servers that are made to lie. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IncomingEvent } from '@sealwire/client/events';
import type { MemoryStorage } from '@sealwire/client/memory-storage';
import { encodeEnvelope } from '@sealwire/wire/envelope';
import type { Deliver } from '@sealwire/wire/frames';
import { parseAccountAddress, parseMessageId } from '@sealwire/wire/ids';
import { decodeAnswer, encodeAnswer, type LimeBundle } from '@sealwire/wire/lime-server';
import { shownUntil as allUntil, Company, say } from './company.ts';
import { acquaint, afterCrash, type Person, take, takeTexts } from './person.ts';

jest.setTimeout(20_000);

const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
  await acquaint(alice, bob);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** But that something was delivered, and who came and went. */
const UNTOLD = ['caught-up', 'delivered', 'devices-changed'] as const;
const shownUntil = (of: Person, text: string) => allUntil(of, text, UNTOLD);

/** The relay keeps what it owes `of` back: the next `count` messages go to `held` in the order in which they came. */
function holdBack(of: Person, count: number): Deliver[] {
  const held: Deliver[] = [];
  of.network.incoming = (frame) => {
    if (frame.kind !== 'deliver' || held.length >= count) return frame;
    held.push(frame);
    return undefined;
  };
  return held;
}

/** The relay says that it has what it throws away. */
function forgeAccepted(of: Person): void {
  of.network.outgoing = (frame) => {
    if (frame.kind !== 'send') return frame;
    queueMicrotask(() => of.network.inject({ kind: 'accepted', ids: [frame.id] }));
    return undefined;
  };
}

const hole = (of: Person, first: number, last: number, more: object = {}) => ({
  kind: 'hole',
  device: of.client.device,
  conversation: of.client.address,
  first,
  last,
  told: 0,
  ...more,
});

describe('a relay that loses messages', () => {
  it('drops one: the next message shows the hole, once', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    holdBack(bob, 2);
    await say(alice, 'bob', '2', '3', '4', '5');
    expect(await shownUntil(bob, '5')).toEqual([hole(alice, 2, 3), '4', '5']);
  });

  it('drops the very first ones: what a device should have got from the start on is missed', async () => {
    holdBack(bob, 2);
    await say(alice, 'bob', '1', '2', '3');
    expect(await shownUntil(bob, '3')).toEqual([hole(alice, 1, 2), '3']);
  });

  it('forges Accepted: recipients see the hole, and the sender hears who has not got what', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    const { outgoing } = alice.network;
    forgeAccepted(alice);
    const lost = await alice.client.send('bob', '2');
    await lost.accepted;
    alice.network.outgoing = outgoing;
    await say(alice, 'bob', '3');
    expect(await shownUntil(bob, '3')).toEqual([hole(alice, 2, 2), '3']);
    expect(await take(alice.client, 'not-arrived', 1)).toEqual([
      { kind: 'not-arrived', to: bob.client.address, device: bob.client.device, ids: [lost.id] },
    ]);
  });

  it('says caught-up early, and keeps a message for ever: found out with the next one', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    bob.network.up = false;
    bob.network.cut();
    await say(alice, 'bob', '2', '3');
    bob.network.incoming = (frame) => {
      if (frame.kind === 'welcome') queueMicrotask(() => bob.network.inject({ kind: 'caught-up', lastSeq: 1 }));
      return frame.kind === 'deliver' || frame.kind === 'caught-up' ? undefined : frame;
    };
    bob.network.up = true;
    expect((await take(bob.client, 'caught-up', 1)).length).toBe(1);
    bob.network.incoming = (frame) => (frame.kind === 'deliver' && frame.seq <= 3 ? undefined : frame);
    await say(alice, 'bob', '4');
    expect(await shownUntil(bob, '4')).toEqual([hole(alice, 2, 3), '4']);
  });

  it('tells of a gap: the hole after it says that the server told', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    bob.network.incoming = (frame) =>
      frame.kind === 'deliver' && frame.seq === 2
        ? { kind: 'gap', fromSeq: 2, toSeq: 2, count: 1, reason: 'trimmed' }
        : frame;
    await say(alice, 'bob', '2', '3');
    expect(await shownUntil(bob, '3')).toEqual([
      { kind: 'gap', count: 1, reason: 'trimmed' },
      hole(alice, 2, 2, { told: 1 }),
      '3',
    ]);
    bob.network.incoming = (frame) => (frame.kind === 'deliver' && frame.seq === 4 ? undefined : frame);
    await say(alice, 'bob', '4', '5');
    expect(await shownUntil(bob, '5')).toEqual([hole(alice, 4, 4), '5']);
  });

  it('tells of a gap without a number: what each chain misses next is told, and nothing later', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    bob.network.incoming = (frame) => {
      if (frame.kind !== 'deliver' || (frame.seq !== 2 && frame.seq !== 3)) return frame;
      return frame.seq === 3 ? { kind: 'gap', fromSeq: 2, toSeq: 3, count: 0, reason: 'damaged' } : undefined;
    };
    await say(alice, 'bob', '2', '3', '4');
    expect(await shownUntil(bob, '4')).toEqual([
      { kind: 'gap', count: 0, reason: 'damaged' },
      hole(alice, 2, 3, { told: 2 }),
      '4',
    ]);
    bob.network.incoming = (frame) => (frame.kind === 'deliver' && frame.seq === 5 ? undefined : frame);
    await say(alice, 'bob', '5', '6');
    expect(await shownUntil(bob, '6')).toEqual([hole(alice, 5, 5), '6']);
  });

  it('lets a message rot: the hole after what could not be read is no news', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    bob.network.incoming = (frame) =>
      frame.kind === 'deliver' && frame.seq === 2
        ? { ...frame, content: frame.content.map((byte) => byte ^ 1) }
        : frame;
    await say(alice, 'bob', '2', '3');
    expect(await shownUntil(bob, '3')).toEqual([
      expect.objectContaining({ kind: 'undecryptable' }),
      hole(alice, 2, 2, { told: 1 }),
      '3',
    ]);
  });

  it('invents a message that cannot be read: that explains no later hole', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    const [deliver] = bob.network.framesReceived('deliver');
    const id = parseMessageId(new Uint8Array(16).fill(7));
    bob.network.inject({ ...deliver!, id, content: deliver!.content.map((byte) => byte ^ 1) });
    await say(alice, 'bob', '2');
    bob.network.incoming = (frame) => (frame.kind === 'deliver' && frame.seq === 3 ? undefined : frame);
    await say(alice, 'bob', '3', '4');
    expect(await shownUntil(bob, '4')).toEqual([
      expect.objectContaining({ kind: 'undecryptable' }),
      '2',
      hole(alice, 3, 3),
      '4',
    ]);
  });

  it('loses a copy for the sender’s own other device: that device sees it', async () => {
    const phone = await company.anotherDevice(alice);
    await alice.client.trust.peer('alice');
    await say(alice, 'bob', '1');
    expect(await takeTexts(phone.client, 1)).toEqual(['1']);
    holdBack(phone, 1);
    await say(alice, 'bob', '2', '3');
    expect(await shownUntil(phone, '3')).toEqual([hole(alice, 2, 2, { conversation: bob.client.address }), '3']);
  });
});

it('garbage in the name of our own device, for conversations that there are not, leaves nothing in the storage', async () => {
  const phone = await company.anotherDevice(alice);
  await say(alice, 'bob', '1');
  await say(bob, 'alice', '2');
  await takeTexts(alice.client, 1);
  const [deliver] = alice.network.framesReceived('deliver');
  for (let n = 0; n < 50; n++) {
    const recipientUser = parseAccountAddress(`sip:nobody${n}@example.org`);
    const body = encodeEnvelope({ engine: 'lime', recipientUser, cipherMessage: new Uint8Array(0) });
    const id = parseMessageId(new Uint8Array(16).fill(n));
    alice.network.inject({ ...deliver!, sender: phone.client.device, id, body, seq: 2 + n });
  }
  await take(alice.client, 'undecryptable', 50);
  const records = await (alice.storage as MemoryStorage).copy().load();
  const chains = [...records.keys()].filter((key) => key.startsWith('heard/'));
  expect(chains).toEqual([`heard/${bob.client.device} ${alice.client.address}`]);
});

describe('a relay that changes the order', () => {
  it('swaps two: the hole, and then that what was missing came late', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    const held = holdBack(bob, 1);
    await say(alice, 'bob', '2', '3');
    expect(await shownUntil(bob, '3')).toEqual([hole(alice, 2, 2), '3']);
    bob.network.inject({ ...held[0]!, seq: 3 });
    expect(await shownUntil(bob, '2')).toEqual([
      { kind: 'late', device: alice.client.device, conversation: alice.client.address, number: 2 },
      '2',
    ]);
    await say(alice, 'bob', '4');
    expect(await shownUntil(bob, '4')).toEqual(['4']);
  });

  it('delivers one twice: it is shown once, and nothing is wrong', async () => {
    bob.network.incoming = (frame) => {
      if (frame.kind === 'deliver') queueMicrotask(() => bob.network.inject(frame));
      return frame;
    };
    await say(alice, 'bob', '1', '2', '3');
    expect(await shownUntil(bob, '3')).toEqual(['1', '2', '3']);
  });
});

describe('a device of which there are two', () => {
  it('a restored copy writes on: recipients see the fork', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    const backup = { ...alice, storage: (alice.storage as MemoryStorage).copy() };
    await say(alice, 'bob', '2', '3');
    expect(await takeTexts(bob.client, 2)).toEqual(['2', '3']);
    const copy = await afterCrash(backup);
    await company.online(copy);
    await say(copy, 'bob', '2 again', '3 again', '4 of the copy');
    const shown = await shownUntil(bob, '4 of the copy');
    expect(shown.filter((event) => typeof event === 'object' && event.kind === 'fork')).toEqual([
      { kind: 'fork', device: alice.client.device, conversation: alice.client.address, number: expect.any(Number) },
    ]);
  });

  it('a restored copy is told by the receipts of others that it is one', async () => {
    await say(alice, 'bob', '1');
    await takeTexts(bob.client, 1);
    const backup = { ...alice, storage: (alice.storage as MemoryStorage).copy() };
    await say(alice, 'bob', '2', '3');
    expect(await takeTexts(bob.client, 2)).toEqual(['2', '3']);
    const copy = await afterCrash(backup);
    await company.online(copy);
    await say(bob, 'alice', 'hello');
    expect(await take(copy.client, 'fork', 1)).toMatchObject([
      { device: alice.client.device, conversation: bob.client.address },
    ]);
  });
});

describe('receipts', () => {
  it('tell the sender which device has what, without an answer', async () => {
    const arrivals: unknown[] = [];
    const arrived = new Promise<void>((resolve) =>
      alice.client.outbox.onArrived((arrival) => {
        arrivals.push(arrival);
        resolve();
      }),
    );
    const sent = await alice.client.send('bob', 'hello');
    expect(alice.client.outbox.unconfirmed('bob')).toEqual([]);
    await arrived;
    expect(arrivals).toEqual([{ to: bob.client.address, device: bob.client.device, ids: [sent.id] }]);
    expect(alice.client.outbox.unconfirmed('bob')).toEqual([]);
    expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
  });

  it('come from the sender’s own other device, too', async () => {
    const phone = await company.anotherDevice(alice);
    await alice.client.trust.peer('alice');
    const heard = new Set<string>();
    const all = new Promise<void>((resolve) =>
      alice.client.outbox.onArrived(({ to, device }) => {
        heard.add(`${to} ${device}`);
        if (heard.size === 2) resolve();
      }),
    );
    await say(alice, 'bob', '1');
    await all;
    const names = [bob, phone].map(({ client }) => `${bob.client.address} ${client.device}`);
    expect([...heard].sort()).toEqual(names.sort());
  });

  it('ride on what is written back, and messages of their own can be switched off', async () => {
    const carol = await company.person('carol', { receiptMessages: false });
    const sent = await alice.client.send('carol', 'hello');
    await sent.accepted;
    await takeTexts(carol.client, 1);
    expect(alice.client.outbox.unconfirmed('carol')).toEqual([{ id: sent.id, devices: [carol.client.device] }]);
    const arrived = new Promise((resolve) => alice.client.outbox.onArrived(resolve));
    await say(carol, 'alice', 'hello back');
    expect(await arrived).toEqual({ to: carol.client.address, device: carol.client.device, ids: [sent.id] });
    expect(carol.network.framesSent('send')).toHaveLength(1);
  });

  it('are one for many messages, none for receipts, and never shown', async () => {
    const count = 40;
    const ids = new Set<string>();
    const all = new Promise<void>((resolve) =>
      alice.client.outbox.onArrived((arrival) => {
        for (const id of arrival.ids) ids.add(id);
        if (ids.size === count) resolve();
      }),
    );
    bob.network.up = false;
    bob.network.cut();
    await say(alice, 'bob', ...Array.from({ length: count }, (_, i) => `${i}`));
    bob.network.up = true;
    await all;
    expect(bob.network.framesSent('send').length).toBeLessThanOrEqual(2);
    await say(bob, 'alice', 'the end');
    expect(await shownUntil(alice, 'the end')).toEqual(['the end']);
    expect(alice.network.framesSent('send')).toHaveLength(count);
  });

  it('go out after a restart for what arrived before it', async () => {
    bob.network.outgoing = (frame) => (frame.kind === 'send' ? undefined : frame);
    const sent = await alice.client.send('bob', 'hello');
    await sent.accepted;
    await takeTexts(bob.client, 1);
    const arrived = new Promise((resolve) => alice.client.outbox.onArrived(resolve));
    const later = await afterCrash(bob);
    await company.online(later);
    expect(await arrived).toEqual({ to: bob.client.address, device: bob.client.device, ids: [sent.id] });
  });
});

describe('honest runs', () => {
  it('a device that joins later begins where it joined; retries and second attempts make no hole', async () => {
    await say(alice, 'bob', '1', '2');
    const tablet = await company.anotherDevice(bob);
    // Refused once, for the tablet.
    await say(alice, 'bob', '3');
    alice.network.incoming = (frame) => (frame.kind === 'accepted' ? undefined : frame);
    const { accepted } = await alice.client.send('bob', '4');
    while (bob.network.framesReceived('deliver').length < 4) await turn();
    alice.network.incoming = (frame) => frame;
    alice.network.cut();
    await accepted;
    await say(alice, 'bob', '5');
    expect(await shownUntil(tablet, '5')).toEqual(['3', '4', '5']);
    expect(await shownUntil(bob, '5')).toEqual(['1', '2', '3', '4', '5']);
  });

  it('what failed for good is not missed', async () => {
    await say(alice, 'bob', '1');
    await alice.client.trust.set(bob.client.device, 'untrusted');
    alice.network.outgoing = (frame) => {
      if (frame.kind !== 'send') return frame;
      const refusal = { code: 'bad-request', text: 'no', retryable: false, retryAfterMs: 0 };
      queueMicrotask(() =>
        alice.network.inject({ kind: 'rejected', id: frame.id, ...refusal, missing: [], extra: [], full: [] }),
      );
      return undefined;
    };
    const { accepted } = await alice.client.send('bob', '2');
    await expect(accepted).rejects.toMatchObject({ code: 'bad-request' });
    alice.network.outgoing = (frame) => frame;
    await say(alice, 'bob', '3');
    expect(await shownUntil(bob, '3')).toEqual(['1', '3']);
  });

  it('conversations have chains of their own', async () => {
    const carol = await company.person('carol');
    for (const n of [1, 2, 3]) {
      await say(alice, 'bob', `b${n}`);
      await say(alice, 'carol', `c${n}`);
      await say(carol, 'bob', `cb${n}`);
    }
    expect(await takeTexts(bob.client, 6)).toEqual(['b1', 'cb1', 'b2', 'cb2', 'b3', 'cb3']);
    expect(await shownUntil(carol, 'c3')).toEqual(['c1', 'c2', 'c3']);
  });
});

describe('a device that gets nothing', () => {
  it('because the server says that it is gone, though the signed list names it: told once', async () => {
    const tablet = await company.anotherDevice(bob);
    await say(alice, 'bob', '1');
    let lies = true;
    alice.network.outgoing = (frame) => {
      const names = frame.kind === 'send' && frame.parts.some(({ device }) => device === tablet.client.device);
      if (frame.kind !== 'send' || !names || !lies)
        return lies && frame.kind === 'send' ? { ...frame, allDevices: false } : frame;
      const refusal = { code: 'device-mismatch', text: '', retryable: true, retryAfterMs: 0, missing: [], full: [] };
      queueMicrotask(() =>
        alice.network.inject({ kind: 'rejected', id: frame.id, ...refusal, extra: [tablet.client.device] }),
      );
      return undefined;
    };
    const sent = await alice.client.send('bob', '2');
    await sent.accepted;
    await say(alice, 'bob', '3');
    const skipped = {
      kind: 'device-skipped',
      id: sent.id,
      to: bob.client.address,
      device: tablet.client.device,
      reason: 'said-gone',
    };
    const events = await drain(alice, 'device-skipped');
    expect(events).toEqual([expect.objectContaining(skipped)]);
    lies = false;
    await say(alice, 'bob', '4');
    // And the device itself sees what it did not get.
    expect(await shownUntil(tablet, '4')).toEqual(['1', 'drained', hole(alice, 2, 3), '4']);
    lies = true;
    await say(alice, 'bob', '5');
    expect(await drain(alice, 'device-skipped')).toHaveLength(1);
  });

  it.each([
    ['no-keys', () => undefined],
    [
      'bad-keys',
      (bundle: LimeBundle) => {
        const signature = bundle.signedPrekey.signature.map((byte) => byte ^ 1);
        return { ...bundle, signedPrekey: { ...bundle.signedPrekey, signature } };
      },
    ],
  ] as const)(
    'because of its keys in the directory (%s): told once, until it is served again',
    async (reason, spoil) => {
      await say(alice, 'bob', '1');
      const tablet = await company.anotherDevice(bob);
      const honest = alice.network.intercept;
      alice.network.intercept = async (request, ask) => {
        const answer = await ask();
        if (!request.url.endsWith('/lime')) return answer;
        const decoded = decodeAnswer(new Uint8Array(await answer.arrayBuffer()), 'c25519');
        if (decoded.kind !== 'peerBundle') throw new Error('unexpected request');
        const peers = decoded.peers.map(({ device, bundle }) => {
          const spoilt = bundle && spoil(bundle);
          return spoilt ? { device, bundle: spoilt } : { device };
        });
        return new Response(encodeAnswer({ ...decoded, peers }));
      };
      const sent = await alice.client.send('bob', '2');
      await sent.accepted;
      await say(alice, 'bob', '3');
      const skipped = { id: sent.id, to: bob.client.address, device: tablet.client.device, reason };
      expect(await drain(alice, 'device-skipped')).toEqual([expect.objectContaining(skipped)]);
      alice.network.intercept = honest;
      await say(alice, 'bob', '4', '5');
      expect((await shownUntil(tablet, '5')).filter((event) => typeof event === 'string')).toEqual([
        'drained',
        '4',
        '5',
      ]);
    },
  );

  it('because the directory hides the keys of all, for ever: told once that the message waits', async () => {
    alice.network.intercept = async (request, ask) => {
      const answer = await ask();
      if (!request.url.endsWith('/lime')) return answer;
      const decoded = decodeAnswer(new Uint8Array(await answer.arrayBuffer()), 'c25519');
      if (decoded.kind !== 'peerBundle') throw new Error('unexpected request');
      return new Response(encodeAnswer({ ...decoded, peers: decoded.peers.map(({ device }) => ({ device })) }));
    };
    const { id } = await alice.client.send('bob', 'hello?');
    expect(await take(alice.client, 'send-waits', 1)).toEqual([
      { kind: 'send-waits', id, to: bob.client.address, code: 'no-keys', text: expect.stringContaining('waits') },
    ]);
  });
});

/** All events of a kind so far: what a message to oneself comes after. */
async function drain(of: Person, kind: IncomingEvent['kind']): Promise<IncomingEvent[]> {
  const writer = company.people.find((other) => other !== of)!;
  await say(writer, of.client.address, 'drained');
  return (await shownUntil(of, 'drained')).filter(
    (event): event is IncomingEvent => typeof event === 'object' && event.kind === kind,
  );
}
