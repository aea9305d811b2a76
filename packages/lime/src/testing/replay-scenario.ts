/** The dialogues of vectors/lime-5.3.json, replayed by two of our devices with the keys that liblime had. */
import { expect } from '@jest/globals';
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { ByteReader } from '../bytes/byte-reader.ts';
import { hex } from '../bytes/hex.ts';
import { decodeMessage } from '../format/message.ts';
import { decodeX3dhInit, encodeX3dhInit } from '../format/x3dh-init.ts';
import { OwnDhKey, PeerDhKey } from '../keys/dh-keys.ts';
import { OwnIdentity, PeerIdentity } from '../keys/identity-keys.ts';
import { Lime } from '../lime.ts';
import type { Policy } from '../messages/policy.ts';
import { initialRatchet, type RatchetState, withSendingChain } from '../ratchet/ratchet.ts';
import { encodeDevice, encodeOneTimePrekey, type OwnDevice } from '../records/device-record.ts';
import { encodePeer } from '../records/peer-record.ts';
import { decodeSession, encodeSession } from '../records/session-record.ts';
import { initiatorSecrets, responderSecrets, sharedData, sharedSecretKey } from '../x3dh/x3dh.ts';
import { MemoryLimeStore } from './memory-store.ts';
import type { AeadCall } from './recording-crypto.ts';
import { scriptedRandom } from './scripted-random.ts';
import type { VectorNode } from './vector-file.ts';

interface Responder {
  readonly device: DeviceId;
  readonly identity: OwnIdentity;
  readonly signedPrekey: { readonly id: number; readonly key: OwnDhKey; readonly signature: Uint8Array };
  readonly oneTimePrekey: { readonly id: number; readonly key: OwnDhKey } | undefined;
}

function identityOf(crypto: CryptoProvider, name: SuiteName, node: VectorNode): OwnIdentity {
  const seed = node.bytes('ik_private');
  const publicKey = crypto.suites[name].signatures.publicKey(seed);
  node.check('ik_public', publicKey);
  return new OwnIdentity(seed, publicKey);
}

function responderOf(crypto: CryptoProvider, name: SuiteName, node: VectorNode): Responder {
  const suite = crypto.suites[name];
  const dhKey = (label: string) => {
    const privateKey = node.bytes(`${label}_private`);
    const key = new OwnDhKey(privateKey, suite.dh.publicKey(privateKey));
    node.check(`${label}_public`, key.publicKey);
    return key;
  };
  const identity = identityOf(crypto, name, node);
  const key = dhKey('spk');
  const signature = suite.signatures.sign(identity.reveal(), key.publicKey);
  if (node.has('spk_signature')) node.check('spk_signature', signature);
  return {
    device: node.text('device') as DeviceId,
    identity,
    signedPrekey: { id: node.number('spk_id'), key, signature },
    oneTimePrekey: node.has('opk_id') ? { id: node.number('opk_id'), key: dhKey('opk') } : undefined,
  };
}

/** Who meets in a scenario. */
function meetingOf(crypto: CryptoProvider, name: SuiteName, scenario: VectorNode) {
  scenario.text('label');
  const [initiator, responder] = [scenario.node('initiator'), scenario.node('responder')];
  return {
    initiator: { device: initiator.text('device') as DeviceId, identity: identityOf(crypto, name, initiator) },
    responder: responderOf(crypto, name, responder),
    recipientUser: responder.text('user'),
  };
}

/** A local device made of the vectors' keys; what it does not use is zero. */
function storeOf(crypto: CryptoProvider, name: SuiteName, device: DeviceId, keys: Partial<Responder>): MemoryLimeStore {
  const { identity, signedPrekey, oneTimePrekey } = keys;
  const suite = crypto.suites[name];
  const none = new Uint8Array(suite.dh.keyLength);
  const own: OwnDevice = {
    suite: name,
    active: true,
    updatedAt: 0,
    identity: identity!,
    signedPrekeys: [
      {
        id: signedPrekey?.id ?? 1,
        key: signedPrekey?.key ?? new OwnDhKey(none, none),
        kem: undefined,
        signature: signedPrekey?.signature ?? new Uint8Array(suite.signatures.signatureLength),
        createdAt: 0,
        replacedAt: undefined,
        offersLeft: 0,
      },
    ],
  };
  const store = new MemoryLimeStore([[`device ${device}`, encodeDevice(crypto, own)]]);
  if (oneTimePrekey) {
    const value = encodeOneTimePrekey(crypto, name, { ...oneTimePrekey, kem: undefined, missedSince: undefined });
    store.save([{ key: `prekey ${device} ${oneTimePrekey.id}`, value }]);
  }
  return store;
}

/**
 * Scenarios 0 and 1: X3DH as the responder computes it, then five messages between two of our devices that hold liblime's keys, sent in the order
 * of numbers and delivered in the order of the file.
 */
export function replayDialogue(
  crypto: CryptoProvider & { readonly calls: AeadCall[] },
  name: SuiteName,
  scenario: VectorNode,
): void {
  const suite = crypto.suites[name];
  const { initiator: alice, responder: bob, recipientUser } = meetingOf(crypto, name, scenario);
  const messages = scenario.list('messages');
  const [m0, m2, r0, m3, m1] = messages as [VectorNode, VectorNode, VectorNode, VectorNode, VectorNode];
  const sentSession = scenario.node('initiator_session_after_three_sends');

  // X3DH, as the responder computes it: the initiator's ephemeral private key is liblime's secret.
  const initBytes = sentSession.bytes('x3dh_init');
  const init = decodeX3dhInit(new ByteReader(initBytes, 'malformed', 'init'), suite);
  const x3dh = scenario.node('x3dh');
  x3dh.check('ek_public', init.ephemeralKey.bytes);
  x3dh.check('has_opk', init.oneTimePrekeyId !== undefined);
  expect(init.signedPrekeyId).toBe(bob.signedPrekey.id);
  expect(init.oneTimePrekeyId).toBe(bob.oneTimePrekey?.id);
  const secrets = responderSecrets(suite, {
    identity: bob.identity,
    signedPrekey: bob.signedPrekey.key,
    oneTimePrekey: bob.oneTimePrekey?.key,
    peerIdentity: init.identityKey,
    ephemeralKey: init.ephemeralKey,
  });
  checkList(x3dh, 'dh', secrets);
  const sk = sharedSecretKey(crypto, suite, secrets);
  x3dh.check('sk', sk.reveal());
  const shared = sharedData(crypto, alice.identity.publicKey, bob.identity.publicKey, alice.device, bob.device);
  x3dh.check('shared_ad', shared);

  // Alice begins with the session that X3DH gave her.
  const ratchet = initialRatchet({
    suite: name,
    sharedData: shared,
    rootKey: sk,
    own: undefined,
    peer: new PeerDhKey(bob.signedPrekey.key.publicKey),
    init: initBytes,
  });
  const stores = new Map([
    [alice.device, storeOf(crypto, name, alice.device, { identity: alice.identity })],
    [bob.device, storeOf(crypto, name, bob.device, bob)],
  ]);
  const session = { role: 'initiator', ephemeralKey: init.ephemeralKey.bytes, staleSince: undefined, ratchet } as const;
  const value = encodeSession(crypto, session);
  stores.get(alice.device)!.save([{ key: `active ${alice.device} ${bob.device}`, value }]);

  const sessionOf = (me: DeviceId): RatchetState | undefined => {
    const record = stores.get(me)!.load(`active ${me} ${me === bob.device ? alice.device : bob.device}`);
    return record && decodeSession(crypto, record).ratchet;
  };
  const limeOf = (me: DeviceId, ...random: Uint8Array[]) =>
    new Lime({ crypto, store: stores.get(me)!, now: () => 1000, random: scriptedRandom(...random) });

  const send = (node: VectorNode, ...random: Uint8Array[]) => {
    const [from, to] = [node.text('from') as DeviceId, node.text('to') as DeviceId];
    node.check('status_at_encryption', acquaintance(limeOf(from), to));
    const seed = node.has('seed') ? [node.bytes('seed')] : [];
    const sent = limeOf(from, ...seed, ...random).encrypt(from, {
      recipientUser: node.text('recipient_user'),
      recipients: [to],
      plaintext: node.bytes('plaintext'),
      policy: node.text('policy') as Policy,
    });
    const [recipient] = sent.recipients;
    node.check('dr_message', recipient!.message!);
    node.check('cipher_message', sent.cipherMessage.length > 0 ? sent.cipherMessage : null);
  };

  const receive = (node: VectorNode) => {
    node.text('label');
    const [from, to] = [node.text('from') as DeviceId, node.text('to') as DeviceId];
    const message = node.bytes('dr_message');
    const cipherMessage = node.isNull('cipher_message') ? new Uint8Array(0) : node.bytes('cipher_message');
    const parsed = decodeMessage(suite, message, cipherMessage.length === 0);
    const header = node.node('header');
    header.check('version', message[0]!);
    header.check('type', message[1]!);
    header.check('curve', message[2]!);
    header.check('ns', parsed.number);
    header.check('pn', parsed.previousLength);
    header.check('dhs', parsed.key.bytes);
    header.check('x3dh_init', parsed.init ? message.slice(3, 3 + initBytes.length) : null);
    const before = sessionOf(to);
    const isSkipped = before?.skipped.some((chain) => hex(chain.peerKey) === hex(parsed.key.bytes)) ?? false;
    node.check('used_skipped_key', isSkipped);

    node.check('status_at_decryption', acquaintance(limeOf(to), from));
    crypto.calls.length = 0;
    const plaintext = limeOf(to).decrypt(to, {
      sender: from,
      recipientUser: node.text('recipient_user'),
      message,
      cipherMessage,
    });
    node.check('plaintext', plaintext);
    const [ratchetCall, cipherCall] = crypto.calls;
    node.check('mk', ratchetCall!.key);
    node.check('ad_full', ratchetCall!.associatedData);
    const given = ratchetCall!.associatedData.length - 32 - parsed.header.length;
    node.check('ad_given', ratchetCall!.associatedData.slice(0, given));
    if (cipherCall) {
      node.check('cipher_message_mk', cipherCall.key);
      node.check('cipher_message_ad', cipherCall.associatedData);
      node.check('cipher_message', cipherMessage);
    }

    const after = sessionOf(to)!;
    checkSession(crypto, node.node('receiver_session_after'), after);
    const skipped = after.skipped.flatMap((chain) =>
      Array.from({ length: chain.count }, (_, i) => {
        const at = i * 50;
        const entry = chain.reveal();
        return { dhr: chain.peerKey, nr: entry[at]! * 256 + entry[at + 1]!, mk: chain.keyAt(at).reveal() };
      }),
    );
    const expected = node.list('skipped_after');
    expect(expected).toHaveLength(skipped.length);
    expected.forEach((each, i) => {
      each.check('dhr', skipped[i]!.dhr);
      each.check('nr', skipped[i]!.nr);
      each.check('mk', skipped[i]!.mk);
    });
  };

  expect(recipientUser).toBe(m0.text('recipient_user'));
  send(m0, ownPrivate(suite.dh.keyLength, sentSession));
  const met = encodePeer({ identityKey: bob.identity.publicKey, signedPrekeyIds: [] });
  stores.get(alice.device)!.save([{ key: `peer ${bob.device}`, value: met }]);
  send(m1);
  send(m2);
  checkSession(crypto, sentSession, sessionOf(alice.device)!);
  receive(m0);
  receive(m2);
  send(r0, ownPrivate(suite.dh.keyLength, m2.node('receiver_session_after')));
  receive(r0);
  send(m3, ownPrivate(suite.dh.keyLength, r0.node('receiver_session_after')));
  receive(m3);
  receive(m1);
}

/** What liblime calls a device that nobody has judged. */
function acquaintance(lime: Lime, peer: DeviceId): 'unknown' | 'untrusted' {
  return lime.peerIdentityKey(peer) ? 'untrusted' : 'unknown';
}

/** liblime stores `public | private`. */
function ownPrivate(keyLength: number, session: VectorNode): Uint8Array {
  return session.bytes('dhs').slice(keyLength);
}

/** liblime takes the sending half of a ratchet step at once, we at the next sending: done here with its key, the states are equal. */
function checkSession(crypto: CryptoProvider, node: VectorNode, state: RatchetState): void {
  const { keyLength } = crypto.suites[state.suite].dh;
  const full = withSendingChain(crypto, state, scriptedRandom(ownPrivate(keyLength, node)));
  node.check('rk', full.rootKey.reveal());
  node.check('cks', full.sendingChain.reveal());
  node.check('ckr', full.receivingChain?.reveal() ?? new Uint8Array(32));
  node.check('ad', full.sharedData);
  node.check('dhs', Uint8Array.of(...full.own.publicKey, ...full.own.reveal()));
  node.check('dhr', full.peer!.bytes);
  node.check('ns', full.sent);
  node.check('nr', full.received);
  node.check('pn', full.previousSent);
  node.check('x3dh_init', full.init ?? null);
}

function checkList(node: VectorNode, key: string, actual: readonly Uint8Array[]): void {
  expect(node.list(key)).toHaveLength(actual.length);
  actual.forEach((bytes, i) => {
    node.node(key).check(String(i), bytes);
  });
}

/** Scenario 2: every secret of the sender is known, so X3DH and both messages are reproduced from the public door. */
export function replayFixedSender(
  crypto: CryptoProvider & { readonly calls: AeadCall[] },
  name: SuiteName,
  scenario: VectorNode,
): void {
  const suite = crypto.suites[name];
  const { initiator: yves, responder: zoe, recipientUser } = meetingOf(crypto, name, scenario);
  const initiator = scenario.node('initiator');
  const ephemeralPrivate = initiator.bytes('ek_private');
  const ephemeral = new OwnDhKey(ephemeralPrivate, suite.dh.publicKey(ephemeralPrivate));
  const ratchetPrivate = initiator.bytes('ratchet_private');

  const x3dh = scenario.node('x3dh');
  const asInitiator = initiatorSecrets(suite, {
    identity: yves.identity,
    ephemeral,
    peerIdentity: new PeerIdentity(zoe.identity.publicKey),
    signedPrekey: new PeerDhKey(zoe.signedPrekey.key.publicKey),
    oneTimePrekey: new PeerDhKey(zoe.oneTimePrekey!.key.publicKey),
  });
  checkList(x3dh, 'dh', asInitiator);
  const asResponder = responderSecrets(suite, {
    identity: zoe.identity,
    signedPrekey: zoe.signedPrekey.key,
    oneTimePrekey: zoe.oneTimePrekey!.key,
    peerIdentity: new PeerIdentity(yves.identity.publicKey),
    ephemeralKey: new PeerDhKey(ephemeral.publicKey),
  });
  expect(asResponder).toEqual(asInitiator);
  const sk = sharedSecretKey(crypto, suite, asInitiator);
  x3dh.check('sk', sk.reveal());
  const shared = sharedData(crypto, yves.identity.publicKey, zoe.identity.publicKey, yves.device, zoe.device);
  x3dh.check('shared_ad', shared);
  const peer = new PeerDhKey(zoe.signedPrekey.key.publicKey);
  const init = encodeX3dhInit({
    identityKey: yves.identity.publicKey,
    ephemeralKey: ephemeral.publicKey,
    signedPrekeyId: zoe.signedPrekey.id,
    oneTimePrekeyId: zoe.oneTimePrekey!.id,
  });
  x3dh.check('init', init);
  const begun = initialRatchet({ suite: name, sharedData: shared, rootKey: sk, own: undefined, peer, init });
  const ready = withSendingChain(crypto, begun, scriptedRandom(ratchetPrivate));
  x3dh.check('rk', ready.rootKey.reveal());
  x3dh.check('cks', ready.sendingChain.reveal());

  const yvesStore = storeOf(crypto, name, yves.device, { identity: yves.identity });
  const zoeLime = new Lime({
    crypto,
    store: storeOf(crypto, name, zoe.device, zoe),
    now: () => 1000,
    random: scriptedRandom(),
  });
  const bundles = [
    {
      device: zoe.device,
      bundle: {
        identityKey: zoe.identity.publicKey,
        signedPrekey: { ...zoe.signedPrekey, publicKey: zoe.signedPrekey.key.publicKey },
        oneTimePrekey: { id: zoe.oneTimePrekey!.id, publicKey: zoe.oneTimePrekey!.key.publicKey },
      },
    },
  ];
  const messages = scenario.list('messages');
  messages.forEach((node, i) => {
    const seed = node.has('seed') ? [node.bytes('seed')] : [];
    const random = scriptedRandom(...(i === 0 ? [ephemeralPrivate, ratchetPrivate] : seed));
    crypto.calls.length = 0;
    const sent = new Lime({ crypto, store: yvesStore, now: () => 1000, random }).encrypt(yves.device, {
      recipientUser,
      recipients: [zoe.device],
      plaintext: node.bytes('plaintext'),
      policy: node.text('policy') as Policy,
      bundles,
    });
    const { message } = sent.recipients[0]!;
    expect(random.left()).toBe(0);
    node.check('dr_message', message!);
    node.check('mk', crypto.calls.at(-1)!.key);
    if (node.has('cipher_message')) node.check('cipher_message', sent.cipherMessage);
    const incoming = { sender: yves.device, recipientUser, message: message!, cipherMessage: sent.cipherMessage };
    node.check('plaintext', zoeLime.decrypt(zoe.device, incoming));
  });
}
