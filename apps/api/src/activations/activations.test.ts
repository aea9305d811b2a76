/** The gate `email`, over HTTP; mails go into a list. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Mail, MailError, type Mailer } from '@sealwire/mail/port';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';
import { person } from '../testing/person.ts';

const DAY_MS = 24 * 60 * 60_000;
const alice = person(crypto, 'alice');
let fixture: Fixture;
let mails: Mail[];
afterEach(() => fixture.close());

type Settings = Parameters<typeof startFixture>[0];

async function start(settings: Settings = {}, send: (mail: Mail) => void = () => {}): Promise<void> {
  mails = [];
  const mailer: Mailer = {
    async send(mail) {
      send(mail);
      mails.push(mail);
    },
    close: async () => undefined,
  };
  fixture = await startFixture({ GATE: 'email', ...settings }, { mailer });
}

const ask = (email: unknown = 'alice@example.com') => fixture.call('POST', '/v1/activations', { email });
const codeIn = ({ text }: Mail) => /^ {4}([\w-]{27})$/m.exec(text)![1]!;
const create = (somebody: ReturnType<typeof person>, invitation?: string) =>
  fixture.call('POST', '/v1/accounts', { ...somebody.creation(), ...(invitation && { invitation }) });

describe('the gate email', () => {
  it('mails a code that is good for one account, and says so in the well-known document', async () => {
    await start();
    expect((await fixture.call('GET', '/.well-known/sealwire')).json.gate).toBe('email');
    expect((await create(alice)).json.code).toBe('invitation-invalid');
    const { status, json } = await ask();
    expect([status, json]).toEqual([202, { expiresAt: fixture.clock.now + DAY_MS }]);
    expect(mails).toEqual([
      expect.objectContaining({ to: 'alice@example.com', subject: 'Your code for chat.example.org' }),
    ]);
    const code = codeIn(mails[0]!);
    expect((await create(alice, code)).status).toBe(201);
    expect((await create(person(crypto, 'bob'), code)).json.code).toBe('invitation-invalid');
  });

  it('ends a code after a day', async () => {
    await start();
    await ask();
    fixture.clock.now += DAY_MS;
    expect((await create(alice, codeIn(mails[0]!))).json.code).toBe('invitation-invalid');
  });

  it('answers the same for an address that has an account, and keeps addresses and codes out of the log', async () => {
    await start();
    const first = await ask();
    await create(alice, codeIn(mails[0]!));
    const second = await ask();
    expect([second.status, second.json]).toEqual([first.status, first.json]);
    expect(fixture.log.join()).not.toMatch(/alice@example\.com/);
    for (const mail of mails) expect(fixture.log.join()).not.toContain(codeIn(mail));
  });

  it('sends to domains that the operator named, and to no other', async () => {
    await start({ MAIL_DOMAINS: ['example.com'] });
    expect((await ask('a@Example.COM')).status).toBe(202);
    for (const email of ['a@example.org', 'a@sub.example.com', 'a@example.com.example.org'])
      expect((await ask(email)).json).toMatchObject({
        code: 'forbidden',
        detail: expect.stringContaining('example.com'),
      });
    expect(mails).toHaveLength(1);
  });

  it('T220: sends nothing to a domain that the administrator has blocked, until it is free again', async () => {
    await start();
    await fixture.order('/v1/admin/domains/block', { domain: 'example.com' });
    expect((await ask('a@Example.COM')).json).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await ask('a@sub.example.com')).status).toBe(202);
    await fixture.order('/v1/admin/domains/unblock', { domain: 'example.com' });
    expect((await ask('a@example.com')).status).toBe(202);
    expect(mails.map(({ to }) => to)).toEqual(['a@sub.example.com', 'a@example.com']);
  });

  it.each(['alice', '', 7, 'a@b\r\nBcc: c@d', 'a@b, c@d', `${'a'.repeat(250)}@b.cd`])('refuses %j', async (email) => {
    await start();
    expect((await ask(email)).status).toBe(400);
    expect(mails).toEqual([]);
  });

  it('T130: floods nobody: mails are counted by who asks and by whom they are for', async () => {
    await start({ MAILS_PER_ADDRESS: 4, MAILS_PER_RECIPIENT: 2 });
    const statuses = [];
    for (const email of ['a@b.cd', 'A@b.cd', 'a@B.cd', 'c@b.cd', 'd@b.cd']) statuses.push((await ask(email)).status);
    expect(statuses).toEqual([202, 202, 429, 202, 429]);
    expect(mails.map(({ to }) => to)).toEqual(['a@b.cd', 'A@b.cd', 'c@b.cd']);
  });

  it.each([
    ['unavailable', 503],
    ['refused', 400],
  ] as const)('tells in the answer and in the log that the mail server is %s', async (kind, status) => {
    await start({}, () => {
      throw new MailError(kind, 'the mail server (250)');
    });
    const answer = await ask();
    expect([answer.status, answer.text.includes('250')]).toEqual([status, false]);
    expect(fixture.log.filter((line) => line.includes('mail-failed'))).toHaveLength(1);
    expect(fixture.log.join()).not.toMatch(/alice@example\.com/);
  });
});

it('other gates send no codes', async () => {
  for (const GATE of ['open', 'invitation'] as const) {
    fixture = await startFixture({ GATE });
    expect((await ask()).status).toBe(403);
    await fixture.close();
  }
});
