/** Every operation of the API under requests near its description: no answer that the description does not have. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fuzzOperation } from '@sealwire/service/testing/openapi-fuzz';
import { apiDescription } from './published/description.ts';
import { crypto, type Fixture, ORIGIN, startFixture } from './testing/fixture.ts';
import { person } from './testing/person.ts';

const VERSION = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string;
const { operations } = apiDescription(VERSION);

let fixture: Fixture;
beforeAll(async () => {
  const mailer = { send: async () => undefined, close: async () => undefined };
  fixture = await startFixture({}, { mailer });
});
afterAll(() => fixture.close());

describe('near its description', () => {
  it.each(operations.map((operation) => [operation.id, operation] as const))(
    '%s: each answer is one that its description has',
    async (id, operation) => {
      const { auth, person: member } = await fixture.member(`member-${id.toLowerCase()}`);
      const { code } = await fixture.resetCode(member.name);
      const { json } = await fixture.call('POST', '/v1/login/challenge', { device: member.device });
      const upload = await fixture.call('POST', '/v1/attachments', { bytes: 9 }, auth);
      const part = new URL(upload.json.parts[0].url, fixture.listening.url);
      await fetch(part, { method: 'PUT', body: '123456789' });
      const link = (await fixture.call('POST', '/v1/links')).json.id;
      const ids = { Attachment: upload.json.id, LinkWord: link };
      const bodies: Record<string, readonly object[]> = {
        beginAttachment: [{ bytes: 9 }, { bytes: 4_096 }],
        createAccount: ['first', 'second'].map((name) => person(crypto, name).creation()),
        resetAccount: [{ ...person(crypto, member.name, 'second').creation(), code }],
        sendActivation: [{ email: 'alice@example.com' }],
        makeAppPassword: [{ name: 'Linphone' }, { name: 'Grüße' }],
        replaceContacts: [{ after: 0, version: 1, list: 'AAAA' }],
        setContactPolicy: [{ version: 1, policy: 'everyone', salt: '', allowed: '' }],
        leaveLinkWord: [{ message: 'AAAA' }],
        answerLinkWord: [{ message: 'AAAA' }],
        makeChallenge: [{ device: member.device }],
        answerChallenge: [member.answer(ORIGIN, json.challenge)],
        loginByAppPassword: [{ device: member.device, user: member.name, password: 'abcd-2345' }],
      };
      const statuses = await fuzzOperation(operation, {
        headers: auth,
        bodies: bodies[id] ?? [],
        parameters: {
          id: [Object.entries(ids).find(([what]) => id.endsWith(what))?.[1] ?? member.device],
          slot: ['1', '2'],
          address: ['sip:mallory@example.org'],
        },
        send: ({ method, path, headers, body }) =>
          fetch(fixture.listening.url + path, { method, headers, ...(body === undefined ? {} : { body }) }),
      });
      // It was more than refusals. No app password was made, and so none logs in or is revoked.
      if (!['loginByAppPassword', 'revokeAppPassword'].includes(id)) expect(Math.min(...statuses)).toBeLessThan(300);
    },
  );
});
