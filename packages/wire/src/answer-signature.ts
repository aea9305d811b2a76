/**
 * How a key directory signs its answers (docs/spec/verification.md section 7): a header beside the body, so that LIME's bytes stay as they
 * are, over what was asked, what is answered, and when.
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { WireError } from './wire-error.ts';

export const ANSWER_SIGNATURE_HEADER = 'sealwire-signature';

/** Of one length. An answer of one kind is none of the other. */
const CONTEXTS = {
  found: new TextEncoder().encode('sealwire/directory-answer/v1\0'),
  none: new TextEncoder().encode('sealwire/directory-absent/v1\0'),
};
const HEADER = /^key=([\w-]{43}), time=(\d{1,15}), signature=([\w-]{86})$/;

/** An answer and what it answers. */
export interface SignedExchange {
  /** Below the directory's path: `manifests/NAME`, `manifests/NAME/history?after=N`, or `lime`. */
  readonly subject: string;
  /** Empty for a GET. */
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
  /** `none`: that there is nothing, as a 404. */
  readonly kind: 'found' | 'none';
}

export interface AnswerSignature {
  /** Ed25519, of the directory. */
  readonly key: Uint8Array;
  /** ms since 1970, by the directory's clock. */
  readonly time: number;
  readonly signature: Uint8Array;
}

/** What is signed: 29 bytes of context, two digests of 32 bytes, and the time in 8. */
export function answerSigningInput(
  sha256: (bytes: Uint8Array) => Uint8Array,
  { subject, request, answer, kind }: SignedExchange,
  time: number,
): Uint8Array {
  const asked = new TextEncoder().encode(`${subject}\n`);
  const question = new Uint8Array(asked.length + request.length);
  question.set(asked);
  question.set(request, asked.length);
  const context = CONTEXTS[kind];
  const input = new Uint8Array(context.length + 32 + 32 + 8);
  input.set(context);
  input.set(sha256(question), context.length);
  input.set(sha256(answer), context.length + 32);
  new DataView(input.buffer).setBigUint64(context.length + 64, BigInt(time));
  return input;
}

export function formatAnswerSignature({ key, time, signature }: AnswerSignature): string {
  return `key=${encodeBase64url(key)}, time=${time}, signature=${encodeBase64url(signature)}`;
}

/** Throws `WireError` `bad-answer-signature`. */
export function parseAnswerSignature(header: string): AnswerSignature {
  const [, key = '', time, signature = ''] = HEADER.exec(header) ?? [];
  try {
    if (time !== undefined)
      return { key: decodeBase64url(key), time: Number(time), signature: decodeBase64url(signature) };
  } catch {
    // As below.
  }
  throw new WireError('bad-answer-signature', 'not key=…, time=…, signature=…');
}
