/**
 * The public-keys provider of NES over HTTP: what the genuine one was asked and what it answered (packages/nes/vectors), byte for byte but
 * for what is said here to differ; and what it lacks. Mails go into a list.
 */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Mail, MailError, type Mailer } from '@sealwire/mail/port';
import { generateKeys, type KeyPair, parsePrivateKey, publicKeyText } from '@sealwire/nes/keys';
import { decodeAnswer } from '@sealwire/nes/provider-answer';
import type { Username } from '@sealwire/nes/username';
import type { DirectorySettings } from '../settings.ts';
import { type Fixture, startFixture } from '../testing/fixture.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../packages/nes/vectors/${name}.json`, import.meta.url), 'utf8'));
const DAY_MS = 24 * 60 * 60_000;
const providerKey = parsePrivateKey(read('keys').server.private);
const vectors = read('provider');
const [alice, bob] = vectors.registrations.map((one: { request_body: string }) => JSON.parse(one.request_body));
let fixture: Fixture;
let mails: Mail[];
afterEach(() => fixture.close());

async function start(settings: Partial<DirectorySettings> = {}, send: (mail: Mail) => void = () => {}): Promise<void> {
  mails = [];
  const mailer: Mailer = {
    async send(mail) {
      send(mail);
      mails.push(mail);
    },
    close: async () => undefined,
  };
  fixture = await startFixture({ NES_PROVIDER: 'on', ...settings }, { nes: { key: providerKey, mailer } });
}

async function call(method: string, path: string, body?: string) {
  const response = await fetch(fixture.listening.url + path, { method, ...(body !== undefined && { body }) });
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: await response.text(), headers: response.headers };
}
const register = (fields: unknown) => call('POST', '/users', JSON.stringify(fields));
/** Page, activation and deletion, as paths. */
const linksIn = ({ text }: Mail) => {
  const [activation, page, deletion] = [...text.matchAll(/https:\/\/chat\.example\.org(\S+)/g)].map(
    ([, path]) => path!,
  );
  return { page: page!, activation: activation!, deletion: deletion! };
};
async function activate(fields: unknown) {
  expect(await register(fields)).toMatchObject({ status: 201, type: null, body: '' });
  const links = linksIn(mails.at(-1)!);
  expect(await call('GET', links.activation)).toMatchObject({ status: 200, body: 'user activated\n' });
  return links;
}

interface Vector {
  readonly why: string;
  readonly method: string;
  readonly path: string;
  readonly request_body?: string;
  readonly status: number | null;
  readonly content_type?: string;
  readonly response_body: string;
}

/** The genuine provider shows its ASN.1 parser’s words, or closes the connection. */
const OURS: Record<string, Partial<Vector>> = {
  'key is PEM, not a key': { response_body: 'decode key error\n' },
  'key is Ed25519: no answer at all, the connection is closed': {
    status: 400,
    content_type: 'text/plain; charset=utf-8',
    response_body: 'decode key error\n',
  },
};

describe('the public-keys provider of NES', () => {
  it.each((vectors.refusals as Vector[]).map((one) => [one.why, one] as const))(
    'refuses as the genuine one: %s',
    async (why, vector) => {
      await start();
      await activate(alice);
      await register(bob);
      const wanted = { ...vector, ...OURS[why] };
      const answer = await call(vector.method, vector.path, vector.request_body);
      expect([answer.status, answer.type, answer.body]).toEqual([
        wanted.status,
        wanted.content_type ?? null,
        wanted.response_body,
      ]);
    },
  );

  it('answers links as the genuine one: each does its one thing, once', async () => {
    await start();
    await register(alice);
    const { page, activation, deletion } = linksIn(mails[0]!);
    expect(page).toBe('/users/alice');
    const paths = [deletion, `${activation}x`, activation, activation, deletion, deletion];
    for (const [i, path] of paths.entries()) {
      const { status, content_type, response_body } = vectors.tokens[i];
      const answer = await call('GET', path);
      expect([answer.status, answer.type, answer.body]).toEqual([status, content_type, response_body]);
    }
    expect(await register(alice)).toMatchObject({ status: 201 });
  });

  it('answers with the keys that were registered, who they belong to and until when, signed', async () => {
    await start();
    await activate({ ...alice, public_key_sign: alice.public_key_sign.replaceAll('\n', '\r\n') });
    const { status, type, body } = await call('GET', '/users/alice');
    expect([status, type]).toEqual([200, 'application/json']);
    const [genuine] = vectors.answers as Vector[];
    // The genuine answer, with ours after its two fields.
    const inCommon = genuine!.response_body.slice(0, genuine!.response_body.indexOf('},"signature":'));
    expect(body.slice(0, inCommon.length)).toBe(inCommon);
    expect(body.endsWith('"}\n')).toBe(true);
    const asked = { username: 'alice' as Username, providerKey: providerKey.publicKey, namesUser: true };
    const { now } = fixture.clock;
    const { messageKey } = decodeAnswer(Buffer.from(body), { ...asked, now });
    expect(publicKeyText(messageKey)).toBe(alice.public_key_message);
    expect(() => decodeAnswer(Buffer.from(body), { ...asked, now: now + 3_601_000 })).toThrow('too old');
    expect(() => decodeAnswer(Buffer.from(body), { ...asked, now, username: 'bob' as Username })).toThrow('not about');
  });

  it('T144: ends an activation after a day, says so for another, and gives the name to somebody else', async () => {
    await start();
    await register(alice);
    const { activation, deletion } = linksIn(mails[0]!);
    fixture.clock.now += DAY_MS;
    expect(await call('GET', activation)).toMatchObject({ status: 410, body: 'activation link expired\n' });
    expect(await call('GET', '/users/alice')).toMatchObject({ status: 404 });
    await activate({ ...alice, email: 'other@mail.example' });
    for (const link of [activation, deletion]) expect(await call('GET', link)).toMatchObject({ status: 404 });
    expect(await call('GET', '/users/alice')).toMatchObject({ status: 200 });
  });

  it('T145: keeps no token and no mail address, and logs neither', async () => {
    await start();
    const { activation, deletion } = await activate(alice);
    const kept = JSON.stringify(await fixture.store.nesUsers.find('alice'));
    for (const secret of ['alice@mail', activation.slice(-44), deletion.slice(-44)])
      expect(kept + fixture.log.join()).not.toContain(secret);
    expect(activation.slice(-44)).toMatch(/^[\w-]{43}=$/);
  });

  it('T146: floods nobody: mails are counted by who asks and by whom they are for, requests by who asks', async () => {
    await start({ MAILS_PER_ADDRESS: 3, MAILS_PER_RECIPIENT: 2 });
    const ask = (username: string, email: string) => register({ ...alice, username, email });
    expect(await ask('one', 'a@b')).toMatchObject({ status: 201 });
    expect(await ask('two', 'A@b')).toMatchObject({ status: 201 });
    const refused = await ask('three', 'a@B');
    expect(refused).toMatchObject({ status: 429, type: 'text/plain; charset=utf-8' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await ask('four', 'c@d')).toMatchObject({ status: 429 });
    expect(mails).toHaveLength(2);
    // Who got no mail has no name either.
    expect(await fixture.store.nesUsers.find('three')).toBeUndefined();
    await fixture.close();
    await start({ NES_REQUESTS_PER_ADDRESS: 2 });
    expect([(await call('GET', '/users/x')).status, (await call('PUT', '/users')).status]).toEqual([404, 405]);
    expect((await call('GET', '/users/alice')).status).toBe(429);
  });

  it.each([
    ['refused', 400, 'the mail server takes no mail for this address\n'],
    ['unavailable', 503, 'no mail can be sent now: try again later\n'],
  ] as const)('says when a mail is %s, and keeps no name for it', async (kind, status, body) => {
    await start({}, () => {
      throw new MailError(kind, 'no');
    });
    expect(await register(alice)).toMatchObject({ status, body });
    expect(await fixture.store.nesUsers.find('alice')).toBeUndefined();
  });

  it('T147: does nothing for a program that only looks whether a link is good', async () => {
    await start();
    await register(alice);
    const { activation } = linksIn(mails[0]!);
    for (const method of ['HEAD', 'OPTIONS', 'POST'])
      expect(await call(method, activation)).toMatchObject({ status: 405 });
    expect(await call('GET', '/users/alice')).toMatchObject({ status: 404 });
    expect(await call('GET', activation)).toMatchObject({ status: 200 });
  });

  describe('with keys of all sizes', () => {
    let small: KeyPair;
    beforeAll(() => {
      small = parsePrivateKey(read('keys').users.user1024.message.private);
    });

    it('refuses the weak ones and says why, takes the large, and refuses one key for both', async () => {
      await start();
      const weak = publicKeyText(small.publicKey);
      expect(await register({ ...alice, public_key_sign: weak })).toMatchObject({
        status: 400,
        body: 'a key of 1024 bits: 2048 to 8192 are taken\n',
      });
      const large = publicKeyText((await generateKeys(4_096)).publicKey);
      expect(await register({ ...alice, public_key_sign: large })).toMatchObject({ status: 201 });
      const same = { ...bob, public_key_sign: bob.public_key_message.replaceAll('\n', '\r\n') };
      expect(await register(same)).toMatchObject({ status: 400, body: 'both public keys are identical\n' });
    });
  });

  it.each([
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['a number', '7', 400],
    ['nothing', '', 400],
    ['bytes that are no UTF-8', '{"username":"\ud800"', 400],
    ['names of objects', '{"__proto__":{"username":"alice"},"constructor":1}', 400],
    ['a name that is no text', '{"username":["alice"]}', 400],
    ['too much', JSON.stringify({ username: 'x'.repeat(20_000) }), 413],
  ])('refuses %s in one line', async (_what, body, status) => {
    await start();
    const answer = await call('POST', '/users', body);
    expect(answer).toMatchObject({ status, type: 'text/plain; charset=utf-8' });
    expect(answer.body).toMatch(/^[^\n]+\n$/);
  });

  it.each(['/users/alice/', '/users/', '/users/a%6cice', '/users/alice/x/y', '/users?x=1'])(
    'has nothing at %s',
    async (path) => {
      await start();
      await activate(alice);
      expect([404, 405]).toContain((await call('GET', path)).status);
    },
  );

  it('is not there where nobody switched it on', async () => {
    fixture = await startFixture();
    expect(await call('GET', '/users/alice')).toMatchObject({
      status: 404,
      type: 'application/problem+json; charset=utf-8',
    });
  });
});
