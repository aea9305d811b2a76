/**
 * Certificates of accounts (docs/spec/verification.md section 8): the authority of a deployment, a key that is kept off the servers, says
 * that an account with this key was admitted. As bytes: the authority's signature, then the canonical certificate.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { LIMITS } from './limits.ts';
import { address, exactly, type MessageOf, MessageType, uint } from './protobuf/fields.ts';
import { WireError } from './wire-error.ts';

export const CERTIFICATE_SERIAL_BYTES = 16;
const SIGNATURE_BYTES = 64;
const REFUSED = 'bad-account-certificate';
const SIGNING_PREFIX = new TextEncoder().encode('sealwire/account-certificate/v1\0');

export const ACCOUNT_CERTIFICATE = new MessageType(
  {
    address: address(1),
    accountKey: exactly(2, 32),
    /** ms since 1970. */
    notBefore: uint(3),
    notAfter: uint(4),
    serial: exactly(5, CERTIFICATE_SERIAL_BYTES),
  },
  {
    closed: true,
    check({ notBefore, notAfter }, reader) {
      if (notAfter <= notBefore) reader.fail('it ends before it begins');
    },
  },
);

export type AccountCertificate = MessageOf<typeof ACCOUNT_CERTIFICATE>;

/** `seed`: Ed25519, of the authority. Throws `WireError` `bad-account-certificate` for what `readAccountCertificate` would refuse. */
export function signAccountCertificate(
  crypto: CryptoProvider,
  seed: Uint8Array,
  certificate: AccountCertificate,
): Uint8Array {
  const body = ACCOUNT_CERTIFICATE.encode(certificate, REFUSED);
  const signed = new Uint8Array(SIGNATURE_BYTES + body.length);
  signed.set(crypto.ed25519.sign(seed, signingInput(body)));
  signed.set(body, SIGNATURE_BYTES);
  readAccountCertificate(signed);
  return signed;
}

/** What it says; whether that is true is not looked at. Byte fields are views. Throws `WireError` `bad-account-certificate`. */
export function readAccountCertificate(bytes: Uint8Array): AccountCertificate {
  if (bytes.length <= SIGNATURE_BYTES || bytes.length > LIMITS.accountCertificateBytes.value)
    throw refused(`not between ${SIGNATURE_BYTES + 1} and ${LIMITS.accountCertificateBytes.value} bytes`);
  const body = bytes.subarray(SIGNATURE_BYTES);
  const certificate = ACCOUNT_CERTIFICATE.decode(body, REFUSED);
  const canonical = ACCOUNT_CERTIFICATE.encode(certificate);
  if (canonical.length !== body.length || canonical.some((byte, at) => byte !== body[at]))
    throw refused('not the canonical encoding');
  return certificate;
}

/** As `readAccountCertificate`, once the signature of `authority` (32 bytes) holds; whether it is in time is the caller's to ask. */
export function verifyAccountCertificate(
  crypto: CryptoProvider,
  authority: Uint8Array,
  bytes: Uint8Array,
): AccountCertificate {
  const certificate = readAccountCertificate(bytes);
  const signature = bytes.subarray(0, SIGNATURE_BYTES);
  if (!crypto.ed25519.verify(authority, signingInput(bytes.subarray(SIGNATURE_BYTES)), signature))
    throw refused('not signed by this authority');
  return certificate;
}

function signingInput(body: Uint8Array): Uint8Array {
  const input = new Uint8Array(SIGNING_PREFIX.length + body.length);
  input.set(SIGNING_PREFIX);
  input.set(body, SIGNING_PREFIX.length);
  return input;
}

function refused(why: string): WireError {
  return new WireError(REFUSED, `not an account certificate: ${why}`);
}
