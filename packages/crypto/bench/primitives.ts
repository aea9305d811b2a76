/**
 * Operations per second of processor time, of both providers side by side: `npm run bench -w packages/crypto`. The ratio is what survives a
 * noisy machine; the two providers take turns within each row for the same reason. On another Node: that Node in front of PATH.
 */

import { nobleCrypto } from '../src/noble.ts';
import { nodeCrypto } from '../src/node.ts';
import type { CryptoProvider, DiffieHellman, Kem, Signatures } from '../src/port.ts';
import { systemRandom } from '../src/random.ts';

/** Time measured for each provider and row, in slices that alternate. */
const MILLISECONDS_PER_SLICE = 80;
const SLICES = 3;

type Operation = () => unknown;

interface Row {
  readonly name: string;
  prepare(crypto: CryptoProvider): Operation;
}

const MESSAGE = systemRandom(1024);
const ASSOCIATED_DATA = systemRandom(64);

const ROWS: readonly Row[] = [
  ...dhRows('X25519', (crypto) => crypto.x25519),
  ...dhRows('X448', (crypto) => crypto.x448),
  ...signatureRows('Ed25519', (crypto) => crypto.ed25519),
  ...signatureRows('Ed25519ctx', (crypto) => crypto.ed25519ctx),
  ...signatureRows('Ed448', (crypto) => crypto.ed448),
  ...kemRows('ML-KEM-512', (crypto) => crypto.mlKem512),
  ...kemRows('ML-KEM-1024', (crypto) => crypto.mlKem1024),
  ...conversionRows('c25519'),
  ...conversionRows('c448'),
  ...aeadRows('AES-256-GCM', 'aes256gcm', 16),
  ...aeadRows('ChaCha20-Poly1305', 'chacha20poly1305', 12),
  { name: 'SHA-512 of 1 KiB', prepare: (crypto) => () => crypto.sha512(MESSAGE) },
  { name: 'HMAC-SHA-512 of 64 bytes', prepare: (crypto) => () => crypto.hmacSha512(ASSOCIATED_DATA, ASSOCIATED_DATA) },
  {
    name: 'HKDF-SHA-512, 64 bytes',
    prepare: (crypto) => () => crypto.hkdfSha512(ASSOCIATED_DATA, ASSOCIATED_DATA, ASSOCIATED_DATA, 64),
  },
  { name: 'equal, 32 bytes', prepare: equality },
];

function dhRows(name: string, curve: (crypto: CryptoProvider) => DiffieHellman): Row[] {
  return [
    {
      name: `${name} public key, fresh`,
      prepare: (crypto) => {
        const dh = curve(crypto);
        return () => dh.publicKey(systemRandom(dh.keyLength));
      },
    },
    {
      name: `${name} shared secret, both keys known`,
      prepare: (crypto) => {
        const dh = curve(crypto);
        const own = systemRandom(dh.keyLength);
        const peer = dh.publicKey(systemRandom(dh.keyLength));
        return () => dh.sharedSecret(own, peer);
      },
    },
    {
      name: `${name} shared secret, both keys fresh`,
      prepare: (crypto) => {
        const dh = curve(crypto);
        const peer = dh.publicKey(systemRandom(dh.keyLength));
        return () => dh.sharedSecret(systemRandom(dh.keyLength), peer.slice());
      },
    },
  ];
}

function signatureRows(name: string, scheme: (crypto: CryptoProvider) => Signatures): Row[] {
  return [
    {
      name: `${name} sign`,
      prepare: (crypto) => {
        const seed = systemRandom(scheme(crypto).seedLength);
        return () => scheme(crypto).sign(seed, ASSOCIATED_DATA);
      },
    },
    ...['known', 'fresh'].map((key) => ({
      name: `${name} verify, key ${key}`,
      prepare: (crypto: CryptoProvider) => {
        const seed = systemRandom(scheme(crypto).seedLength);
        const publicKey = scheme(crypto).publicKey(seed);
        const signature = scheme(crypto).sign(seed, ASSOCIATED_DATA);
        return () => scheme(crypto).verify(key === 'known' ? publicKey : publicKey.slice(), ASSOCIATED_DATA, signature);
      },
    })),
  ];
}

function kemRows(name: string, kemOf: (crypto: CryptoProvider) => Kem): Row[] {
  return [
    {
      name: `${name} public key, fresh`,
      prepare: (crypto) => {
        const kem = kemOf(crypto);
        return () => kem.publicKey(systemRandom(kem.seedLength));
      },
    },
    {
      name: `${name} encapsulate`,
      prepare: (crypto) => {
        const kem = kemOf(crypto);
        const publicKey = kem.publicKey(systemRandom(kem.seedLength));
        return () => kem.encapsulate(publicKey, systemRandom(kem.entropyLength));
      },
    },
    {
      name: `${name} decapsulate, from the seed`,
      prepare: (crypto) => {
        const kem = kemOf(crypto);
        const seed = systemRandom(kem.seedLength);
        const { ciphertext } = kem.encapsulate(kem.publicKey(seed), systemRandom(kem.entropyLength));
        return () => kem.decapsulate(seed, ciphertext);
      },
    },
    {
      name: `${name} check of a public key`,
      prepare: (crypto) => {
        const kem = kemOf(crypto);
        const publicKey = kem.publicKey(systemRandom(kem.seedLength));
        return () => kem.isValidPublicKey(publicKey);
      },
    },
  ];
}

function conversionRows(name: 'c25519' | 'c448'): Row[] {
  return [
    {
      name: `${name} identity to DH public key`,
      prepare: (crypto) => {
        const suite = crypto.suites[name];
        const publicKey = suite.signatures.publicKey(systemRandom(suite.signatures.seedLength));
        return () => suite.identityToDhPublic(publicKey);
      },
    },
  ];
}

function aeadRows(name: string, door: 'aes256gcm' | 'chacha20poly1305', nonceLength: number): Row[] {
  const key = systemRandom(32);
  const nonce = systemRandom(nonceLength);
  return [
    { name: `${name} seal 1 KiB`, prepare: (crypto) => () => crypto[door].seal(key, nonce, MESSAGE, ASSOCIATED_DATA) },
    {
      name: `${name} open 1 KiB`,
      prepare: (crypto) => {
        const sealed = crypto[door].seal(key, nonce, MESSAGE, ASSOCIATED_DATA);
        return () => crypto[door].open(key, nonce, sealed, ASSOCIATED_DATA);
      },
    },
  ];
}

function equality(crypto: CryptoProvider): Operation {
  const a = systemRandom(32);
  const b = a.slice();
  return () => crypto.equal(a, b);
}

/** Processor time of this process, ms: what its neighbours do on a shared machine does not count. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Runs for one slice; the clock is read every few operations, so that cheap ones are not drowned by it. */
function slice(operation: Operation, batch: number): { operations: number; milliseconds: number } {
  const start = processorTime();
  let operations = 0;
  let milliseconds = 0;
  while (milliseconds < MILLISECONDS_PER_SLICE) {
    for (let i = 0; i < batch; i++) operation();
    operations += batch;
    milliseconds = processorTime() - start;
  }
  return { operations, milliseconds };
}

function operationsPerSecond(operations: readonly Operation[]): number[] {
  const totals = operations.map(() => ({ operations: 0, milliseconds: 0 }));
  for (const operation of operations) slice(operation, 1); // warm-up
  for (let i = 0; i < SLICES; i++) {
    operations.forEach((operation, j) => {
      const measured = slice(operation, 10);
      totals[j]!.operations += measured.operations;
      totals[j]!.milliseconds += measured.milliseconds;
    });
  }
  return totals.map((total) => (1000 * total.operations) / total.milliseconds);
}

function format(rate: number): string {
  return Math.round(rate).toLocaleString('en').padStart(12);
}

const providers = [nobleCrypto(), nodeCrypto()];
console.log(
  `${`operations per second, ${process.version}`.padEnd(40)}${providers.map(({ name }) => name.padStart(12)).join('')}       ratio`,
);
for (const row of ROWS) {
  const rates = operationsPerSecond(providers.map((crypto) => row.prepare(crypto)));
  const ratio = (rates[1]! / rates[0]!).toFixed(1);
  console.log(`${row.name.padEnd(40)}${rates.map(format).join('')}${ratio.padStart(12)}`);
}
