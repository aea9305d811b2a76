import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseDeviceId } from '@sealwire/wire/ids';
import { exportJWK, generateKeyPair, importJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { createTokenSigner, createTokens, createTokenVerifier, type TokenError } from './tokens.ts';

const ISSUER = 'https://chat.example.org';
const DEVICE = parseDeviceId('sip:alice@example.org;gr=urn:uuid:6c3b1c1e-2d1f-4a6e-9a5e-0d7c6b5a4f3e');
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const START = 1_800_000_000_000;

let time = START;
const now = () => time;
const signer = createTokenSigner({ seed: SEED, issuer: ISSUER, now });
const verifier = createTokenVerifier({ jwks: signer.jwks(), issuer: ISSUER, now });

const bytesOf = (token: string) => Buffer.from(token.split('.')[2]!, 'base64url');

async function code(token: string, audience: 'api' | 'relay' = 'api'): Promise<string> {
  try {
    await verifier.verify(token, audience);
    return 'accepted';
  } catch (error) {
    return (error as TokenError).code;
  }
}

beforeAll(() => {
  time = START;
});

describe('access tokens', () => {
  it('come back as the device and the end they were signed for', async () => {
    const { token, expiresAt } = await signer.sign(DEVICE, ['api', 'relay']);
    expect(expiresAt).toBe(START + 15 * 60_000);
    expect(await verifier.verify(token, 'api')).toEqual({ device: DEVICE, expiresAt });
    expect(await verifier.verify(token, 'relay')).toEqual({ device: DEVICE, expiresAt });
  });

  it('are good for the audiences they name and no other', async () => {
    const { token } = await signer.sign(DEVICE, ['relay']);
    expect(await code(token, 'relay')).toBe('accepted');
    expect(await code(token, 'api')).toBe('unauthorized');
  });

  it('I06: end after fifteen minutes, with a minute of skew, and then say so', async () => {
    const { token, expiresAt } = await signer.sign(DEVICE, ['api']);
    time = expiresAt + 59_000;
    expect(await code(token)).toBe('accepted');
    time = expiresAt + 61_000;
    expect(await code(token)).toBe('token-expired');
    time = START;
  });

  it.each([
    ['an hour', 3_600_000],
    ['three days', 3 * 86_400_000],
    ['ten years', 3_652 * 86_400_000],
  ])(
    'I06: of a clock that was %s ahead have ended when it is right again, known or not, and new ones are good',
    async (_, ms) => {
      time = START + ms;
      const [{ token }, { token: unknown }] = [
        await signer.sign(DEVICE, ['api']),
        await signer.sign(DEVICE, ['relay']),
      ];
      expect(await code(token)).toBe('accepted');
      time = START;
      expect(await code(token)).toBe('token-expired');
      expect(await code(unknown, 'relay')).toBe('token-expired');
      expect(await code((await signer.sign(DEVICE, ['api'])).token)).toBe('accepted');
      time = START - 59_000;
      const { token: early } = await signer.sign(DEVICE, ['api']);
      time = START;
      expect(await code(early)).toBe('accepted');
    },
  );

  it('are remembered for their audience only, and not beyond their end', async () => {
    const { token, expiresAt } = await signer.sign(DEVICE, ['relay']);
    expect(await code(token, 'relay')).toBe('accepted');
    expect(await code(token, 'relay')).toBe('accepted');
    expect(await code(token, 'api')).toBe('unauthorized');
    expect(await code(`${token} `, 'relay')).toBe('unauthorized');
    time = expiresAt + 61_000;
    expect(await code(token, 'relay')).toBe('token-expired');
    time = START;
  });

  it('are known to the process that signed them without a check of the signature, for what they name and until their end', async () => {
    const own = createTokens({ seed: SEED, issuer: ISSUER, now });
    const { token, expiresAt } = await own.signer.sign(DEVICE, ['relay']);
    const checks = jest.spyOn(globalThis.crypto.subtle, 'verify');
    try {
      expect(await own.verifier.verify(token, 'relay')).toEqual({ device: DEVICE, expiresAt });
      expect(checks).not.toHaveBeenCalled();
      // Of the same key, but nobody here has seen it.
      const other = createTokenVerifier({ jwks: own.signer.jwks(), issuer: ISSUER, now });
      expect(await other.verify(token, 'relay')).toEqual({ device: DEVICE, expiresAt });
      expect(checks).toHaveBeenCalledTimes(1);
    } finally {
      checks.mockRestore();
    }
    await expect(own.verifier.verify(token, 'api')).rejects.toMatchObject({ code: 'unauthorized' });
    const foreign = await createTokenSigner({ seed: SEED.toReversed(), issuer: ISSUER, now }).sign(DEVICE, ['relay']);
    await expect(own.verifier.verify(foreign.token, 'relay')).rejects.toMatchObject({ code: 'unauthorized' });
    time = expiresAt + 61_000;
    await expect(own.verifier.verify(token, 'relay')).rejects.toMatchObject({ code: 'token-expired' });
    time = START;
  });

  it('S69: have one text: none of the others that decode to the same bytes verifies', async () => {
    const { token } = await signer.sign(DEVICE, ['api']);
    const others = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .map((last) => token.slice(0, -1) + last)
      .filter((text) => text !== token && bytesOf(text).equals(bytesOf(token)));
    expect(others).toHaveLength(15);
    for (const text of [...others, `${token}=`, `${token}==`, `${token}\n`, ` ${token}`, `${token}.`])
      expect(await code(text)).toBe('unauthorized');
    expect(await code(token)).toBe('accepted');
  });

  it('publish the public half only', () => {
    expect(Object.keys(signer.jwks().keys[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  it.each([
    ['ahead', 3_652 * 86_400_000],
    ['behind', -3_652 * 86_400_000],
  ])(
    'verify against new keys of a URL, though those of before were fetched while the clock was ten years %s',
    async (_, ms) => {
      // The library asks the process for the time.
      const realNow = Date.now;
      const other = createTokenSigner({ seed: SEED.toReversed(), issuer: ISSUER, now: () => Date.now() });
      const first = createTokenSigner({ seed: SEED, issuer: ISSUER, now: () => Date.now() });
      let keys = first.jwks();
      const server = createServer((_, response) => response.end(JSON.stringify(keys)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const jwks = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/.well-known/jwks.json`);
      try {
        Date.now = () => realNow() + ms;
        const remote = createTokenVerifier({ jwks, issuer: ISSUER, now: () => Date.now() });
        const { token } = await first.sign(DEVICE, ['relay']);
        expect(await remote.verify(token, 'relay')).toMatchObject({ device: DEVICE });
        Date.now = realNow;
        keys = other.jwks();
        const { token: newer } = await other.sign(DEVICE, ['relay']);
        expect(await remote.verify(newer, 'relay')).toMatchObject({ device: DEVICE });
      } finally {
        Date.now = realNow;
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  );

  it('verify against keys fetched from a URL', async () => {
    const server = createServer((_, response) => response.end(JSON.stringify(signer.jwks())));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwks = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/.well-known/jwks.json`);
    const { token, expiresAt } = await signer.sign(DEVICE, ['relay']);
    const remote = createTokenVerifier({ jwks, issuer: ISSUER, now });
    expect(await remote.verify(token, 'relay')).toEqual({ device: DEVICE, expiresAt });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    // Who has keys can do its job while nobody publishes them.
    await remote.ready();
  });

  it('the verifier is ready when it has keys, and not before', async () => {
    await verifier.ready();
    let answer = 'no keys yet';
    const server = createServer((_, response) => response.end(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwks = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const remote = createTokenVerifier({ jwks, issuer: ISSUER, now });
    await expect(remote.ready()).rejects.toMatchObject({ kind: 'unavailable' });
    answer = JSON.stringify(signer.jwks());
    await remote.ready();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const unreached = createTokenVerifier({ jwks, issuer: ISSUER, now });
    await expect(unreached.ready()).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('S69: forged tokens → unauthorized', () => {
  const kid = signer.jwks().keys[0]!.kid!;
  const claims = () =>
    new SignJWT({})
      .setIssuer(ISSUER)
      .setSubject(DEVICE)
      .setAudience(['api'])
      .setIssuedAt(START / 1000)
      .setExpirationTime(START / 1000 + 900);
  const header = { alg: 'EdDSA', kid, typ: 'at+jwt' };
  const ours = () => importJWK({ ...signer.jwks().keys[0]!, d: Buffer.from(SEED).toString('base64url') }, 'EdDSA');
  const unsigned = (head: JWTHeaderParameters) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part(head)}.${part({ iss: ISSUER, sub: DEVICE, aud: ['api'], iat: START / 1000, exp: START / 1000 + 900 })}.`;
  };

  it('the frame of these tests makes a good one', async () => {
    expect(
      await code(
        await claims()
          .setProtectedHeader(header)
          .sign(await ours()),
      ),
    ).toBe('accepted');
  });

  it('alg none', async () => {
    expect(await code(unsigned({ ...header, alg: 'none' }))).toBe('unauthorized');
    expect(await code(unsigned(header))).toBe('unauthorized');
  });

  it('HS256 with the public key as the secret', async () => {
    const secret = Buffer.from(signer.jwks().keys[0]!.x!, 'base64url');
    expect(
      await code(
        await claims()
          .setProtectedHeader({ ...header, alg: 'HS256' })
          .sign(secret),
      ),
    ).toBe('unauthorized');
  });

  it('a key of the attacker in the header, under our key id and under none', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const head of [
      { ...header, jwk },
      { alg: 'EdDSA', typ: 'at+jwt', jwk },
      { ...header, kid: 'other', jwk },
    ])
      expect(await code(await claims().setProtectedHeader(head).sign(privateKey))).toBe('unauthorized');
  });

  it.each([
    ['no key id', { alg: 'EdDSA', typ: 'at+jwt' }],
    ['another type', { ...header, typ: 'JWT' }],
    ['no type', { alg: 'EdDSA', kid }],
  ])('%s', async (_, head) => {
    expect(
      await code(
        await claims()
          .setProtectedHeader(head)
          .sign(await ours()),
      ),
    ).toBe('unauthorized');
  });

  it('another issuer, no end, a subject that is no device, changed bytes, too long', async () => {
    const sign = async (jwt: SignJWT) => jwt.setProtectedHeader(header).sign(await ours());
    expect(await code(await sign(claims().setIssuer('https://evil.example')))).toBe('unauthorized');
    expect(
      await code(
        await sign(
          new SignJWT({})
            .setIssuer(ISSUER)
            .setSubject(DEVICE)
            .setAudience(['api'])
            .setIssuedAt(START / 1000),
        ),
      ),
    ).toBe('unauthorized');
    expect(await code(await sign(claims().setSubject('root')))).toBe('unauthorized');
    const good = await sign(claims());
    expect(await code(`${good.slice(0, -8)}${good.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`)).toBe(
      'unauthorized',
    );
    expect(await code(`${good}${'A'.repeat(3000)}`)).toBe('unauthorized');
    expect(await code('')).toBe('unauthorized');
  });
});
