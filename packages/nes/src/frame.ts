/** What is published (docs/spec/nes.md section 2), and its shape, which a broker can look at too. */
import { decodeBase64, encodeBase64 } from './base64.ts';
import { NesError } from './errors.ts';
import { BITS } from './keys.ts';
import { BLOCK_BYTES } from './primitives.ts';

/** 1 MiB of text and what base64 and the other fields add. */
export const FRAME_BYTES = 1_500_000;
const SMALLEST_MODULUS = 128;
const LARGEST_MODULUS = BITS.maximum / 8;

export interface Frame {
  /** As long as the recipient's modulus. */
  readonly cipherkey: Uint8Array;
  /** A positive multiple of 16 bytes. */
  readonly ciphertext: Uint8Array;
  /** As long as the sender's modulus. */
  readonly signature: Uint8Array;
}

export function encodeFrame({ cipherkey, ciphertext, signature }: Frame): Uint8Array {
  const fields = [
    ['cipherkey', cipherkey],
    ['ciphertext', ciphertext],
    ['signature', signature],
  ] as const;
  const text = fields.map(([name, bytes]) => `"${name}":"${encodeBase64(bytes)}"`).join(',');
  return new TextEncoder().encode(`{${text}}`);
}

/** Other order, white space, further fields and capitals in the names are read. Throws `bad-frame`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > FRAME_BYTES) throw badFrame(`more than ${FRAME_BYTES} bytes`);
  const fields = fieldsOf(bytes);
  const read = (name: string) => {
    const text = fields.get(name);
    const value = typeof text === 'string' ? decodeBase64(text) : undefined;
    return value ?? badField(name);
  };
  const frame = { cipherkey: read('cipherkey'), ciphertext: read('ciphertext'), signature: read('signature') };
  for (const name of ['cipherkey', 'signature'] as const) {
    const { length } = frame[name];
    if (length < SMALLEST_MODULUS || length > LARGEST_MODULUS) badField(name);
  }
  const { length } = frame.ciphertext;
  if (length === 0 || length % BLOCK_BYTES !== 0) badField('ciphertext');
  return frame;
}

/** By their names in small letters; of two with one name the later one counts, as in the genuine client. */
function fieldsOf(bytes: Uint8Array): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badFrame('not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badFrame('no object');
  return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
}

function badField(name: string): never {
  throw badFrame(`its ${name} is missing, no base64 or of a wrong length`);
}

function badFrame(why: string, cause?: unknown): NesError {
  return new NesError('bad-frame', `not a frame of NES: ${why}`, { cause });
}
