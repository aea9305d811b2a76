import { describe, expect, it } from '@jest/globals';
import { createTokenSigner, createTokenVerifier } from '@sealwire/access/tokens';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { parseDeviceId } from '@sealwire/wire/ids';
import { importJWK, SignJWT } from 'jose';
import { createPeerSigner, createPeerVerifier } from './peer-tokens.ts';

const crypto = nobleCrypto();
const NOW = 1_800_000_000_000;
const seed = (n: number) => new Uint8Array(32).fill(n);
const alice = parseDeviceId('sip:alice@a.example;gr=urn:uuid:1');
const bodyHash = seed(7);
let drawn = 0;
const random = (length: number) => new Uint8Array(length).fill(++drawn);

const signerOf = (n: number, domain = 'a.example', now = NOW) =>
  createPeerSigner({ seed: seed(n), domain, now: () => now, random });
const verifierOf = (domain = 'b.example', now = NOW, key = crypto.ed25519.publicKey(seed(1))) =>
  createPeerVerifier({ domain, peers: new Map([['a.example', key]]), now: () => now });
const refusal = expect.objectContaining({ name: 'TokenError', code: 'unauthorized' });
const request = { to: 'b.example', requester: alice, bodyHash };

/** A token with these claims and headers, signed by the key of a.example. */
async function forged(claims: object, header: object = {}) {
  const key = crypto.ed25519.publicKey(seed(1));
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key), d: encodeBase64url(seed(1)) };
  const seconds = NOW / 1000;
  return new SignJWT({
    iss: 'a.example',
    aud: 'sealwire-directory:b.example',
    sub: alice,
    jti: encodeBase64url(new Uint8Array(16)),
    iat: seconds,
    exp: seconds + 60,
    body: encodeBase64url(bodyHash),
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'sealwire-peer+jwt', ...header })
    .sign(await importJWK(jwk, 'EdDSA'));
}

describe('tokens between directories', () => {
  it('say who asks, for whom and what, to the domain that they are for', async () => {
    const signer = signerOf(1);
    expect(signer.publicKey).toEqual(crypto.ed25519.publicKey(seed(1)));
    const [one, two] = [await signer.sign(request), await signer.sign(request)];
    const verified = await verifierOf().verify(one);
    expect(verified).toMatchObject({ domain: 'a.example', requester: alice, bodyHash });
    expect(verified.id).not.toEqual((await verifierOf().verify(two)).id);
    // Remembered as used for as long as it could be shown.
    await expect(verifierOf('b.example', verified.expiresAt).verify(one)).rejects.toEqual(refusal);
    await expect(verifierOf('b.example', verified.expiresAt - 1000).verify(one)).resolves.toBeDefined();
    await expect(verifierOf('b.example', NOW - 61_000).verify(one)).rejects.toEqual(refusal);
  });

  it('S69: are refused for another domain, of an unknown one, by another key, for a device of a third', async () => {
    const token = await signerOf(1).sign(request);
    await expect(verifierOf('c.example').verify(token)).rejects.toEqual(refusal);
    await expect(verifierOf().verify(await signerOf(1, 'c.example').sign(request))).rejects.toEqual(refusal);
    await expect(verifierOf().verify(await signerOf(2).sign(request))).rejects.toEqual(refusal);
    const ghost = parseDeviceId('sip:alice@b.example;gr=urn:uuid:1');
    await expect(verifierOf().verify(await signerOf(1).sign({ ...request, requester: ghost }))).rejects.toEqual(
      refusal,
    );
  });

  it('S69: forged tokens: none and HS256, another type, a key in the header, claims missing or of another form', async () => {
    expect((await verifierOf().verify(await forged({}))).domain).toBe('a.example');
    const [, payload] = (await forged({})).split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"sealwire-peer+jwt"}').toString('base64url')}.${payload}.`;
    const wrong = [
      none,
      `${none}AA`,
      await forged({}, { typ: 'at+jwt' }),
      await forged({ aud: 'directory' }),
      await forged({ aud: 'b.example' }),
      await forged({ iss: 'b.example' }),
      await forged({ sub: 'alice' }),
      await forged({ sub: undefined }),
      await forged({ jti: undefined }),
      await forged({ jti: 'AA' }),
      await forged({ body: undefined }),
      await forged({ body: 'AA' }),
      await forged({ body: 5 }),
      await forged({ exp: undefined }),
      await forged({ iat: undefined }),
      await forged({ iat: NOW / 1000 - 200, exp: NOW / 1000 + 9e9 }),
      `${await forged({})} `,
      `${await forged({ more: 'x'.repeat(3000) })}`,
      '',
      'a.b.c',
    ];
    for (const token of wrong) await expect(verifierOf().verify(token)).rejects.toEqual(refusal);
  });

  it('S69: have one text: none of the others that decode to the same bytes verifies', async () => {
    const token = await signerOf(1).sign(request);
    const bytesOf = (text: string) => Buffer.from(text.split('.')[2]!, 'base64url');
    const others = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .map((last) => token.slice(0, -1) + last)
      .filter((text) => text !== token && bytesOf(text).equals(bytesOf(token)));
    expect(others).toHaveLength(15);
    for (const text of others) await expect(verifierOf().verify(text)).rejects.toEqual(refusal);
  });

  it('are no access tokens, and access tokens are none of them, though the key were the same', async () => {
    const issuer = 'a.example';
    const access = createTokenSigner({ seed: seed(1), issuer, now: () => NOW });
    const accessVerifier = createTokenVerifier({ jwks: access.jwks(), issuer, now: () => NOW });
    const peerToken = await signerOf(1).sign(request);
    await expect(accessVerifier.verify(peerToken, 'directory')).rejects.toEqual(refusal);
    const { token } = await access.sign(alice, ['directory']);
    await expect(verifierOf().verify(token)).rejects.toEqual(refusal);
  });
});
