/** Every JSON operation of the key directory under requests near its description: no answer that the description does not have. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fuzzOperation } from '@sealwire/service/testing/openapi-fuzz';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { directoryDescription } from './description.ts';
import { enrol, testDevice } from './testing/device.ts';
import { crypto, type Fixture, startFixture } from './testing/fixture.ts';

const VERSION = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string;
const { operations } = directoryDescription(VERSION);
const alice = testDevice(crypto, 'alice');

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  await enrol(fixture.store, alice);
});
afterAll(() => fixture.close());

describe('near its description', () => {
  it.each(operations.map((operation) => [operation.id, operation] as const))(
    '%s: each answer is one that its description has',
    async (id, operation) => {
      const { authorization } = await fixture.headersOf(alice);
      const first = alice.manifest();
      const laptop = testDevice(crypto, 'alice', 'laptop');
      const bodies = [first, alice.manifest([alice.listed, laptop.listed], first.manifest)].map(
        ({ bytes, signature }) => ({
          manifest: encodeBase64url(bytes),
          signature: encodeBase64url(signature),
        }),
      );
      const statuses = await fuzzOperation(operation, {
        headers: { authorization: authorization! },
        bodies: id === 'publishManifest' ? bodies : [],
        parameters: { name: ['alice'] },
        send: ({ method, path, headers, body }) =>
          fetch(fixture.listening.url + path, { method, headers, ...(body === undefined ? {} : { body }) }),
      });
      // It was more than refusals. This directory asks no others, and the device has no keys here that could be right.
      if (!['peerKey', 'checkKeys'].includes(id)) expect(statuses).toContain(200);
    },
  );
});
