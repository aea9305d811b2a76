/**
 * ML-KEM: against a second implementation written from FIPS 203 (testing/slow-ml-kem.ts), against Go's where there is Go,
 * and the checks that the standard demands (case S15). Project Wycheproof's vectors are in wycheproof.test.ts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import * as openssl from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { SLOW_PARAMETERS, slowDecaps, slowEncaps, slowKeyGen } from './testing/slow-ml-kem.ts';

const NAMES = ['mlKem512', 'mlKem1024'] as const;
const ROUNDS = 4;

/** 64 bytes that look random and are the same in every run. */
const drawn = (label: string): Uint8Array => sha512(new TextEncoder().encode(label));
const code = (value: string) => expect.objectContaining({ name: 'CryptoError', code: value });

/** From 24.7 on Node has the call, and its OpenSSL the primitive. */
const IS_NATIVE = 'decapsulate' in openssl;
const IMPLEMENTATIONS = [nobleCrypto(), ...(IS_NATIVE ? [nodeCrypto()] : [])].flatMap((crypto) =>
  NAMES.map((name) => [name, crypto.name, crypto[name]] as const),
);

const crypto = nobleCrypto();

describe('ML-KEM', () => {
  it('is native where the platform has it, and the same implementation in both providers where it has not', () => {
    for (const name of NAMES) {
      const [kem, { publicKey, decapsulate, encapsulate }] = [crypto[name], nodeCrypto()[name]];
      expect([publicKey === kem.publicKey, decapsulate === kem.decapsulate]).toEqual([!IS_NATIVE, !IS_NATIVE]);
      // OpenSSL draws the randomness of an encapsulation itself, and ours is the caller's.
      expect(encapsulate).toBe(kem.encapsulate);
    }
  });

  describe.each(IMPLEMENTATIONS)('%s of %s', (name, _provider, kem) => {
    const parameters = SLOW_PARAMETERS[name];
    const seed = drawn(`${name} seed`);
    const publicKey = kem.publicKey(seed);

    it(`says what a second implementation says: key, ciphertext, secret, and the secret of a changed ciphertext`, () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const each = drawn(`${name} ${round}`);
        const entropy = drawn(`entropy ${name} ${round}`).subarray(0, 32);
        const { ek, dk } = slowKeyGen(parameters, each.subarray(0, 32), each.subarray(32));
        expect(bytesToHex(kem.publicKey(each))).toBe(bytesToHex(ek));
        const slow = slowEncaps(parameters, ek, entropy);
        const fast = kem.encapsulate(ek, entropy);
        expect(bytesToHex(fast.ciphertext)).toBe(bytesToHex(slow.ciphertext));
        expect(bytesToHex(fast.sharedSecret)).toBe(bytesToHex(slow.sharedSecret));
        expect(bytesToHex(kem.decapsulate(each, slow.ciphertext))).toBe(bytesToHex(slow.sharedSecret));
        const changed = slow.ciphertext.with(round * 100, slow.ciphertext[round * 100]! ^ 1);
        const rejected = slowDecaps(parameters, dk, changed);
        expect(bytesToHex(kem.decapsulate(each, changed))).toBe(bytesToHex(rejected));
        expect(rejected).not.toEqual(slow.sharedSecret);
      }
    }, 60_000);

    it('has the sizes of FIPS 203, table 3', () => {
      const sizes = name === 'mlKem512' ? [800, 768] : [1568, 1568];
      expect([kem.publicKeyLength, kem.ciphertextLength]).toEqual(sizes);
      expect([kem.seedLength, kem.entropyLength, kem.sharedSecretLength]).toEqual([64, 32, 32]);
      const { ciphertext, sharedSecret } = kem.encapsulate(publicKey, seed.subarray(0, 32));
      expect([publicKey.length, ciphertext.length, sharedSecret.length]).toEqual([...sizes, 32]);
    });

    it('S15: a coefficient that is not reduced makes the public key a bad one, wherever it is', () => {
      const polynomials = (publicKey.length - 32) / 384;
      for (let polynomial = 0; polynomial < polynomials; polynomial += 1) {
        for (const at of [0, 1, 254, 255]) {
          for (const [coefficient, isGood] of [
            [3328, true],
            [3329, false],
            [4095, false],
          ] as const) {
            const changed = withCoefficient(publicKey, polynomial * 256 + at, coefficient);
            expect(kem.isValidPublicKey(changed)).toBe(isGood);
            if (!isGood) expect(() => kem.encapsulate(changed, seed.subarray(0, 32))).toThrow(code('bad-key'));
            else expect(kem.encapsulate(changed, seed.subarray(0, 32)).sharedSecret).toHaveLength(32);
          }
        }
      }
    });

    it('refuses every wrong length by name', () => {
      const { ciphertext } = kem.encapsulate(publicKey, seed.subarray(0, 32));
      for (const wrong of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(5000)]) {
        expect(kem.isValidPublicKey(wrong)).toBe(false);
        expect(() => kem.publicKey(wrong)).toThrow(code('bad-length'));
        expect(() => kem.encapsulate(wrong, seed.subarray(0, 32))).toThrow(code('bad-length'));
        expect(() => kem.encapsulate(publicKey, wrong)).toThrow(code('bad-length'));
        expect(() => kem.decapsulate(wrong, ciphertext)).toThrow(code('bad-length'));
        expect(() => kem.decapsulate(seed, wrong)).toThrow(code('bad-length'));
      }
    });

    it('leaves its inputs alone, and gives arrays that own their memory', () => {
      const entropy = seed.slice(0, 32);
      const before = bytesToHex(seed) + bytesToHex(entropy) + bytesToHex(publicKey);
      const { ciphertext, sharedSecret } = kem.encapsulate(publicKey, entropy);
      const opened = kem.decapsulate(seed, ciphertext);
      expect(bytesToHex(seed) + bytesToHex(entropy) + bytesToHex(publicKey)).toBe(before);
      for (const output of [ciphertext, sharedSecret, opened, kem.publicKey(seed)]) {
        expect(output.constructor.name).toBe('Uint8Array');
        expect(output.byteLength).toBe(output.buffer.byteLength);
      }
    });
  });
});

/** The public key with coefficient `at` of its 256·k replaced: two share three bytes. */
function withCoefficient(publicKey: Uint8Array, at: number, value: number): Uint8Array {
  const copy = publicKey.slice();
  const first = 3 * (at >> 1);
  if (at % 2 === 0) {
    copy[first] = value & 0xff;
    copy[first + 1] = (copy[first + 1]! & 0xf0) | (value >> 8);
  } else {
    copy[first + 1] = (copy[first + 1]! & 0x0f) | ((value & 0x0f) << 4);
    copy[first + 2] = value >> 4;
  }
  return copy;
}

/** Go's crypto/mlkem has ML-KEM-1024 since 1.24: it takes the seed, tells the key, opens our ciphertexts and makes one of its own. */
const GO_PROGRAM = `package main

import (
	"bufio"
	"crypto/mlkem"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		seed, _ := hex.DecodeString(fields[0])
		ciphertext, _ := hex.DecodeString(fields[1])
		key, err := mlkem.NewDecapsulationKey1024(seed)
		if err != nil {
			panic(err)
		}
		opened, err := key.Decapsulate(ciphertext)
		if err != nil {
			panic(err)
		}
		secret, made := key.EncapsulationKey().Encapsulate()
		fmt.Printf("%x %x %x %x\\n", key.EncapsulationKey().Bytes(), opened, made, secret)
	}
}
`;

function goVersion(): string | undefined {
  const { stdout, status } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  const minor = Number(/^go1\.(\d+)/.exec(stdout ?? '')?.[1] ?? 0);
  return status === 0 && minor >= 24 ? stdout.trim() : undefined;
}

describe("ML-KEM-1024 and Go's", () => {
  const version = goVersion();
  const title = 'keys, our ciphertexts there, its ciphertexts here, changed ones both ways';
  if (!version) {
    it.skip(`${title} (no Go 1.24 or later on this machine)`, () => {});
    return;
  }
  it(title, () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealwire-mlkem-'));
    try {
      const kem = nobleCrypto().mlKem1024;
      const cases = Array.from({ length: 40 }, (_, i) => {
        const seed = drawn(`go ${i}`);
        const { ciphertext, sharedSecret } = kem.encapsulate(
          kem.publicKey(seed),
          drawn(`go entropy ${i}`).subarray(0, 32),
        );
        if (i % 2 === 0) return { seed, ciphertext, secret: sharedSecret };
        const changed = ciphertext.with(i, ciphertext[i]! ^ 0x40);
        return { seed, ciphertext: changed, secret: kem.decapsulate(seed, changed) };
      });
      writeFileSync(join(folder, 'main.go'), GO_PROGRAM);
      const input = cases.map(({ seed, ciphertext }) => `${bytesToHex(seed)} ${bytesToHex(ciphertext)}\n`).join('');
      const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
      const output = execFileSync('go', ['run', 'main.go'], { cwd: folder, input, env, encoding: 'utf8' });
      const answers = output.trim().split('\n');
      expect(answers).toHaveLength(cases.length);
      cases.forEach(({ seed, secret }, i) => {
        const [publicKey, opened, made, theirs] = answers[i]!.split(' ');
        expect(publicKey).toBe(bytesToHex(kem.publicKey(seed)));
        expect(opened).toBe(bytesToHex(secret));
        expect(bytesToHex(kem.decapsulate(seed, hexToBytes(made!)))).toBe(theirs);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
});
