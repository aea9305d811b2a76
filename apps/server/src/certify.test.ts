/** Certificates of accounts, as an operator makes them: docs/operations/certificates.md. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import { serverProcesses } from '@sealwire/service/testing/server-process';
import { verifyAccountCertificate } from '@sealwire/wire/account-certificate';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { encodeManifest, manifestSigningInput, noPreviousManifest } from '@sealwire/wire/manifest';
import { askForAccount, certify, makeAuthority, readAccountList, readAuthority } from './certification.ts';

jest.setTimeout(60_000);

const DAY = 86_400_000;
const crypto = nodeCrypto();
const now = () => 1_800_000_000_000;
const means = { crypto, random: systemRandom, now };
const address = parseAccountAddress('sip:alice@example.org');
const seedOfAlice = systemRandom(32);
const accountKey = crypto.ed25519.publicKey(seedOfAlice);
const alice = { address, accountKey };
const processes = serverProcesses(import.meta.url);
let folder: string;
let caKey: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-ca-'));
  caKey = join(folder, 'ca.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes a key for its owner alone, once, and certificates that its public half verifies', () => {
  const authority = makeAuthority(means, caKey);
  expect(statSync(caKey).mode & 0o777).toBe(0o600);
  expect(() => makeAuthority(means, caKey)).toThrow('is there already');
  const seed = readAuthority(means, caKey);
  const certificate = verifyAccountCertificate(crypto, authority, decodeBase64url(certify(means, seed, alice, 30)));
  expect(certificate).toMatchObject({ ...alice, notBefore: now() - 3_600_000, notAfter: now() + 30 * DAY });
  writeFileSync(join(folder, 'other'), 'nonsense', { mode: 0o600 });
  for (const file of ['other', 'not-there'])
    expect(() => readAuthority(means, join(folder, file))).toThrow('holds no key');
});

it('reads lists of accounts, and says which line is none', () => {
  const list = join(folder, 'list');
  writeFileSync(list, `# staff\n\n${address} ${encodeBase64url(accountKey)} # by phone\n`);
  expect(readAccountList(crypto, list)).toEqual([alice]);
  writeFileSync(list, `${address} ${Buffer.from(accountKey).toString('hex')}`);
  expect(readAccountList(crypto, list)).toEqual([alice]);
  for (const line of ['alice', `${address}`, `${address} AAAA`, `${address} ${encodeBase64url(accountKey)} x`]) {
    writeFileSync(list, `# staff\n${line}\n`);
    expect(() => readAccountList(crypto, list)).toThrow('line 2 of');
  }
});

it('asks a directory for account keys, and takes what signs its list of devices alone', async () => {
  const device = {
    id: parseDeviceId('sip:alice@example.org;gr=urn:uuid:1'),
    identities: [{ suite: 'c25519' as const, identityKey: crypto.ed25519.publicKey(systemRandom(32)) }],
    loginKey: crypto.ed25519.publicKey(systemRandom(32)),
    addedAt: 1,
  };
  const manifest = encodeManifest({
    address,
    version: 1,
    previous: noPreviousManifest(),
    issuedAt: 1,
    devices: [device],
  });
  const signature = crypto.ed25519.sign(seedOfAlice, manifestSigningInput(manifest));
  const shown = (key: Uint8Array) => {
    const [accountKey = '', bytes, signed] = [key, manifest, signature].map(encodeBase64url);
    return Response.json({ address, accountKey, version: 1, manifest: bytes, signature: signed });
  };
  const asked: string[] = [];
  const ask = (answer: Response) =>
    askForAccount(
      crypto,
      async (url) => {
        asked.push(url);
        return answer;
      },
      'https://chat.example.org/',
      'alice',
    );
  expect(await ask(shown(accountKey))).toEqual(alice);
  expect(asked).toEqual(['https://chat.example.org/directory/manifests/alice']);
  await expect(ask(shown(device.loginKey))).rejects.toThrow('answers no list of devices of alice');
  await expect(ask(new Response(null, { status: 404 }))).rejects.toThrow('there is no alice');
});

it('as a command: certificates on standard output, whom they are for beside it, a mistake in one line', async () => {
  const list = join(folder, 'list');
  writeFileSync(list, `${address} ${encodeBase64url(accountKey)}\n`);
  const authority = decodeBase64url((await processes.start(['certify', '--new-ca', caKey], {}).ended).stdout.trim());
  const [made, mistake] = await Promise.all([
    processes.start(['certify', '--ca-key', caKey, '--list', list], {}).ended,
    processes.start(['certify', '--ca-key', caKey, '--days', '0', '--list', list], {}).ended,
  ]);
  expect(verifyAccountCertificate(crypto, authority, decodeBase64url(made.stdout.trim()))).toMatchObject(alice);
  expect(made.stderr).toBe(`${address} with account key ${Buffer.from(accountKey).toString('hex')}: 365 days\n`);
  expect([mistake.code, mistake.stderr]).toEqual([2, 'certify: --days: not a number from 1 to 3650\n']);
});
