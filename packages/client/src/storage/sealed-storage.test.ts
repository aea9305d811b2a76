import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '@sealwire/crypto/noble';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { MemoryStorage } from './memory-storage.ts';
import { decodeRecord } from './record.ts';
import { SealedStorage } from './sealed-storage.ts';

const crypto = nobleCrypto();
const storageKey = new Uint8Array(32).fill(7);
const utf8 = new TextEncoder();

function sealedOver(inner: MemoryStorage, key = storageKey): SealedStorage {
  return new SealedStorage(inner, key, crypto, seededRandom(3));
}

async function filled(): Promise<MemoryStorage> {
  const inner = new MemoryStorage();
  const sealed = sealedOver(inner);
  await sealed.load();
  await sealed.write([
    { key: 'self/account', value: utf8.encode('the account secret') },
    { key: 'outbox/0', value: utf8.encode('a message') },
    { key: 'outbox/1', value: new Uint8Array(0) },
  ]);
  await sealed.write([{ key: 'outbox/0' }]);
  await sealed.close();
  return inner;
}

/** The records as the disk holds them. */
async function rawOf(storage: MemoryStorage): Promise<Map<string, Uint8Array>> {
  return storage.copy().load();
}

describe('SealedStorage', () => {
  it('gives back what was written, also empty values, and forgets what was deleted', async () => {
    const records = await sealedOver(await filled()).load();
    expect(new Map([...records].sort())).toEqual(
      new Map([
        ['outbox/1', new Uint8Array(0)],
        ['self/account', utf8.encode('the account secret')],
      ]),
    );
  });

  it('S79: neither keys nor values are on the disk', async () => {
    const raw = await rawOf(await filled());
    const disk = [...raw].map(([name, value]) => name + new TextDecoder('latin1').decode(value)).join('\n');
    for (const secret of ['account', 'outbox', 'secret', 'message']) {
      expect(disk.replace('sealed-storage-check', '')).not.toContain(secret);
    }
  });

  it('another key: wrong-passphrase, not corrupt', async () => {
    const other = sealedOver(await filled(), new Uint8Array(32).fill(8));
    await expect(other.load()).rejects.toMatchObject({ code: 'wrong-passphrase' });
  });

  it('every record is encrypted under a key of its own, the same record twice too', async () => {
    const inner = new MemoryStorage();
    const sealed = sealedOver(inner);
    await sealed.load();
    const same = utf8.encode('the same');
    await sealed.write([{ key: 'a/1', value: same }]);
    const first = [...(await rawOf(inner)).values()];
    await sealed.write([{ key: 'a/1', value: same }]);
    const second = [...(await rawOf(inner)).values()];
    expect(second).not.toEqual(first);
    const salts = [...first, ...second].map((value) => value.subarray(0, 24).join());
    expect(new Set(salts).size).toBe(3);
  });

  it('a flipped bit anywhere in a record: corrupt', async () => {
    const inner = await filled();
    const raw = await rawOf(inner);
    const [name, value] = [...raw].find(([key]) => key !== 'sealed-storage-check')!;
    for (let at = 0; at < value.length; at += 7) {
      const damaged = inner.copy();
      await damaged.write([{ key: name, value: value.map((byte, i) => (i === at ? byte ^ 4 : byte)) }]);
      await expect(sealedOver(damaged).load()).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  it('two records swapped on the disk, or one renamed: corrupt', async () => {
    const inner = await filled();
    const [[one, first], [two, second]] = [...(await rawOf(inner))].filter(
      ([key]) => key !== 'sealed-storage-check',
    ) as [[string, Uint8Array], [string, Uint8Array]];
    const swapped = inner.copy();
    await swapped.write([
      { key: one, value: second },
      { key: two, value: first },
    ]);
    await expect(sealedOver(swapped).load()).rejects.toMatchObject({ code: 'corrupt' });
    const renamed = inner.copy();
    await renamed.write([{ key: 'somewhere-else', value: first }]);
    await expect(sealedOver(renamed).load()).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('records without the check record: corrupt, not an open door for a new passphrase', async () => {
    const inner = await filled();
    await inner.write([{ key: 'sealed-storage-check' }]);
    await expect(sealedOver(inner).load()).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('S21: nobody is told to restore a damaged storage from a backup, which would repeat keys', async () => {
    const inner = await filled();
    await inner.write([{ key: 'sealed-storage-check' }]);
    const advice = { code: 'corrupt', message: expect.stringMatching(/^(?!.*backup).*new device.*use keys twice/) };
    await expect(sealedOver(inner).load()).rejects.toMatchObject(advice);
    expect(() => decodeRecord(new Uint8Array(2))).toThrow(expect.objectContaining(advice));
  });

  it('a key of another length is refused', () => {
    expect(() => sealedOver(new MemoryStorage(), new Uint8Array(16))).toThrow('32 bytes');
  });
});
