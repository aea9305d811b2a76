/** The fast ratchet against its readable twin: the same bytes sent, the same messages read, the same states. */
import { describe, expect, it } from '@jest/globals';
import type { SuiteName } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import fc from 'fast-check';
import { hex } from '../bytes/hex.ts';
import { decodeMessage } from '../format/message.ts';
import { encodeX3dhInit } from '../format/x3dh-init.ts';
import { newDhKey, OwnDhKey, PeerDhKey } from '../keys/dh-keys.ts';
import { limeSettings } from '../settings.ts';
import { RatchetTwin } from '../testing/ratchet-twin.ts';
import { bytes, codeOf, crypto } from '../testing/world.ts';
import { initialRatchet, type RatchetState, ratchetDecrypt, ratchetEncrypt, withSendingChain } from './ratchet.ts';
import { RootKey } from './root-key.ts';

const SETTINGS = limeSettings();
const BOUND = bytes('to whom it is addressed');

/** One end, on both implementations, with the same sequence of ratchet keys. */
class End {
  readonly twin: RatchetTwin;
  readonly #keys: Uint8Array[];
  #twinKeys = 0;
  #fastKeys = 0;

  constructor(
    readonly suite: SuiteName,
    seed: number,
    public fast: RatchetState,
    signedPrekey: OwnDhKey,
    init: Uint8Array | undefined,
  ) {
    const random = seededRandom(seed);
    this.#keys = Array.from({ length: 60 }, () => random(crypto.suites[suite].dh.keyLength));
    this.twin = new RatchetTwin(crypto, {
      suite,
      sharedData: fast.sharedData,
      sharedKey: fast.rootKey.reveal().slice(),
      init,
      signedPrekey: {
        privateKey: init ? undefined : signedPrekey.reveal(),
        publicKey: signedPrekey.publicKey,
      },
      nextPrivateKey: () => this.#keys[this.#twinKeys++]!,
    });
  }

  send(content: string): Uint8Array {
    const input = { payload: bytes(content), direct: true, associatedData: [BOUND] };
    const { state, message } = ratchetEncrypt(crypto, this.fast, input, () => this.#keys[this.#fastKeys++]!.slice());
    this.fast = state;
    expect(hex(message)).toBe(hex(this.twin.encrypt(bytes(content), BOUND)));
    return message;
  }

  /** The plaintext, or undefined where both refuse. */
  receive(message: Uint8Array): string | undefined {
    const parsed = decodeMessage(crypto.suites[this.suite], message, true);
    const initLength = parsed.header.length - 7 - crypto.suites[this.suite].dh.keyLength;
    const twinKeys = this.#twinKeys;
    const expected = this.twin.decrypt(message, initLength, BOUND);
    // The twin makes its next key before it sees that the message is not authentic, and takes it back.
    if (!expected) this.#twinKeys = twinKeys;
    let actual: Uint8Array | undefined;
    try {
      const { state, payload } = ratchetDecrypt(crypto, this.fast, parsed, [BOUND], SETTINGS, 0);
      this.fast = state;
      actual = payload;
    } catch (error) {
      expect(['LimeError', 'CryptoError']).toContain((error as Error).name);
    }
    expect(actual && hex(actual)).toBe(expected && hex(expected));
    return actual && new TextDecoder().decode(actual);
  }

  /** The twin took the sending half of the last step at once: done here too, without keeping it, all fields agree. */
  compare(): void {
    if (!this.fast.peer) return;
    const state = withSendingChain(crypto, this.fast, () => this.#keys[this.#fastKeys]!.slice());
    const { twin } = this;
    expect({
      rootKey: hex(state.rootKey.reveal()),
      sendingChain: hex(state.sendingChain.reveal()),
      receivingChain: state.receivingChain ? hex(state.receivingChain.reveal()) : '',
      own: hex(state.own.publicKey),
      peer: hex(state.peer!.bytes),
      numbers: [state.sent, state.received, state.previousSent],
      skipped: state.skipped.reduce((sum, chain) => sum + chain.count, 0),
    }).toEqual({
      rootKey: twin.rootKey,
      sendingChain: twin.sendingChain,
      receivingChain: twin.receivingChain,
      own: twin.ownPublic,
      peer: twin.peerPublic,
      numbers: [twin.sent, twin.received, twin.previous],
      skipped: twin.skipped.size,
    });
  }
}

function ends(curveName: SuiteName): [End, End] {
  const suite = crypto.suites[curveName];
  const random = seededRandom(77);
  const signedPrekey = newDhKey(suite, random);
  const identityKey = random(suite.signatures.publicKeyLength);
  const ephemeralKey = random(suite.dh.keyLength);
  const init = encodeX3dhInit({ identityKey, ephemeralKey, signedPrekeyId: 5, oneTimePrekeyId: 6 });
  const [sharedData, sharedKey] = [random(32), random(32)];
  const common = { suite: curveName, sharedData, rootKey: new RootKey(sharedKey) };
  const peer = new PeerDhKey(signedPrekey.publicKey);
  return [
    new End(curveName, 1, initialRatchet({ ...common, own: undefined, peer, init }), signedPrekey, init),
    new End(
      curveName,
      2,
      initialRatchet({ ...common, own: signedPrekey, peer: undefined, init: undefined }),
      signedPrekey,
      undefined,
    ),
  ];
}

/** Which end acts, and what: send, or deliver one of the letters under way (again, perhaps), or a changed one. */
const step = fc.record({
  end: fc.constantFrom(0, 1),
  what: fc.constantFrom('send', 'send', 'deliver', 'deliver', 'deliver', 'change'),
  pick: fc.nat(1000),
});

describe.each<[SuiteName, number]>([
  ['c25519', 120],
  ['c448', 25],
])('the ratchet and its twin on %s', (suite, numRuns) => {
  it('agree on every byte, whatever is delivered late, twice, changed or never', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (script) => {
        const both = ends(suite);
        const underWay: Uint8Array[][] = [[], []];
        const read = new Set<string>();
        script.forEach(({ end, what, pick }, i) => {
          const actor = both[end]!;
          if (what === 'send') {
            if (actor.fast.peer) underWay[1 - end]!.push(actor.send(`${end}:${i}`));
            return;
          }
          const letters = underWay[end]!;
          const letter = letters[pick % Math.max(1, letters.length)];
          if (!letter) return;
          const message =
            what === 'change' ? letter.with(pick % letter.length, letter[pick % letter.length]! ^ 0x55) : letter;
          const content = codeOf(() => decodeMessage(crypto.suites[suite], message, true))
            ? undefined
            : actor.receive(message);
          if (content === undefined) return;
          expect(read.has(content)).toBe(false);
          read.add(content);
        });
        for (const actor of both) actor.compare();
      }),
      { seed: 53, numRuns },
    );
  });
});

it('an own key of another kind is another type', () => {
  const key: OwnDhKey = new OwnDhKey(new Uint8Array(32), new Uint8Array(32));
  // @ts-expect-error a peer's key cannot stand where an own one is asked for
  const swapped: OwnDhKey = new PeerDhKey(new Uint8Array(32));
  // @ts-expect-error nor an own one where a peer's is
  const other: PeerDhKey = key;
  expect([swapped.kind, other.kind]).toEqual(['PeerDhKey', 'OwnDhKey']);
});
