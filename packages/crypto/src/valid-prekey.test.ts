/**
 * Which public prekeys a directory may store, in every suite (cases D08, S13, S15). Low-order and non-canonical X keys come from Project
 * Wycheproof, found as in wycheproof.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import type { LimeSuite, SuiteName } from './port.ts';

const directory =
  process.env.WYCHEPROOF_DIR ?? fileURLToPath(new URL('../../../../shared/vectors/wycheproof', import.meta.url));
const providers = [nobleCrypto(), nodeCrypto()];
const SUITES = Object.keys(providers[0]!.suites) as SuiteName[];

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

function prekey(suite: LimeSuite, dhPrivate: Uint8Array, kemSeed = new Uint8Array(64).fill(5)): Uint8Array {
  const kemKey = suite.kem?.publicKey(kemSeed) ?? new Uint8Array(0);
  return Uint8Array.of(...suite.dh.publicKey(dhPrivate), ...kemKey);
}

describe.each(providers)('prekeys with $name', ({ suites }) => {
  it.each(SUITES)('%s: honest ones are good', (name) => {
    const suite = suites[name];
    fc.assert(
      fc.property(bytes(suite.dh.keyLength), bytes(64), (dhPrivate, kemSeed) => {
        const publicKey = prekey(suite, dhPrivate, kemSeed);
        expect(publicKey.length).toBe(suite.prekeyLength);
        expect(suite.isValidPrekey(publicKey)).toBe(true);
      }),
      { numRuns: 10, seed: 1 },
    );
  });

  it.each(SUITES)('%s: wrong lengths, and prekeys of the other suites, are not', (name) => {
    const suite = suites[name];
    const good = prekey(suite, new Uint8Array(suite.dh.keyLength).fill(7));
    for (const wrong of [good.subarray(1), Uint8Array.of(...good, 0), new Uint8Array(0)])
      expect(suite.isValidPrekey(wrong)).toBe(false);
    for (const other of SUITES.filter((each) => each !== name))
      expect(suite.isValidPrekey(prekey(suites[other], new Uint8Array(suites[other].dh.keyLength).fill(7)))).toBe(
        false,
      );
  });

  it.each(SUITES)('S13: %s: a KEM key where the X key belongs is no prekey', (name) => {
    const suite = suites[name];
    if (!suite.kem) return;
    const good = prekey(suite, new Uint8Array(suite.dh.keyLength).fill(7));
    const { keyLength } = suite.dh;
    const swapped = Uint8Array.of(...good.subarray(keyLength), ...good.subarray(0, keyLength));
    // Random bytes are reduced coefficients once in e^80 times, so the swap shows in the KEM part.
    expect(suite.isValidPrekey(swapped)).toBe(false);
  });

  it.each(['c25519', 'c448', 'c25519mlk512', 'c448mlk1024'] as const)('D08: %s: low order and unreduced', (name) => {
    const suite = suites[name];
    const file = `${directory}/${suite.curve === 'c25519' ? 'x25519' : 'x448'}_test.json`;
    const kemKey = prekey(suite, new Uint8Array(suite.dh.keyLength).fill(7)).subarray(suite.dh.keyLength);
    for (const weak of [...weakKeys(file), new Uint8Array(suite.dh.keyLength)])
      expect(suite.isValidPrekey(Uint8Array.of(...weak, ...kemKey))).toBe(false);
  });

  const title = 'D08: Wycheproof has low-order and non-canonical keys of both curves';
  const files = ['x25519_test.json', 'x448_test.json'].map((file) => `${directory}/${file}`);
  if (files.every((file) => existsSync(file))) {
    it(title, () => {
      for (const file of files) expect(weakKeys(file).length).toBeGreaterThan(5);
    });
  } else it.skip(`${title} (not found; set WYCHEPROOF_DIR to the folder of the vectors)`, () => {});
});

interface Vectors {
  readonly testGroups: readonly { readonly tests: readonly { public: string; flags: string[]; shared: string }[] }[];
}

function weakKeys(file: string): Uint8Array[] {
  if (!existsSync(file)) return [];
  const { testGroups } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
  // By the outcome, not by the flag: one key that is flagged as of low order gives a secret that is not zero.
  return testGroups
    .flatMap(({ tests }) => tests)
    .filter(({ flags, shared }) => flags.includes('NonCanonicalPublic') || /^0*$/.test(shared))
    .map(({ public: hex }) => new Uint8Array(Buffer.from(hex, 'hex')));
}
