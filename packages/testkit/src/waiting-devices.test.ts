/** LIME devices that wait to be admitted to an account, as the SDK sees them (docs/adr/0008); without liblime: see `linphone.test.ts`. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readChatMessage, writeChatMessage } from '@sealwire/cpim/chat-message';
import { COMPOSING_TYPE, readComposing, writeComposing } from '@sealwire/cpim/composing';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { Lime } from '@sealwire/lime/lime';
import { MemoryLimeStore } from '@sealwire/lime/testing/memory-store';
import { decodeEnvelope, encodeEnvelope } from '@sealwire/wire/envelope';
import { decodeServerFrame, encodeDeliver } from '@sealwire/wire/frame-codec';
import type { Deliver } from '@sealwire/wire/frames';
import { type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { type Constellation, startConstellation } from './constellation.ts';
import { join, type Person, register, take, takeBacklog } from './person.ts';

const SUITE = 'c25519';
let constellation: Constellation;
let bob: Person;
let clients: Person['client'][];
/** Of the phone that registered last. */
let phoneLime: Lime;

beforeEach(async () => {
  constellation = await startConstellation();
  bob = await register(constellation, 'bob');
  clients = [bob.client];
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await constellation.stop();
});

const phone = () => parseDeviceId(`${bob.client.address};gr=urn:uuid:phone`);

/** Registers keys as an app password of bob's would; answers the identities. */
async function registerPhone(device = phone()) {
  const store = new MemoryLimeStore();
  const lime = new Lime({ crypto: nodeCrypto(), store, random: systemRandom, now: Date.now });
  phoneLime = lime;
  const { identityKey, signedPrekey, oneTimePrekeys } = lime.createDevice(device, SUITE);
  const terms = { maximum: 10, now: 7 };
  await constellation.store.waiting.register(device, SUITE, { identityKey, signedPrekey }, oneTimePrekeys, terms);
  return [{ suite: SUITE, identityKey }] as const;
}

/** To a key server, and in a manifest, its keys have the form of those on ML-KEM-512. */
async function registerOnSuite3(device: DeviceId) {
  const lime = new Lime({ crypto: nodeCrypto(), store: new MemoryLimeStore(), random: systemRandom, now: Date.now });
  const { identityKey, signedPrekey, oneTimePrekeys } = lime.createDevice(device, 'c25519mlk512');
  const suite = 'c25519k512';
  const terms = { maximum: 10, now: 8 };
  await constellation.store.waiting.register(device, suite, { identityKey, signedPrekey }, oneTimePrekeys, terms);
  return { suite, identityKey } as const;
}

const versionOf = async () => (await bob.client.trust.peer(bob.client.address)).manifestVersion;

describe('a waiting device', () => {
  it('is seen with its keys, by all devices of the account, and is none of them yet', async () => {
    const identities = await registerPhone();
    const desk = await join(constellation, bob);
    clients.push(desk.client);
    for (const { client } of [bob, desk]) {
      expect(await client.devices.waiting()).toEqual([{ id: phone(), identities, since: 7 }]);
      expect((await client.devices.list()).map(({ id }) => id).sort()).toEqual(
        [bob.client.device, desk.client.device].sort(),
      );
    }
  });

  it('T192: is admitted under its keys, and the same again is no error; others see what it is', async () => {
    const identities = await registerPhone();
    await bob.client.devices.admit(phone(), identities);
    await bob.client.devices.admit(phone(), identities);
    expect(await versionOf()).toBe(2);
    expect(await bob.client.devices.waiting()).toEqual([]);
    const alice = await register(constellation, 'alice');
    clients.push(alice.client);
    const { devices } = await alice.client.trust.peer('bob');
    expect(devices).toContainEqual({ id: phone(), identities, trust: 'untrusted', lime: true });
    expect(devices.map(({ id, lime }) => [id === phone(), lime])).toContainEqual([false, undefined]);
  });

  it('is not admitted under other keys than those the user saw: the server may not exchange them', async () => {
    const seen = await registerPhone();
    await constellation.store.prekeys.delete(phone(), SUITE);
    const others = await registerPhone();
    await expect(bob.client.devices.admit(phone(), seen)).rejects.toMatchObject({ code: 'identity-mismatch' });
    expect(await versionOf()).toBe(1);
    await bob.client.devices.admit(phone(), others);
    await expect(bob.client.devices.admit(phone(), seen)).rejects.toMatchObject({ code: 'identity-mismatch' });
  });

  it('has to be there, and of the account', async () => {
    const identities = await registerPhone();
    const nobody = parseDeviceId(`${bob.client.address};gr=urn:uuid:nobody`);
    await expect(bob.client.devices.admit(nobody, identities)).rejects.toMatchObject({ code: 'not-found' });
    const foreign = parseDeviceId('sip:carol@example.org;gr=urn:uuid:phone');
    await expect(bob.client.devices.admit(foreign, identities)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await versionOf()).toBe(1);
  });

  it('on Kyber of round 3 (suite 3) is admitted too, and written to on a suite that both have', async () => {
    const [classical] = await registerPhone();
    const onSuite3 = parseDeviceId(`${bob.client.address};gr=urn:uuid:only-suite-3`);
    const kyber = [await registerOnSuite3(phone()), await registerOnSuite3(onSuite3)] as const;
    await bob.client.devices.admit(phone(), [classical, kyber[0]]);
    await bob.client.devices.admit(onSuite3, [kyber[1]]);
    const alice = await register(constellation, 'alice');
    clients.push(alice.client);
    await alice.client.connect();
    await bob.client.connect();
    await (await alice.client.send('bob', 'to all of you')).accepted;
    const [message] = await take(bob.client, 'message', 1);
    expect(message!.text).toBe('to all of you');
    const [skipped] = await take(alice.client, 'device-skipped', 1);
    expect(skipped).toMatchObject({ device: onSuite3, reason: 'no-common-suite' });
    expect((await constellation.store.prekeys.listOneTime(phone(), SUITE)).length).toBe(
      (await constellation.store.prekeys.listOneTime(phone(), 'c25519k512')).length - 1,
    );
  });

  it('is written to as Linphone writes once it is admitted; its owner’s own devices lose nothing by that', async () => {
    await bob.client.devices.admit(phone(), await registerPhone());
    const alice = await register(constellation, 'alice');
    clients.push(alice.client);
    await alice.client.connect();
    const sent = [await alice.client.send('bob', 'one'), await alice.client.send('bob', 'two ü')];
    for (const { accepted } of sent) await accepted;

    phoneLime.activateDevice(phone());
    const bounds = { after: 0, messages: 10, bytes: 100_000, horizon: 0 };
    const { mails } = await constellation.store.mailboxes.read(phone(), bounds);
    const read = mails.map(({ seq, bytes }) => {
      const { sender, content, body } = decodeServerFrame(encodeDeliver(seq, [bytes])) as Deliver;
      const { recipientUser, cipherMessage } = decodeEnvelope(body);
      const letter = { sender, recipientUser, message: content, cipherMessage };
      return readChatMessage(phoneLime.decrypt(phone(), letter));
    });
    const { device, address } = alice.client;
    const head = { from: device, to: bob.client.address, type: 'text/plain' };
    const asks = { requests: ['positive-delivery', 'negative-delivery'] };
    expect(read.map(({ body, sentAt: _, ...rest }) => ({ ...rest, text: Buffer.from(body).toString() }))).toEqual([
      { ...head, ...asks, id: sent[0]!.id, text: 'one' },
      { ...head, ...asks, id: sent[1]!.id, text: 'two ü' },
    ]);
    await bob.client.connect();
    const events = await takeBacklog(bob.client);
    expect(events.filter(({ kind }) => kind !== 'caught-up')).toHaveLength(3);
    expect(events.filter(({ kind }) => kind === 'devices-changed')).toMatchObject([{ added: [phone()], removed: [] }]);
    expect(events.filter(({ kind }) => kind === 'message')).toMatchObject([
      { kind: 'message', id: sent[0]!.id, from: address, device, text: 'one', sentAt: read[0]!.sentAt },
      { kind: 'message', id: sent[1]!.id, from: address, device, text: 'two ü', sentAt: read[1]!.sentAt },
    ]);
    expect(events.some((event) => 'bare' in event)).toBe(false);
  });

  it('sees that somebody types, and shows it, as soon as it says so itself: as Linphone does, and nothing of it is a message', async () => {
    await bob.client.devices.admit(phone(), await registerPhone());
    phoneLime.activateDevice(phone());
    const alice = await register(constellation, 'alice');
    clients.push(alice.client);
    await alice.client.presence.set({ typing: true });
    await alice.client.connect();
    await bob.client.connect();
    const opened = (content: Uint8Array, body: Uint8Array) => {
      const { recipientUser, cipherMessage } = decodeEnvelope(body);
      const letter = { sender: alice.client.device, recipientUser, message: content, cipherMessage };
      return readChatMessage(phoneLime.decrypt(phone(), letter));
    };
    await (await alice.client.send('bob', 'one')).accepted;
    const { mails } = await constellation.store.mailboxes.read(phone(), {
      after: 0,
      messages: 1,
      bytes: 9_999,
      horizon: 0,
    });
    const { content, body } = decodeServerFrame(encodeDeliver(1, [mails[0]!.bytes])) as Deliver;
    opened(content, body);

    // What bob's other device sends comes from the phone, with another text.
    const said = writeChatMessage({
      ...{ from: phone(), to: alice.client.address, sentAt: Date.now() },
      ...{ type: COMPOSING_TYPE, body: writeComposing({ typing: true, refresh: 60 }) },
    });
    const recipients = [alice.client.device];
    const sealed = phoneLime.encrypt(phone(), { recipientUser: alice.client.address, recipients, plaintext: said });
    const { cipherMessage } = sealed;
    alice.network.incoming = (frame) => {
      if (frame.kind !== 'deliver' || frame.sender !== bob.client.device) return frame;
      const envelope = encodeEnvelope({ engine: 'lime', recipientUser: alice.client.address, cipherMessage });
      return { ...frame, sender: phone(), content: sealed.recipients[0]!.message!, body: envelope };
    };
    const typed = new Promise((resolve) => alice.client.typing.onTyping(resolve));
    await (await bob.client.send('alice', 'instead of this')).accepted;
    expect(await typed).toMatchObject({ from: bob.client.address, device: phone(), typing: true });

    alice.client.typing.say('bob', true);
    const fleeting = () => alice.network.framesSent('ephemeral');
    while (fleeting().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [frame] = fleeting();
    expect(frame!.parts.map(({ device }) => device)).toEqual([phone()]);
    const chat = opened(frame!.parts[0]!.content, frame!.body);
    expect([chat.type, readComposing(chat.body)]).toEqual([COMPOSING_TYPE, { typing: true, refresh: 90 }]);
    alice.network.incoming = (each) => each;
    await (await bob.client.send('alice', 'a message')).accepted;
    expect((await take(alice.client, 'message', 1))[0]!.text).toBe('a message');
  });

  it('is sent away without a new manifest', async () => {
    await registerPhone();
    await bob.client.devices.remove(phone());
    expect(await bob.client.devices.waiting()).toEqual([]);
    expect(await versionOf()).toBe(1);
  });
});
