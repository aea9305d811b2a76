/** The description of the administrator's door: the committed one, of every order that the door takes, and each answer is as it says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Problem } from '@sealwire/service/problem';
import { ActiveSketch } from '@sealwire/store/active-sketch';
import { writeDay } from '@sealwire/store/day-figures';
import type { z } from 'zod';
import { type Fixture, startFixture } from '../testing/fixture.ts';
import { DESCRIBED } from './answers.ts';
import { adminDescription, adminOpenApiText } from './description.ts';
import { adminOperations } from './door.ts';

const VERSION = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version as string;
const file = new URL('../../openapi-admin.json', import.meta.url);

let fixture: Fixture;
let token: string;
let invitation: string;
beforeAll(async () => {
  fixture = await startFixture();
  token = (await fixture.order('/v1/admin/tokens/make', { name: 'all', role: 'owner', days: 1 })).token;
  for (const name of ['alice', 'bob']) await fixture.member(name);
  await fixture.order('/v1/admin/accounts/quota', { name: 'bob', bytes: 9 });
  invitation = (await fixture.order('/v1/admin/invitations', { uses: 2, days: 7 })).number;
  const figures = { messages: 1, deliveries: 2, errors: 0, delays: [1] };
  const today = new Date(fixture.clock.now).toISOString().slice(0, 10);
  await writeDay(fixture.store, today, 'run', figures, new ActiveSketch());
});
afterAll(() => fixture.close());

const all = () => adminOperations({ store: fixture.store } as never);
const { operations } = adminDescription(adminOperations({ store: {} } as never), VERSION);

/** In an order in which each is carried out. */
const BODIES: Readonly<Record<string, () => object>> = {
  accountsList: () => ({ limit: 1, usage: true }),
  accountsShow: () => ({ name: 'bob' }),
  accountsQuota: () => ({ name: 'bob', messages: 5, files: null }),
  accountsDisable: () => ({ name: 'alice' }),
  accountsEnable: () => ({ name: 'alice' }),
  accountsReset: () => ({ name: 'alice', days: 1 }),
  accountsDelete: () => ({ name: 'alice' }),
  invitationsMake: () => ({ uses: 1, days: 1 }),
  invitationsRevoke: () => ({ number: invitation }),
  invitationsList: () => ({ limit: 1 }),
  sessionsList: () => ({ limit: 9 }),
  noticesSend: () => ({ text: 'hello', hours: 1 }),
  noticesList: () => ({}),
  noticesRemove: () => ({ id: '0'.repeat(16) }),
  domainsBlock: () => ({ domain: 'Evil.example' }),
  domainsList: () => ({}),
  domainsUnblock: () => ({ domain: 'evil.example' }),
  maintenanceOn: () => ({ minutes: 5 }),
  maintenanceShow: () => ({}),
  maintenanceOff: () => ({}),
  stats: () => ({ days: 2 }),
  audit: () => ({ limit: 3 }),
};

describe('the description of the administrator’s door', () => {
  it('is the committed one', () => {
    const text = adminOpenApiText(all(), VERSION);
    if (process.env.UPDATE_GENERATED === '1') writeFileSync(file, text);
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  it('has every order that the door takes by a token, and no other', () => {
    const remote = all().filter(({ needs }) => needs !== 'machine');
    expect(operations.map(({ path }) => path)).toEqual(remote.map(({ path }) => path));
    expect(remote.map(({ name }) => name).sort()).toEqual(Object.keys(DESCRIBED).sort());
    expect(operations.map(({ id }) => id).sort()).toEqual(Object.keys(BODIES).sort());
  });

  it.each(Object.keys(BODIES))('%s: is answered as it says, and what it does not know is refused', async (id) => {
    const { path, answers, problems } = operations.find((one) => one.id === id)!;
    const body = BODIES[id]!();
    const answer = await fixture.order(path, body, token);
    expect((answers[200]!.schema as z.ZodType).parse(answer)).toEqual(answer);
    await expect(fixture.order(path, { ...body, more: 1 }, token)).rejects.toThrow();
    for (const [bad, wrong] of [
      ['unauthorized', body],
      [
        'not-found',
        'name' in body ? { ...body, name: 'nobody' } : 'number' in body ? { number: '0'.repeat(16) } : undefined,
      ],
    ] as const)
      if (wrong) {
        const refused = fixture.order(path, wrong, bad === 'unauthorized' ? 'swa_wrong' : token);
        await expect(refused).rejects.toBeInstanceOf(Problem);
        await expect(refused).rejects.toMatchObject({ code: bad });
        expect(problems).toContain(bad);
      }
  });
});
