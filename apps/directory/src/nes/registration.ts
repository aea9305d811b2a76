/**
 * The body of `POST /users` (docs/spec/nes.md section 5): refused in the genuine provider's order of checks, and in its words where they
 * are its own and not those of a library.
 */
import { NesError } from '@sealwire/nes/errors';
import { BITS, parsePublicKey, publicKeyText } from '@sealwire/nes/keys';
import { isUsername, type Username } from '@sealwire/nes/username';
import { isMailAddress } from '@sealwire/wire/mail-address';

export const REGISTRATION_BYTES = 16_384;
const EMAIL_CHARACTERS = 32;

export interface Registration {
  readonly username: Username;
  /** PEM. */
  readonly messageKey: string;
  /** PEM. */
  readonly signKey: string;
  /** In small letters. */
  readonly email: string;
}

/** One line, for the one who registers: status 400. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError';
}

/** Throws `RegistrationError`. */
export function parseRegistration(body: Uint8Array): Registration {
  const { username, email, public_key_message: message, public_key_sign: sign } = fieldsOf(body);
  if (!isUsername(username)) throw new RegistrationError('username validation error');
  if (typeof email !== 'string' || email.length > EMAIL_CHARACTERS || !isMailAddress(email))
    throw new RegistrationError('email validation error');
  if (message === sign) throw identical();
  const [messageKey, signKey] = [keyIn(message), keyIn(sign)];
  if (messageKey === signKey) throw identical();
  return { username, messageKey, signKey, email: email.toLowerCase() };
}

function fieldsOf(body: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new RegistrationError('unexpected EOF');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RegistrationError('not a JSON object');
  return value as Record<string, unknown>;
}

/** As it is kept and signed: in one form, whatever line ends it came with. */
function keyIn(text: unknown): string {
  if (typeof text !== 'string') throw new RegistrationError('decode key error');
  try {
    return publicKeyText(parsePublicKey(text, BITS.minimum));
  } catch (error) {
    if (!(error instanceof NesError)) throw error;
    throw new RegistrationError(/ bits: /.test(error.message) ? error.message : 'decode key error');
  }
}

function identical(): RegistrationError {
  return new RegistrationError('both public keys are identical');
}
