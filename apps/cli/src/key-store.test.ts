import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { createKeyStore, openKeyStore, protectionOf } from './key-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwire-key-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

let seed = 0;
const tools = {
  crypto: nobleCrypto(),
  random: (length: number) => Uint8Array.from({ length }, () => (seed = (seed * 73 + 41) % 251)),
  parameters: { memoryKiB: 64, passes: 1, lanes: 1 },
};
const passphrase = 'correct horse battery';
const never = () => Promise.reject(new Error('asked for a passphrase'));

describe('the key store', () => {
  it('gives the same key back for the right passphrase, and is readable by its owner only', async () => {
    const file = join(folder, 'alice.json');
    const key = await createKeyStore(file, passphrase, tools);
    expect(key).toHaveLength(32);
    expect(await openKeyStore(file, async () => passphrase, tools)).toEqual(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(protectionOf(file)).toBe('passphrase');
    expect(readdirSync(folder)).toEqual(['alice.json']);
  });

  it('knows a passphrase however its accents are composed', async () => {
    const file = join(folder, 'accents.json');
    const key = await createKeyStore(file, 'cre\u0300me bru\u0302le\u0301e', tools);
    expect(await openKeyStore(file, async () => 'cr\u00e8me br\u00fbl\u00e9e', tools)).toEqual(key);
  });

  it('refuses a wrong passphrase in one line that does not hold it', async () => {
    const file = join(folder, 'wrong.json');
    await createKeyStore(file, passphrase, tools);
    const opening = openKeyStore(file, async () => 'not it at all', tools);
    await expect(opening).rejects.toMatchObject({ ending: 'authentication', message: `wrong passphrase for ${file}` });
  });

  it('does not ask for a passphrase when there is none', async () => {
    const file = join(folder, 'plain.json');
    const key = await createKeyStore(file, undefined, tools);
    expect(await openKeyStore(file, never, tools)).toEqual(key);
    expect(protectionOf(file)).toBe('none');
  });

  it('never replaces a header that is there', async () => {
    const file = join(folder, 'taken.json');
    const key = await createKeyStore(file, passphrase, tools);
    await expect(createKeyStore(file, 'another passphrase', tools)).rejects.toMatchObject({ ending: 'locked' });
    expect(await openKeyStore(file, async () => passphrase, tools)).toEqual(key);
  });

  it('authenticates the parameters: weaker ones written in by a thief do not open', async () => {
    const file = join(folder, 'weaker.json');
    await createKeyStore(file, passphrase, tools);
    const header = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...header, kdf: { ...header.kdf, memoryKiB: 32 } }));
    await expect(openKeyStore(file, async () => passphrase, tools)).rejects.toMatchObject({ ending: 'authentication' });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'sealwire'],
    ['another format', '{"format":"sealwire-key-store/9","protection":"none","key":""}'],
    ['a short key', '{"format":"sealwire-key-store/1","protection":"none","key":"AAAA"}'],
    ['no base64url', `{"format":"sealwire-key-store/1","protection":"none","key":"${'*'.repeat(43)}"}`],
  ])('says of a file with %s that it is damaged, before any passphrase', async (_what, content) => {
    const file = join(folder, 'damaged.json');
    writeFileSync(file, content);
    await expect(openKeyStore(file, never, tools)).rejects.toMatchObject({ ending: 'damaged' });
  });

  it('refuses a salt that is no base64url, or not in its one form', async () => {
    const file = join(folder, 'salt.json');
    await createKeyStore(file, passphrase, tools);
    const header = JSON.parse(readFileSync(file, 'utf8'));
    for (const salt of ['*'.repeat(22), `${'A'.repeat(21)}B`]) {
      writeFileSync(file, JSON.stringify({ ...header, kdf: { ...header.kdf, salt } }));
      await expect(openKeyStore(file, never, tools)).rejects.toMatchObject({ ending: 'damaged' });
    }
  });

  it('refuses a header that would exhaust the memory', async () => {
    const file = join(folder, 'greedy.json');
    await createKeyStore(file, passphrase, tools);
    const header = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...header, kdf: { ...header.kdf, memoryKiB: 2 ** 32 } }));
    await expect(openKeyStore(file, never, tools)).rejects.toMatchObject({ ending: 'damaged' });
  });
});
