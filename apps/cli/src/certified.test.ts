/** Who names an authority writes to accounts that it has certified, and to no other (docs/spec/verification.md section 8). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { signAccountCertificate } from '@sealwire/wire/account-certificate';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { openInProcess, REAL_RUNTIME } from './testing/in-process.ts';
import { startServer } from './testing/processes.ts';
import type { Result } from './testing/result.ts';

jest.setTimeout(60_000);

const crypto = nodeCrypto();
const seed = crypto.sha256(new TextEncoder().encode('authority'));
const AUTHORITY = encodeBase64url(crypto.ed25519.publicKey(seed));
const folder = mkdtempSync(join(tmpdir(), 'sealwire-certified-'));
const passphraseFile = join(folder, 'passphrase');
let server: Awaited<ReturnType<typeof startServer>>;

/** By name, as the directory would hand them out. */
const certificates = new Map<string, string>();

/** The network, with certificates in answers of a directory that signs nothing. */
const fetchCertified: typeof fetch = async (input, init) => {
  const answer = await REAL_RUNTIME.fetch(input, init);
  const headers = new Headers(answer.headers);
  headers.delete('sealwire-signature');
  const [, name = ''] = /\/manifests\/(\w+)$/.exec(String(input)) ?? [];
  const certificate = certificates.get(name);
  if (!certificate || answer.status !== 200) return new Response(answer.body, { status: answer.status, headers });
  return Response.json({ ...((await answer.json()) as object), certificate });
};

const as = (name: string, ...args: string[]): Promise<Result> => {
  const env = { SEALWIRE_SERVER: server.origin, SEALWIRE_PASSPHRASE_FILE: passphraseFile };
  return openInProcess(join(folder, name), args, { runtime: { ...REAL_RUNTIME, fetch: fetchCertified }, env }).ended;
};

async function certify(name: string): Promise<void> {
  const [own] = (await as(name, 'whoami', '--json')).records as { address: string; accountKey: string }[];
  const accountKey = Uint8Array.from(Buffer.from(own!.accountKey, 'hex'));
  const term = { notBefore: 0, notAfter: 4_000_000_000_000, serial: new Uint8Array(16).fill(1) };
  const address = parseAccountAddress(own!.address);
  certificates.set(name, encodeBase64url(signAccountCertificate(crypto, seed, { address, accountKey, ...term })));
}

beforeAll(async () => {
  writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
  server = await startServer(join(folder, 'server'), ['--logins-per-device', '0']);
  for (const name of ['alice', 'bob', 'carol']) {
    mkdirSync(join(folder, name));
    expect(await as(name, 'register', '-u', name)).toMatchObject({ code: 0 });
  }
  await certify('bob');
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

it('by a flag and by the configuration file; without it nobody is asked', async () => {
  const flag = ['--device-authority', AUTHORITY];
  expect(await as('alice', 'send', '-t', 'bob', '-m', 'hello', ...flag)).toMatchObject({ code: 0 });
  const refused = await as('alice', 'send', '-t', 'carol', '-m', 'hello', ...flag);
  expect(refused).toMatchObject({ code: expect.any(Number), stderr: expect.stringContaining('has no certificate') });
  expect(refused.code).not.toBe(0);
  expect(await as('alice', 'send', '-t', 'carol', '-m', 'hello')).toMatchObject({ code: 0 });
  expect(await as('alice', 'config', 'set', 'device_authority', AUTHORITY)).toMatchObject({ code: 0 });
  expect((await as('alice', 'send', '-t', 'carol', '-m', 'hello')).stderr).toContain('has no certificate');
  const shown = (await as('alice', 'trust', '--json')).records as { address: string; certified: boolean }[];
  const certified = Object.fromEntries(
    shown.map(({ address, certified }) => [/sip:(\w+)@/.exec(address)![1], certified]),
  );
  expect(certified).toEqual({ bob: true, carol: false });
  expect(await as('alice', 'send', '-t', 'bob', '-m', 'hello', '--device-authority', 'no-key')).toMatchObject({
    code: 2,
  });
});
