/**
 * ML-KEM a second time, written from the text of FIPS 203 for reading: arrays of numbers, sums and products in the order of the standard,
 * polynomials multiplied by definition modulo X^256 + 1. Slow, not constant in time, and only the reference of a test.
 *
 * It knows the number-theoretic transform as what it is, evaluation at the odd powers of 17: the standard fixes that form for keys, so
 * they must be written in it, but no product here is computed that way.
 */
import { sha3_256, sha3_512, shake128, shake256 } from '@noble/hashes/sha3.js';

const N = 256;
const Q = 3329;
/** A primitive 256th root of unity modulo q (section 4.3). */
const ZETA = 17;

/** Section 8, table 2. */
export interface SlowParameters {
  readonly k: number;
  readonly eta1: number;
  readonly eta2: number;
  readonly du: number;
  readonly dv: number;
}

export const SLOW_PARAMETERS = {
  mlKem512: { k: 2, eta1: 3, eta2: 2, du: 10, dv: 4 },
  mlKem1024: { k: 4, eta1: 2, eta2: 2, du: 11, dv: 5 },
} as const satisfies Record<string, SlowParameters>;

/** 256 coefficients from 0 to q - 1, the lowest power first. */
type Polynomial = readonly number[];

const mod = (value: number): number => ((value % Q) + Q) % Q;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

/** ML-KEM.KeyGen_internal (algorithm 16). */
export function slowKeyGen(
  parameters: SlowParameters,
  d: Uint8Array,
  z: Uint8Array,
): { ek: Uint8Array; dk: Uint8Array } {
  const { ek, dkPke } = pkeKeyGen(parameters, d);
  return { ek, dk: join(dkPke, ek, sha3_256(ek), z) };
}

/** ML-KEM.Encaps (algorithms 17 and 20). Throws when ek fails the modulus check of section 7.2. */
export function slowEncaps(
  parameters: SlowParameters,
  ek: Uint8Array,
  m: Uint8Array,
): { sharedSecret: Uint8Array; ciphertext: Uint8Array } {
  const { k } = parameters;
  for (const i of range(k)) {
    const part = ek.subarray(384 * i, 384 * (i + 1));
    if (byteEncode(12, byteDecode(12, part)).some((byte, at) => byte !== part[at])) throw new Error('modulus check');
  }
  const g = sha3_512(join(m, sha3_256(ek)));
  return { sharedSecret: g.slice(0, 32), ciphertext: pkeEncrypt(parameters, ek, m, g.subarray(32)) };
}

/** ML-KEM.Decaps (algorithms 18 and 21). Throws when dk fails the hash check of section 7.3. */
export function slowDecaps(parameters: SlowParameters, dk: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const { k } = parameters;
  const dkPke = dk.subarray(0, 384 * k);
  const ek = dk.subarray(384 * k, 768 * k + 32);
  const hash = dk.subarray(768 * k + 32, 768 * k + 64);
  const z = dk.subarray(768 * k + 64);
  if (sha3_256(ek).some((byte, at) => byte !== hash[at])) throw new Error('hash check');
  const m = pkeDecrypt(parameters, dkPke, ciphertext);
  const g = sha3_512(join(m, hash));
  const again = pkeEncrypt(parameters, ek, m, g.subarray(32));
  const isSame = again.every((byte, at) => byte === ciphertext[at]);
  return isSame ? g.slice(0, 32) : shake256(join(z, ciphertext), { dkLen: 32 });
}

/** Algorithm 13. */
function pkeKeyGen({ k, eta1 }: SlowParameters, d: Uint8Array): { ek: Uint8Array; dkPke: Uint8Array } {
  const g = sha3_512(join(d, Uint8Array.of(k)));
  const [rho, sigma] = [g.subarray(0, 32), g.subarray(32)];
  const a = matrix(rho, k);
  const s = range(k).map((i) => samplePolyCbd(eta1, prf(eta1, sigma, i)));
  const e = range(k).map((i) => samplePolyCbd(eta1, prf(eta1, sigma, k + i)));
  const t = range(k).map((i) => add(sum(range(k).map((j) => multiply(a[i]![j]!, s[j]!))), e[i]!));
  return {
    ek: join(...t.map((each) => byteEncode(12, transformed(each))), rho),
    dkPke: join(...s.map((each) => byteEncode(12, transformed(each)))),
  };
}

/** Algorithm 14. */
function pkeEncrypt(parameters: SlowParameters, ek: Uint8Array, m: Uint8Array, r: Uint8Array): Uint8Array {
  const { k, eta1, eta2, du, dv } = parameters;
  const t = range(k).map((i) => restored(byteDecode(12, ek.subarray(384 * i, 384 * (i + 1)))));
  const a = matrix(ek.subarray(384 * k), k);
  const y = range(k).map((i) => samplePolyCbd(eta1, prf(eta1, r, i)));
  const e1 = range(k).map((i) => samplePolyCbd(eta2, prf(eta2, r, k + i)));
  const e2 = samplePolyCbd(eta2, prf(eta2, r, 2 * k));
  const u = range(k).map((i) => add(sum(range(k).map((j) => multiply(a[j]![i]!, y[j]!))), e1[i]!));
  const mu = byteDecode(1, m).map((bit) => decompress(1, bit));
  const v = add(add(sum(range(k).map((i) => multiply(t[i]!, y[i]!))), e2), mu);
  const c1 = u.map((each) =>
    byteEncode(
      du,
      each.map((x) => compress(du, x)),
    ),
  );
  return join(
    ...c1,
    byteEncode(
      dv,
      v.map((x) => compress(dv, x)),
    ),
  );
}

/** Algorithm 15. */
function pkeDecrypt({ k, du, dv }: SlowParameters, dkPke: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const u = range(k).map((i) =>
    byteDecode(du, ciphertext.subarray(32 * du * i, 32 * du * (i + 1))).map((x) => decompress(du, x)),
  );
  const v = byteDecode(dv, ciphertext.subarray(32 * du * k)).map((x) => decompress(dv, x));
  const s = range(k).map((i) => restored(byteDecode(12, dkPke.subarray(384 * i, 384 * (i + 1)))));
  const product = sum(range(k).map((i) => multiply(s[i]!, u[i]!)));
  const w = v.map((x, i) => mod(x - product[i]!));
  return byteEncode(
    1,
    w.map((x) => compress(1, x)),
  );
}

/** Â, taken out of the transform: entry (i, j) is sampled from rho | j | i (algorithm 13, line 5). */
function matrix(rho: Uint8Array, k: number): Polynomial[][] {
  return range(k).map((i) => range(k).map((j) => restored(sampleNtt(join(rho, Uint8Array.of(j, i))))));
}

function multiply(a: Polynomial, b: Polynomial): Polynomial {
  const product = new Array<number>(N).fill(0);
  for (let i = 0; i < N; i += 1) {
    for (let j = 0; j < N; j += 1) {
      // X^256 = -1.
      const [at, sign] = i + j < N ? [i + j, 1] : [i + j - N, -1];
      product[at] = mod(product[at]! + sign * a[i]! * b[j]!);
    }
  }
  return product;
}

const add = (a: Polynomial, b: Polynomial): Polynomial => a.map((x, i) => mod(x + b[i]!));
const sum = (polynomials: readonly Polynomial[]): Polynomial => polynomials.reduce(add);

/** 17 to the power of `exponent`, by repeated multiplication. */
const POWERS = range(N).reduce<number[]>((powers) => [...powers, mod((powers.at(-1) ?? 0) * ZETA) || 1], []);
const power = (exponent: number): number => POWERS[((exponent % N) + N) % N]!;

/** BitRev7: seven bits the other way round (section 4.3). */
const bitReversed = (value: number): number => range(7).reduce((r, bit) => r | (((value >> bit) & 1) << (6 - bit)), 0);

/** The i-th pair of the transform is f mod (X^2 - γ), γ = ζ^(2 BitRev7(i) + 1) (equation 4.12): even and odd powers summed up. */
function transformed(f: Polynomial): Polynomial {
  return range(128).flatMap((i) => {
    const exponent = 2 * bitReversed(i) + 1;
    const part = (odd: number) =>
      range(128).reduce((total, j) => mod(total + f[2 * j + odd]! * power(exponent * j)), 0);
    return [part(0), part(1)];
  });
}

/** The inverse: the powers with negative exponents, divided by 128. */
function restored(pairs: Polynomial): Polynomial {
  const inverseOf128 = 3303;
  return range(N).map((at) => {
    const [j, odd] = [at >> 1, at & 1];
    const total = range(128).reduce(
      (soFar, i) => mod(soFar + pairs[2 * i + odd]! * power(-(2 * bitReversed(i) + 1) * j)),
      0,
    );
    return mod(total * inverseOf128);
  });
}

/** Algorithm 7, from a stream that is long enough. */
function sampleNtt(seed: Uint8Array): Polynomial {
  const stream = shake128(seed, { dkLen: 3 * 1000 });
  const coefficients: number[] = [];
  for (let at = 0; coefficients.length < N; at += 3) {
    const [a, b, c] = [stream[at]!, stream[at + 1]!, stream[at + 2]!];
    const d1 = a + 256 * (b % 16);
    const d2 = Math.floor(b / 16) + 16 * c;
    if (d1 < Q) coefficients.push(d1);
    if (d2 < Q && coefficients.length < N) coefficients.push(d2);
  }
  return coefficients;
}

/** Algorithm 8. */
function samplePolyCbd(eta: number, bytes: Uint8Array): Polynomial {
  const bits = bitsOf(bytes);
  const count = (from: number) => bits.slice(from, from + eta).reduce((total, bit) => total + bit, 0);
  return range(N).map((i) => mod(count(2 * i * eta) - count(2 * i * eta + eta)));
}

const prf = (eta: number, seed: Uint8Array, counter: number): Uint8Array =>
  shake256(join(seed, Uint8Array.of(counter)), { dkLen: 64 * eta });

/** Algorithm 4, the lowest bit first. */
const bitsOf = (bytes: Uint8Array): number[] => [...bytes].flatMap((byte) => range(8).map((i) => (byte >> i) & 1));

/** Algorithm 5. */
function byteEncode(d: number, values: Polynomial): Uint8Array {
  const bits = values.flatMap((value) => range(d).map((i) => (value >> i) & 1));
  return Uint8Array.from({ length: bits.length / 8 }, (_, at) =>
    range(8).reduce((byte, i) => byte | (bits[8 * at + i]! << i), 0),
  );
}

/** Algorithm 6: modulo q for d = 12. */
function byteDecode(d: number, bytes: Uint8Array): Polynomial {
  const bits = bitsOf(bytes);
  const value = (at: number) => range(d).reduce((total, i) => total + bits[d * at + i]! * 2 ** i, 0);
  return range(N).map((at) => (d === 12 ? value(at) % Q : value(at)));
}

/** Equation 4.7: halves are rounded up. */
const compress = (d: number, x: number): number => Math.floor((2 ** d * x) / Q + 0.5) % 2 ** d;
/** Equation 4.8. */
const decompress = (d: number, y: number): number => Math.floor((Q * y) / 2 ** d + 0.5);
