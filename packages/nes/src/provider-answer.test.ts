/** Answers for which the genuine client was asked too (vectors/behaviour.json, provider_answers), and those of a provider of ours. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { encodeBase64 } from './base64.ts';
import { generateKeys, type KeyPair, publicKeyText } from './keys.ts';
import { type AskedFor, decodeAnswer, encodeAnswer } from './provider-answer.ts';
import { rawMember } from './raw-member.ts';
import { sign } from './signature.ts';
import type { Username } from './username.ts';

const alice = 'alice' as Username;
const times = { issued: 1_000, expires: 2_000 };
const utf8 = (text: string) => new TextEncoder().encode(text);
let provider: KeyPair;
let keys: { messageKey: KeyPair; signKey: KeyPair };
let texts: { public_key_message: string; public_key_sign: string };

beforeAll(async () => {
  [provider, keys] = [await generateKeys(), { messageKey: await generateKeys(), signKey: await generateKeys() }];
  const [message, signing] = [keys.messageKey.publicKey, keys.signKey.publicKey];
  texts = { public_key_message: publicKeyText(message), public_key_sign: publicKeyText(signing) };
});

const asked = (more: Partial<AskedFor> = {}): AskedFor => ({
  username: alice,
  providerKey: provider.publicKey,
  namesUser: false,
  now: 1_500_000,
  ...more,
});
const signed = (response: string) => `"${encodeBase64(sign(provider.privateKey, utf8(response)))}"`;
const ours = (username = alice) =>
  encodeAnswer(
    username,
    { messageKey: keys.messageKey.publicKey, signKey: keys.signKey.publicKey },
    times,
    provider.privateKey,
  );
const decode = (body: string, more?: Partial<AskedFor>) => decodeAnswer(utf8(body), asked(more));

function expectRead(body: string, more?: Partial<AskedFor>) {
  const { messageKey, signKey } = decode(body, more);
  expect(publicKeyText(messageKey)).toBe(texts.public_key_message);
  expect(publicKeyText(signKey)).toBe(texts.public_key_sign);
}

describe('an answer', () => {
  it.each<[string, () => string]>([
    ['as the provider does', () => JSON.stringify(texts)],
    ['with white space', () => JSON.stringify(texts, undefined, 2)],
    ['in another order', () => JSON.stringify(Object.fromEntries(Object.entries(texts).reverse()))],
    ['with further fields', () => JSON.stringify({ more: { '}': ['"', '\\"'] }, ...texts })],
    ['with escaped slashes', () => JSON.stringify(texts).replaceAll('/', '\\/')],
    ['with line ends of Windows', () => JSON.stringify(texts).replaceAll('\\n', '\\r\\n')],
  ])('%s is read, before its signature and after it', (_how, response) => {
    const text = response();
    expectRead(`{"response":${text},"signature":${signed(text)}}`);
    expectRead(` { "signature" : ${signed(text)} , "response" : ${text} } \n`);
  });

  it.each<[string, (response: string) => string]>([
    ['is signed over other bytes', (response) => `{"response":${response},"signature":${signed(`${response} `)}}`],
    ['is not signed', (response) => `{"response":${response}}`],
    ['has two responses', (r) => `{"response":${r},"response":${r},"signature":${signed(r)}}`],
    ['is a list', (response) => `[${response}]`],
    ['is null', () => 'null'],
    ['is signed nonsense', () => `{"response":7,"signature":${signed('7')}}`],
    ['has no keys', () => `{"response":{},"signature":${signed('{}')}}`],
    ['is not JSON', () => '{'],
    ['is endless', () => ' '.repeat(20_000)],
  ])('that %s is refused', (_how, body) => {
    expect(() => decode(body(JSON.stringify(texts)))).toThrow(expect.objectContaining({ code: 'bad-answer' }));
  });

  it('of ours is read by both kinds of client, and names user and time to those who ask for it', () => {
    expect(ours().endsWith('\n')).toBe(true);
    expectRead(ours());
    expectRead(ours(), { namesUser: true });
  });

  it('of ours about somebody else, or from another time, is refused', () => {
    const refused = (body: string, more: Partial<AskedFor>) =>
      expect(() => decode(body, { namesUser: true, ...more })).toThrow(expect.objectContaining({ code: 'bad-answer' }));
    refused(ours('mallory' as Username), {});
    refused(ours(), { now: 2_000_001 });
    const genuine = JSON.stringify(texts);
    refused(`{"response":${genuine},"signature":${signed(genuine)}}`, {});
  });
});

it.each([
  ['{"a":1,"response":{"x":[1,{"y":"]}"}]},"z":2}', '{"x":[1,{"y":"]}"}]}'],
  ['{ "response" : "te\\"xt" }', '"te\\"xt"'],
  ['{"response":-1.5e3}', '-1.5e3'],
  ['{"\\u0072esponse":true,"b":{"response":7}}', 'true'],
  ['{"responses":1}', undefined],
  ['[1]', undefined],
])('of %s the member is %s', (json, member) => {
  expect(rawMember(json, 'response')).toBe(member);
});
