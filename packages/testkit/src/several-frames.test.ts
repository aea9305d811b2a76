/** A message whose parts do not fit one frame (docs/spec/client.md section 5): to two people of several devices, over real servers. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { EncryptionEngine, EngineFactory } from '@sealwire/client/engine';
import type { Send } from '@sealwire/wire/frames';
import { accountOf } from '@sealwire/wire/ids';
import { Company } from './company.ts';
import { afterCrash, type Person, take } from './person.ts';

jest.setTimeout(20_000);

const PART_BYTES = 35_000;

/** Parts as large as none of LIME's are: a handful of them fills a frame. It encrypts nothing. */
const wideEngine: EngineFactory = (): EncryptionEngine => ({
  id: 'wide',
  processOutgoing({ recipients, copies, plaintext }) {
    const content = new Uint8Array(PART_BYTES);
    content.set(plaintext, 2);
    new DataView(content.buffer).setUint16(0, plaintext.length);
    const parts = [...recipients, ...copies].map(({ id: device }) => ({ device, content }));
    return { status: 'done', value: { parts, cipherMessage: new Uint8Array(1), unserved: [] } };
  },
  processIncoming({ content }) {
    const length = new DataView(content.buffer, content.byteOffset).getUint16(0);
    return { status: 'done', value: content.subarray(2, 2 + length) };
  },
});

const company = new Company();
let alice: Person;
let tablet: Person;
let desk: Person;
let bob: Person;
let bobDesk: Person;

beforeEach(async () => {
  alice = await wide(company.person('alice'));
  [tablet, desk] = [await wide(company.anotherDevice(alice)), await wide(company.anotherDevice(alice))];
  bob = await wide(company.person('bob'));
  bobDesk = await wide(company.anotherDevice(bob));
  // They know each other's devices, and have nothing left to tell.
  await say('hello');
  for (const each of [tablet, desk, bob, bobDesk]) await shown(each, 1);
});

async function wide(made: Promise<Person>): Promise<Person> {
  const person = await made;
  person.client.engines.register(wideEngine);
  await person.client.engines.choose('alice', 'wide');
  await person.client.engines.choose('bob', 'wide');
  return person;
}

async function say(text: string): Promise<void> {
  await (await alice.client.send('bob', text)).accepted;
}

async function shown(of: Person, count: number): Promise<(string | undefined)[]> {
  return (await take(of.client, 'message', count)).map(({ text }) => text);
}

/** All that a device is shown until `last`; anything but messages would be a fault. */
async function shownUntil(of: Person, last: string): Promise<(string | undefined)[]> {
  const all: (string | undefined)[] = [];
  const enough = new AbortController();
  for await (const event of of.client.messages({ signal: enough.signal })) {
    if (event.kind === 'caught-up' || event.kind === 'devices-changed') continue;
    all.push(event.kind === 'message' ? event.text : event.kind);
    if (event.kind === 'message' && event.text === last) enough.abort();
  }
  return all;
}

const recipientsOf = ({ parts }: Send) => [...new Set(parts.map(({ device }) => accountOf(device)))];
const sentSince = (from: Person, before: number) => from.network.framesSent('send').slice(before);

it('goes out in several, each for whole accounts, and is shown once', async () => {
  const before = alice.network.framesSent('send').length;
  const { id, accepted } = await alice.client.send('bob', 'long');
  expect(await accepted).toEqual({ leftOut: [], keptOut: [] });
  const frames = sentSince(alice, before);
  expect(frames.map(recipientsOf)).toEqual([[alice.client.address], [bob.client.address]]);
  expect(frames.map(({ ownElsewhere }) => ownElsewhere)).toEqual([false, true]);
  expect(Buffer.from(frames[0]!.id).toString('base64url')).toBe(id);
  await say('end');
  for (const each of [tablet, desk, bob, bobDesk]) expect(await shownUntil(each, 'end')).toEqual(['long', 'end']);
});

describe('when the second frame', () => {
  it('lacks a device, it alone is made again: who has the message gets it once', async () => {
    const bobTablet = await wide(company.anotherDevice(bob));
    const before = alice.network.framesSent('send').length;
    await say('long');
    expect(sentSince(alice, before).map(recipientsOf)).toEqual([
      [alice.client.address],
      [bob.client.address],
      [bob.client.address],
    ]);
    await say('end');
    for (const each of [tablet, desk, bob, bobDesk, bobTablet])
      expect(await shownUntil(each, 'end')).toEqual(['long', 'end']);
  });

  it('is refused for a moment, the first one is not sent again', async () => {
    let refusals = 2;
    alice.network.outgoing = (frame) => {
      if (frame.kind !== 'send' || !frame.ownElsewhere || refusals === 0) return frame;
      refusals -= 1;
      const refusal = {
        code: 'unavailable',
        text: '',
        retryable: true,
        retryAfterMs: 1,
        missing: [],
        extra: [],
        full: [],
      };
      queueMicrotask(() => alice.network.inject({ kind: 'rejected', id: frame.id, ...refusal }));
      return undefined;
    };
    const before = alice.network.framesSent('send').length;
    await say('long');
    expect(sentSince(alice, before).map(({ ownElsewhere }) => ownElsewhere)).toEqual([false, true]);
    expect(await shown(bobDesk, 1)).toEqual(['long']);
  });

  it('is lost with the link, the first one is not sent again', async () => {
    let cuts = 1;
    alice.network.outgoing = (frame) => {
      if (frame.kind !== 'send' || !frame.ownElsewhere || cuts === 0) return frame;
      cuts -= 1;
      queueMicrotask(() => alice.network.cut());
      return undefined;
    };
    const before = alice.network.framesSent('send').length;
    await say('long');
    expect(sentSince(alice, before).map(({ ownElsewhere }) => ownElsewhere)).toEqual([false, true]);
    expect(await shown(bobDesk, 1)).toEqual(['long']);
  });

  it('is lost with the process, the same frames go again, and are shown once', async () => {
    alice.network.outgoing = (frame) => (frame.kind === 'send' && frame.ownElsewhere ? undefined : frame);
    await alice.client.send('bob', 'long');
    await shown(tablet, 1);
    const [first] = alice.network.framesSent('send').slice(-1);
    alice = await afterCrash(alice);
    alice.client.engines.register(wideEngine);
    await company.online(alice);
    await say('end');
    expect(alice.network.framesSent('send')[0]).toEqual(first);
    expect(await shownUntil(tablet, 'end')).toEqual(['end']);
    expect(await shownUntil(bob, 'end')).toEqual(['long', 'end']);
  });
});

it('that lacks an own device is made again as a whole', async () => {
  const phone = await wide(company.anotherDevice(alice));
  alice.network.incoming = (frame) => (frame.kind === 'manifest-published' ? undefined : frame);
  await say('long');
  await say('end');
  for (const each of [tablet, desk, phone, bob, bobDesk]) {
    const all = await shownUntil(each, 'end');
    expect(all.filter((text) => text === 'long')).toEqual(['long']);
  }
});
