/** Signed answers of a key directory, one by one. */
import { beforeEach, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { answerSigningInput, formatAnswerSignature, type SignedExchange } from '@sealwire/wire/answer-signature';
import { Alarms } from '../accounts/alarms.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { DirectorySignatures } from './directory-signatures.ts';

const crypto = nodeCrypto();
const seed = new Uint8Array(32).fill(3);
const MINUTE = 60_000;
const exchange: SignedExchange = {
  subject: 'lime',
  request: Uint8Array.of(1, 2),
  answer: Uint8Array.of(3),
  kind: 'found',
};
let signatures: DirectorySignatures;

beforeEach(async () => {
  const ledger = await Ledger.open(new MemoryStorage());
  signatures = new DirectorySignatures({ ledger, crypto, alarms: new Alarms() });
});

function headers(time: number, of = exchange, by = seed): Headers {
  const signature = crypto.ed25519.sign(
    by,
    answerSigningInput((bytes) => crypto.sha256(bytes), of, time),
  );
  const key = crypto.ed25519.publicKey(by);
  return new Headers({ 'sealwire-signature': formatAnswerSignature({ key, time, signature }) });
}

it('T169: an answer that was recorded is not shown again later; clocks of two nodes may differ by five minutes', async () => {
  await signatures.check(exchange, headers(60 * MINUTE));
  await signatures.check(exchange, headers(55 * MINUTE));
  await expect(signatures.check(exchange, headers(55 * MINUTE - 1))).rejects.toMatchObject({
    code: 'directory-forged',
  });
});

it('T169: no byte passes from the question to the answer, or from one question to another', async () => {
  for (const other of [
    { ...exchange, subject: 'limes' },
    { ...exchange, request: Uint8Array.of(1), answer: Uint8Array.of(2, 3) },
    { ...exchange, request: Uint8Array.of(1, 2, 3), answer: new Uint8Array(0) },
    { ...exchange, kind: 'none' as const },
  ])
    await expect(signatures.check(other, headers(1))).rejects.toMatchObject({ code: 'directory-forged' });
});

it('a server that signs nothing is believed until it has signed once; a bad signature pins nothing', async () => {
  await signatures.check(exchange, new Headers());
  const bad = headers(1, { ...exchange, subject: 'x' });
  await expect(signatures.check(exchange, bad)).rejects.toMatchObject({ code: 'directory-forged' });
  expect(signatures.pinned()).toBeUndefined();
  await signatures.check(exchange, headers(1));
  await expect(signatures.check(exchange, new Headers())).rejects.toMatchObject({ code: 'directory-unsigned' });
});

it('another key is told, accepted by the user alone, and forgotten when the first one is back', async () => {
  const other = new Uint8Array(32).fill(4);
  await signatures.check(exchange, headers(1));
  const refused = { code: 'directory-key-changed' };
  await expect(signatures.check(exchange, headers(2, exchange, other))).rejects.toMatchObject(refused);
  await signatures.check(exchange, headers(3));
  await expect(signatures.accept()).rejects.toMatchObject({ code: 'not-found' });
  await expect(signatures.check(exchange, headers(4, exchange, other))).rejects.toMatchObject(refused);
  await signatures.accept();
  await signatures.check(exchange, headers(2, exchange, other));
  expect(signatures.pinned()).toEqual(crypto.ed25519.publicKey(other));
});
