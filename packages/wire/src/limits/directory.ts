/** Keys, manifests and other bodies of HTTP: rows of `LIMITS`. */
import { KiB, type Limit, MiB } from './limit.ts';

export const DIRECTORY = {
  prekeysPerDevice: {
    value: 200,
    unit: 'keys',
    why: 'held, and in one request, as LIME servers have it; liblime needs at least its low limit and one batch: 125',
  },
  bundlesPerRequest: { value: 500, unit: 'devices', why: 'one key request of a large group' },
  limeBodyBytes: {
    value: 320 * KiB,
    unit: 'bytes',
    why: 'a registration with 200 one-time prekeys of the largest suite, 327,404 bytes; lime-protocol section 15 asks for 64 KB',
  },
  limeAnswerBytes: {
    value: 2 * MiB,
    unit: 'bytes',
    why: 'an answer to one key request of a large group: 500 bundles of the largest suite, 1.9 MB',
  },
  manifestBytes: { value: 16 * KiB, unit: 'bytes', why: 'ten devices with room to grow' },
  accountCertificateBytes: {
    value: 1 * KiB,
    unit: 'bytes',
    why: 'the longest address, a key and a signature, with room to grow',
  },
  manifestPage: { value: 100, unit: 'entries', why: 'one page of a manifest history' },
  manifestPageBytes: {
    value: 2_304 * KiB,
    unit: 'bytes',
    why: 'the same in bytes: a hundred manifests of full size with their signatures, as base64url',
  },
  jsonBodyBytes: { value: 64 * KiB, unit: 'bytes', why: 'the largest API body is a manifest' },
  bundleFetchesPerPair: {
    value: 6,
    unit: 'requests',
    why: 'per requesting and requested device and suite in ten minutes, for an account twice as many in an hour: no drain of one-time keys by one caller',
  },
  bundleFetchesPerTarget: {
    value: 60,
    unit: 'requests',
    why: 'per requested device and suite in an hour, the last half for who had none: no drain by many callers',
  },
} as const satisfies Record<string, Limit>;
