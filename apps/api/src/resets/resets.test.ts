/** An account that gets another key by a code of its operator (docs/spec/recovery.md section 3). */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { type Fixture, startFixture } from '../testing/fixture.ts';
import { type Person, person } from '../testing/person.ts';

const crypto = nodeCrypto();
const DAY_MS = 24 * 60 * 60 * 1000;

let fixture: Fixture;
let alice: Person;
let auth: Record<string, string>;
/** The same name, with keys of its own. */
const anew = person(crypto, 'alice', 'second');

beforeEach(async () => {
  fixture = await startFixture();
  ({ person: alice, auth } = await fixture.member('alice'));
});
afterEach(() => fixture.close());

const codeFor = (name = 'alice', days = 1) => fixture.resetCode(name, days);
const reset = (code: string, who = anew) => fixture.call('POST', '/v1/resets', { ...who.creation(), code });

describe('a reset by code', () => {
  it('T186: gives the name another key; everything of the one before is dead at once, and all nodes are told', async () => {
    const { code } = await codeFor();
    expect((await fixture.call('GET', '/v1/account', undefined, auth)).status).toBe(200);
    fixture.announced.length = 0;
    const { status, json } = await reset(code);
    expect([status, json.address]).toEqual([201, alice.address]);
    expect(fixture.announced).toEqual([
      { kind: 'device-removed', device: alice.device },
      { kind: 'devices-changed', address: alice.address, version: 0, devices: [] },
    ]);
    expect((await fixture.call('GET', '/v1/account', undefined, auth)).status).toBe(401);
    expect((await fixture.login(alice)).status).toBe(401);
    expect((await fixture.login(anew)).status).toBe(200);
    expect((await fixture.store.accounts.find(alice.address))?.accountKey).toEqual(
      crypto.ed25519.publicKey(anew.accountSeed),
    );
  });

  it('says the same to a repeat after a lost answer; nobody else uses the code again', async () => {
    const { code } = await codeFor();
    await reset(code);
    expect((await reset(code)).status).toBe(200);
    const thief = await reset(code, person(crypto, 'alice', 'thief'));
    expect([thief.status, thief.json.code]).toEqual([403, 'reset-code-invalid']);
  });

  it('is refused alike without a good code, after its days, for another name, and where nobody is', async () => {
    await fixture.member('bob');
    const { code } = await codeFor();
    const refusals = [
      await reset('wrong'),
      await reset((await codeFor('bob')).code),
      await reset(code, person(crypto, 'bob', 'second')),
      await reset(code, person(crypto, 'nobody')),
    ];
    fixture.clock.now += DAY_MS;
    refusals.push(await reset(code));
    const { detail: _, ...first } = refusals[0]!.json;
    for (const { status, json } of refusals) expect([status, json]).toEqual([403, first]);
    expect((await fixture.login(alice)).status).toBe(200);
  });

  it('kills the codes that were made before it', async () => {
    const [first, second] = [await codeFor(), await codeFor()];
    await reset(first.code);
    const late = await reset(second.code, person(crypto, 'alice', 'third'));
    expect([late.status, late.json.code]).toEqual([403, 'reset-code-invalid']);
    expect((await fixture.login(anew)).status).toBe(200);
  });

  it('wants a manifest that the new key signed, and another key than the account has; the code stays good', async () => {
    const { code } = await codeFor();
    const foreign = { ...anew.creation(), manifest: alice.creation().manifest, code };
    const refused = await fixture.call('POST', '/v1/resets', foreign);
    expect([refused.status, refused.json.code]).toEqual([422, 'invalid-manifest']);
    const same = await fixture.call('POST', '/v1/resets', { ...alice.creation({ issuedAt: 1 }), code });
    expect([same.status, same.json.code]).toEqual([409, 'conflict']);
    expect((await reset(code)).status).toBe(201);
  });

  it('is no way into an account, nor is an account’s invitation a reset code', async () => {
    await fixture.close();
    fixture = await startFixture({ GATE: 'invitation' });
    await fixture.store.accounts.create(
      { address: alice.address, accountKey: crypto.ed25519.publicKey(alice.accountSeed), createdAt: 1 },
      { version: 1, bytes: new Uint8Array(1), signature: new Uint8Array(64) },
      [],
    );
    const { code } = await codeFor();
    const stranger = { ...person(crypto, 'carol').creation(), invitation: code };
    expect((await fixture.call('POST', '/v1/accounts', stranger)).json.code).toBe('invitation-invalid');
  });

  it('is in the log twice, by the number of the code, and by nobody’s name or code', async () => {
    const { log } = fixture;
    const { code, number } = await codeFor('Alice');
    await reset(code);
    const lines = log.map((text) => JSON.parse(text)).filter(({ event }) => event.startsWith('account-reset'));
    expect(lines).toMatchObject([
      { event: 'account-reset-allowed', request: number },
      { event: 'account-reset', request: number, count: 1 },
    ]);
    expect(log.join('')).not.toContain(code);
    expect(log.join('')).not.toContain('alice');
  });

  it('is offered to nobody who is not there', async () => {
    for (const name of ['nobody', 'a b'])
      await expect(codeFor(name)).rejects.toMatchObject({
        message: expect.stringContaining('no account of that name'),
      });
  });
});
