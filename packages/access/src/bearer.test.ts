import { describe, expect, it } from '@jest/globals';
import { Problem } from '@sealwire/service/problem';
import { parseDeviceId } from '@sealwire/wire/ids';
import { bearerAuthenticator } from './bearer.ts';
import { createTokenSigner, createTokenVerifier } from './tokens.ts';

const DEVICE = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');

describe('bearer authentication', () => {
  const now = () => 1_800_000_000_000;
  const signer = createTokenSigner({ seed: new Uint8Array(32).fill(3), issuer: 'https://a.example', now });
  const verifier = createTokenVerifier({ jwks: signer.jwks(), issuer: 'https://a.example', now });
  let exists = true;
  const authenticate = bearerAuthenticator({
    verifier,
    audience: 'api',
    findDevice: async () => (exists ? {} : undefined),
  });

  it('names the device of a good token, and refuses it once the device is gone (I12)', async () => {
    const { token } = await signer.sign(DEVICE, ['api']);
    exists = true;
    expect(await authenticate(`Bearer ${token}`)).toBe(DEVICE);
    expect(await authenticate(`bearer ${token}`)).toBe(DEVICE);
    exists = false;
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
  });

  it.each([undefined, '', 'Bearer', 'Bearer ', 'Bearer a b', 'Basic YTpi', 'Bearer a,Bearer b'])(
    'refuses %p with a challenge',
    async (header) => {
      const refusal = await authenticate(header).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(Problem);
      expect((refusal as Problem).headers()['www-authenticate']).toMatch(/^Bearer/);
    },
  );

  it('says 503, not 401, when the keys cannot be fetched', async () => {
    const jwks = new URL('http://127.0.0.1:9/jwks.json');
    const remote = createTokenVerifier({ jwks, issuer: 'https://a.example', now });
    const { token } = await signer.sign(DEVICE, ['api']);
    await expect(remote.verify(token, 'api')).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
