/** Accounts that are certified by a deployment's own authority, and a server that lies about it: docs/spec/verification.md section 8. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as inFolder } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { type AccountCertificate, signAccountCertificate } from '@sealwire/wire/account-certificate';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type Constellation, startConstellation } from './constellation.ts';
import { afterCrash, type Person, register, takeTexts } from './person.ts';

jest.setTimeout(30_000);

const DAY = 86_400_000;
const crypto = nodeCrypto();
const seed = systemRandom(32);
const deviceAuthority = { publicKey: crypto.ed25519.publicKey(seed) };
const uncertified = expect.objectContaining({ code: 'uncertified-account' });
let folder: string;
let file: string;
let ahead: number;
let constellation: Constellation;
let people: Person[];
let alice: Person;
let bob: Person;

const now = () => Date.now() + ahead;

beforeEach(async () => {
  folder = mkdtempSync(inFolder(tmpdir(), 'sealwire-authority-'));
  file = inFolder(folder, 'certificates.txt');
  writeFileSync(file, '');
  ahead = 0;
  constellation = await startConstellation({ now, directory: { ACCOUNT_CERTS_FILE: file } });
  alice = await register(constellation, 'alice', { now, deviceAuthority });
  bob = await register(constellation, 'bob', { now });
  people = [alice, bob];
  await bob.client.connect();
});

afterEach(async () => {
  for (const { client } of people) await client.close();
  await constellation.stop();
  rmSync(folder, { recursive: true });
});

async function certificateOf({ client }: Person, other: Partial<AccountCertificate> = {}, by = seed) {
  const { address, accountKey } = await client.trust.peer(client.address);
  const term = { notBefore: now() - DAY, notAfter: now() + DAY };
  return signAccountCertificate(crypto, by, { address, accountKey, ...term, serial: systemRandom(16), ...other });
}

/** From now on the directory shows these. */
function publish(...certificates: readonly Uint8Array[]): void {
  writeFileSync(file, certificates.map((each) => `${encodeBase64url(each)}\n`).join(''));
  ahead += 31_000;
}

/** The server shows alice another certificate of bob, or none, than it was given. */
function lieAboutBob(certificate: Uint8Array | undefined): void {
  alice.network.intercept = async (request, ask) => {
    const answer = await ask();
    if (!request.url.includes('/manifests/bob')) return answer;
    const { certificate: _, ...rest } = (await answer.json()) as Record<string, unknown>;
    return Response.json({ ...rest, ...(certificate && { certificate: encodeBase64url(certificate) }) });
  };
}

const sendToBob = async (client = alice.client) => (await client.send('bob', 'hello')).accepted;

it('T188: nothing goes to an account without a certificate, until it has one; nor when it was taken back', async () => {
  await alice.client.connect();
  await expect(sendToBob()).rejects.toEqual(uncertified);
  await expect(sendToBob()).rejects.toEqual(uncertified);
  expect(alice.network.framesSent('send')).toEqual([]);
  publish(await certificateOf(bob));
  await sendToBob();
  expect(await takeTexts(bob.client, 1)).toEqual(['hello']);
  expect(await alice.client.trust.peer('bob')).toMatchObject({ certified: true });
  publish();
  expect(await alice.client.trust.peer('bob')).toMatchObject({ certified: false });
  await expect(sendToBob()).rejects.toEqual(uncertified);
});

it('T188: a certificate that is of another authority, account or key, or out of time, is none', async () => {
  await alice.client.connect();
  const certificates = [
    await certificateOf(bob, {}, systemRandom(32)),
    await certificateOf(alice),
    await certificateOf(bob, { address: alice.client.address }),
    await certificateOf(bob, { accountKey: crypto.ed25519.publicKey(systemRandom(32)) }),
    await certificateOf(bob, { notAfter: now() - DAY / 2 }),
    await certificateOf(bob, { notBefore: now() + DAY / 2 }),
    new Uint8Array(90).fill(1),
    undefined,
  ];
  for (const certificate of certificates) {
    lieAboutBob(certificate);
    await expect(sendToBob()).rejects.toEqual(uncertified);
  }
  lieAboutBob(await certificateOf(bob, { notAfter: now() - 60_000 }));
  await sendToBob();
  expect(await alice.client.trust.peer('bob')).toMatchObject({ certified: true });
});

it('is kept with the account: a message that is written offline goes out, and after its end it does not', async () => {
  publish(await certificateOf(bob));
  await alice.client.trust.peer('bob');
  const again = await afterCrash(alice, { deviceAuthority });
  people.push(again);
  expect(again.client.trust.peers().find(({ address }) => address === bob.client.address)).toMatchObject({
    certified: true,
  });
  again.network.up = false;
  const { accepted } = await again.client.send('bob', 'later');
  again.network.up = true;
  await again.client.connect();
  await accepted;
  ahead += 2 * DAY;
  await expect(again.client.send('bob', 'too late')).rejects.toEqual(uncertified);
});

it('tells of our own account, and changes nothing for who names no authority', async () => {
  expect(alice.client.account.certificate()).toEqual({ state: 'missing' });
  const notAfter = now() + DAY;
  publish(await certificateOf(alice, { notAfter }));
  expect(await alice.client.trust.peer('alice')).toMatchObject({ certified: true });
  expect(alice.client.account.certificate()).toEqual({ state: 'certified', notAfter });
  expect(bob.client.account.certificate()).toBeUndefined();
  expect(await bob.client.trust.peer('alice')).not.toHaveProperty('certified');
  await (await bob.client.send('alice', 'as ever')).accepted;
  await alice.client.connect();
  expect(await takeTexts(alice.client, 1)).toEqual(['as ever']);
});

it('refuses what is no key of an authority', async () => {
  const none = register(constellation, 'carol', { now, deviceAuthority: { publicKey: new Uint8Array(31) } });
  await expect(none).rejects.toMatchObject({ code: 'bad-request' });
});
