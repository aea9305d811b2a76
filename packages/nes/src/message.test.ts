/** What the vectors leave open: every byte of a frame counts, a wrapped key betrays nothing, and JSON is Go's whatever is in it. */
import { constants, publicEncrypt } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NesError } from './errors.ts';
import { decodeFrame, encodeFrame, FRAME_BYTES } from './frame.ts';
import { goJson } from './go-json.ts';
import { generateKeys, type KeyPair } from './keys.ts';
import { type OpeningOptions, openMessage, sealMessage } from './message.ts';
import { encrypt, KEY_BYTES, wrap } from './primitives.ts';
import { messageIdOf, ReplayMemory } from './replay-memory.ts';
import { modulusBytes, sign } from './signature.ts';
import { unwrapKey } from './unpadding.ts';
import type { Username } from './username.ts';

const [alice, bob] = ['alice', 'bob'] as Username[];
const NOW = 1_800_000_000_000;
const message = { from: alice!, to: bob!, timestamp: NOW, message: 'hello' };
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
let messageKeys: KeyPair;
let signKeys: KeyPair;

beforeAll(async () => {
  [messageKeys, signKeys] = [await generateKeys(), await generateKeys()];
});

const seal = (fields = message) =>
  sealMessage(fields, { messageKey: messageKeys.publicKey, signKey: signKeys.privateKey, random });

function open(frame: Uint8Array, options: Partial<OpeningOptions> = {}) {
  const signKeyOf = async () => signKeys.publicKey;
  const messageKey = messageKeys.privateKey;
  return openMessage(frame, {
    me: bob!,
    messageKey,
    signKeyOf,
    replays: new ReplayMemory(),
    random,
    now: NOW,
    ...options,
  });
}

/** A frame of anything that alice signed. */
function sealText(plaintext: string): Uint8Array {
  const key = random(KEY_BYTES);
  const bytes = new TextEncoder().encode(plaintext);
  return encodeFrame({
    cipherkey: wrap(messageKeys.publicKey, key),
    ciphertext: encrypt(key, bytes),
    signature: sign(signKeys.privateKey, bytes),
  });
}

describe('a frame', () => {
  it('of which any bit was changed is refused, and nobody is asked before it was read', async () => {
    const parts = decodeFrame(seal());
    const name = fc.constantFrom('cipherkey', 'ciphertext', 'signature');
    await fc.assert(
      fc.asyncProperty(name, fc.nat(), fc.integer({ min: 0, max: 7 }), async (part, at, bit) => {
        const changed = parts[part].slice();
        changed[at % changed.length]! ^= 1 << bit;
        const asked: string[] = [];
        const signKeyOf = async (user: Username) => {
          asked.push(user);
          return signKeys.publicKey;
        };
        const outcome = open(encodeFrame({ ...parts, [part]: changed }), { signKeyOf });
        const code = part === 'signature' ? 'bad-signature' : 'unreadable';
        // A changed ciphertext may still be JSON with another text: then the signature refuses it.
        await expect(outcome).rejects.toMatchObject({ code: expect.stringMatching(`${code}|bad-signature`) });
        if (part === 'cipherkey') expect(asked).toEqual([]);
      }),
    );
  });

  it('whose wrapped key is not below the modulus is as unreadable as any', async () => {
    const parts = decodeFrame(seal());
    const cipherkey = new Uint8Array(modulusBytes(messageKeys.publicKey)).fill(0xff);
    await expect(open(encodeFrame({ ...parts, cipherkey }))).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('is bounded before it is parsed', async () => {
    await expect(open(new Uint8Array(FRAME_BYTES + 1))).rejects.toMatchObject({ code: 'bad-frame' });
  });

  it('of a user whom the provider does not know is refused with its error', async () => {
    const unknown = new NesError('unknown-sender', 'nobody');
    await expect(open(seal(), { signKeyOf: () => Promise.reject(unknown) })).rejects.toBe(unknown);
  });

  it.each(['alice/../alice', 'alice?x=1', 'Alice', 'al', '', 'a'.repeat(33)])(
    'from %j makes no request',
    async (from) => {
      const signKeyOf = () => Promise.reject(new Error('asked'));
      const frame = sealText(JSON.stringify({ ...message, from }));
      await expect(open(frame, { signKeyOf })).rejects.toMatchObject({ code: 'unreadable' });
    },
  );

  it('that comes again is shown once, a copy for another not at all', async () => {
    const replays = new ReplayMemory();
    const frame = seal();
    expect(await open(frame, { replays })).toMatchObject({ message: 'hello' });
    await expect(open(frame, { replays })).rejects.toMatchObject({ code: 'replayed' });
    await expect(open(seal({ ...message, to: alice! }))).rejects.toMatchObject({ code: 'wrong-recipient' });
  });
});

describe('the memory of what was shown', () => {
  const signature = (number: number) => messageIdOf(Uint8Array.of(number));

  it('keeps the newest of each sender, and senders who write often drive out no other', () => {
    const memory = new ReplayMemory(3);
    expect([1, 2, 3, 4].map((n) => memory.isNew(alice!, signature(n)))).toEqual([true, true, true, true]);
    expect(memory.isNew(bob!, signature(1))).toBe(true);
    expect([2, 3, 4].map((n) => memory.isNew(alice!, signature(n)))).toEqual([false, false, false]);
    expect(memory.isNew(alice!, signature(1))).toBe(true);
    expect(memory.isNew(bob!, signature(1))).toBe(false);
  });
});

describe('a wrapped key', () => {
  const instead = new Uint8Array(KEY_BYTES).fill(0xee);
  const key = Uint8Array.from({ length: KEY_BYTES }, (_, i) => i);
  const block = () => {
    const made = new Uint8Array(256).fill(0x55);
    made.set([0, 2]);
    made[256 - KEY_BYTES - 1] = 0;
    made.set(key, 256 - KEY_BYTES);
    return made;
  };

  it('is given when its padding is right', () => {
    expect(unwrapKey(block(), instead)).toEqual(key);
  });

  it.each<[string, (made: Uint8Array) => unknown]>([
    ['begins with another byte', (made) => made.set([1], 0)],
    ['is of another type', (made) => made.set([1], 1)],
    ['is a shorter key', (made) => made.set([9, ...new Uint8Array(20)], 256 - KEY_BYTES - 1)],
    ['is a longer key', (made) => made.set([0], 200)],
    ['has no padding', (made) => made.set([0], 2)],
    ['has too little padding', (made) => made.set([0], 9)],
    ['is all zeros', (made) => made.fill(0)],
  ])('is the other one when the block %s', (_what, change) => {
    const made = block();
    change(made);
    expect(unwrapKey(made, instead)).toEqual(instead);
  });

  it('looks at every byte of the block once and in the same order, whatever they are', () => {
    const traced = (bytes: Uint8Array) => {
      const read: string[] = [];
      // Of the other key, too: who reads it only in the place of a bad one tells which it was.
      const watched = (of: string, watchedBytes: Uint8Array) =>
        new Proxy(watchedBytes, {
          get: (target, name) => {
            if (typeof name === 'string' && name !== 'length') read.push(`${of} ${name}`);
            return Reflect.get(target, name, target);
          },
        });
      unwrapKey(watched('block', bytes), watched('instead', instead));
      return read;
    };
    const good = traced(block());
    expect(new Set(good).size).toBe(256 + KEY_BYTES);
    expect(good).toHaveLength(256 + KEY_BYTES);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 256, maxLength: 256 }), (bytes) => {
        expect(traced(bytes)).toEqual(good);
      }),
    );
  });
});

/** What a network, a clock of another process or a provider could see of the reading of a frame: calls and words. */
it('a key that was wrapped wrong in any way is read with the same calls and refused in the same words as a wrong one', async () => {
  const parts = decodeFrame(seal());
  const { publicKey } = messageKeys;
  const raw = (change: (made: Uint8Array) => void) => {
    const made = new Uint8Array(modulusBytes(publicKey)).fill(0x55);
    made.set([0, 2]);
    made[made.length - KEY_BYTES - 1] = 0;
    change(made);
    return new Uint8Array(publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, made));
  };
  const wrapped: Record<string, Uint8Array> = {
    'well, another key': wrap(publicKey, random(KEY_BYTES)),
    'a key of 47 bytes': wrap(publicKey, random(KEY_BYTES - 1)),
    'a key of 49 bytes': wrap(publicKey, random(KEY_BYTES + 1)),
    'of type 1': raw((made) => made.set([1], 1)),
    'with a first byte': raw((made) => made.set([1], 0)),
    'without an end of the padding': raw((made) => made.set([0x55], made.length - KEY_BYTES - 1)),
    'with a zero in the padding': raw((made) => made.set([0], 9)),
    'all zeros': new Uint8Array(modulusBytes(publicKey)),
    'not below the modulus': new Uint8Array(modulusBytes(publicKey)).fill(0xff),
    noise: raw((made) => made.set(random(100), 50)),
  };
  const seen = new Set<string>();
  for (const cipherkey of Object.values(wrapped)) {
    const calls: string[] = [];
    const watched = (length: number) => {
      calls.push(`random ${length}`);
      return random(length);
    };
    const signKeyOf = async () => {
      calls.push('asked');
      return signKeys.publicKey;
    };
    const error = await open(encodeFrame({ ...parts, cipherkey }), { random: watched, signKeyOf }).catch((e) => e);
    seen.add(JSON.stringify([calls, error.code, error.message, String(error.cause)]));
  }
  expect([...seen]).toEqual([expect.stringMatching(/^\[\["random 48"\],"unreadable","[^"]+","undefined"\]$/)]);
});

it('JSON is what every reader takes it for, and has no character that Go escapes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = goJson({ text });
      expect(JSON.parse(json)).toEqual({ text });
      expect(json).not.toMatch(/[<>&\u2028\u2029]/);
    }),
  );
  expect(goJson({ text: '\b\f\\b <' })).toBe('{"text":"\\u0008\\u000c\\\\b \\u003c"}');
});
