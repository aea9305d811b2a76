/** S79: a secret shows its type name wherever objects are printed. */
import { inspect } from 'node:util';
import { expect, it } from '@jest/globals';
import { CipherSeed, sealCipherMessage } from '../messages/cipher-message.ts';
import { ChainKey } from '../ratchet/chain-key.ts';
import { MessageKey } from '../ratchet/message-key.ts';
import { RootKey } from '../ratchet/root-key.ts';
import { SkippedChain } from '../ratchet/skipped-keys.ts';
import { decodeDevice, decodeOneTimePrekey } from '../records/device-record.ts';
import { decodeSession } from '../records/session-record.ts';
import { bytes, crypto, flipped, World } from '../testing/world.ts';
import { OwnDhKey, OwnDhPrivate } from './dh-keys.ts';
import { OwnIdentity } from './identity-keys.ts';
import { OwnKemKey } from './kem-keys.ts';

// 0xa5 is 165 in an inspected array, "a5" in hex, "paWl" in base64.
const PLANTED = new Uint8Array(48).fill(0xa5);
const GIVEAWAYS = /165, 165|a5a5|paWl/;
const PUBLIC = new Uint8Array(32);

/** Each way in which an object gets into a log. */
function shownForms(value: unknown): string[] {
  const cloned = inspect(structuredClone({ value }), { depth: 20, showHidden: true });
  const options = { depth: 20, showHidden: true, maxArrayLength: 1000, getters: false };
  return [inspect(value, options), JSON.stringify({ value }), String(value), `${[value]}`, cloned];
}

const SECRETS = [
  new RootKey(PLANTED),
  new ChainKey(PLANTED),
  new MessageKey(PLANTED),
  new CipherSeed(PLANTED),
  new OwnDhKey(PLANTED, PUBLIC),
  new OwnDhPrivate(PLANTED),
  new OwnKemKey(PLANTED, PUBLIC),
  new OwnIdentity(PLANTED, PUBLIC),
  new SkippedChain(PUBLIC, 0, PLANTED),
];

it.each(SECRETS)('%s', (secret) => {
  const [inspected, json, string] = shownForms(secret);
  const name = `[${secret.constructor.name}]`;
  expect([inspected, json, string]).toEqual([name, JSON.stringify({ value: name }), name]);
  for (const form of [...shownForms(secret), ...shownForms({ nested: [secret] })]) expect(form).not.toMatch(GIVEAWAYS);
});

it('a sealed cipherMessage shows no seed', () => {
  const sealed = sealCipherMessage(crypto, {
    random: (length) => new Uint8Array(length).fill(0xa5),
    source: 'sip:a@example.org;gr=1' as never,
    recipientUser: 'x',
    plaintext: bytes('hello'),
  });
  for (const form of shownForms(sealed)) expect(form).not.toMatch(GIVEAWAYS);
  expect(inspect(sealed)).toContain('[CipherSeed]');
});

it('whole states: no private key of a device, a prekey or a session, none in Lime or its store', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  alice.write(bob, 'skipped');
  bob.read(alice.write(bob, 'hello'));
  bob.write(alice, 'answer');
  const { store } = bob;
  const record = (prefix: string) => store.load(store.keys(prefix)[0]!)!;
  const session = decodeSession(crypto, record('active '));
  const device = decodeDevice(crypto, record('device '));
  const prekey = decodeOneTimePrekey(crypto, record('prekey '));
  const secrets = [
    session.ratchet.rootKey,
    session.ratchet.own!,
    session.ratchet.sendingChain!,
    session.ratchet.receivingChain!,
    ...session.ratchet.skipped,
    device.identity,
    device.signedPrekeys[0].key,
    prekey.key,
  ].map((secret) => secret.reveal().subarray(0, 48));
  const patterns = secrets.flatMap((secret) => [
    [...secret.subarray(2, 6)].join(', '),
    [...secret.subarray(2, 6)].join(','),
    Buffer.from(secret).toString('hex').slice(4, 16),
  ]);
  for (const value of [session, device, prekey, bob.lime, store]) {
    const options = { depth: 20, showHidden: true, maxArrayLength: 10_000, breakLength: Number.POSITIVE_INFINITY };
    for (const form of [inspect(value, options), JSON.stringify(value) ?? '']) {
      for (const pattern of patterns) expect(form).not.toContain(pattern);
    }
  }
});

it('errors carry no bytes', () => {
  const world = new World();
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  const letter = alice.write(bob, 'hello');
  const changed = { ...letter, message: flipped(letter.message, letter.message.length - 1) };
  try {
    bob.read(changed);
    throw new Error('not refused');
  } catch (error) {
    expect(inspect(error)).toContain('authentication-failed');
    expect(Object.keys(error as object).sort()).toEqual(['code', 'devices', 'name']);
  }
});
