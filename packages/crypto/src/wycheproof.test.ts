/**
 * Both providers against Project Wycheproof's vectors (case F12), which are not part of this repository: they are read from
 * WYCHEPROOF_DIR, or from the folder `shared/vectors/wycheproof` beside the repository. Every vector is either executed or
 * left out by a named rule, and the two must add up to the file's own count; an unknown group type fails.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { hexToBytes as hex } from '@noble/hashes/utils.js';
import { ml_kem512, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { nobleCrypto } from './noble.ts';
import { decapsulateExpanded } from './noble-ml-kem.ts';
import { nodeCrypto } from './node.ts';
import type { Aead, CryptoProvider, DiffieHellman, Kem, Signatures } from './port.ts';

/** The fields that our files use; which ones are there depends on the group's type. */
interface Vector {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
  readonly [field: string]: unknown;
}

interface Group {
  readonly type: string;
  readonly keySize?: number;
  readonly ivSize?: number;
  readonly tagSize?: number;
  readonly publicKey?: { readonly pk: string };
  readonly tests: readonly Vector[];
}

interface VectorFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

interface Suite {
  readonly file: string;
  readonly groupType: string;
  /** How many vectors our sizes leave out: written down, so that a changed rule is seen. */
  readonly leftOut: number;
  supports(group: Group): boolean;
  /** Throws, or returns false, when the primitive's answer is not the policy's. */
  holds(crypto: CryptoProvider, vector: Vector, group: Group): boolean;
}

const everything = () => true;

const SUITES: readonly Suite[] = [
  suite('x25519', 'XdhComp', (crypto, vector) => holdsExchange(crypto.x25519, vector)),
  suite('x448', 'XdhComp', (crypto, vector) => holdsExchange(crypto.x448, vector)),
  suite('ed25519', 'EddsaVerify', (crypto, vector, group) => holdsSignature(crypto.ed25519, vector, group)),
  suite('ed448', 'EddsaVerify', (crypto, vector, group) => holdsSignature(crypto.ed448, vector, group)),
  suite('chacha20_poly1305', 'AeadTest', (crypto, vector) => holdsAead(crypto.chacha20poly1305, vector)),
  {
    ...suite('aes_gcm', 'AeadTest', (crypto, vector) => holdsAead(crypto.aes256gcm, vector)),
    leftOut: 231,
    supports: ({ keySize, ivSize, tagSize }) => keySize === 256 && (ivSize === 96 || ivSize === 128) && tagSize === 128,
  },
  suite('hkdf_sha512', 'HkdfTest', holdsHkdf),
  suite('hmac_sha512', 'MacTest', holdsHmac),
  suite('mlkem_512', 'MLKEMTest', (crypto, vector) => holdsKem(crypto.mlKem512, vector)),
  suite('mlkem_1024', 'MLKEMTest', (crypto, vector) => holdsKem(crypto.mlKem1024, vector)),
  suite('mlkem_512_semi_expanded_decaps', 'MLKEMDecapsValidationTest', (_, vector) => holdsDecaps(ml_kem512, vector)),
  suite('mlkem_1024_semi_expanded_decaps', 'MLKEMDecapsValidationTest', (_, vector) => holdsDecaps(ml_kem1024, vector)),
];

function suite(name: string, groupType: string, holds: Suite['holds']): Suite {
  return { file: `${name}_test.json`, groupType, leftOut: 0, supports: everything, holds };
}

function bytes(vector: Vector, field: string): Uint8Array {
  const value = vector[field];
  if (typeof value !== 'string') throw new Error(`vector ${vector.tcId} has no field ${field}`);
  return hex(value);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'no error';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/**
 * Policy: an all-zero secret is refused, anything else of the right length is computed. Three X448 vectors carry the flag
 * LowOrderPublic for an X25519-like masking that X448 does not have; their secret is not zero, and they are computed.
 */
function holdsExchange(dh: DiffieHellman, vector: Vector): boolean {
  const exchange = () => dh.sharedSecret(bytes(vector, 'private'), bytes(vector, 'public'));
  const isLowOrder = vector.flags.includes('ZeroSharedSecret');
  if (isLowOrder) return codeOf(exchange) === 'low-order' && !dh.isValidPublicKey(bytes(vector, 'public'));
  if (vector.result === 'invalid') return codeOf(exchange) === 'bad-length';
  return isEqual(exchange(), bytes(vector, 'shared'));
}

function holdsSignature(signatures: Signatures, vector: Vector, group: Group): boolean {
  const publicKey = hex(group.publicKey!.pk);
  const accepted = signatures.verify(publicKey, bytes(vector, 'msg'), bytes(vector, 'sig'));
  return accepted === (vector.result === 'valid') && signatures.isValidPublicKey(publicKey);
}

function holdsAead(aead: Aead, vector: Vector): boolean {
  const [key, nonce, associatedData] = [bytes(vector, 'key'), bytes(vector, 'iv'), bytes(vector, 'aad')];
  const sealed = hex(`${vector.ct}${vector.tag}`);
  const open = () => aead.open(key, nonce, sealed, associatedData);
  if (vector.result === 'invalid') return ['authentication-failed', 'bad-length'].includes(codeOf(open));
  const plaintext = bytes(vector, 'msg');
  return isEqual(open(), plaintext) && isEqual(aead.seal(key, nonce, plaintext, associatedData), sealed);
}

function holdsHkdf(crypto: CryptoProvider, vector: Vector): boolean {
  const derive = () =>
    crypto.hkdfSha512(bytes(vector, 'salt'), bytes(vector, 'ikm'), bytes(vector, 'info'), vector.size as number);
  if (vector.result === 'invalid') return codeOf(derive) === 'output-too-long';
  return isEqual(derive(), bytes(vector, 'okm'));
}

/** Truncated tags are compared as their users would: with the head of ours. */
function holdsHmac(crypto: CryptoProvider, vector: Vector, group: Group): boolean {
  const tag = crypto.hmacSha512(bytes(vector, 'key'), bytes(vector, 'msg')).subarray(0, group.tagSize! / 8);
  return crypto.equal(tag, bytes(vector, 'tag')) === (vector.result === 'valid');
}

/** Implicit rejection counts as valid there: the secret is the one that FIPS 203 prescribes. Both lengths are ours to check. */
function holdsKem(kem: Kem, vector: Vector): boolean {
  const [seed, ciphertext] = [bytes(vector, 'seed'), bytes(vector, 'c')];
  const decapsulate = () => kem.decapsulate(seed, ciphertext);
  if (vector.result === 'invalid') return codeOf(decapsulate) === 'bad-length';
  const publicKey = bytes(vector, 'ek');
  const isGood = isEqual(kem.publicKey(seed), publicKey) && kem.isValidPublicKey(publicKey);
  return isGood && isEqual(decapsulate(), bytes(vector, 'K'));
}

function holdsDecaps(scheme: typeof ml_kem512, vector: Vector): boolean {
  const decapsulate = () => decapsulateExpanded(scheme, bytes(vector, 'dk'), bytes(vector, 'c'));
  if (vector.result === 'valid') return isEqual(decapsulate(), bytes(vector, 'K'));
  return codeOf(decapsulate) === (vector.flags.includes('InvalidDecapsulationKey') ? 'bad-key' : 'bad-length');
}

const directory =
  process.env.WYCHEPROOF_DIR ?? fileURLToPath(new URL('../../../../shared/vectors/wycheproof', import.meta.url));

describe.each([nobleCrypto(), nodeCrypto()])('Wycheproof with $name', (crypto) => {
  for (const { file, groupType, leftOut, supports, holds } of SUITES) {
    const path = `${directory}/${file}`;
    if (!existsSync(path)) {
      it.skip(`F12: ${file} (not found; set WYCHEPROOF_DIR to the folder of the vectors)`, () => {});
      continue;
    }
    it(`F12: ${file}`, () => {
      const { numberOfTests, testGroups } = JSON.parse(readFileSync(path, 'utf8')) as VectorFile;
      expect(testGroups.filter(({ type }) => type !== groupType)).toEqual([]);
      const cases = testGroups.flatMap((group) => group.tests.map((vector) => ({ vector, group })));
      const executed = cases.filter(({ group }) => supports(group));
      const failed = executed.filter(({ vector, group }) => !holds(crypto, vector, group));
      expect(failed.map(({ vector }) => vector)).toEqual([]);
      expect(executed.length + leftOut).toBe(numberOfTests);
    }, 30_000);
  }
});
