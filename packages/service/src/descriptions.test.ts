import { describe, expect, it } from '@jest/globals';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { decodeNodeMessage, NODES_CHANNEL } from '@sealwire/wire/node-messages';
import { z } from 'zod';
import { createAnnouncer } from './announce.ts';
import { bearerAuthenticator } from './bearer.ts';
import { silentLog } from './log.ts';
import { type ApiDescription, openApiDocument } from './openapi.ts';
import { openApiPage } from './openapi-page.ts';
import { Problem } from './problem.ts';
import { createTokenSigner, createTokenVerifier } from './tokens.ts';

const ADDRESS = parseAccountAddress('sip:alice@example.org');
const DEVICE = parseDeviceId('sip:alice@example.org;gr=urn:uuid:1');

describe('announcements', () => {
  it('go to all nodes: one for each removed device, one for the account', async () => {
    const sent: [string, unknown][] = [];
    const announcer = createAnnouncer(
      { publish: async (channel, bytes) => void sent.push([channel, decodeNodeMessage(bytes)]) },
      silentLog,
    );
    await announcer.devicesRemoved([DEVICE]);
    await announcer.devicesChanged(ADDRESS);
    expect(sent).toEqual([
      [NODES_CHANNEL, { kind: 'device-removed', device: DEVICE }],
      [NODES_CHANNEL, { kind: 'devices-changed', address: ADDRESS }],
    ]);
  });

  it('never reject: a lost one is logged', async () => {
    const warned: string[] = [];
    const log = { ...silentLog, warn: (event: string) => void warned.push(event) };
    const announcer = createAnnouncer({ publish: () => Promise.reject(new Error('gone')) }, log);
    await announcer.devicesChanged(ADDRESS);
    expect(warned).toEqual(['announcement-lost']);
  });
});

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

describe('OpenAPI', () => {
  const Body = z.strictObject({ name: z.string().max(9) });
  const api: ApiDescription = {
    title: 'Test <API>',
    version: '1',
    description: '"quoted" & so on',
    schemas: { Body },
    operations: [
      {
        id: 'put',
        method: 'put',
        path: '/things/{id}',
        summary: 'Put a thing',
        description: '',
        caller: 'device',
        parameters: [{ name: 'id', in: 'path', type: 'string', description: 'which' }],
        body: Body,
        answers: { 200: { description: 'done', schema: Body }, 204: { description: 'nothing new' } },
        problems: ['conflict', 'name-taken', 'unauthorized'],
      },
    ],
  };

  it('comes from the schemas, refers to them by name, and groups problems by status', () => {
    const document = openApiDocument(api) as {
      paths: Record<string, { put: { responses: object } }>;
      components: { schemas: Record<string, unknown> };
    };
    const operation = document.paths['/things/{id}']!.put;
    expect(operation).toMatchObject({
      security: [{ device: [] }],
      requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Body' } } } },
      parameters: [{ name: 'id', in: 'path', required: true }],
    });
    expect(Object.keys(operation.responses)).toEqual(['200', '204', '401', '409']);
    expect(document.components.schemas.Body).toEqual({
      type: 'object',
      properties: { name: { type: 'string', maxLength: 9 } },
      required: ['name'],
      additionalProperties: false,
    });
  });

  it('the page escapes what it is given', () => {
    const page = openApiPage(api);
    expect(page).toContain('<h1>Test &lt;API&gt;');
    expect(page).toContain('&quot;quoted&quot; &amp; so on');
    expect(page).not.toContain('<API>');
  });
});
