/**
 * What the public-keys provider says of a user (docs/spec/nes.md section 4): `{"response":{…},"signature":…}`, where the signature covers the
 * bytes of `response` as they stand in the body. The genuine answer names neither user nor time; ours does, which the genuine client
 * ignores and our client demands of a provider of ours.
 */

import { decodeBase64, encodeBase64 } from './base64.ts';
import { NesError } from './errors.ts';
import { goJson } from './go-json.ts';
import { type KeyObject, parsePublicKey, publicKeyText } from './keys.ts';
import { rawMember } from './raw-member.ts';
import { sign, verify } from './signature.ts';
import type { Username } from './username.ts';

/** Two keys of 8,192 bits and a signature of as many have some 5 KiB. */
export const ANSWER_BYTES = 16_384;

export interface UserKeys {
  readonly messageKey: KeyObject;
  readonly signKey: KeyObject;
}

export interface AnswerTimes {
  /** s since 1970. */
  readonly issued: number;
  readonly expires: number;
}

export interface AskedFor {
  readonly username: Username;
  /** Of the provider; pinned by the user. */
  readonly providerKey: KeyObject;
  /** The provider is one of ours: an answer that does not name the user and its time is refused. */
  readonly namesUser: boolean;
  /** ms. */
  readonly now: number;
}

/** The body, with the line feed that the genuine provider sends too. */
export function encodeAnswer(username: Username, keys: UserKeys, times: AnswerTimes, providerKey: KeyObject): string {
  const response = goJson({
    public_key_message: publicKeyText(keys.messageKey),
    public_key_sign: publicKeyText(keys.signKey),
    username,
    ...times,
  });
  const signature = encodeBase64(sign(providerKey, new TextEncoder().encode(response)));
  return `{"response":${response},"signature":"${signature}"}\n`;
}

/** Throws `bad-answer`. */
export function decodeAnswer(body: Uint8Array, asked: AskedFor): UserKeys {
  if (body.length > ANSWER_BYTES) throw badAnswer('too long');
  let text: string;
  let answer: { response?: Record<string, unknown>; signature?: unknown };
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    answer = JSON.parse(text);
  } catch (cause) {
    throw badAnswer('not JSON', cause);
  }
  const signature = typeof answer?.signature === 'string' ? decodeBase64(answer.signature) : undefined;
  const signed = rawMember(text, 'response');
  if (!signature || signed === undefined || !verify(asked.providerKey, new TextEncoder().encode(signed), signature))
    throw badAnswer('not signed by the provider’s key');
  // What was signed, and not what another parser made of the whole.
  const response: unknown = JSON.parse(signed);
  if (typeof response !== 'object' || response === null) throw badAnswer('no keys in it');
  const { public_key_message, public_key_sign, ...rest } = response as Record<string, unknown>;
  if (asked.namesUser) checkUser(rest, asked);
  if (typeof public_key_message !== 'string' || typeof public_key_sign !== 'string') throw badAnswer('no keys in it');
  return { messageKey: parsePublicKey(public_key_message), signKey: parsePublicKey(public_key_sign) };
}

function checkUser({ username, issued, expires }: Record<string, unknown>, asked: AskedFor): void {
  if (username !== asked.username) throw badAnswer('it is not about the user who was asked for');
  const seconds = asked.now / 1_000;
  if (typeof issued !== 'number' || typeof expires !== 'number' || seconds > expires) throw badAnswer('it is too old');
}

function badAnswer(why: string, cause?: unknown): NesError {
  return new NesError('bad-answer', `the keys that the provider answered are refused: ${why}`, { cause });
}
