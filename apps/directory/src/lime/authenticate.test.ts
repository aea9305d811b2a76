import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAppPasswordVault } from '@sealwire/access/app-password-vault';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { AccountAddress } from '@sealwire/wire/ids';
import { encodeRequest, LIME_CONTENT_TYPE, LIME_ERRORS, type LimeRequest } from '@sealwire/wire/lime-server';
import { enrol, testDevice } from '../testing/device.ts';
import {
  challengesIn,
  type DigestAnswer,
  type DigestChallenge,
  headerOf,
  parametersFor,
} from '../testing/digest-client.ts';
import { APP_PASSWORD_KEY, crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const alice = testDevice(crypto, 'alice');
const bob = testDevice(crypto, 'bob');
const PASSWORD = 'abcd-2345-efgh-6789-ijkm-npqr-stuv';
const body = encodeRequest({ kind: 'getSelfOneTimePrekeys', suite: 'c25519' });
const base = { 'content-type': LIME_CONTENT_TYPE, from: alice.id };

let fixture: Fixture;
afterEach(() => fixture.close());

async function start(...args: Parameters<typeof startFixture>) {
  fixture = await startFixture(...args);
  await enrol(fixture.store, alice);
  await enrol(fixture.store, bob);
}

async function givePassword(address: AccountAddress, password = PASSWORD, { md5 = false, id = 'one' } = {}) {
  const random = seededRandom(id);
  const domain = 'example.org';
  const vault = createAppPasswordVault({ crypto, random, key: APP_PASSWORD_KEY, domain, realm: domain, md5 });
  const verifier = vault.seal({ address, id }, password);
  await fixture.store.appPasswords.add(address, { id, name: id, createdAt: 1, verifier }, 20);
}

const ask = (headers: Record<string, string> = {}) => fixture.limeRaw(body, { ...base, ...headers });
const challengesOf = (answer: { headers: Headers }) => challengesIn(answer.headers.get('www-authenticate'));
const challenged = async (): Promise<DigestChallenge> => challengesOf(await ask())[0]!;
const me: DigestAnswer = { username: 'alice', password: PASSWORD };

/** Asks with these credentials; `change` on the parameters of the header. */
async function digest(
  challenge: DigestChallenge,
  answer: DigestAnswer = me,
  change: Readonly<Record<string, string | undefined>> = {},
  headers: Record<string, string> = {},
) {
  const parameters = Object.entries({ ...parametersFor(challenge, answer), ...change });
  const given = Object.fromEntries(parameters.filter((pair): pair is [string, string] => pair[1] !== undefined));
  return ask({ authorization: headerOf(given), ...headers });
}

describe('HTTP Digest on /lime', () => {
  beforeEach(async () => {
    await start();
    await givePassword(alice.address);
  });

  it('is offered with SHA-256 first, and Bearer beside it', async () => {
    const answer = await ask();
    expect(answer.status).toBe(401);
    const offered = answer.headers.get('www-authenticate')!;
    expect(offered).toMatch(
      /^Digest realm="example\.org", qop="auth", algorithm=SHA-256, nonce="[\w-]{46}", Bearer realm="example\.org"$/,
    );
  });

  it('a wrong token is told of both schemes too', async () => {
    const answer = await ask({ authorization: 'Bearer x.y.z' });
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Digest .*, Bearer realm="example\.org", error="invalid_token"$/,
    );
  });

  it.each(['alice', 'alice@example.org', 'sip:alice@example.org'])('takes the user %s', async (username) => {
    const answer = await digest(await challenged(), { ...me, username });
    expect([answer.status, answer.body[3]]).toEqual([200, LIME_ERRORS.userNotFound]);
  });

  it('takes qop in quotes, as some clients write it', async () => {
    expect((await digest(await challenged(), me, { qop: '"auth"' })).status).toBe(200);
  });

  it('takes a nonce again with a higher count, and asks for no other', async () => {
    const challenge = await challenged();
    for (const nc of [1, 2, 3]) expect((await digest(challenge, { ...me, nc })).status).toBe(200);
  });

  it('S70: the same header again is refused as stale, whatever the body', async () => {
    const challenge = await challenged();
    expect((await digest(challenge)).status).toBe(200);
    const authorization = headerOf(parametersFor(challenge, me));
    for (const other of [body, encodeRequest({ kind: 'deleteUser', suite: 'c25519' })]) {
      const replay = await fixture.limeRaw(other, { ...base, authorization });
      expect([replay.status, challengesOf(replay)[0]!.stale]).toEqual([401, true]);
    }
    expect((await digest(challenge, { ...me, nc: 2 })).status).toBe(200);
  });

  it('S70: the same header at another key directory of the same store is refused', async () => {
    const other = await startFixture({}, { store: fixture.store, random: seededRandom('other') });
    const challenge = await challenged();
    const authorization = headerOf(parametersFor(challenge, me));
    expect((await other.limeRaw(body, { ...base, authorization })).status).toBe(200);
    expect((await ask({ authorization })).status).toBe(401);
    expect((await digest(challenge, { ...me, nc: 2 })).status).toBe(401);
    await other.listening.close();
  });

  it('an ended nonce is stale, and the answer brings a fresh one', async () => {
    const challenge = await challenged();
    fixture.clock.now += 5 * 60_000 + 1;
    const stale = await digest(challenge);
    const [next] = challengesOf(stale);
    expect([stale.status, next!.stale]).toEqual([401, true]);
    expect((await digest(next!)).status).toBe(200);
  });

  it('a nonce that nobody here made is stale with the right password, and plainly wrong with another', async () => {
    const invented = { ...(await challenged()), nonce: 'A'.repeat(46) };
    expect(challengesOf(await digest(invented))[0]!.stale).toBe(true);
    expect(challengesOf(await digest(invented, { ...me, password: 'x' }))[0]!.stale).toBe(false);
  });

  it.each([
    ['a wrong password', { password: 'abcd' }],
    ['another user', { username: 'bob' }],
    ['a user who does not exist', { username: 'nobody' }],
    ['a user of another domain', { username: 'alice@example.com' }],
    ['a user that is none', { username: 'al ice' }],
    ['an empty password', { password: '' }],
    ['another method', { method: 'GET' }],
  ])('S76: %s → the same 401', async (_, wrong) => {
    const reference = await digest(await challenged(), { ...me, password: 'wrong' });
    const answer = await digest(await challenged(), { ...me, ...wrong });
    expect([answer.status, answer.body.toString()]).toEqual([401, reference.body.toString()]);
    const shape = (value: string | null) => value!.replace(/nonce="[^"]*"/g, 'nonce');
    const offered = [answer, reference].map(({ headers }) => shape(headers.get('www-authenticate')));
    expect(offered[0]).toBe(offered[1]);
  });

  it('S76: an unknown user costs as many comparisons as a known one with a wrong password', async () => {
    const opened = { count: 0 };
    const counting = {
      ...crypto,
      aes256gcm: {
        ...crypto.aes256gcm,
        open: (...args: Parameters<typeof crypto.aes256gcm.open>) => {
          opened.count++;
          return crypto.aes256gcm.open(...args);
        },
      },
    };
    await fixture.close();
    await start({}, { crypto: counting });
    await givePassword(alice.address);
    const counts = [];
    for (const username of ['alice', 'bob', 'nobody', 'nobody@example.com']) {
      opened.count = 0;
      await digest(await challenged(), { username, password: 'wrong' });
      counts.push(opened.count);
    }
    expect(counts).toEqual([20, 20, 20, 20]);
  });

  it.each([
    ['another uri', { uri: '"/lime/"' }],
    ['an absolute uri', { uri: '"http://127.0.0.1/lime"' }],
    ['a parameter twice', { username: '"alice", username="bob"' }],
    ['no form', { nonce: '"open' }],
    ['a hashed user', { userhash: 'true' }],
    ['a user in another charset', { 'username*': "UTF-8''alice" }],
  ])('%s → 400', async (_, change) => {
    expect((await digest(await challenged(), me, change)).status).toBe(400);
  });

  it('the uri has the query of the request, too', async () => {
    const challenge = await challenged();
    const post = (target: string, uri: string, nc: number) => {
      const headers = { ...base, authorization: headerOf(parametersFor(challenge, { ...me, uri, nc })) };
      return fetch(`${fixture.listening.url}${target}`, { method: 'POST', headers, body: Buffer.from(body) });
    };
    expect((await post('/lime?a=1', '/lime', 1)).status).toBe(400);
    expect((await post('/lime?a=1', '/lime?a=1', 1)).status).toBe(200);
  });

  it('at the root under a path of its own, the uri is that path with or without a slash', async () => {
    await fixture.close();
    await start({ LIME_PATH: '/', PUBLIC_ORIGIN: 'https://example.org/chat' });
    await givePassword(alice.address);
    const challenge = await challenged();
    let nc = 0;
    const post = async (uri: string, target = '/') => {
      nc += 1;
      const headers = { ...base, authorization: headerOf(parametersFor(challenge, { ...me, uri, nc })) };
      const init = { method: 'POST', headers, body: Buffer.from(body) };
      return (await fetch(`${fixture.listening.url}${target}`, init)).status;
    };
    expect([await post('/chat'), await post('/chat/'), await post('/chat?a=1', '/?a=1')]).toEqual([200, 200, 200]);
    expect([await post('/'), await post('/chatter'), await post('/chat//')]).toEqual([400, 400, 400]);
    expect([await post('/chat/lime', '/lime'), await post('/chatlime', '/lime')]).toEqual([200, 400]);
  });

  it.each([
    ['no qop', { qop: undefined }],
    ['another qop', { qop: 'auth-int' }],
    ['no cnonce', { cnonce: undefined }],
    ['no count', { nc: undefined }],
    ['a count of zero', { nc: '00000000' }],
    ['a count of another form', { nc: '1' }],
    ['another realm', { realm: '"example.com"' }],
    ['S70: MD5 while it is off', { algorithm: 'MD5' }],
    ['S70: no algorithm, which means MD5', { algorithm: undefined }],
    ['a session algorithm', { algorithm: 'SHA-256-sess' }],
    ['an algorithm that was not offered', { algorithm: 'SHA-512-256' }],
    ['a cut response', { response: '"7539"' }],
  ])('%s → 401', async (_, change) => {
    expect((await digest(await challenged(), me, change)).status).toBe(401);
  });

  it('an empty cnonce → 401, though the response is right for it', async () => {
    expect((await digest(await challenged(), { ...me, cnonce: '' }, {})).status).toBe(401);
    expect((await digest(await challenged(), { ...me, cnonce: 'x' }, {})).status).toBe(200);
  });

  it('speaks for every device id of its account, known or not, and for no other: 403', async () => {
    const other = `${alice.address};gr=urn:uuid:new-device`;
    expect((await digest(await challenged(), me, {}, { from: other })).status).toBe(200);
    const given = { 'x-lime-user-identity': other, from: bob.id };
    expect((await digest(await challenged(), me, {}, given)).status).toBe(200);
    const refused = [
      { from: bob.id },
      { 'x-lime-user-identity': bob.id },
      { from: alice.address },
      { from: `${alice.address};gr=x;gr=y` },
      { from: `sip:alice@example.com;gr=urn:uuid:1` },
      { from: `${alice.address}.evil.example;gr=urn:uuid:1` },
      { from: `<${alice.id}>` },
    ];
    for (const headers of refused)
      expect([headers, (await digest(await challenged(), me, {}, headers)).status]).toEqual([headers, 403]);
  });

  it('does not change the keys of a device that has a login of its own', async () => {
    const registration = alice.registration('c25519', 1, 2);
    expect(await fixture.lime(alice, registration)).toMatchObject({ kind: 'ack' });
    const challenge = await challenged();
    let nc = 0;
    const says = async (request: LimeRequest) => {
      const authorization = headerOf(parametersFor(challenge, { ...me, nc: ++nc }));
      const { body: answered } = await fixture.limeRaw(encodeRequest(request), { ...base, authorization });
      return answered[1] === 0xff ? answered[3] : 'done';
    };
    const suite = 'c25519';
    for (const request of [
      { kind: 'deleteUser', suite },
      { kind: 'postOneTimePrekeys', suite, oneTimePrekeys: bob.oneTime(suite, 7) },
      { kind: 'postSignedPrekey', suite, signedPrekey: alice.signedPrekey(suite, 2) },
    ] as const)
      expect([request.kind, await says(request)]).toEqual([request.kind, LIME_ERRORS.badRequest]);
    expect(await says(registration)).toBe('done');
    expect(await fixture.store.prekeys.listOneTime(alice.id, suite)).toEqual([1, 2]);
    expect(await fixture.lime(alice, { kind: 'deleteUser', suite })).toMatchObject({ kind: 'ack' });
  });

  it('without an identity header is the protocol error 02', async () => {
    const authorization = headerOf(parametersFor(await challenged(), me));
    const answer = await fixture.limeRaw(body, { 'content-type': LIME_CONTENT_TYPE, authorization });
    expect([answer.status, answer.body[3]]).toEqual([200, LIME_ERRORS.missingSenderId]);
  });

  it('S70: what the store keeps is no token, no password and no answer', async () => {
    const [held] = await fixture.store.appPasswords.list(alice.address);
    const leaked = Buffer.from(held!.verifier).toString('hex');
    expect((await ask({ authorization: `Bearer ${leaked}` })).status).toBe(401);
    expect((await digest(await challenged(), { ...me, password: leaked })).status).toBe(401);
  });

  it('a revoked password is refused from the next request on', async () => {
    const challenge = await challenged();
    expect((await digest(challenge)).status).toBe(200);
    await fixture.store.appPasswords.remove(alice.address, 'one');
    expect((await digest(challenge, { ...me, nc: 2 })).status).toBe(401);
  });

  it('I12: those of a deleted account are refused', async () => {
    await fixture.store.accounts.delete(alice.address, 1);
    expect((await digest(await challenged())).status).toBe(401);
  });

  it('each of several passwords is good', async () => {
    await givePassword(alice.address, 'second', { id: 'two' });
    for (const password of [PASSWORD, 'second'])
      expect((await digest(await challenged(), { ...me, password })).status).toBe(200);
  });

  it('the owner learns the day of the last use, and a day costs one write', async () => {
    const usedAt = async () => (await fixture.store.appPasswords.list(alice.address))[0]!.usedAt;
    const day = 86_400_000;
    const today = Math.floor(fixture.clock.now / day) * day;
    const challenge = await challenged();
    await digest(challenge, { ...me, password: 'wrong' });
    expect(await usedAt()).toBeUndefined();
    await digest(challenge);
    expect(await usedAt()).toBe(today);
    fixture.clock.now += day;
    await digest(await challenged());
    expect(await usedAt()).toBe(today + day);
    // Of a clock that was ahead.
    fixture.clock.now -= day;
    await digest(await challenged());
    expect(await usedAt()).toBe(today);
  });

  it('I13: no user, password, nonce or response in the log and the metrics', async () => {
    const challenge = await challenged();
    await digest(challenge);
    await digest(challenge, { ...me, password: 'wrong' });
    await digest(challenge, me, { uri: '"/other"' });
    const told = fixture.log.join('') + (await fixture.metrics.text());
    for (const secret of ['alice', PASSWORD, challenge.nonce]) expect(told).not.toContain(secret);
  });

  it('H11: a header that says who asks, twice, is refused: 400', async () => {
    const authorization = headerOf(parametersFor(await challenged(), me));
    const twice = [
      ['Authorization', authorization, 'Authorization', 'Bearer x.y.z'],
      ['authorization', authorization, 'from', alice.id, 'From', bob.id],
      ['authorization', authorization, 'X-Lime-User-Identity', alice.id, 'x-lime-user-identity', alice.id],
    ];
    for (const headers of twice) {
      const status = await new Promise<number>((resolve, reject) => {
        const raw = ['Host', 'localhost', 'Content-Type', LIME_CONTENT_TYPE, 'Content-Length', '3', ...headers];
        const { port } = fixture.listening;
        const sent = httpRequest({ method: 'POST', host: '127.0.0.1', port, path: '/lime', headers: raw });
        sent.on('response', (response) => resolve(response.resume().statusCode!)).on('error', reject);
        sent.end(Buffer.from(body));
      });
      expect(status).toBe(400);
    }
  });
});

describe('Digest with MD5', () => {
  beforeEach(() => start({ DIGEST_MD5: 'on' }));

  it('is offered second when it is on, and taken of a password that was made then', async () => {
    await givePassword(alice.address, PASSWORD, { md5: true });
    const [sha256, md5] = challengesOf(await ask());
    expect([sha256!.algorithm, md5!.algorithm]).toEqual(['SHA-256', 'MD5']);
    expect((await digest(md5!)).status).toBe(200);
    expect((await digest(sha256!, { ...me, nc: 2 })).status).toBe(200);
    expect((await digest(md5!, { ...me, nc: 3 }, { algorithm: undefined })).status).toBe(200);
  });

  it('is not taken of a password that was made before', async () => {
    await givePassword(alice.address);
    const [sha256, md5] = challengesOf(await ask());
    expect((await digest(md5!)).status).toBe(401);
    expect((await digest(sha256!)).status).toBe(200);
  });

  it('S70: a response for one algorithm is none for the other', async () => {
    await givePassword(alice.address, PASSWORD, { md5: true });
    const [sha256, md5] = challengesOf(await ask());
    expect((await digest(md5!, me, { algorithm: 'SHA-256' })).status).toBe(401);
    expect((await digest(sha256!, me, { algorithm: 'MD5' })).status).toBe(401);
  });
});

describe('I08: guessing', () => {
  const wrong = { ...me, password: 'wrong' };
  const from = (address: string) => ({ 'x-forwarded-for': address });

  it('an address that was wrong too often is refused, right or wrong, until the window ends; others are not', async () => {
    await start({ WRONG_PASSWORDS_PER_ADDRESS: 3, TRUSTED_PROXIES: ['127.0.0.1'] });
    await givePassword(alice.address);
    const challenge = await challenged();
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await digest(challenge, wrong, {}, from('192.0.2.1'))).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    const refused = await digest(challenge, me, {}, from('192.0.2.1'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '600']);
    expect((await digest(challenge, me, {}, from('192.0.2.2'))).status).toBe(200);
    fixture.clock.now += 600_000;
    expect((await digest(await challenged(), me, {}, from('192.0.2.1'))).status).toBe(200);
  });

  it('an account that many guess at is closed to strangers, and open to where its owner was before', async () => {
    await start({ WRONG_PASSWORDS_PER_ACCOUNT: 3, TRUSTED_PROXIES: ['127.0.0.1'] });
    await givePassword(alice.address);
    const challenge = await challenged();
    expect((await digest(challenge, me, {}, from('192.0.2.9'))).status).toBe(200);
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await digest(challenge, wrong, {}, from(`192.0.2.${i}`))).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await digest(challenge, { ...me, nc: 2 }, {}, from('192.0.2.8'))).status).toBe(429);
    expect((await digest(challenge, { ...me, nc: 2 }, {}, from('192.0.2.9'))).status).toBe(200);
    expect((await digest(challenge, { ...wrong, username: 'bob' }, {}, from('192.0.2.8'))).status).toBe(401);
  });

  it('S76: an account that does not exist is closed in the same way', async () => {
    await start({ WRONG_PASSWORDS_PER_ACCOUNT: 2 });
    const challenge = await challenged();
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await digest(challenge, { ...wrong, username: 'nobody' })).status);
    expect(statuses).toEqual([401, 401, 429]);
  });

  it('questions without credentials and stale nonces are no guesses', async () => {
    await start({ WRONG_PASSWORDS_PER_ADDRESS: 1, WRONG_PASSWORDS_PER_ACCOUNT: 1 });
    await givePassword(alice.address);
    const challenge = await challenged();
    for (let i = 0; i < 5; i++) await ask();
    for (let i = 0; i < 3; i++) await digest(challenge);
    expect((await digest(challenge, { ...me, nc: 2 })).status).toBe(200);
  });
});

describe('a server without APP_PASSWORD_KEY', () => {
  it('offers tokens only, and takes a Digest for what it does not know', async () => {
    await start({}, { appPasswordKey: undefined });
    const answer = await ask();
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="example.org"');
    const unknown = await ask({ authorization: 'Digest username="alice"' });
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="example.org"']);
  });
});
