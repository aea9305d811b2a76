import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import type { SuiteName } from '@sealwire/crypto/port';
import fc from 'fast-check';
import { isGoodDhKey } from './montgomery-key.ts';

const crypto = nobleCrypto();
const wycheproof = new URL('../../../../../shared/vectors/', import.meta.url);

describe.each(['c25519', 'c448'] as const)('%s', (curve) => {
  const { dh } = crypto.suites[curve];

  it('honest keys are good', () => {
    const privateKey = fc.uint8Array({ minLength: dh.keyLength, maxLength: dh.keyLength });
    fc.assert(
      fc.property(privateKey, (bytes) => isGoodDhKey(curve, dh.publicKey(bytes))),
      { numRuns: 20, seed: 1 },
    );
  });

  it('wrong lengths are not', () => {
    const good = dh.publicKey(new Uint8Array(dh.keyLength).fill(7));
    expect(isGoodDhKey(curve, good)).toBe(true);
    expect(isGoodDhKey(curve, good.subarray(1))).toBe(false);
    expect(isGoodDhKey(curve, Uint8Array.of(...good, 0))).toBe(false);
    expect(isGoodDhKey(curve, new Uint8Array(0))).toBe(false);
  });
});

interface Vectors {
  readonly testGroups: readonly { readonly tests: readonly { public: string; flags: string[]; shared: string }[] }[];
}

function vectorsOf(curve: SuiteName): { file: string; found: boolean; url: URL } {
  const file = curve === 'c25519' ? 'x25519_test.json' : 'x448_test.json';
  const url = new URL(`wycheproof/${file}`, wycheproof);
  return { file, url, found: existsSync(url) };
}

describe.each(['c25519', 'c448'] as const)('D08: Wycheproof on %s', (curve) => {
  const { file, found, url } = vectorsOf(curve);
  const body = () => {
    const { testGroups } = JSON.parse(readFileSync(url, 'utf8')) as Vectors;
    let refused = 0;
    for (const { public: hex, flags, shared } of testGroups.flatMap(({ tests }) => tests)) {
      const key = Buffer.from(hex, 'hex');
      // By the outcome, not by the flag: one key that is flagged as of low order gives a secret that is not zero.
      const bad = flags.includes('NonCanonicalPublic') || /^0*$/.test(shared);
      if (!bad) continue;
      refused++;
      expect({ hex, good: isGoodDhKey(curve, key) }).toEqual({ hex, good: false });
    }
    expect(refused).toBeGreaterThan(5);
  };
  const title = 'every low-order and non-canonical key is refused';
  if (found) it(title, body);
  else it.skip(`${title} (skipped: ${file} is not beside this repository)`, body);
});
