/**
 * Frames and answers that the genuine client and provider made or were given (vectors/README.md): all of theirs are read, ours are byte for
 * byte as theirs where nothing is random, and of the hostile ones only those are shown that the table of docs/spec/nes.md section 2 lets pass.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { decodeBase64 } from './base64.ts';
import { NesError } from './errors.ts';
import { decodeFrame } from './frame.ts';
import { goJson } from './go-json.ts';
import { type KeyPair, parsePrivateKey, parsePublicKey, privateKeyText, publicKeyText } from './keys.ts';
import { openMessage, sealMessage } from './message.ts';
import { encrypt, unwrap } from './primitives.ts';
import { decodeAnswer } from './provider-answer.ts';
import { ReplayMemory } from './replay-memory.ts';
import { isUsername, topicOf, type Username } from './username.ts';

interface PemPair {
  readonly private: string;
  readonly public: string;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
const keys: { users: Record<string, { message: PemPair; sign: PemPair }>; server: PemPair } = read('keys');
const utf8 = (text: string) => new TextEncoder().encode(text);
const zeros = (length: number) => new Uint8Array(length);
const pairOf = (user: string, kind: 'message' | 'sign'): KeyPair => parsePrivateKey(keys.users[user]![kind].private);
const provider = parsePrivateKey(keys.server.private);

async function signKeyOf(username: Username) {
  const user = keys.users[username];
  if (!user) throw new NesError('unknown-sender', `the provider knows no ${username}`);
  return parsePublicKey(user.sign.public);
}

function open(payload: Uint8Array, me: string, now: number, replays = new ReplayMemory()) {
  const messageKey = pairOf(me, 'message').privateKey;
  return openMessage(payload, { me: me as Username, messageKey, signKeyOf, replays, random: zeros, now });
}

describe('keys', () => {
  const all = [...Object.values(keys.users).flatMap(({ message, sign }) => [message, sign]), keys.server];
  it.each(all.map((pair, i) => [i, pair] as const))('%i: read, and written as they were', (_i, pair) => {
    const { privateKey, publicKey } = parsePrivateKey(pair.private);
    expect(publicKeyText(publicKey)).toBe(pair.public);
    expect(privateKeyText(privateKey)).toBe(pair.private);
    expect(publicKeyText(parsePublicKey(pair.public.replaceAll('\n', '\r\n')))).toBe(pair.public);
  });
});

interface Published {
  readonly name: string;
  readonly from: Username;
  readonly to: Username;
  readonly topic: string;
  readonly payload: string;
  readonly key_and_iv_hex: string;
  readonly plaintext: string;
  readonly message: string;
}

describe.each((read('messages').messages as Published[]).map((each) => [each.name, each] as const))(
  '%s',
  (_name, m) => {
    const payload = utf8(m.payload);
    const { timestamp } = JSON.parse(m.plaintext) as { timestamp: number };
    const fields = { from: m.from, to: m.to, timestamp, message: m.message };

    it('is read', async () => {
      expect(m.topic).toBe(topicOf(m.to));
      expect(await open(payload, m.to, timestamp)).toMatchObject({ ...fields, isFarInTime: false });
    });

    it('is made by us byte for byte, but for what is random', () => {
      const messageKey = pairOf(m.to, 'message');
      const key = new Uint8Array(Buffer.from(m.key_and_iv_hex, 'hex'));
      const { ciphertext, cipherkey } = decodeFrame(payload);
      expect(goJson({ ...fields })).toBe(m.plaintext);
      expect(encrypt(key, utf8(m.plaintext))).toEqual(ciphertext);
      expect(unwrap(messageKey.privateKey, cipherkey, zeros(48))).toEqual(key);
      const signKey = pairOf(m.from, 'sign').privateKey;
      const ours = sealMessage(fields, { messageKey: messageKey.publicKey, signKey, random: () => key });
      const shape = (text: string) => text.replace(/"(cipherkey|signature)":"[^"]*"/g, '"$1":""');
      expect(shape(Buffer.from(ours).toString())).toBe(shape(m.payload));
      expect(ours.length).toBe(payload.length);
    });

    it('sealed by us is opened again', async () => {
      const [messageKey, signKey] = [pairOf(m.to, 'message').publicKey, pairOf(m.from, 'sign').privateKey];
      const ours = sealMessage(fields, { messageKey, signKey, random: (length) => new Uint8Array(length).fill(7) });
      expect(await open(ours, m.to, timestamp)).toMatchObject({ ...fields, isFarInTime: false });
    });
  },
);

describe('a hostile or odd frame', () => {
  const { frames } = read('behaviour') as { frames: Record<string, { payloads?: (string | { hex: string })[] }> };
  /** What the genuine client shows and we do, too. Everything else is refused, with this code. */
  const shown = [
    'good',
    'replay of good',
    'extra frame field',
    'field names in capitals',
    'frame with white space and other order',
    'base64 with line ends inside',
    'timestamp in the past',
    'timestamp future',
    'plaintext extra field, other order, spaces',
    'message with ANSI escape',
    'salt 32',
    'salt 0',
    'salt max',
    'message 200 KiB',
  ];
  const codes: Record<string, string> = {
    'not json': 'bad-frame',
    'json without fields': 'bad-frame',
    array: 'bad-frame',
    'base64 without padding': 'bad-frame',
    'base64 standard alphabet': 'bad-frame',
    'ciphertext empty': 'bad-frame',
    'ciphertext 15 bytes': 'bad-frame',
    'signature empty': 'bad-frame',
    'signature not base64': 'bad-frame',
    'bad signature': 'bad-signature',
    'signed by another': 'bad-signature',
    'to is somebody else': 'wrong-recipient',
    'to missing': 'wrong-recipient',
    'from unknown': 'unknown-sender',
  };

  it.each(Object.entries(frames).filter(([, { payloads }]) => payloads?.length))('%s', async (name, { payloads }) => {
    const replays = new ReplayMemory();
    const outcomes = [];
    for (const payload of payloads!) {
      const bytes = typeof payload === 'string' ? utf8(payload) : new Uint8Array(Buffer.from(payload.hex, 'hex'));
      outcomes.push(await open(bytes, 'bob', 1_795_867_200_000, replays).catch((error: unknown) => error));
    }
    if (shown.includes(name)) expect(outcomes[0]).toMatchObject({ from: 'alice', to: 'bob' });
    else expect(outcomes[0]).toMatchObject({ name: 'NesError', code: codes[name] ?? 'unreadable' });
    for (const again of outcomes.slice(1)) expect(again).toMatchObject({ code: 'replayed' });
    if (/past|future/.test(name)) expect(outcomes[0]).toMatchObject({ isFarInTime: true });
  });
});

describe('an answer of the provider', () => {
  interface Answer {
    readonly status: number;
    readonly path: string;
    readonly response_body: string;
    readonly signed_text?: string;
  }
  const answers = (read('provider').answers as Answer[]).filter(({ status }) => status === 200);
  it.each(answers.map((answer) => [answer.path, answer] as const))('%s is read', (path, { response_body }) => {
    const username = path.split('/')[2] as Username;
    const asked = { username, providerKey: provider.publicKey, now: 0 };
    const { messageKey, signKey } = decodeAnswer(utf8(response_body), { ...asked, namesUser: false });
    expect(publicKeyText(messageKey)).toBe(keys.users[username]!.message.public);
    expect(publicKeyText(signKey)).toBe(keys.users[username]!.sign.public);
    expect(() => decodeAnswer(utf8(response_body), { ...asked, namesUser: true })).toThrow('not about the user');
  });
});

it('every name of the vectors is one', () => {
  expect(Object.keys(keys.users).every(isUsername)).toBe(true);
  expect(decodeBase64('AA==')).toEqual(Uint8Array.of(0));
});
