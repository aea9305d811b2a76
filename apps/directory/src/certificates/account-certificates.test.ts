/** Certificates that an operator puts beside the directory: docs/spec/verification.md section 8. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { signAccountCertificate } from '@sealwire/wire/account-certificate';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { enrol, type TestDevice, testDevice } from '../testing/device.ts';
import { crypto, type Fixture, startFixture } from '../testing/fixture.ts';

const phone = testDevice(crypto, 'alice', 'phone');
const bob = testDevice(crypto, 'bob');
let folder: string;
let path: string;
let fixture: Fixture | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-certificates-'));
  path = join(folder, 'certificates.txt');
});
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
  rmSync(folder, { recursive: true });
});

function certificateOf({ address }: TestDevice, notAfter = 2_000): string {
  const serial = new Uint8Array(16).fill(1);
  const accountKey = new Uint8Array(32).fill(2);
  const said = { address, accountKey, notBefore: 1_000, notAfter, serial };
  return encodeBase64url(signAccountCertificate(crypto, new Uint8Array(32).fill(3), said));
}

async function started(): Promise<Fixture> {
  fixture = await startFixture({ ACCOUNT_CERTS_FILE: path });
  await enrol(fixture.store, phone);
  await enrol(fixture.store, bob);
  return fixture;
}

const shown = async ({ json }: Fixture, name: string) => (await json('GET', `/directory/manifests/${name}`)).json;

it('hands them out with lists of devices: the last of an account, and none of an account that has none', async () => {
  writeFileSync(path, `${certificateOf(phone, 1_500)}\n\n${certificateOf(phone)}\n`);
  const directory = await started();
  expect((await shown(directory, 'alice')).certificate).toBe(certificateOf(phone));
  expect(await shown(directory, 'bob')).not.toHaveProperty('certificate');
});

it('reads the file again when it was changed, and keeps what it has while the file is not good', async () => {
  writeFileSync(path, `${certificateOf(phone)}\n`);
  const directory = await started();
  writeFileSync(path, `${certificateOf(bob)}\n`);
  expect((await shown(directory, 'alice')).certificate).toBe(certificateOf(phone));
  directory.clock.now += 30_000;
  expect(await shown(directory, 'alice')).not.toHaveProperty('certificate');
  expect((await shown(directory, 'bob')).certificate).toBe(certificateOf(bob));
  writeFileSync(path, `${certificateOf(bob)}\nhalf of`);
  directory.clock.now += 30_000;
  expect((await shown(directory, 'bob')).certificate).toBe(certificateOf(bob));
  expect(directory.log.join()).toContain('certificates-not-usable');
  rmSync(path);
  directory.clock.now += 30_000;
  expect((await shown(directory, 'bob')).certificate).toBe(certificateOf(bob));
});

it('does not start on a file that is not there, or with a line that is none: one line with the fix', async () => {
  await expect(started()).rejects.toThrow('ACCOUNT_CERTS_FILE: the file cannot be read (ENOENT)');
  writeFileSync(path, `${certificateOf(phone)}\nnonsense\n`);
  await expect(started()).rejects.toThrow('ACCOUNT_CERTS_FILE: line 2 is no certificate');
});
