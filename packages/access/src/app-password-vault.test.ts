import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { parseAccountAddress } from '@sealwire/wire/ids';
import { createAppPasswordVault } from './app-password-vault.ts';
import { digestHash } from './digest-hash.ts';

const crypto = nodeCrypto();
const ALICE = parseAccountAddress('sip:alice@example.org');
const BOB = parseAccountAddress('sip:bob@example.org');
const PASSWORD = 'abcd-2345';
const owner = { address: ALICE, id: 'one' };

function vault({ key = 1, md5 = false, realm = 'example.org' } = {}) {
  let counter = 0;
  return createAppPasswordVault({
    crypto,
    random: (length) => new Uint8Array(length).fill(++counter),
    key: new Uint8Array(32).fill(key),
    domain: 'example.org',
    realm,
    md5,
  });
}

const ha1 = (algorithm: 'SHA-256' | 'MD5', user: string) =>
  digestHash(crypto, algorithm, `${user}:example.org:${PASSWORD}`);

describe('the vault of app passwords', () => {
  it('keeps a hash for each form of the user, with SHA-256, and with MD5 only while that is on', () => {
    const on = vault({ md5: true });
    const off = vault();
    const sealed = on.seal(owner, PASSWORD);
    for (const user of ['alice', 'alice@example.org', 'sip:alice@example.org']) {
      const parsed = on.parseUser(user);
      expect(parsed?.address).toBe(ALICE);
      for (const algorithm of on.algorithms)
        expect(on.open(owner, sealed, algorithm, parsed!.form)).toBe(ha1(algorithm, user));
    }
    const without = off.seal(owner, PASSWORD);
    expect([off.algorithms, off.open(owner, without, 'SHA-256', 0)]).toEqual([['SHA-256'], ha1('SHA-256', 'alice')]);
    expect(on.open(owner, without, 'MD5', 0)).toBeUndefined();
  });

  it('a verifier opens under its key, for its owner and its id, and nowhere else', () => {
    const sealed = vault().seal(owner, PASSWORD);
    expect(vault().open(owner, sealed, 'SHA-256', 0)).toBe(ha1('SHA-256', 'alice'));
    expect(vault({ key: 2 }).open(owner, sealed, 'SHA-256', 0)).toBeUndefined();
    expect(vault().open({ ...owner, address: BOB }, sealed, 'SHA-256', 0)).toBeUndefined();
    expect(vault().open({ ...owner, id: 'two' }, sealed, 'SHA-256', 0)).toBeUndefined();
    for (let i = 0; i < sealed.length; i++) {
      const damaged = sealed.slice();
      damaged[i]! ^= 1;
      expect([i, vault().open(owner, damaged, 'SHA-256', 0)]).toEqual([i, undefined]);
    }
    expect(vault().open(owner, new Uint8Array(), 'SHA-256', 0)).toBeUndefined();
  });

  it('shows neither the hashes nor the password in what it stores, and no two times the same', () => {
    const one = vault();
    const [first, second] = [one.seal(owner, PASSWORD), one.seal(owner, PASSWORD)];
    expect(Buffer.from(first!).equals(second!)).toBe(false);
    for (const secret of [Buffer.from(ha1('SHA-256', 'alice'), 'hex'), Buffer.from(PASSWORD)])
      expect(Buffer.from(first!).includes(secret)).toBe(false);
  });

  it.each([
    '',
    'alice@example.com',
    'sip:alice',
    'alice@example.org@example.org',
    'al ice',
    'alice@',
    'SIP:alice@example.org',
    'sip:sip:alice',
    'a:b',
  ])('takes "%s" for no user of its domain', (text) => {
    expect(vault().parseUser(text)).toBeUndefined();
  });
});
