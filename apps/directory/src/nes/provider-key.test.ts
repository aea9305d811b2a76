/** Where the provider's key comes from: given, made once and kept, or refused in one line that does not quote it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { generateKeys, parsePrivateKey, privateKeyText } from '@sealwire/nes/keys';
import { providerKey } from './provider-key.ts';

const random = seededRandom('provider key');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-nes-key-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is made at the first start, for this user only, and is the same at the next', async () => {
  const file = join(folder, 'secrets', 'nes-key.pem');
  const [first, second] = [await providerKey(undefined, file, random), await providerKey(undefined, file, random)];
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(privateKeyText(first.privateKey)).toBe(privateKeyText(second.privateKey));
  expect(privateKeyText(parsePrivateKey(readFileSync(file, 'utf8')).privateKey)).toBe(privateKeyText(first.privateKey));
  expect(first.publicKey.asymmetricKeyDetails?.modulusLength).toBe(3_072);
  chmodSync(file, 0o644);
  await expect(providerKey(undefined, file, random)).rejects.toThrow(`chmod 600 ${file}`);
});

it('is the one that was given', async () => {
  const { privateKey } = await generateKeys();
  const text = privateKeyText(privateKey);
  expect(privateKeyText((await providerKey(text, undefined, random)).privateKey)).toBe(text);
});

it.each([
  ['nothing', undefined, 'NES_KEY: NES_PROVIDER=on needs it — make one: openssl genrsa'],
  ['no key', 'secret words', 'NES_KEY: not a key in PEM, or damaged — make one'],
])('is demanded where there is %s', async (_what, given, line) => {
  const refused = providerKey(given, undefined, random);
  await expect(refused).rejects.toThrow(line);
  await expect(refused).rejects.not.toThrow('secret words');
});

it('is refused when its file is damaged, and not made anew: users have pinned it', async () => {
  const file = join(folder, 'nes-key.pem');
  writeFileSync(file, 'nothing', { mode: 0o600 });
  await expect(providerKey(undefined, file, random)).rejects.toThrow(
    `${file}: not a key in PEM, or damaged — restore it`,
  );
  expect(readFileSync(file, 'utf8')).toBe('nothing');
});
