import { afterEach, describe, expect, it } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import { crypto, type Fixture, ORIGIN, startFixture } from '../testing/fixture.ts';
import { person } from '../testing/person.ts';
import { loginOrigins } from './login-origins.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const alice = person(crypto, 'alice');

async function challengeFor(device: string): Promise<string> {
  return (await fixture.call('POST', '/v1/login/challenge', { device })).json.challenge;
}

describe('login', () => {
  it('gives a token that the API takes, with an end a quarter of an hour away', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const { status, json } = await fixture.login(alice);
    expect(status).toBe(200);
    expect(json.expiresAt).toBe(fixture.clock.now + 15 * 60_000);
    const account = await fixture.call('GET', '/v1/account', undefined, { authorization: `Bearer ${json.token}` });
    expect(account.json).toEqual({ address: 'sip:alice@example.org', createdAt: fixture.clock.now });
  });

  it('S76: an unknown device gets a challenge of the same form, and the same 401 as a wrong signature', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const ghost = person(crypto, 'ghost');
    const known = await fixture.call('POST', '/v1/login/challenge', { device: alice.device });
    const unknown = await fixture.call('POST', '/v1/login/challenge', { device: ghost.device });
    expect(unknown.status).toBe(known.status);
    expect(unknown.json.challenge).toHaveLength(known.json.challenge.length);
    expect(unknown.json.expiresAt).toBe(known.json.expiresAt);

    const wrongSignature = { ...ghost.answer(ORIGIN, known.json.challenge), device: alice.device };
    const bad = await fixture.call('POST', '/v1/login/token', wrongSignature);
    const absent = await fixture.call('POST', '/v1/login/token', ghost.answer(ORIGIN, unknown.json.challenge));
    expect(bad.status).toBe(401);
    expect(absent.status).toBe(401);
    expect(absent.text).toBe(bad.text);
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(names(absent.headers)).toEqual(names(bad.headers));
  });

  it('S76: an unknown device costs a signature verification like a known one', async () => {
    let verifications = 0;
    const verify: typeof crypto.ed25519.verify = (...given) => {
      verifications++;
      return crypto.ed25519.verify(...given);
    };
    const counting = { ...crypto.ed25519, verify };
    fixture = await startFixture({}, { crypto: { ...crypto, ed25519: counting } });
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const ghost = person(crypto, 'ghost');
    const cases = [
      ghost.answer(ORIGIN, await challengeFor(ghost.device)),
      ghost.answer(ORIGIN, 'AAAA'),
      alice.answer(ORIGIN, 'AAAA'),
      { ...ghost.answer(ORIGIN, await challengeFor(alice.device)), device: alice.device },
    ];
    for (const body of cases) {
      verifications = 0;
      expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(401);
      expect(verifications).toBe(1);
    }
  });

  it('a challenge is good for one answer, also when two arrive at once', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const body = alice.answer(ORIGIN, await challengeFor(alice.device));
    const answers = await Promise.all([1, 2, 3].map(() => fixture.call('POST', '/v1/login/token', body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(401);
  });

  it('a challenge ends after sixty seconds', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const body = alice.answer(ORIGIN, await challengeFor(alice.device));
    const late = alice.answer(ORIGIN, await challengeFor(alice.device));
    fixture.clock.now += 60_000;
    expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(200);
    fixture.clock.now += 1;
    expect((await fixture.call('POST', '/v1/login/token', late)).status).toBe(401);
  });

  it.each([
    ['an hour', 3_600_000],
    ['ten years', 3_652 * 86_400_000],
  ])(
    'I06: a challenge of a clock that was %s ahead is none when it is right again, and a new one is',
    async (_, ms) => {
      fixture = await startFixture();
      await fixture.call('POST', '/v1/accounts', alice.creation());
      fixture.clock.now += ms;
      const early = alice.answer(ORIGIN, await challengeFor(alice.device));
      fixture.clock.now -= ms;
      expect((await fixture.call('POST', '/v1/login/token', early)).status).toBe(401);
      const body = alice.answer(ORIGIN, await challengeFor(alice.device));
      expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(200);
    },
  );

  it('a challenge of another device, a forged one and one for another origin are refused', async () => {
    fixture = await startFixture();
    const bob = person(crypto, 'bob');
    for (const somebody of [alice, bob]) await fixture.call('POST', '/v1/accounts', somebody.creation());
    const ofBob = await challengeFor(bob.device);
    const own = await challengeFor(alice.device);
    const flipped = `${own[0] === 'A' ? 'B' : 'A'}${own.slice(1)}`;
    for (const body of [
      alice.answer(ORIGIN, ofBob),
      alice.answer(ORIGIN, flipped),
      alice.answer(ORIGIN, 'AAAA'),
      alice.answer('https://evil.example', own),
    ])
      expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(401);
  });

  it('under another origin that the operator named a login is as good, and both are published', async () => {
    fixture = await startFixture({ OTHER_ORIGINS: ['https://chat.old.example.org'] });
    await fixture.call('POST', '/v1/accounts', alice.creation());
    for (const origin of [ORIGIN, 'https://chat.old.example.org']) {
      const body = alice.answer(origin, await challengeFor(alice.device));
      expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(200);
    }
    const { json } = await fixture.call('GET', '/.well-known/sealwire');
    expect(json).toMatchObject({ origins: [ORIGIN, 'https://chat.old.example.org'] });
  });

  it('this machine has three names, and only for itself', () => {
    const of = (PUBLIC_ORIGIN: string) => loginOrigins({ PUBLIC_ORIGIN, OTHER_ORIGINS: [] });
    expect(of('http://localhost:8080')).toEqual([
      'http://localhost:8080',
      'http://127.0.0.1:8080',
      'http://[::1]:8080',
    ]);
    expect(of('https://chat.example.org/base')).toEqual(['https://chat.example.org']);
  });

  it('S33: a signature made for another purpose is no login', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const challenge = await challengeFor(alice.device);
    const bare = crypto.ed25519.sign(alice.loginSeed, Buffer.from(challenge));
    const byAccountKey = crypto.ed25519.sign(
      alice.accountSeed,
      Buffer.from(`sealwire/login/v1\0${ORIGIN}\0${alice.device}\0${challenge}\0`),
    );
    for (const signature of [bare, byAccountKey]) {
      const body = { device: alice.device, challenge, signature: Buffer.from(signature).toString('base64url') };
      expect((await fixture.call('POST', '/v1/login/token', body)).status).toBe(401);
    }
  });

  it('a failed attempt does not spend the challenge', async () => {
    fixture = await startFixture();
    await fixture.call('POST', '/v1/accounts', alice.creation());
    const challenge = await challengeFor(alice.device);
    const good = alice.answer(ORIGIN, challenge);
    expect((await fixture.call('POST', '/v1/login/token', { ...good, signature: 'A'.repeat(86) })).status).toBe(401);
    expect((await fixture.call('POST', '/v1/login/token', good)).status).toBe(200);
  });
});

describe('tokens on the API', () => {
  it('S72: a token in the URL is no login', async () => {
    fixture = await startFixture();
    const { token } = await fixture.member('alice');
    for (const query of [`?token=${token}`, `?access_token=${token}`]) {
      const answer = await fixture.call('GET', `/v1/account${query}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('an ended token says so, and a wrong one does not', async () => {
    fixture = await startFixture();
    const { auth } = await fixture.member('alice');
    const wrong = await fixture.call('GET', '/v1/account', undefined, { authorization: 'Bearer abc.def.ghi' });
    expect([wrong.status, wrong.json.code]).toEqual([401, 'unauthorized']);
    fixture.clock.now += 16 * 60_000 + 1000;
    const ended = await fixture.call('GET', '/v1/account', undefined, auth);
    expect([ended.status, ended.json.code, ended.json.retryable]).toEqual([401, 'token-expired', true]);
  });

  it('the key set verifies them, by key id, and holds no private half', async () => {
    fixture = await startFixture();
    const { token } = await fixture.member('alice');
    const { json } = await fixture.call('GET', '/v1/.well-known/jwks.json');
    const header = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
    expect(json.keys).toHaveLength(1);
    expect(json.keys[0]).toMatchObject({ kid: header.kid, alg: 'EdDSA', crv: 'Ed25519' });
    expect(json.keys[0].d).toBeUndefined();
  });
});

describe('I08, H12: limits of logins', () => {
  it('hold per client address, with Retry-After; a stranger’s X-Forwarded-For does not help', async () => {
    fixture = await startFixture({ LOGINS_PER_ADDRESS: 3 });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { status } = await fixture.call(
        'POST',
        '/v1/login/challenge',
        { device: parseDeviceId(`sip:u${i}@example.org;gr=x`) },
        { 'x-forwarded-for': `198.51.100.${i}` },
      );
      statuses.push(status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const refused = await fixture.call('POST', '/v1/login/token', alice.answer(ORIGIN, 'AAAA'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(refused.json).toMatchObject({ code: 'too-many-requests', retryable: true });
    expect(await fixture.metrics.text()).toContain('sealwire_ratelimit_rejections_total{limiter="logins-address"} 3');
  });

  it('tell what is left of an address’s budget, nothing of a device’s, and begin anew with the next minute', async () => {
    fixture = await startFixture({ LOGINS_PER_ADDRESS: 2, LOGINS_PER_DEVICE: 10 });
    const ask = () => fixture.call('POST', '/v1/login/challenge', { device: alice.device });
    const told = ({ status, headers }: Awaited<ReturnType<typeof ask>>) => [
      status,
      headers.get('ratelimit-policy'),
      headers.get('ratelimit'),
      headers.get('retry-after'),
    ];
    const policy = '"logins-address";q=2;w=60';
    expect(told(await ask())).toEqual([200, policy, '"logins-address";r=1;t=60', null]);
    fixture.clock.now += 20_000;
    expect(told(await ask())).toEqual([200, policy, '"logins-address";r=0;t=40', null]);
    expect(told(await ask())).toEqual([429, policy, '"logins-address";r=0;t=40', '40']);
    fixture.clock.now += 40_000;
    expect(told(await ask())).toEqual([200, policy, '"logins-address";r=1;t=60', null]);
  });

  it('count the client behind a trusted proxy', async () => {
    fixture = await startFixture({ LOGINS_PER_ADDRESS: 1, TRUSTED_PROXIES: ['127.0.0.1'] });
    const from = (address: string) =>
      fixture.call('POST', '/v1/login/challenge', { device: alice.device }, { 'x-forwarded-for': address });
    expect((await from('198.51.100.1')).status).toBe(200);
    expect((await from('198.51.100.1')).status).toBe(429);
    expect((await from('198.51.100.2')).status).toBe(200);
    expect((await from('10.0.0.1, 198.51.100.2')).status).toBe(429);
  });

  it('hold per device, from however many addresses; strangers cannot use a device’s up and lock it out', async () => {
    fixture = await startFixture({ LOGINS_PER_DEVICE: 2, TRUSTED_PROXIES: ['127.0.0.1'] });
    await fixture.call('POST', '/v1/accounts', alice.creation());
    let address = 0;
    const from = () => ({ 'x-forwarded-for': `198.51.100.${++address}` });
    const logIn = async (answer: (challenge: string) => ReturnType<typeof alice.answer>) => {
      const { json } = await fixture.call('POST', '/v1/login/challenge', { device: alice.device }, from());
      return (await fixture.call('POST', '/v1/login/token', answer(json.challenge), from())).status;
    };
    const stranger = person(crypto, 'mallory');
    const forged = (challenge: string) => ({ ...stranger.answer(ORIGIN, challenge), device: alice.device });
    for (let i = 0; i < 5; i++) expect(await logIn(forged)).toBe(401);
    const good = (challenge: string) => alice.answer(ORIGIN, challenge);
    expect([await logIn(good), await logIn(good), await logIn(good)]).toEqual([200, 200, 429]);
    expect(await logIn(forged)).toBe(401);
  });
});
