import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { encodeBase64url } from './base64url.ts';
import * as http from './http.ts';
import { LIMITS } from './limits.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const key = new Uint8Array(32).fill(1);
const signature = new Uint8Array(64).fill(2);
const manifest = new Uint8Array(100).fill(3);
const device = 'sip:alice@example.org;gr=urn:uuid:1';
const address = 'sip:alice@example.org';
const text = { key: encodeBase64url(key), signature: encodeBase64url(signature), manifest: encodeBase64url(manifest) };

/** One good example of each body, as it travels. */
const EXAMPLES: Record<keyof typeof http, object> = {
  SignedManifestBody: { manifest: text.manifest, signature: text.signature },
  CreateAccountBody: {
    name: 'alice',
    accountKey: text.key,
    invitation: 'a-code',
    manifest: { manifest: text.manifest, signature: text.signature },
  },
  ResetAccountBody: {
    name: 'alice',
    accountKey: text.key,
    manifest: { manifest: text.manifest, signature: text.signature },
    code: 'a-code',
  },
  AccountAnswer: { address, createdAt: 5 },
  ActivationBody: { email: 'alice@example.com' },
  ActivationAnswer: { expiresAt: 5 },
  ChallengeBody: { device },
  ChallengeAnswer: { challenge: 'c', expiresAt: 5 },
  TokenBody: { device, challenge: 'c', signature: text.signature },
  TokenAnswer: { token: 'a.b.c', expiresAt: 5 },
  ContactsAnswer: { version: 5, list: text.key },
  ContactsBody: { after: 4, version: 5, list: text.key },
  ContactPolicyBody: { version: 5, policy: 'requests', salt: encodeBase64url(new Uint8Array(16)), allowed: text.key },
  BlocksAnswer: { blocked: [address] },
  LinkAnswer: { id: encodeBase64url(new Uint8Array(16)), expiresAt: 5 },
  LinkMessageBody: { message: text.key },
  LinkMessageAnswer: { message: text.key },
  DevicesAnswer: {
    devices: [
      {
        id: device,
        state: 'waiting',
        identities: [{ curve: 'c25519', identityKey: text.key }],
        curves: ['c25519'],
        addedAt: 5,
        current: false,
      },
    ],
  },
  PeerKeyAnswer: { domain: 'example.org', publicKey: text.key },
  ManifestAnswer: { address, accountKey: text.key, version: 1, manifest: text.manifest, signature: text.signature },
  ManifestHistoryAnswer: {
    address,
    accountKey: text.key,
    manifests: [{ manifest: text.manifest, signature: text.signature }],
    next: 2,
  },
  AppPasswordLoginBody: { device, user: 'alice', password: 'abcd-2345' },
  MakeAppPasswordBody: { name: 'Linphone on the desk' },
  NewAppPasswordAnswer: {
    id: 'abc',
    name: 'Linphone',
    createdAt: 5,
    user: 'alice',
    realm: 'example.org',
    password: 'abcd-2345',
  },
  AppPasswordsAnswer: { appPasswords: [{ id: 'abc', name: 'Linphone', createdAt: 5, usedOn: '2026-11-21' }] },
  BeginAttachmentBody: { bytes: 4_096 },
  AttachmentAnswer: {
    id: 'abc',
    bytes: 4_096,
    state: 'uploading',
    expiresAt: 5,
    parts: [{ number: 1, offset: 0, bytes: 4_096, url: '/v1/files/abc/1?signature=x' }],
    url: '/v1/files/abc?signature=x',
  },
  KeysCheckBody: {
    suites: [{ suite: 4, identityKey: text.key, signedPrekey: text.key, oneTimePrekeys: text.key }],
  },
  JwksAnswer: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: text.key, kid: 'k', alg: 'EdDSA', use: 'sig' }] },
  WellKnown: {
    domain: 'example.org',
    api: '/v1',
    lime: '/lime',
    directory: '/directory',
    relay: '/relay',
    gate: 'open',
    version: '0.1.0',
  },
  ProblemAnswer: { type: 'about:blank', title: 't', status: 404, code: 'not-found', retryable: false },
};

const SCHEMAS = Object.entries(http) as [keyof typeof http, z.ZodType][];
const decode = (name: keyof typeof http, value: unknown) => z.safeDecode(BY_NAME.get(name)!, value);
const BY_NAME = new Map(SCHEMAS);

describe.each(SCHEMAS)('%s', (name, schema) => {
  const example = EXAMPLES[name];

  it('decodes, and encodes back to what travelled', () => {
    const value = z.decode(schema, example);
    expect(z.encode(schema, value)).toEqual(example);
  });

  it('has a JSON schema of its travelling form, for OpenAPI', () => {
    expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({ type: 'object', properties: expect.anything() });
  });

  it(
    name.endsWith('Body') ? 'H09: refuses unknown fields' : 'drops unknown fields: a newer server may say more',
    () => {
      const result = decode(
        name,
        JSON.parse(`${JSON.stringify(example).slice(0, -1)},"more":1,"__proto__":{"polluted":1}}`),
      );
      expect(result.success).toBe(!name.endsWith('Body'));
      if (result.success) expect(z.encode(schema, result.data)).toEqual(example);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );

  it.each(Object.keys(example))('H09: refuses an odd %s', (field) => {
    for (const odd of [null, {}, 1e308, -1, Number.NaN])
      expect(decode(name, { ...example, [field]: odd }).success).toBe(false);
  });
});

describe('fields', () => {
  it('bytes come out as bytes', () => {
    expect(z.decode(http.CreateAccountBody, EXAMPLES.CreateAccountBody as never)).toEqual({
      name: 'alice',
      accountKey: key,
      invitation: 'a-code',
      manifest: { manifest, signature },
    });
  });

  it.each([
    ['one byte short', encodeBase64url(key.subarray(1))],
    ['one byte long', encodeBase64url(new Uint8Array(33))],
    ['padded', `${text.key}=`],
    ['plain base64', `${text.key.slice(1)}+`],
    ['stray bits at the end', `${text.key.slice(0, -1)}B`],
    ['empty', ''],
  ])('D08: a key that is %s is refused', (_what, accountKey) => {
    expect(decode('CreateAccountBody', { ...EXAMPLES.CreateAccountBody, accountKey }).success).toBe(false);
  });

  it('manifestBytes, on both sides of the limit', () => {
    const of = (length: number) => ({ manifest: encodeBase64url(new Uint8Array(length)), signature: text.signature });
    expect(decode('SignedManifestBody', of(LIMITS.manifestBytes.value)).success).toBe(true);
    expect(decode('SignedManifestBody', of(LIMITS.manifestBytes.value + 1)).success).toBe(false);
    expect(decode('SignedManifestBody', of(0)).success).toBe(false);
  });

  it('manifestPage, on both sides of the limit', () => {
    const of = (length: number) => ({
      ...EXAMPLES.ManifestHistoryAnswer,
      manifests: new Array(length).fill(EXAMPLES.SignedManifestBody),
    });
    expect(decode('ManifestHistoryAnswer', of(LIMITS.manifestPage.value)).success).toBe(true);
    expect(decode('ManifestHistoryAnswer', of(LIMITS.manifestPage.value + 1)).success).toBe(false);
  });

  it.each(['a b', 'zero\0byte', 'half\ud800', 'ж', 'x'.repeat(1025)])(
    'H09: the challenge %j is refused',
    (challenge) => {
      expect(decode('TokenBody', { ...EXAMPLES.TokenBody, challenge }).success).toBe(false);
    },
  );

  it('an id that is none is refused with its reason and its place', () => {
    const result = decode('ChallengeBody', { device: 'sip:alice@example.org' });
    expect(result.error?.issues).toEqual([
      expect.objectContaining({
        path: ['device'],
        message: 'a device id looks like sip:alice@example.org;gr=urn:uuid:…',
      }),
    ]);
  });
});

describe('the JSON schema of a text', () => {
  interface Text {
    readonly pattern: string;
    readonly minLength?: number;
    readonly maxLength: number;
  }
  const { identities } = http.DevicesAnswer.shape.devices.element.shape;
  const fits = ({ pattern, minLength = 0, maxLength }: Text, text: string) =>
    new RegExp(pattern, 'u').test(text) && [...text].length >= minLength && [...text].length <= maxLength;
  const ofLength = (minimum: number, maximum: number) =>
    fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${minimum},${maximum}}$`));
  const user = fc.string({ minLength: 0, maxLength: 66, unit: 'binary' });
  const host = fc.stringMatching(/^[a-zA-Z0-9.:[\]_é-]{0,12}$/);
  const gr = fc.oneof(fc.string({ maxLength: 140, unit: 'grapheme' }), fc.stringMatching(/^[!-~]{120,135}$/));
  const address = fc.tuple(user, host).map(([name, domain]) => `sip:${name}@${domain}`);

  it.each<[string, z.ZodType, fc.Arbitrary<string>]>([
    ['a key', http.CreateAccountBody.shape.accountKey, ofLength(42, 44)],
    ['a signature', http.TokenBody.shape.signature, ofLength(85, 87)],
    ['keys of several lengths', identities.element.shape.identityKey, ofLength(42, 77)],
    ['a manifest', http.SignedManifestBody.shape.manifest, ofLength(0, 9)],
    ['a name', http.CreateAccountBody.shape.name, fc.stringMatching(/^[a-z0-9._A-]{0,34}$/)],
    ['an address', http.AccountAnswer.shape.address, address],
    ['a device id', http.ChallengeBody.shape.device, fc.tuple(address, gr).map(([id, end]) => `${id};gr=${end}`)],
  ])('%s: takes what the server takes, and nothing else', (_, schema, near) => {
    const text = z.toJSONSchema(schema, { io: 'input' }) as unknown as Text;
    const fitting = near.filter((value) => Buffer.byteLength(value) <= LIMITS.deviceIdBytes.value);
    fc.assert(
      fc.property(
        fitting,
        (value) => fits(text, value) === z.safeDecode(schema as z.ZodType<unknown, string>, value).success,
      ),
      { numRuns: 2_000 },
    );
  });

  it('is written so that any dialect of regular expressions reads it: no classes by property, no half surrogate pairs', () => {
    const patterns: string[] = [];
    for (const [, schema] of SCHEMAS)
      JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), (name, value) => {
        if (name === 'pattern') patterns.push(value);
        return value;
      });
    expect(patterns.length).toBeGreaterThan(10);
    for (const pattern of patterns) expect(pattern).not.toMatch(/\\p|\\u\{?d[89a-f]/i);
  });
});
