/** What must hold on the durable store too: idempotence, races, and deletion, across a restart of the server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openLmdbStore } from '@sealwire/store/lmdb';
import { createInvitation } from './accounts/invitations.ts';
import { crypto, type Fixture, ORIGIN, startFixture } from './testing/fixture.ts';
import { person } from './testing/person.ts';

let folder: string;
let fixture: Fixture;
const start = async () => startFixture({ GATE: 'invitation' }, { store: await openLmdbStore({ path: folder }) });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-api-'));
  fixture = await start();
});
afterEach(async () => {
  await fixture.close();
  rmSync(folder, { recursive: true });
});

async function restart() {
  await fixture.close();
  fixture = await start();
}

async function invite(uses = 1) {
  const { store, random, clock } = fixture;
  return (await createInvitation({ store, crypto, random, now: clock.now, uses, lifeMs: 60_000 })).code;
}

const signUp = (name: string, invitation: string) =>
  fixture.call('POST', '/v1/accounts', { ...person(crypto, name).creation(), invitation });

describe('on LMDB', () => {
  it('an account made before a restart is found by the repeat after it, with its invitation spent once', async () => {
    const code = await invite();
    const made = await signUp('alice', code);
    expect(made.status).toBe(201);
    await restart();
    fixture.clock.now += 5000;
    const again = await signUp('alice', code);
    expect([again.status, again.json]).toEqual([200, made.json]);
    expect((await signUp('bob', code)).status).toBe(403);
  });

  it('I10: one use, many at once: one account', async () => {
    const code = await invite();
    const answers = await Promise.all(['ann', 'ben', 'cid', 'dan'].map((name) => signUp(name, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403]);
  });

  it('a challenge answered before a restart is not answered again after it', async () => {
    const alice = person(crypto, 'alice');
    await signUp('alice', await invite());
    const { json } = await fixture.call('POST', '/v1/login/challenge', { device: alice.device });
    const answer = alice.answer(ORIGIN, json.challenge);
    expect((await fixture.call('POST', '/v1/login/token', answer)).status).toBe(200);
    await restart();
    expect((await fixture.call('POST', '/v1/login/token', answer)).status).toBe(401);
  });

  it('I12: a deleted account stays deleted: token, login and name', async () => {
    const alice = person(crypto, 'alice');
    await signUp('alice', await invite());
    const { json } = await fixture.login(alice);
    const auth = { authorization: `Bearer ${json.token}` };
    expect((await fixture.call('DELETE', '/v1/account', undefined, auth)).status).toBe(204);
    await restart();
    expect((await fixture.call('GET', '/v1/account', undefined, auth)).status).toBe(401);
    expect((await fixture.login(alice)).status).toBe(401);
    expect((await signUp('alice', await invite())).json.code).toBe('name-taken');
  });

  it('whatever stands where an id belongs in a path: 404, and nothing to note', async () => {
    const alice = person(crypto, 'alice');
    await signUp('alice', await invite());
    const { json } = await fixture.login(alice);
    const headers = { authorization: `Bearer ${json.token}` };
    const ids = ['x'.repeat(255), 'x'.repeat(765), 'x'.repeat(800), 'x'.repeat(9000), '%00', '%F0%9F%98%80', '..%2F..'];
    for (const route of ['/v1/app-passwords', '/v1/devices'])
      for (const id of ids) {
        const answer = await fixture.call('DELETE', `${route}/${id}`, undefined, headers);
        expect({ route, id, status: answer.status }).toEqual({ route, id, status: 404 });
      }
    expect(await fixture.metrics.text()).not.toMatch(/sealwire_unhandled_errors_total\{.* [1-9]/);
  });
});
