/** Two API processes on one store: what must hold over both of them (docs/adr/0037). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Counters } from '@sealwire/bus/counters';
import { sharedCounters } from '@sealwire/bus/testing/shared-counters';
import { openMemoryStore } from '@sealwire/store/memory';
import type { ApiSettings } from './settings.ts';
import { crypto, type Fixture, ORIGIN, startFixture } from './testing/fixture.ts';
import { person } from './testing/person.ts';

const tokenKey = crypto.sha256(Buffer.from('token key'));
const appPasswordKey = crypto.sha256(Buffer.from('app password key'));
let runs = 0;

let api: [Fixture, Fixture];
let counters: Counters[];

async function begin(open: () => Promise<Counters>, settings: Partial<ApiSettings>): Promise<void> {
  const store = openMemoryStore();
  counters = [await open(), await open()];
  const start = (i: number) =>
    startFixture(
      // An address of its own: another run's windows may be open still.
      { TRUSTED_PROXIES: ['127.0.0.1'], ...settings },
      { store, counters: counters[i]!, tokenKey, appPasswordKey },
    );
  api = [await start(0), await start(1)];
}
afterEach(async () => {
  for (const one of api) await one.close();
  for (const one of counters) await one.close();
});

describe.each(sharedCounters('two API processes'))('two API processes, counting on $name', ({ openerOf }) => {
  /** Another client address in each test and run. */
  const anAddress = () => {
    const n = (Date.now() * 16 + ++runs) % 2 ** 32;
    return `2001:db8:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`;
  };
  const from = (address: string) => ({ 'x-forwarded-for': address });

  it('H12, I08: have one budget of logins by address', async () => {
    await begin(openerOf(), { LOGINS_PER_ADDRESS: 4 });
    const address = anAddress();
    const body = { device: 'sip:somebody@example.org;gr=x' };
    const ask = (i: number) => api[i % 2]!.call('POST', '/v1/login/challenge', body, from(address));
    const statuses = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(async (i) => (await ask(i)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
    const refused = await ask(1);
    expect(refused.headers.get('ratelimit')).toMatch(/^"logins-address";r=0;t=\d+$/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('I08: have one budget of accounts by address', async () => {
    await begin(openerOf(), { ACCOUNTS_PER_ADDRESS: 2 });
    const address = anAddress();
    const make = async (i: number) =>
      (await api[i % 2]!.call('POST', '/v1/accounts', person(crypto, `person${i}`).creation(), from(address))).status;
    expect([await make(0), await make(1), await make(2), await make(3)]).toEqual([201, 201, 429, 429]);
  });

  it('I08: have one budget of wrong app passwords', async () => {
    await begin(openerOf(), { WRONG_PASSWORDS_PER_ADDRESS: 3 });
    const address = anAddress();
    const body = { device: 'sip:alice@example.org;gr=x', user: 'alice', password: 'wrong-wrong-wrong' };
    const guess = async (i: number) =>
      (await api[i % 2]!.call('POST', '/v1/login/app-password', body, from(address))).status;
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push(await guess(i));
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429]);
  });

  it('take each other’s login challenges, and each of them once: nothing but the key is shared', async () => {
    await begin(openerOf(), {});
    const alice = person(crypto, 'alice');
    await api[0].call('POST', '/v1/accounts', alice.creation());
    const { json } = await api[0].call('POST', '/v1/login/challenge', { device: alice.device });
    const answer = alice.answer(ORIGIN, json.challenge);
    const statuses = await Promise.all(
      [1, 0, 1].map(async (i) => (await api[i]!.call('POST', '/v1/login/token', answer)).status),
    );
    expect(statuses.sort()).toEqual([200, 401, 401]);
  });
});
