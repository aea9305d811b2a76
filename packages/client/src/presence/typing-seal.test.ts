/** What a sealed word on typing is bound to: docs/spec/presence.md section 4. */
import { expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { decodeEnvelope, encodeEnvelope } from '@sealwire/wire/envelope';
import { ALICE, BOB, CAROL, deviceOf } from '../testing/chain-world.ts';
import { openTyping, sealTyping } from './typing-seal.ts';

const crypto = nodeCrypto();
const key = new Uint8Array(32).fill(5);
const desk = deviceOf('alice', 1);
const seal = (typing: boolean, at = 1_800_000_000_000) =>
  sealTyping({ crypto, random: seededRandom(3) }, key, desk, BOB, { typing, at });

it('is opened by who has the key, as it was said', () => {
  for (const typing of [true, false])
    expect(openTyping(crypto, seal(typing), desk, () => key)).toEqual({
      typing,
      at: 1_800_000_000_000,
      recipientUser: BOB,
    });
});

it('T177: is bound to its device, its conversation and its key, whoever else has the same one', () => {
  const body = seal(true);
  const moved = encodeEnvelope({ ...decodeEnvelope(body), recipientUser: CAROL });
  const renamed = encodeEnvelope({ ...decodeEnvelope(body), engine: 'lime' });
  expect(openTyping(crypto, body, deviceOf('alice', 2), () => key)).toBeUndefined();
  expect(openTyping(crypto, moved, desk, () => key)).toBeUndefined();
  expect(openTyping(crypto, renamed, desk, () => key)).toBeUndefined();
  expect(openTyping(crypto, body, desk, () => new Uint8Array(32))).toBeUndefined();
  expect(openTyping(crypto, body, desk, () => undefined)).toBeUndefined();
});

it('is of one size, and what is no envelope, too short or of another length is nothing', () => {
  expect(seal(true).length).toBe(seal(false, 1).length);
  const empty = { engine: 'typing', recipientUser: ALICE } as const;
  const sealed = crypto.aes256gcm.seal(
    key,
    new Uint8Array(12),
    new Uint8Array(8),
    new TextEncoder().encode(`sealwire/typing/v1\0${desk}\0${ALICE}`),
  );
  for (const body of [
    Uint8Array.of(1, 2, 3),
    encodeEnvelope({ ...empty, cipherMessage: new Uint8Array(0) }),
    encodeEnvelope({ ...empty, cipherMessage: new Uint8Array(11) }),
    encodeEnvelope({ ...empty, cipherMessage: Uint8Array.from([...new Uint8Array(12), ...sealed]) }),
  ])
    expect(openTyping(crypto, body, desk, () => key)).toBeUndefined();
});
