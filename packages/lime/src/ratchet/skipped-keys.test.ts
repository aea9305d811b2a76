/** Bounds of skipped keys, on both sides of each (lime-protocol sections 7.5 and 7.6). */
import { describe, expect, it } from '@jest/globals';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { Lime } from '../lime.ts';
import { decodeSession } from '../records/session-record.ts';
import { codeOf, crypto, type Letter, type Person, World } from '../testing/world.ts';
import { MessageKey } from './message-key.ts';
import {
  aged,
  findSkippedKey,
  NO_SKIPPED_KEYS,
  type SkippedKeys,
  skippedEntries,
  withoutSkippedKey,
  withSkippedKeys,
} from './skipped-keys.ts';

function skippedOf(me: Person, peer: Person): SkippedKeys {
  return decodeSession(crypto, me.store.load(`active ${me.device} ${peer.device}`)!).ratchet.skipped;
}

const total = (skipped: SkippedKeys) => skipped.reduce((sum, chain) => sum + chain.count, 0);

function writeMany(from: Person, to: Person, count: number): Letter[] {
  return Array.from({ length: count }, (_, i) => from.write(to, `message ${i}`));
}

describe('S19, F02: bounds per message, checked before anything is derived', () => {
  const wide = { sendingChainMessages: 2000 };

  it('1024 in one chain may be missing, 1025 may not', () => {
    const world = new World(wide);
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const letters = writeMany(alice, bob, 1027);
    bob.read(letters[0]!);
    const before = bob.state();
    expect(bob.refusal(letters[1026]!)).toBe('too-far');
    expect(bob.state()).toBe(before);
    expect(bob.refusal(letters[1025]!)).toBe('read');
    expect(total(skippedOf(bob, alice))).toBe(1024);
    expect(bob.refusal(letters[1026]!)).toBe('read');
    expect(bob.refusal(letters[512]!)).toBe('read');
  });

  it('in a first message too', () => {
    const world = new World(wide);
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const letters = writeMany(alice, bob, 1026);
    expect(bob.refusal(letters[1025]!)).toBe('too-far');
    expect(bob.refusal(letters[1024]!)).toBe('read');
  });

  it('over two chains together: what is missing of the old one counts', () => {
    for (const [old, fresh, expected] of [
      [700, 324, 'read'],
      [700, 325, 'too-far'],
    ] as const) {
      const world = new World(wide);
      const [alice, bob] = [world.person('alice'), world.person('bob')];
      bob.read(alice.write(bob, 'hello'));
      writeMany(alice, bob, old);
      alice.read(bob.write(alice, 'answer'));
      writeMany(alice, bob, fresh);
      expect(bob.refusal(alice.write(bob, 'late'))).toBe(expected);
    }
  });

  it('a header with the largest numbers costs no derivation', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    bob.read(alice.write(bob, 'hello'));
    alice.read(bob.write(alice, 'answer'));
    const letter = alice.write(bob, 'far');
    const message = letter.message.slice();
    message.fill(0xff, 3, 7);
    let derivations = 0;
    const counting: CryptoProvider = {
      ...crypto,
      hmacSha512: (key, data) => {
        derivations += 1;
        return crypto.hmacSha512(key, data);
      },
    };
    const { store } = bob;
    const lime = new Lime({ crypto: counting, store, random: seededRandom(1), now: () => world.now });
    const read = (bytes: Uint8Array) =>
      codeOf(() =>
        lime.decrypt(bob.device, { ...letter, sender: alice.device, recipientUser: bob.user, message: bytes }),
      );
    expect([read(message), derivations]).toEqual(['too-far', 0]);
    expect([read(letter.message), derivations]).toEqual([undefined, 2]);
  });
});

describe('F02: bound per session', () => {
  it('the oldest keys are given up, the session works on', () => {
    const world = new World({ skippedKeysPerSession: 10 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const first = writeMany(alice, bob, 7);
    bob.read(first[6]!);
    alice.read(bob.write(alice, 'answer'));
    const second = writeMany(alice, bob, 9);
    bob.read(second[8]!);
    expect(skippedOf(bob, alice).map(({ count }) => count)).toEqual([2, 8]);
    const asked = [first[3], first[4], first[5], second[0]];
    expect(asked.map((letter) => bob.refusal(letter!))).toEqual(['duplicate', 'read', 'read', 'read']);
    expect(bob.refusal(alice.write(bob, 'next'))).toBe('read');
  });
});

describe('S23: a chain that gains no keys is given up', () => {
  it('after 128 messages its keys are there, after 129 they are gone; skipped ones do not count', () => {
    for (const [later, expected] of [
      [128, 'read'],
      [129, 'duplicate'],
    ] as const) {
      const world = new World();
      const [alice, bob] = [world.person('alice'), world.person('bob')];
      const [missing, alsoMissing, third] = writeMany(alice, bob, 3);
      bob.read(third!);
      expect(bob.read(alsoMissing!)).toBe('message 1');
      for (const letter of writeMany(alice, bob, later)) bob.read(letter);
      expect(bob.refusal(missing!)).toBe(expected);
    }
  });

  it('a new key makes its chain young again', () => {
    const world = new World({ skippedChainMessages: 3 });
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const letters = writeMany(alice, bob, 12);
    for (const i of [1, 2, 3, 5, 6, 7, 8]) bob.read(letters[i]!);
    expect(skippedOf(bob, alice).map(({ count, later }) => [count, later])).toEqual([[2, 3]]);
    bob.read(letters[10]!);
    expect(skippedOf(bob, alice)).toHaveLength(1);
  });
});

describe('the structure itself', () => {
  const keyOf = (fill: number) => new Uint8Array(32).fill(fill);
  const entries = (first: number, count: number) =>
    skippedEntries(
      first,
      Array.from({ length: count }, (_, i) => new MessageKey(new Uint8Array(48).fill(first + i))),
    );
  const add = (skipped: SkippedKeys, peer: number, first: number, count: number, bound = 100) =>
    withSkippedKeys(crypto, skipped, keyOf(peer), entries(first, count), bound);

  it('finds, takes and forgets', () => {
    const skipped = add(add(NO_SKIPPED_KEYS, 1, 255, 3), 2, 0, 1);
    const place = findSkippedKey(crypto, skipped, keyOf(1), 256)!;
    expect(place.chain.keyAt(place.at).reveal()).toEqual(new Uint8Array(48).fill(256 % 256));
    const rest = withoutSkippedKey(skipped, place);
    expect(findSkippedKey(crypto, rest, keyOf(1), 256)).toBeUndefined();
    expect(findSkippedKey(crypto, rest, keyOf(1), 257)).toBeDefined();
    expect(findSkippedKey(crypto, skipped, keyOf(1), 256)).toBeDefined();
    expect(withoutSkippedKey(rest, findSkippedKey(crypto, rest, keyOf(2), 0)!)).toHaveLength(1);
  });

  it('the oldest go first where there are too many', () => {
    const skipped = add(add(add(NO_SKIPPED_KEYS, 1, 0, 3), 2, 0, 3), 3, 0, 4, 5);
    expect(skipped.map(({ peerKey, count }) => [peerKey[0], count])).toEqual([
      [2, 1],
      [3, 4],
    ]);
    expect(findSkippedKey(crypto, skipped, keyOf(2), 2)).toBeDefined();
  });

  it('ages', () => {
    const old = aged(aged(add(NO_SKIPPED_KEYS, 1, 0, 1), 2), 2);
    expect(old.map(({ later }) => later)).toEqual([2]);
    expect(aged(old, 2)).toEqual([]);
  });
});
