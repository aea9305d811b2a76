/** Encrypt and decrypt through the public door: forms, recipients that cannot be served. */
import { describe, expect, it } from '@jest/globals';
import { CryptoError, type CryptoProvider, type SuiteName } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { DeviceId } from '@sealwire/wire/ids';
import { hex } from '../bytes/hex.ts';
import { Lime } from '../lime.ts';
import { recordingCrypto } from '../testing/recording-crypto.ts';
import { bytes, crypto, text, World } from '../testing/world.ts';
import { sealCipherMessage } from './cipher-message.ts';
import type { Policy } from './policy.ts';

const POLICIES: readonly Policy[] = ['DRMessage', 'cipherMessage', 'optimizeUploadSize', 'optimizeGlobalBandwidth'];

describe.each<SuiteName>(['c25519', 'c448'])('messages on %s', (suite) => {
  it.each(POLICIES)('%s: to four devices, short and long, with answers', (policy) => {
    const world = new World();
    const [alice, ...others] = ['alice', 'bob', 'carol', 'dave', 'eve'].map((name) => world.person(name, suite));
    for (const content of ['', 'hello', 'long '.repeat(300)]) {
      const letters = alice!.writeToAll(others, content, { policy });
      others.forEach((person, i) => {
        expect(person.read(letters[i]!)).toBe(content);
        expect(alice!.read(person.write(alice!, `re: ${content}`, { policy }))).toBe(`re: ${content}`);
      });
    }
  });

  it('message sizes are those of liblime', () => {
    const world = new World({ oneTimePrekeysAtRegistration: 1 });
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.person(name, suite));
    const size = (letter: { message: Uint8Array }) => letter.message.length;
    const seedForm = { policy: 'cipherMessage' } as const;
    const first = alice!.write(bob!, 'hi', seedForm);
    expect(size(first)).toBe(suite === 'c25519' ? 160 : 233);
    expect(size(carol!.write(bob!, 'hi', seedForm))).toBe(suite === 'c25519' ? 156 : 229);
    bob!.read(first);
    const answer = bob!.write(alice!, 'hi', seedForm);
    expect(size(answer)).toBe(suite === 'c25519' ? 87 : 111);
    expect(answer.cipherMessage).toHaveLength(2 + 16);
    alice!.read(answer);
    expect(size(alice!.write(bob!, 'hi', seedForm))).toBe(suite === 'c25519' ? 87 : 111);
  });
});

describe('recipients', () => {
  it('a device can write to itself', () => {
    const alice = new World().person('alice');
    for (const content of ['begun', 'gone on', 'again']) expect(alice.read(alice.write(alice, content))).toBe(content);
  });

  it('A25: none at all is no error', () => {
    const alice = new World().person('alice');
    const sent = alice.lime.encrypt(alice.device, { recipientUser: 'x', recipients: [], plaintext: bytes('hi') });
    expect(sent).toEqual({ recipients: [], cipherMessage: new Uint8Array(0) });
  });

  it('one without keys fails alone, and a repeated one is served once', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const nobody = 'sip:nobody@example.org;gr=1' as DeviceId;
    const recipients = [nobody, bob.device, bob.device];
    expect(alice.lime.devicesWithoutSession(alice.device, recipients)).toEqual([nobody, bob.device]);
    const sent = alice.lime.encrypt(alice.device, {
      recipientUser: 'sip:group@example.org',
      recipients,
      plaintext: bytes('x'.repeat(500)),
      bundles: world.bundles([nobody, bob.device]),
    });
    expect(sent.recipients).toEqual([
      { device: nobody, error: 'no-bundle' },
      { device: bob.device, message: expect.anything() },
      { device: bob.device, error: 'duplicate-recipient' },
    ]);
    // One recipient is really encrypted to, and one is always direct.
    expect(sent.cipherMessage).toHaveLength(0);
    expect(alice.lime.devicesWithoutSession(alice.device, recipients)).toEqual([nobody]);
  });

  it('all failing saves nothing', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const before = alice.state();
    const input = { recipientUser: bob.user, recipients: [bob.device], plaintext: bytes('hi') };
    expect(alice.lime.encrypt(alice.device, input).recipients).toEqual([{ device: bob.device, error: 'no-bundle' }]);
    expect(alice.state()).toBe(before);
  });

  it('a cipherMessage made before is used for all, whatever the policy', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    const common = { source: alice.device, recipientUser: bob.user, plaintext: bytes('once') };
    const cipher = sealCipherMessage(crypto, { ...common, random: seededRandom(9) });
    const letter = alice.write(bob, 'once', { cipher });
    expect(letter.cipherMessage).toBe(cipher.cipherMessage);
    expect(bob.read(letter)).toBe('once');
    expect(bob.read(alice.write(bob, 'once', { cipher }))).toBe('once');
  });

  it('a changed plaintext on one ratchet never repeats a key: two equal messages differ in every form', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    for (const policy of POLICIES) {
      const [a, b] = [alice.write(bob, 'same', { policy }), alice.write(bob, 'same', { policy })];
      expect(a.message.slice(-20)).not.toEqual(b.message.slice(-20));
    }
  });
});

describe('keys', () => {
  it('S35: no key is used for two messages, whatever the form', () => {
    const recorder = recordingCrypto(crypto);
    const world = new World({}, recorder);
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    let sent = 0;
    for (let round = 0; round < 20; round += 1) {
      const policy = POLICIES[round % 2]!;
      const letters = Array.from({ length: 15 }, () => alice.write(bob, 'x', { policy }));
      for (const letter of letters) expect(bob.read(letter)).toBe('x');
      alice.read(bob.write(alice, 'answer', { policy }));
      sent += (15 + 1) * (policy === 'cipherMessage' ? 2 : 1);
    }
    // Each key seals once and opens once.
    expect(recorder.calls).toHaveLength(2 * sent);
    expect(new Set(recorder.calls.map(({ key }) => hex(key))).size).toBe(sent);
  });

  it('S34: the labels of the derivations are different, and none begins another', () => {
    const labels = new Set<string>();
    const recorder: CryptoProvider = {
      ...crypto,
      hkdfSha512(salt, material, info, length) {
        labels.add(text(info));
        return crypto.hkdfSha512(salt, material, info, length);
      },
    };
    const world = new World({}, recorder);
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    bob.read(alice.write(bob, 'x', { policy: 'cipherMessage' }));
    const all = [...labels].sort();
    expect(all).toEqual(['DR Message Key Derivation', 'DR Root Chain Key Derivation', 'Lime', 'X3DH Associated Data']);
    for (const label of all) expect(all.filter((other) => other.startsWith(label))).toEqual([label]);
  });
});

describe('storing', () => {
  it('F16: one save before the bytes are out; when it throws, the next try does not reuse a key', () => {
    const world = new World();
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    bob.read(alice.write(bob, 'hello'));
    const before = alice.state();
    const save = alice.store.save.bind(alice.store);
    let saves = 0;
    alice.store.save = () => {
      saves += 1;
      throw new Error('disk full');
    };
    expect(() => alice.writeToAll([bob], 'lost')).toThrow('disk full');
    expect(saves).toBe(1);
    expect(alice.state()).toBe(before);
    alice.store.save = save;
    expect(bob.read(alice.write(bob, 'again'))).toBe('again');
  });

  it('S36: a random source that reads short makes no keys', () => {
    const world = new World();
    const { store } = world.person('alice');
    const before = store.keys('');
    const lime = new Lime({ crypto, store, now: () => world.now, random: (length) => new Uint8Array(length - 1) });
    expect(() => lime.createDevice('sip:new@example.org;gr=1' as DeviceId, 'c25519')).toThrow(CryptoError);
    expect(store.keys('')).toEqual(before);
  });
});
