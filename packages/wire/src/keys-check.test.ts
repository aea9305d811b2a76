import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { type DirectoryKeys, KEYS_PARTS, type KeysPart, keysDigests } from './keys-check.ts';
import { LIME_SUITES, type ServedSuite } from './lime-server.ts';

const crypto = nobleCrypto();
const page = readFileSync(new URL('../../../docs/spec/lime-key-server.md', import.meta.url), 'utf8');

/** Fields filled with one byte each, as the specification's vectors have them. */
function keysOf(suite: ServedSuite): DirectoryKeys {
  const { ed, x, signature } = LIME_SUITES[suite];
  const filled = (byte: number, length: number) => new Uint8Array(length).fill(byte);
  return {
    identityKey: filled(0x11, ed),
    signedPrekey: { id: 0x01020304, publicKey: filled(0x22, x), signature: filled(0x33, signature) },
    oneTimePrekeyIds: [0x7fffffff, 1, 300],
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const u32 = (value: number) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');

/** The definition once more, with another hash and by hand. */
function byHand(suite: ServedSuite, part: KeysPart, keys: DirectoryKeys): string {
  const { id, publicKey, signature } = keys.signedPrekey;
  const ids = [...keys.oneTimePrekeyIds].sort((a, b) => a - b);
  const content = {
    identityKey: [keys.identityKey],
    signedPrekey: [u32(id), publicKey, signature],
    oneTimePrekeys: [Buffer.of(ids.length >> 8, ids.length & 0xff), ...ids.map(u32)],
  }[part];
  const prefix = Buffer.from(`sealwire/keys-check/v1\0`);
  const head = Buffer.of(LIME_SUITES[suite].id, KEYS_PARTS[part]);
  return createHash('sha256')
    .update(Buffer.concat([prefix, head, ...content]))
    .digest('hex');
}

describe.each(Object.keys(LIME_SUITES) as ServedSuite[])('D15: digests of %s', (suite) => {
  const digests = keysDigests(crypto, suite, keysOf(suite));

  it.each(Object.keys(KEYS_PARTS) as KeysPart[])('%s: as defined, and as the specification prints it', (part) => {
    expect(hex(digests[part])).toBe(byHand(suite, part, keysOf(suite)));
    expect(page).toContain(`| ${LIME_SUITES[suite].id} | \`${part}\` | \`${hex(digests[part])}\` |`);
  });

  it('differ in the part that differs, and in no other', () => {
    const keys = keysOf(suite);
    const changes: Record<KeysPart, DirectoryKeys[]> = {
      identityKey: [{ ...keys, identityKey: keys.identityKey.map((byte) => byte ^ 1) }],
      signedPrekey: [
        { ...keys, signedPrekey: { ...keys.signedPrekey, id: 7 } },
        { ...keys, signedPrekey: { ...keys.signedPrekey, publicKey: keys.signedPrekey.publicKey.map((b) => b ^ 1) } },
        { ...keys, signedPrekey: { ...keys.signedPrekey, signature: keys.signedPrekey.signature.map((b) => b ^ 1) } },
      ],
      oneTimePrekeys: [
        { ...keys, oneTimePrekeyIds: [] },
        { ...keys, oneTimePrekeyIds: [1, 300] },
      ],
    };
    for (const part of Object.keys(changes) as KeysPart[])
      for (const changed of changes[part]) {
        const other = keysDigests(crypto, suite, changed);
        for (const each of Object.keys(KEYS_PARTS) as KeysPart[])
          expect([each, hex(other[each]) === hex(digests[each])]).toEqual([each, each !== part]);
      }
  });

  it('do not depend on the order of the ids', () => {
    const shuffled = { ...keysOf(suite), oneTimePrekeyIds: [300, 0x7fffffff, 1] };
    expect(keysDigests(crypto, suite, shuffled)).toEqual(digests);
  });
});

it('two suites with the same bytes have other digests', () => {
  const bytes = { ...keysOf('c25519') };
  const [one, other] = [keysDigests(crypto, 'c25519', bytes), keysDigests(crypto, 'c448', bytes)];
  for (const part of Object.keys(KEYS_PARTS) as KeysPart[]) expect(hex(one[part])).not.toBe(hex(other[part]));
});
