/** Changed, stripped, replayed and exchanged KEM parts (cases, part 2, for the hybrid suites). */
import { describe, expect, it } from '@jest/globals';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { hex } from './bytes/hex.ts';
import { kemIndex, newKemKey } from './keys/kem-keys.ts';
import { decodeSession, encodeSession } from './records/session-record.ts';
import { expectRefused } from './testing/refusals.ts';
import { bytes, crypto, DAY, flipped, type Letter, type Person, World } from './testing/world.ts';
import { sharedSecretKey } from './x3dh/x3dh.ts';

const SUITES = ['c25519mlk512', 'c448mlk1024'] as const;
const KEM_INDEXES = 4;

describe.each(SUITES)('%s', (name) => {
  const suite = crypto.suites[name];
  const kem = suite.kem!;
  const initBytes = 1 + suite.signatures.publicKeyLength + suite.dh.keyLength + kem.ciphertextLength + 8;
  const atInitCiphertext = 3 + 1 + suite.signatures.publicKeyLength + suite.dh.keyLength;

  function pair(provider: CryptoProvider = crypto) {
    const world = new World({}, provider);
    return { world, alice: world.person('alice', name), bob: world.person('bob', name) };
  }

  /** A session in which both sides have answered: short headers. */
  function settled(provider: CryptoProvider = crypto) {
    const { world, alice, bob } = pair(provider);
    bob.read(alice.write(bob, 'one'));
    alice.read(bob.write(alice, 'two'));
    bob.read(alice.write(bob, 'three'));
    return { world, alice, bob };
  }

  const kinds = {
    'first message with one-time prekey': () => {
      const { alice, bob } = pair();
      return { reader: bob, letter: alice.write(bob, 'hi', { policy: 'cipherMessage' }) };
    },
    'answer with a KEM step': () => {
      const { alice, bob } = pair();
      bob.read(alice.write(bob, 'one'));
      return { reader: alice, letter: bob.write(alice, 'two') };
    },
    'short header on a new chain': () => {
      const { alice, bob } = settled();
      return { reader: alice, letter: bob.write(alice, 'four') };
    },
  };

  it.each(Object.entries(kinds))(
    'F07, S27: %s: bits flipped all along, cut anywhere: a typed error, the state byte for byte as before, then the true one is read',
    (_, make) => {
      const { reader, letter } = make();
      const { length } = letter.message;
      // All of what is short, every 61st byte of the kilobytes of key and ciphertext.
      const places = Array.from({ length }, (_, at) => at).filter((at) => length < 300 || at < 16 || at % 61 === 0);
      for (const at of places) expectRefused(reader, { ...letter, message: flipped(letter.message, at) });
      for (const at of places) expectRefused(reader, { ...letter, message: letter.message.slice(0, at) });
      expectRefused(reader, { ...letter, message: Uint8Array.of(...letter.message, 0) });
      expect(reader.refusal(letter)).toBe('read');
    },
    60_000,
  );

  it('S15, S05: a changed KEM ciphertext of a first message burns no one-time prekey, and says what any forgery says', () => {
    const { alice, bob } = pair();
    const letter = alice.write(bob, 'hello');
    const prekeys = bob.store.keys('prekey ');
    for (const at of [0, 1, kem.ciphertextLength - 1]) {
      const message = flipped(letter.message, atInitCiphertext + at);
      expect(expectRefused(bob, { ...letter, message })).toBe('authentication-failed');
    }
    expect(bob.store.keys('prekey ')).toEqual(prekeys);
    expect(bob.read(letter)).toBe('hello');
    expect(bob.store.keys('prekey ')).toHaveLength(prekeys.length - 1);
  });

  it('S15: a changed ciphertext or public key of a ratchet step: refused, and the private key stays for the true one', () => {
    const { alice, bob } = pair();
    bob.read(alice.write(bob, 'one'));
    const letter = bob.write(alice, 'two');
    const atKey = 3 + 4 + suite.dh.keyLength;
    for (const at of [atKey, atKey + kem.publicKeyLength, atKey + kem.publicKeyLength + kem.ciphertextLength - 1]) {
      const code = expectRefused(alice, { ...letter, message: flipped(letter.message, at) });
      expect(code).toBe('authentication-failed');
    }
    expect(alice.read(letter)).toBe('two');
  });

  it('the private KEM key goes when it has been used, and not before', () => {
    const { alice, bob } = pair();
    bob.read(alice.write(bob, 'one'));
    const { own } = kemStateOf(alice, bob);
    const seed = hex(own!.reveal());
    expect(alice.state()).toContain(seed);
    const letter = bob.write(alice, 'two');
    expectRefused(alice, { ...letter, message: flipped(letter.message, letter.message.length - 1) });
    expect(alice.state()).toContain(seed);
    alice.read(letter);
    expect(alice.state()).not.toContain(seed);
    // The announced key's public half, and the shared secret of it, need not be kept either.
    expect(kemStateOf(alice, bob).own).toBeUndefined();
  });

  it('a wrong index of the sender is refused before any key agreement', () => {
    let agreements = 0;
    const { dh } = suite;
    const counting = {
      ...dh,
      sharedSecret(own: Uint8Array, peer: Uint8Array) {
        agreements += 1;
        return dh.sharedSecret(own, peer);
      },
    };
    const { alice, bob } = settled({
      ...crypto,
      suites: { ...crypto.suites, [name]: { ...suite, dh: counting } },
    });
    const letter = bob.write(alice, 'four');
    const atIndex = 3 + 4 + dh.keyLength;
    agreements = 0;
    expect(expectRefused(alice, { ...letter, message: flipped(letter.message, atIndex) })).toBe(
      'authentication-failed',
    );
    expect(agreements).toBe(0);
    expect(alice.read(letter)).toBe('four');
  });

  it('a wrong index of the receiver is authenticated like the rest of the header, and ends no announcement', () => {
    const { alice, bob } = pair();
    bob.read(alice.write(bob, 'one'));
    alice.read(bob.write(alice, 'two'));
    const letter = alice.write(bob, 'three');
    const atIndex = 3 + 4 + suite.dh.keyLength + 12;
    expectRefused(bob, { ...letter, message: flipped(letter.message, atIndex) });
    expect(kemStateOf(bob, alice).announced).toBeDefined();
    bob.read(letter);
    expect(kemStateOf(bob, alice).announced).toBeUndefined();
  });

  it('S16: a header whose KEM keys are stripped for indexes is refused, in a first message and in an answer', () => {
    const { alice, bob } = pair();
    const first = alice.write(bob, 'one');
    expect(expectRefused(bob, stripped(first, 3 + initBytes))).toBe('authentication-failed');
    bob.read(first);
    const answer = bob.write(alice, 'two');
    expect(expectRefused(alice, stripped(answer, 3))).toBe('authentication-failed');
    expect(alice.read(answer)).toBe('two');
  });

  it('S16: a message of a classical suite is none of this device: only its own suite is read', () => {
    const { bob } = pair();
    const classical = new World();
    const [carol, dave] = [classical.person('carol', suite.curve), classical.person('dave', suite.curve)];
    const letter = carol.write(dave, 'hello');
    expect(expectRefused(bob, letter)).toBe('wrong-curve');
    const renamed = { ...letter, message: letter.message.with(2, suite.id) };
    expect(['malformed', 'unknown-signed-prekey']).toContain(expectRefused(bob, renamed));
  });

  it('F12, S23: messages of a KEM step that come again are duplicates, on the chain and after it', () => {
    const { world, alice, bob } = settled();
    world.now += 2 * DAY;
    alice.read(bob.write(alice, 'four'));
    const step = alice.write(bob, 'five');
    bob.read(step);
    expect(expectRefused(bob, step)).toBe('duplicate');
    alice.read(bob.write(alice, 'six'));
    bob.read(alice.write(bob, 'seven'));
    expect(expectRefused(bob, step)).toBe('duplicate');
  });

  it('a second KEM step to the same key is refused: the key is gone', () => {
    const { world, alice, bob } = settled();
    world.now += 2 * DAY;
    alice.read(bob.write(alice, 'four'));
    const step = alice.write(bob, 'five');
    bob.read(step);
    expect(kemStateOf(bob, alice).own).toBeUndefined();
    // The same step under another DH key: nothing is left that could open it.
    const message = flipped(step.message, 3 + 4);
    expectRefused(bob, { ...step, message });
  });

  it('S10: a directory that exchanges the KEM key of a one-time prekey is found out by the addressee; nothing is stored or burned', () => {
    const { world, alice, bob } = pair();
    const entry = world.directory.get(bob.device)!;
    const [prekey] = entry.oneTimePrekeys;
    const foreign = newKemKey(kem, seededRandom(10));
    const publicKey = Uint8Array.of(...prekey!.publicKey.subarray(0, suite.dh.keyLength), ...foreign.publicKey);
    entry.oneTimePrekeys = [{ ...prekey!, publicKey }];
    const letter = alice.write(bob, 'hello');
    expect(expectRefused(bob, letter)).toBe('authentication-failed');
    expect(bob.store.keys('prekey ')).toContain(`prekey ${bob.device} ${prekey!.id}`);
  });

  it('S10: the message to such a prekey is still under a KEM key that its owner signed: the first ratchet step', () => {
    const { alice, bob } = pair();
    const letter = alice.write(bob, 'hello');
    const header = letter.message.subarray(3 + initBytes + 4 + suite.dh.keyLength);
    const [publicKey, ciphertext] = [header.subarray(0, kem.publicKeyLength), header.subarray(kem.publicKeyLength)];
    expect(kemStateOf(alice, bob).own!.publicKey).toEqual(publicKey);
    // To the signed prekey: its owner's seed gives a secret, any other key an unrelated one.
    const index = kemIndex(crypto, publicKey, ciphertext.subarray(0, kem.ciphertextLength));
    expect(kemStateOf(alice, bob).ownIndex).toEqual(index);
    expect(bob.read(letter)).toBe('hello');
  });

  it.each(['signed', 'one-time'] as const)(
    'S03, S13, S15: a broken %s prekey: that recipient fails, the other is served',
    (which) => {
      const { world, alice, bob } = pair();
      const carol = world.person('carol', name);
      const good = world.bundles([bob.device])[0]!.bundle!;
      const changes: ((publicKey: Uint8Array) => Uint8Array)[] = [
        (publicKey) => publicKey.subarray(0, suite.dh.keyLength),
        (publicKey) => publicKey.subarray(suite.dh.keyLength),
        (publicKey) => Uint8Array.of(...publicKey, 0),
        // Two coefficients of 4095.
        (publicKey) =>
          publicKey.map((byte, at) => (at - suite.dh.keyLength < 3 && at >= suite.dh.keyLength ? 255 : byte)),
        // A directory that lets an X25519 or X448 key of low order through.
        (publicKey) => publicKey.map((byte, at) => (at < suite.dh.keyLength ? 0 : byte)),
      ];
      for (const change of changes) {
        const before = alice.state();
        const { signedPrekey, oneTimePrekey } = good;
        const bundle =
          which === 'signed'
            ? { ...good, signedPrekey: { ...signedPrekey, publicKey: change(signedPrekey.publicKey) } }
            : { ...good, oneTimePrekey: { ...oneTimePrekey!, publicKey: change(oneTimePrekey!.publicKey) } };
        const sent = alice.lime.encrypt(alice.device, {
          recipientUser: bob.user,
          recipients: [bob.device],
          plaintext: bytes('x'),
          bundles: [{ device: bob.device, bundle }],
        });
        expect(sent.recipients).toEqual([{ device: bob.device, error: 'bad-bundle' }]);
        expect(alice.state()).toBe(before);
      }
      expect(carol.read(alice.write(carol, 'served'))).toBe('served');
    },
  );

  it('S15: a peer that announces an unreduced KEM key is refused at once, and not when its next message is written', () => {
    const { alice, bob } = pair();
    bob.read(alice.write(bob, 'one'));
    bob.write(alice, 'sent, and lost');
    const key = `active ${bob.device} ${alice.device}`;
    const session = decodeSession(crypto, bob.store.load(key)!);
    const announced = session.ratchet.kem!.announced!;
    const unreduced = { ...announced, publicKey: announced.publicKey.map((byte, at) => (at < 3 ? 255 : byte)) };
    const ratchet = { ...session.ratchet, kem: { ...session.ratchet.kem!, announced: unreduced } };
    bob.store.save([{ key, value: encodeSession(crypto, { ...session, ratchet }) }]);
    expect(expectRefused(alice, bob.write(alice, 'two'))).toBe('malformed');
    bob.store.save([{ key, value: encodeSession(crypto, session) }]);
    expect(alice.read(bob.write(alice, 'two'))).toBe('two');
    expect(bob.read(alice.write(bob, 'three'))).toBe('three');
  });

  it('S14: the same secret encapsulated in other words is another session key', () => {
    const transcript = [bytes('public key'), bytes('ciphertext')];
    const key = (words: Uint8Array[]) => {
      const secrets = [new Uint8Array(suite.dh.keyLength).fill(1)];
      return hex(
        sharedSecretKey(crypto, suite, secrets, { secret: new Uint8Array(32).fill(2), transcript: words }).reveal(),
      );
    };
    expect(key(transcript)).toBe(key(transcript));
    expect(key([bytes('public key'), bytes('Ciphertext')])).not.toBe(key(transcript));
    expect(key([bytes('Public key'), bytes('ciphertext')])).not.toBe(key(transcript));
  });

  it('S34: with the same secrets, the other suites derive other keys', () => {
    const keys = (['c25519', 'c25519mlk512', 'c448', 'c448mlk1024'] as const).map((each) =>
      hex(sharedSecretKey(crypto, crypto.suites[each], [new Uint8Array(56).fill(1)]).reveal()),
    );
    expect(new Set(keys).size).toBe(4);
  });
});

function kemStateOf(me: Person, peer: Person) {
  return decodeSession(crypto, me.store.load(`active ${me.device} ${peer.device}`)!).ratchet.kem!;
}

/** The letter with two indexes in the place of KEM key and ciphertext, and the type bit that says so. `at`: where Ns begins. */
function stripped(letter: Letter, at: number): Letter {
  const suite = Object.values(crypto.suites).find(({ id }) => id === letter.message[2])!;
  const { kem, dh } = suite;
  const keysAt = at + 4 + dh.keyLength;
  const keys = letter.message.slice(keysAt, keysAt + kem!.publicKeyLength + kem!.ciphertextLength);
  const index = kemIndex(crypto, keys.slice(0, kem!.publicKeyLength), keys.slice(kem!.publicKeyLength));
  const rest = letter.message.subarray(keysAt + keys.length);
  const message = Uint8Array.of(...letter.message.subarray(0, keysAt), ...index, ...index, ...rest);
  message[1]! |= KEM_INDEXES;
  return { ...letter, message };
}
