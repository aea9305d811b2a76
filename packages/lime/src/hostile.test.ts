/** Changed, replayed, forged and misdirected messages (cases, part 2). */
import { describe, expect, it } from '@jest/globals';
import type { SuiteName } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import { concat } from './bytes/concat.ts';
import { hex } from './bytes/hex.ts';
import { encodeHeader } from './format/message.ts';
import { associatedDataOf } from './messages/associated-data.ts';
import { CipherSeed, cipherAssociatedData, keyFromSeed, sealCipherMessage } from './messages/cipher-message.ts';
import { ChainKey, messageKeyOf } from './ratchet/chain-key.ts';
import { sealOnce } from './ratchet/message-key.ts';
import { decodeSession, encodeSession } from './records/session-record.ts';
import { expectRefused } from './testing/refusals.ts';
import { bytes, codeOf, crypto, DAY, flipped, type Letter, Person, World } from './testing/world.ts';

describe.each<SuiteName>(['c25519', 'c448'])('F07, S27: a flipped bit in every byte, on %s', (suite) => {
  const kinds = {
    'first message with one-time prekey': (world: World) => {
      const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
      return { reader: bob, letter: alice.write(bob, 'hi', { policy: 'cipherMessage' }) };
    },
    'first message without one-time prekey': (world: World) => {
      const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
      world.directory.get(bob.device)!.oneTimePrekeys = [];
      return { reader: bob, letter: alice.write(bob, 'hi') };
    },
    'repeated init': (world: World) => {
      const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
      bob.read(alice.write(bob, 'one'));
      return { reader: bob, letter: alice.write(bob, 'two') };
    },
    'answer with a new chain': (world: World) => {
      const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
      bob.read(alice.write(bob, 'one'));
      return { reader: alice, letter: bob.write(alice, 'two', { policy: 'cipherMessage' }) };
    },
    'message that was skipped': (world: World) => {
      const [alice, bob] = [world.person('alice', suite), world.person('bob', suite)];
      const letter = alice.write(bob, 'one');
      bob.read(alice.write(bob, 'two'));
      return { reader: bob, letter };
    },
  };

  it.each(Object.entries(kinds))(
    '%s: a typed error, the state byte for byte as before, then the true one is read',
    (_, make) => {
      const { reader, letter } = make(new World());
      for (let at = 0; at < letter.message.length; at += 1) {
        expectRefused(reader, { ...letter, message: flipped(letter.message, at) });
      }
      for (let at = 0; at < letter.cipherMessage.length; at += 1) {
        const code = expectRefused(reader, { ...letter, cipherMessage: flipped(letter.cipherMessage, at) });
        expect(code).toBe('authentication-failed');
      }
      for (let length = 0; length < letter.message.length; length += 1) {
        expectRefused(reader, { ...letter, message: letter.message.slice(0, length) });
      }
      expectRefused(reader, { ...letter, message: concat(letter.message, Uint8Array.of(0)) });
      expect(reader.refusal(letter)).toBe('read');
    },
  );
});

describe('F11, S81: bytes of any kind', () => {
  it('random and mutilated messages end in a typed error and change nothing', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    bob.read(alice.write(bob, 'hello'));
    const letter = alice.write(bob, 'precious', { policy: 'cipherMessage' });
    const whole = letter.message;
    const mutilated = fc
      .tuple(fc.nat(whole.length), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
      .map(([at, cut, put]) => Uint8Array.of(...whole.subarray(0, at), ...put, ...whole.subarray(at + cut)))
      .filter((message) => hex(message) !== hex(whole));
    const random = fc.uint8Array({ maxLength: 300 });
    const startingRight = random.map((rest) => Uint8Array.of(1, rest[0]! & 3, 1, ...rest));
    fc.assert(
      fc.property(fc.oneof(mutilated, random, startingRight), fc.constantFrom(0, 15, 16, 40), (message, length) => {
        expectRefused(bob, { ...letter, message, cipherMessage: letter.cipherMessage.slice(0, length) });
        expectRefused(bob, { ...letter, message });
      }),
      { seed: 81, numRuns: 400 },
    );
    expect(bob.read(letter)).toBe('precious');
  });

  it('a chain cannot be driven beyond the last number', () => {
    const world = new World({ skippedKeysPerMessage: 70_000, skippedKeysPerSession: 10, sendingChainMessages: 70_000 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const key = `active ${alice.device} ${bob.device}`;
    bob.read(alice.write(bob, 'hello'));
    // A peer that counts as it likes: its chain keys are no further, so only the bound can speak before the authentication.
    for (const [sent, expected] of [
      [0xfffe, 'authentication-failed'],
      [0xffff, 'too-far'],
    ] as const) {
      const session = decodeSession(crypto, alice.store.load(key)!);
      const value = encodeSession(crypto, { ...session, ratchet: { ...session.ratchet, sent } });
      alice.store.save([{ key, value }]);
      expect(expectRefused(bob, alice.write(bob, 'far'))).toBe(expected);
      alice.store.save([{ key, value: encodeSession(crypto, session) }]);
    }
  });
});

describe('misdirected', () => {
  function pair() {
    const world = new World();
    const [alice, bob, carol] = [world.person('alice'), world.person('bob'), world.person('carol')];
    bob.read(alice.write(bob, 'hello'));
    return { world, alice, bob, carol };
  }

  it('another recipient user, in both forms: refused, and the key is not spent', () => {
    const { alice, bob } = pair();
    for (const policy of ['DRMessage', 'cipherMessage'] as const) {
      const letter = alice.write(bob, 'for bob', { policy });
      expect(expectRefused(bob, { ...letter, user: 'sip:mallory@example.org' })).toBe('authentication-failed');
      expect(bob.read(letter)).toBe('for bob');
    }
  });

  it('another sender, another recipient device', () => {
    const { alice, bob, carol } = pair();
    const letter = alice.write(bob, 'for bob');
    expect(expectRefused(bob, { ...letter, from: carol.device })).toBe('unknown-one-time-prekey');
    expect(expectRefused(carol, letter)).toBe('unknown-signed-prekey');
    alice.read(bob.write(alice, 'answer'));
    const later = alice.write(bob, 'later');
    expect(expectRefused(carol, later)).toBe('no-session');
    expect(expectRefused(bob, { ...later, from: carol.device })).toBe('no-session');
  });

  it('S28: ids whose edge is shifted give the same AD, and still another message: SharedAD binds both devices', () => {
    const world = new World();
    const bob = world.person('bob');
    const device = 'sip:xsip:alice@example.org;gr=1' as DeviceId;
    const alice = new Person(world, device, {}, 28);
    alice.lime.createDevice(device, 'c25519');
    alice.lime.activateDevice(device);
    const letter = alice.write(bob, 'hello', { recipientUser: 'sip:bob@example.org' });
    const from = parseDeviceId('sip:alice@example.org;gr=1');
    const shifted = { ...letter, from, user: parseAccountAddress('sip:bob@example.orgsip:x') };
    const joined = (each: Letter) => concat(...associatedDataOf(each.from, bob.device, bytes(each.user), undefined));
    expect(joined(shifted)).toEqual(joined(letter));
    expect(expectRefused(bob, shifted)).toBe('authentication-failed');
    expect(bob.read(letter)).toBe('hello');
  });

  it('S30: the limit of the seed form: a recipient and the relay can give another body to the others; not in the direct form', () => {
    const world = new World();
    const [alice, bob, carol] = [world.person('alice'), world.person('bob'), world.person('carol')];
    const recipientUser = 'sip:group@example.org';
    const plaintext = bytes('to all of us, with best wishes');
    const cipher = sealCipherMessage(crypto, {
      random: seededRandom(30),
      source: alice.device,
      recipientUser,
      plaintext,
    });
    // What carol, as a recipient, decrypts her ratchet message to.
    const known = keyFromSeed(crypto, new CipherSeed(cipher.seed.reveal().slice())).reveal();
    const [toBob, toCarol] = alice.writeToAll([bob, carol], 'to all of us, with best wishes', {
      cipher,
      recipientUser,
    });
    expect(carol.read(toCarol!)).toBe('to all of us, with best wishes');

    const bound = cipherAssociatedData(alice.device, bytes(recipientUser));
    const seal = (body: Uint8Array) => crypto.aes256gcm.seal(known.subarray(0, 32), known.subarray(32), body, bound);
    const forged = seal(bodyWithTag(seal, bytes('send gold to eve'), cipher.cipherMessage.slice(-16)));
    expect(hex(forged.slice(-16))).toBe(hex(cipher.cipherMessage.slice(-16)));
    expect(bob.read({ ...toBob!, cipherMessage: forged })).toMatch(/^send gold to eve/);

    const direct = alice.write(bob, 'to bob');
    expect(direct.cipherMessage).toHaveLength(0);
    expect(expectRefused(bob, { ...direct, cipherMessage: forged })).toBe('malformed');
  });

  it('a message for another suite, and forms that do not fit', () => {
    const { alice, bob } = pair();
    const world = new World();
    const dave = world.person('dave', 'c448');
    expect(dave.refusal(alice.write(bob, 'x'))).toBe('wrong-curve');
    const direct = alice.write(bob, 'direct');
    expect(expectRefused(bob, { ...direct, cipherMessage: new Uint8Array(40) })).toBe('malformed');
    expect(expectRefused(bob, { ...direct, cipherMessage: new Uint8Array(15) })).toBe('malformed');
    const seed = alice.write(bob, 'seed', { policy: 'cipherMessage' });
    expect(expectRefused(bob, { ...seed, cipherMessage: new Uint8Array(0) })).toBe('malformed');
  });

  it('an unknown local device, and one that is not registered yet', () => {
    const { alice, bob } = pair();
    const letter = alice.write(bob, 'x');
    const { lime } = bob;
    const input = { sender: letter.from, recipientUser: letter.user, ...letter };
    const fresh = 'sip:bob@example.org;gr=new' as DeviceId;
    expect(codeOf(() => lime.decrypt(fresh, input))).toBe('unknown-device');
    lime.createDevice(fresh, 'c25519');
    expect(codeOf(() => lime.decrypt(fresh, input))).toBe('inactive-device');
    const out = { recipientUser: 'x', recipients: [], plaintext: new Uint8Array(0) };
    expect(codeOf(() => lime.encrypt(fresh, out))).toBe('inactive-device');
  });
});

describe('replayed', () => {
  it('S23: a duplicate is called one: of the current chain, of a past chain, of a skipped key, of a first message', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const first = alice.write(bob, 'first');
    const skipped = alice.write(bob, 'skipped');
    const third = alice.write(bob, 'third');
    for (const letter of [first, third, skipped]) bob.read(letter);
    for (const letter of [first, third, skipped]) expect(expectRefused(bob, letter)).toBe('duplicate');
    for (let i = 0; i < 5; i += 1) {
      alice.read(bob.write(alice, 'pong'));
      bob.read(alice.write(bob, 'ping'));
    }
    for (const letter of [first, third, skipped]) expect(expectRefused(bob, letter)).toBe('duplicate');
  });

  it('S05: a first message with one-time prekey works once; garbage that names the prekey does not burn it', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const letter = alice.write(bob, 'hello');
    expectRefused(bob, { ...letter, message: flipped(letter.message, letter.message.length - 1) });
    expect(bob.read(letter)).toBe('hello');
    expect(expectRefused(bob, letter)).toBe('duplicate');
    bob.lime.deletePeer(alice.device);
    expect(expectRefused(bob, letter)).toBe('unknown-one-time-prekey');
  });

  it('F04, F05, S04: without one-time prekey it is remembered, until the signed prekey that it used is deleted', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    world.directory.get(bob.device)!.oneTimePrekeys = [];
    const letter = alice.write(bob, 'hello');
    const next = alice.write(bob, 'next');
    expect(bob.read(letter)).toBe('hello');
    expect(expectRefused(bob, letter)).toBe('duplicate');
    bob.lime.deletePeer(alice.device);
    expect(expectRefused(bob, letter)).toBe('replayed-init');
    expect(expectRefused(bob, next)).toBe('replayed-init');
    expect(bob.store.keys('init ')).toHaveLength(1);
    bob.restart();
    expect(expectRefused(bob, letter)).toBe('replayed-init');

    world.now += 8 * DAY;
    bob.lime.update(bob.device, []);
    expect(expectRefused(bob, letter)).toBe('replayed-init');
    world.now += 29 * DAY;
    bob.lime.update(bob.device, []);
    world.now += DAY + 1;
    bob.lime.update(bob.device, []);
    expect(bob.store.keys('init ')).toEqual([]);
    expect(expectRefused(bob, letter)).toBe('unknown-signed-prekey');
  });
});

describe('forged', () => {
  it('a chain that was never begun is not a chain of zeros', () => {
    // liblime stores an initiator's missing CKr as 32 zero bytes. Whoever knows the public prekey could encrypt on such a chain.
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    alice.write(bob, 'hello');
    const { ratchet } = decodeSession(crypto, alice.store.load(`active ${alice.device} ${bob.device}`)!);
    const associatedData = associatedDataOf(bob.device, alice.device, bytes(alice.user), undefined);
    const header = encodeHeader(crypto.suites.c25519, true, undefined, 0, 0, ratchet.peer!.bytes);
    const bound = concat(...associatedData, ratchet.sharedData, header);
    const sealed = sealOnce(crypto, messageKeyOf(crypto, new ChainKey(new Uint8Array(32))), bytes('forged'), bound);
    const forged = {
      from: bob.device,
      user: alice.user,
      cipherMessage: new Uint8Array(0),
      message: concat(header, sealed),
    };
    expect(expectRefused(alice, forged)).toBe('authentication-failed');
  });

  it('S01: an ephemeral or ratchet key of low order', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const letter = alice.write(bob, 'hello');
    const message = letter.message.slice();
    message.fill(0, 4 + 32, 4 + 64);
    expect(expectRefused(bob, { ...letter, message })).toBe('authentication-failed');
    bob.read(letter);
    const answer = bob.write(alice, 'answer');
    const low = answer.message.slice();
    low.fill(0, 7, 39);
    expect(expectRefused(alice, { ...answer, message: low })).toBe('authentication-failed');
  });

  it("S12: with Bob's signed prekey alone nobody can pose as Alice to him", () => {
    const world = new World();
    const [bob, mallory] = [world.person('bob'), world.person('mallory')];
    const alice = world.person('alice');
    // Mallory signs with her own identity but puts Alice's into the init: DH1 needs Alice's private key.
    const letter = mallory.write(bob, 'I am alice');
    const message = letter.message.slice();
    message.set(alice.identityKey, 4);
    expect(expectRefused(bob, { ...letter, from: alice.device, message })).toBe('authentication-failed');
  });
});

const BLOCK_BITS = 128n;
const numberOf = (block: Uint8Array) => BigInt(`0x${hex(block)}`);
const blockOf = (value: bigint) =>
  Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(120 - 8 * i)) & 255n));

/** `text` (whole blocks) and one block more, so that `seal` gives it `tag`: with a known key, GCM's tag is affine in every block. */
function bodyWithTag(seal: (body: Uint8Array) => Uint8Array, text: Uint8Array, tag: Uint8Array): Uint8Array {
  const tagWith = (filler: bigint) => numberOf(seal(concat(text, blockOf(filler))).slice(-16));
  const base = tagWith(0n);
  // By highest bit of the change to the tag: that change, and the filler that causes it.
  const rows = new Map<number, { image: bigint; filler: bigint }>();
  const reduce = (image: bigint, filler: bigint) => {
    let row = { image, filler };
    for (let known = rows.get(highestBit(row.image)); known; known = rows.get(highestBit(row.image)))
      row = { image: row.image ^ known.image, filler: row.filler ^ known.filler };
    return row;
  };
  for (let bit = 0n; bit < BLOCK_BITS; bit += 1n) {
    const row = reduce(tagWith(1n << bit) ^ base, 1n << bit);
    rows.set(highestBit(row.image), row);
  }
  return concat(text, blockOf(reduce(numberOf(tag) ^ base, 0n).filler));
}

/** -1 for zero. */
function highestBit(value: bigint): number {
  return value === 0n ? -1 : value.toString(2).length - 1;
}
