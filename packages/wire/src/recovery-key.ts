/**
 * The account secret as a text to be printed and typed: the recovery key (docs/spec/recovery.md section 1). Fourteen groups of five of
 * Crockford's Base32 characters: in each four of content and one that finds a mistake in this very group, so that whoever types it is told
 * where to look.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { WireError } from './wire-error.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SECRET_BYTES = 32;
const VERSION = 1;
const CHECKED_BYTES = 3;
/** Version in 4 bits, secret in 256, the beginning of their hash in 20. */
const CONTENT_BITS = 4 + 8 * SECRET_BYTES + 20;
const CONTENT_CHARACTERS = 4;
const GROUP = CONTENT_CHARACTERS + 1;
const GROUPS = CONTENT_BITS / (5 * CONTENT_CHARACTERS);
const GROUPS_A_LINE = 7;
const REFUSED = 'bad-recovery-key';
const PREFIX = new TextEncoder().encode('sealwire/recovery-key/v1\0');

type Hash = Pick<CryptoProvider, 'sha256'>;

/** Two lines of seven groups. `secret`: 32 bytes. */
export function formatRecoveryKey(crypto: Hash, secret: Uint8Array): string {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`an account secret has ${SECRET_BYTES} bytes`);
  const hash = crypto.sha256(Uint8Array.from([...PREFIX, VERSION, ...secret]));
  let bits = (BigInt(VERSION) << 256n) | numberOf(secret);
  bits = (bits << 20n) | (numberOf(hash.subarray(0, CHECKED_BYTES)) >> 4n);
  const values = Array.from({ length: GROUPS * CONTENT_CHARACTERS }, (_, at) =>
    Number((bits >> BigInt(CONTENT_BITS - 5 * (at + 1))) & 31n),
  );
  const groups = Array.from({ length: GROUPS }, (_, group) => {
    const content = values.slice(group * CONTENT_CHARACTERS, (group + 1) * CONTENT_CHARACTERS);
    return [...content, checkOf(group, content)].map((value) => ALPHABET[value]).join('');
  });
  return `${groups.slice(0, GROUPS_A_LINE).join(' ')}\n${groups.slice(GROUPS_A_LINE).join(' ')}`;
}

/**
 * The secret, 32 bytes. Small letters, hyphens and line ends do not matter, `O` is 0, `I` and `L` are 1. Throws `WireError`
 * `bad-recovery-key`, whose text names the first group with a mistake and repeats nothing of what was typed.
 */
export function parseRecoveryKey(crypto: Hash, text: string): Uint8Array {
  const groups = groupsOf(text);
  const values = groups.flatMap((typed, group) => contentOf(group, typed));
  if (groups.length !== GROUPS)
    throw refused(`a recovery key has ${GROUPS} groups of ${GROUP} characters, and here are ${groups.length}`);
  const bits = values.reduce((sum, value) => (sum << 5n) | BigInt(value), 0n);
  const version = Number(bits >> BigInt(CONTENT_BITS - 4));
  const secret = bytesOf((bits >> 20n) & ((1n << 256n) - 1n), SECRET_BYTES);
  const hash = crypto.sha256(Uint8Array.from([...PREFIX, version, ...secret]));
  if (numberOf(hash.subarray(0, CHECKED_BYTES)) >> 4n !== (bits & 0xfffffn))
    throw refused('each group is a good one, and all together are none: compare each of them with the paper');
  if (version !== VERSION) throw refused('this recovery key was made by a newer version: update this program');
  return secret;
}

/** As they were typed; of a text without gaps, by fives. */
function groupsOf(text: string): string[] {
  const typed = text.split(/[\s-]+/).filter((group) => group !== '');
  const [only = ''] = typed;
  if (typed.length !== 1 || only.length <= GROUP) return typed;
  return only.match(new RegExp(`.{1,${GROUP}}`, 'gu')) ?? [];
}

function contentOf(group: number, typed: string): number[] {
  const name = `group ${group + 1}`;
  const characters = [...typed.toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')];
  if (characters.length !== GROUP)
    throw refused(`${name} has ${characters.length} characters, and should have ${GROUP}`);
  const values = characters.map((character) => ALPHABET.indexOf(character));
  if (values.includes(-1))
    throw refused(`${name} has a character that is in no recovery key: compare it with the paper`);
  const content = values.slice(0, CONTENT_CHARACTERS);
  if (checkOf(group, content) !== values[CONTENT_CHARACTERS])
    throw refused(`there is a mistake in ${name}, or it is not the one that stands there: compare it with the paper`);
  return content;
}

/**
 * Over GF(32): any one wrong character, two neighbours exchanged, and two groups exchanged change it. The characters weigh x, x², x³, x⁴,
 * the check itself 1, and the place of the group is added.
 */
function checkOf(group: number, content: readonly number[]): number {
  return content.reduce((sum, value, at) => sum ^ times(value, 1 << (at + 1)), group + 1);
}

/** In GF(32), by x⁵ + x² + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 5; bit++) if (b & (1 << bit)) product ^= a << bit;
  for (let bit = 8; bit >= 5; bit--) if (product & (1 << bit)) product ^= 0b100101 << (bit - 5);
  return product;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 255n));
}

function refused(why: string): WireError {
  return new WireError(REFUSED, why);
}
