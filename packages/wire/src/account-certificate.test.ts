import { expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import {
  ACCOUNT_CERTIFICATE,
  type AccountCertificate,
  readAccountCertificate,
  signAccountCertificate,
  verifyAccountCertificate,
} from './account-certificate.ts';
import { parseAccountAddress } from './ids.ts';

const crypto = nodeCrypto();
const seed = new Uint8Array(32).fill(7);
const authority = crypto.ed25519.publicKey(seed);
const alice: AccountCertificate = {
  address: parseAccountAddress('sip:alice@example.org'),
  accountKey: crypto.ed25519.publicKey(new Uint8Array(32).fill(1)),
  notBefore: 1_000,
  notAfter: 2_000,
  serial: new Uint8Array(16).fill(9),
};
const bytes = signAccountCertificate(crypto, seed, alice);
const refusal = expect.objectContaining({ code: 'bad-account-certificate' });
const verify = (signed: Uint8Array) => verifyAccountCertificate(crypto, authority, signed);

/** Signed by the authority, whatever it says. */
function signedAs(context: string, body: Uint8Array): Uint8Array {
  const input = Uint8Array.from([...new TextEncoder().encode(context), 0, ...body]);
  return Uint8Array.from([...crypto.ed25519.sign(seed, input), ...body]);
}

it('says what was signed, and the signature is over the context and the canonical bytes', () => {
  expect(verify(bytes)).toEqual(alice);
  expect(signedAs('sealwire/account-certificate/v1', bytes.subarray(64))).toEqual(bytes);
});

it('T188: no bit of a certificate can be changed, and no other key or context signs one', () => {
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at]! ^= 1 << (at % 8);
    expect(() => verify(changed)).toThrow(refusal);
  }
  for (const length of [0, 63, 64, bytes.length - 1]) expect(() => verify(bytes.subarray(0, length))).toThrow(refusal);
  expect(() => verify(Uint8Array.from([...bytes, 0]))).toThrow(refusal);
  expect(() => verifyAccountCertificate(crypto, alice.accountKey, bytes)).toThrow(refusal);
  expect(() => verify(signedAs('sealwire/manifest/v1', bytes.subarray(64)))).toThrow(refusal);
});

it('has one encoding, and is refused when it is too large, ends before it begins or says something unknown', () => {
  const body = bytes.subarray(64);
  const context = 'sealwire/account-certificate/v1';
  const unknown = Uint8Array.from([...body, 0x30, 1]);
  const twice = Uint8Array.from([...body, ...body.subarray(-18)]);
  const late = ACCOUNT_CERTIFICATE.encode({ ...alice, notAfter: alice.notBefore });
  for (const other of [unknown, twice, late, new Uint8Array(2_000)])
    expect(() => readAccountCertificate(signedAs(context, other))).toThrow(refusal);
  expect(() => signAccountCertificate(crypto, seed, { ...alice, notAfter: 0 })).toThrow(refusal);
});
