/** vectors/verification-1.json, made by an independent model: both providers agree with every value of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { nodeCrypto } from '@sealwire/crypto/node';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { personFingerprint, safetyNumber } from './safety-number.ts';
import { commitmentOf, shortStringSecrets } from './short-string.ts';

type Person = Record<'address' | 'accountKey' | 'fingerprint', string>;
type Side = Record<'address' | 'device' | 'accountKey' | 'key', string>;
type Text = Record<'id' | 'salt' | 'shared' | 'commitment' | 'shortString' | 'requesterMac' | 'accepterMac', string> & {
  readonly requester: Side;
  readonly accepter: Side;
  readonly list: { readonly version: number; readonly digest: string };
};
const vectors = JSON.parse(readFileSync(new URL('../vectors/verification-1.json', import.meta.url), 'utf8')) as {
  pairs: { one: Person; other: Person; number: string }[];
  strings: Text[];
};

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const side = ({ address, device, accountKey, key }: Side) => ({
  address: parseAccountAddress(address),
  device: parseDeviceId(device),
  accountKey: hex(accountKey),
  key: hex(key),
});

describe.each([nobleCrypto(), nodeCrypto()])('vectors on $name', (crypto) => {
  it.each(vectors.pairs)('safety number of $one.address and $other.address', ({ one, other, number }) => {
    const fingerprints = [one, other].map(({ address, accountKey }) =>
      personFingerprint(crypto, { address: parseAccountAddress(address), accountKey: hex(accountKey) }),
    );
    expect(fingerprints.map(toHex)).toEqual([one.fingerprint, other.fingerprint]);
    expect(safetyNumber(fingerprints[0]!, fingerprints[1]!)).toBe(number);
    expect(safetyNumber(fingerprints[1]!, fingerprints[0]!)).toBe(number);
  });

  it.each(vectors.strings)('short string $shortString', (vector) => {
    const [requester, accepter] = [side(vector.requester), side(vector.accepter)];
    const [id, salt, commitment] = [hex(vector.id), hex(vector.salt), hex(vector.commitment)];
    expect(toHex(commitmentOf(crypto, id, accepter.device, accepter.key, salt))).toBe(vector.commitment);
    const transcript = { id, requester, accepter, commitment, salt };
    const { shortString, confirmation } = shortStringSecrets(crypto, hex(vector.shared), transcript);
    expect(shortString).toBe(vector.shortString);
    const list = { version: vector.list.version, digest: hex(vector.list.digest) };
    expect(toHex(confirmation('requester', list))).toBe(vector.requesterMac);
    expect(toHex(confirmation('accepter', list))).toBe(vector.accepterMac);
  });
});
