/** Two people verify each other over real servers, and over servers that lie: docs/spec/verification.md. */
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { VerificationState } from '@sealwire/client/verification';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { decodeManifest, encodeManifest, type Manifest, manifestSigningInput } from '@sealwire/wire/manifest';
import { Company } from './company.ts';
import { afterCrash, type Person, register, take, takeTexts } from './person.ts';

jest.setTimeout(30_000);

const crypto = nodeCrypto();
const company = new Company();
let alice: Person;
let bob: Person;

beforeEach(async () => {
  alice = await company.person('alice');
  bob = await company.person('bob');
});

const numberOf = async ({ client }: Person, name: string) => client.verification.safetyNumber(name);
const trustOf = async ({ client }: Person, name: string) => (await client.trust.peer(name)).trust;

/** Resolves with the first state that is so. */
function stateOf({ client }: Person, is: (state: VerificationState) => boolean): Promise<VerificationState> {
  return new Promise((resolve) => {
    const stop = client.verification.onChange((state) => {
      if (!is(state)) return;
      stop();
      resolve(state);
    });
  });
}

const atStep = (person: Person, step: VerificationState['step']) => stateOf(person, (state) => state.step === step);

/** What `of` sees of bob's account from now on: a list that another key signs. */
async function swapAccountKey(of = alice): Promise<void> {
  const answer = (await (await fetch(`${company.constellation.origin}/directory/manifests/bob`)).json()) as {
    manifest: string;
  };
  const forged = signed(systemRandom(32), decodeManifest(decodeBase64url(answer.manifest)));
  of.network.intercept = async (request, ask) =>
    request.method === 'GET' && request.url.endsWith('/directory/manifests/bob') ? Response.json(forged) : ask();
}

function signed(accountSeed: Uint8Array, manifest: Manifest): object {
  const bytes = encodeManifest(manifest);
  return {
    address: manifest.address,
    accountKey: encodeBase64url(crypto.ed25519.publicKey(accountSeed)),
    version: manifest.version,
    manifest: encodeBase64url(bytes),
    signature: encodeBase64url(crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes))),
  };
}

describe('T166: numbers and codes', () => {
  it('both read the same number; it stays when a device comes, and verifies who reads it', async () => {
    const hers = await numberOf(alice, 'bob');
    const his = await numberOf(bob, 'alice');
    expect(his.digits).toBe(hers.digits);
    await company.anotherDevice(bob);
    expect((await numberOf(alice, 'bob')).digits).toBe(hers.digits);
    expect(await alice.client.verification.compareNumber('bob', his.digits.replace(/(.{5})/g, '$1 '))).toBe(true);
    expect(await alice.client.trust.peer('bob')).toMatchObject({ verified: true, trust: 'trusted' });
    expect(await trustOf(bob, 'alice')).toBe('untrusted');
    await expect(alice.client.verification.compareNumber('bob', '12345')).rejects.toMatchObject({
      code: 'bad-verification-code',
    });
  });

  it('a code that is scanned verifies, and is kept over a restart; withdrawn, it is not', async () => {
    const { code } = await numberOf(bob, 'alice');
    expect(await alice.client.verification.compare('bob', code)).toBe('same');
    const again = await afterCrash(alice);
    company.people.push(again);
    expect(await again.client.trust.peer('bob')).toMatchObject({ verified: true, trust: 'trusted' });
    await again.client.verification.withdraw('bob');
    expect(await again.client.trust.peer('bob')).toMatchObject({ verified: false, trust: 'untrusted' });
    await expect(again.client.verification.compare('bob', 'sealwire-verify-1:AAAA')).rejects.toMatchObject({
      code: 'bad-verification-code',
    });
    await expect(again.client.verification.safetyNumber('alice')).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('a device of a verified account is trusted when the account’s key signs it; an unsafe one stays unsafe', async () => {
    expect(await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code)).toBe('same');
    await company.anotherDevice(bob);
    expect(await trustOf(alice, 'bob')).toBe('trusted');
    await alice.client.trust.set(bob.client.device, 'unsafe');
    await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code);
    const { trust, devices } = await alice.client.trust.peer('bob');
    expect([trust, devices.map((device) => device.trust).sort()]).toEqual(['unsafe', ['trusted', 'unsafe']]);
  });
});

describe('T167: a server that lies to one of the two', () => {
  it('another account key from the start: number and code differ, and nobody is verified', async () => {
    await swapAccountKey();
    expect((await numberOf(alice, 'bob')).digits).not.toBe((await numberOf(bob, 'alice')).digits);
    expect(await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code)).toBe('other-keys');
    expect(await alice.client.verification.compareNumber('bob', (await numberOf(bob, 'alice')).digits)).toBe(false);
    expect(await bob.client.verification.compare('alice', (await numberOf(alice, 'bob')).code)).toBe('other-keys');
    expect([await trustOf(alice, 'bob'), await trustOf(bob, 'alice')]).toEqual(['untrusted', 'untrusted']);
  });

  it('S38: a device that it hides from one of them is seen when they scan', async () => {
    const old = await (await fetch(`${company.constellation.origin}/directory/manifests/bob`)).json();
    await company.anotherDevice(bob);
    alice.network.intercept = async (request, ask) =>
      request.url.endsWith('/directory/manifests/bob') ? Response.json(old) : ask();
    expect(await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code)).toBe('hidden-list');
    expect(await trustOf(alice, 'bob')).toBe('untrusted');
    // The other way round: bob has seen that alice is behind.
    expect(await bob.client.verification.compare('alice', (await numberOf(alice, 'bob')).code)).toBe('old-list');
  });

  it('D10: another account key later: one event, and nothing is sent until the user has decided, though the old one is back', async () => {
    await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code);
    const events = take(alice.client, 'account-reset', 1);
    await swapAccountKey();
    for (let n = 0; n < 3; n++)
      await expect(alice.client.trust.peer('bob')).rejects.toMatchObject({ code: 'account-key-changed' });
    expect(await events).toMatchObject([{ kind: 'account-reset', address: bob.client.address }]);
    expect(alice.client.trust.peers().find(({ address }) => address === bob.client.address)!.trust).toBe('unsafe');
    await expect(alice.client.send('bob', 'to whom?')).rejects.toMatchObject({ code: 'unsafe-device' });
    alice.network.intercept = (_request, ask) => ask();
    expect(await trustOf(alice, 'bob')).toBe('unsafe');
    await alice.client.trust.set(bob.client.device, 'trusted');
    expect(await trustOf(alice, 'bob')).toBe('trusted');
  });

  it('D10: an account that is forgotten has to be verified anew', async () => {
    await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code);
    await alice.client.trust.forget('bob');
    expect(await alice.client.trust.peer('bob')).toMatchObject({ verified: false, trust: 'untrusted' });
  });
});

describe('four characters over the relay', () => {
  it('no application is shown what is said, and messages go on meanwhile', async () => {
    const offered = atStep(bob, 'offered');
    await alice.client.verification.request('bob');
    const { id } = await offered;
    const [hers, his] = [atStep(alice, 'comparing'), atStep(bob, 'comparing')];
    bob.client.verification.accept(id);
    await alice.client.send('bob', 'do you see it?');
    expect((await hers).shortString).toBe((await his).shortString);
    const verified = Promise.all([atStep(alice, 'verified'), atStep(bob, 'verified')]);
    await bob.client.verification.confirm(id);
    await alice.client.verification.confirm(id);
    await verified;
    expect([await trustOf(alice, 'bob'), await trustOf(bob, 'alice')]).toEqual(['trusted', 'trusted']);
    await bob.client.send('alice', 'yes');
    expect(await take(alice.client, 'message', 1)).toMatchObject([{ text: 'yes', trust: 'trusted' }]);
    expect(await takeTexts(bob.client, 1)).toEqual(['do you see it?']);
  });

  it('a program that confirms at once is not ahead of its own key', async () => {
    for (const { client } of [alice, bob])
      client.verification.onChange(({ id, step }) => {
        if (step === 'offered') client.verification.accept(id);
        if (step === 'comparing') void client.verification.confirm(id);
      });
    const over = Promise.all([alice, bob].map((person) => stateOf(person, ({ step }) => /verified|ended/.test(step))));
    await alice.client.verification.request('bob');
    expect(await over).toMatchObject([{ step: 'verified' }, { step: 'verified' }]);
  });

  it('all devices of the other side are asked, one has it', async () => {
    const tablet = await company.anotherDevice(bob);
    const offered = [atStep(bob, 'offered'), atStep(tablet, 'offered')];
    await alice.client.verification.request('bob');
    const [{ id }] = (await Promise.all(offered)) as [VerificationState];
    const ended = atStep(bob, 'ended');
    const comparing = atStep(tablet, 'comparing');
    tablet.client.verification.accept(id);
    expect(await ended).toMatchObject({ reason: 'elsewhere' });
    expect(await comparing).toMatchObject({ device: alice.client.device });
  });
});

describe('on the user’s other devices', () => {
  it('T226: number, withdrawal and other characters count there, too', async () => {
    const laptop = await company.anotherDevice(alice);
    await laptop.client.trust.peer('bob');
    await alice.client.verification.compareNumber('bob', (await numberOf(bob, 'alice')).digits);
    expect(await take(laptop.client, 'verification-changed', 1)).toEqual([
      { kind: 'verification-changed', address: bob.client.address, state: 'verified' },
    ]);
    expect(await laptop.client.trust.peer('bob')).toMatchObject({ verified: true, trust: 'trusted' });
    await laptop.client.verification.withdraw('bob');
    expect(await take(alice.client, 'verification-changed', 1)).toMatchObject([{ state: 'withdrawn' }]);
    expect(await trustOf(alice, 'bob')).toBe('untrusted');
    const compared = [alice, bob].map((person) => atStep(person, 'comparing'));
    const offered = atStep(bob, 'offered');
    await alice.client.verification.request('bob');
    bob.client.verification.accept((await offered).id);
    const [hers] = await Promise.all(compared);
    await alice.client.verification.different(hers!.id);
    expect(await take(laptop.client, 'verification-changed', 1)).toMatchObject([{ state: 'different' }]);
    await expect(laptop.client.send('bob', 'hello')).rejects.toMatchObject({ code: 'unsafe-device' });
  });

  it('T227: a device that joins is shown another key: it tells, and sends nothing until the user accepts it', async () => {
    await alice.client.verification.compareNumber('bob', (await numberOf(bob, 'alice')).digits);
    await alice.client.contacts.synced();
    const laptop = await company.anotherDevice(alice);
    await laptop.client.contacts.synced();
    expect(await laptop.client.trust.peer('bob')).toMatchObject({ verified: true, trust: 'trusted' });
    const tablet = await company.anotherDevice(alice);
    await tablet.client.contacts.synced();
    await swapAccountKey(tablet);
    expect(await trustOf(tablet, 'bob')).toBe('unsafe');
    expect(await take(tablet.client, 'account-reset', 1)).toMatchObject([{ address: bob.client.address }]);
    await expect(tablet.client.send('bob', 'hello')).rejects.toMatchObject({ code: 'unsafe-device' });
    expect((await tablet.client.trust.acceptReset('bob')).trust).toBe('untrusted');
    // The user has said so: it is verified on no device any more.
    expect(await take(laptop.client, 'verification-changed', 1)).toMatchObject([{ state: 'withdrawn' }]);
  });
});

describe('T170: trusted devices only', () => {
  it('a device that is not trusted gets nothing, and is named; verified, it does', async () => {
    await alice.client.trust.policy.set('trusted-only');
    // Nobody is known yet: found out when it is sent.
    const { accepted } = await alice.client.send('bob', 'first');
    await expect(accepted).rejects.toMatchObject({
      code: 'untrusted-device',
      message: expect.stringContaining(bob.client.device),
    });
    await expect(alice.client.send('bob', 'second')).rejects.toMatchObject({ code: 'untrusted-device' });
    expect(alice.network.framesSent('send')).toEqual([]);
    await alice.client.verification.compare('bob', (await numberOf(bob, 'alice')).code);
    await (await alice.client.send('bob', 'third')).accepted;
    expect(await takeTexts(bob.client, 1)).toEqual(['third']);
  });

  it('one that joins somebody who is not verified is found out, though all others are trusted', async () => {
    await alice.client.trust.peer('bob');
    await alice.client.trust.set(bob.client.device, 'trusted');
    await alice.client.trust.policy.set('trusted-only', 'bob');
    await (await alice.client.send('bob', 'for one')).accepted;
    const tablet = await company.anotherDevice(bob);
    const { accepted } = await alice.client.send('bob', 'for two');
    await expect(accepted).rejects.toMatchObject({
      code: 'untrusted-device',
      message: expect.stringContaining(tablet.client.device),
    });
  });

  it('is of one conversation, or of all, and kept; our own devices are ours', async () => {
    const carol = await register(company.constellation, 'carol');
    company.people.push(carol);
    const laptop = await company.anotherDevice(alice);
    await alice.client.trust.policy.set('trusted-only');
    await alice.client.trust.policy.set('everyone', 'carol');
    await (await alice.client.send('carol', 'hello')).accepted;
    await (await alice.client.send('alice', 'a note')).accepted;
    expect(await takeTexts(laptop.client, 2)).toEqual(['hello', 'a note']);
    const again = await afterCrash(alice);
    company.people.push(again);
    const { policy } = again.client.trust;
    expect([policy.get(), policy.get('carol'), policy.get('bob')]).toEqual([
      'trusted-only',
      'everyone',
      'trusted-only',
    ]);
    expect(policy.conversations()).toEqual([carol.client.address]);
    await expect(policy.set('nobody' as never)).rejects.toMatchObject({ code: 'bad-request' });
  });
});
