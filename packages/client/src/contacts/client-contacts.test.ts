/** What is said of contacts on one device: who may write, and what is refused (docs/spec/contacts.md section 4). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { decodeBase64url } from '@sealwire/wire/base64url';
import { allowedEntry, isAllowed } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ContactServer, contactDevice, names } from '../testing/contact-world.ts';

const crypto = nodeCrypto();
let server: ContactServer;
beforeEach(() => {
  server = new ContactServer();
});
const device = (given?: object) => contactDevice(server, given);

describe('who may write', () => {
  const mayWrite = (name: string) => {
    const { salt, allowed } = server.rules!;
    const entry = allowedEntry(crypto.sha256, decodeBase64url(salt), `sip:${name}@example.org` as AccountAddress);
    return isAllowed(decodeBase64url(allowed), entry);
  };

  it('is told to the server when strangers are kept out, and not before', async () => {
    const phone = await device();
    await phone.contacts.add('bob');
    await phone.contacts.synced();
    expect(server.rules).toBeUndefined();
    await phone.contacts.setPolicy('requests');
    await phone.contacts.synced();
    expect(server.rules).toMatchObject({ policy: 'requests', version: 2 });
    expect(['bob', 'carol'].map(mayWrite)).toEqual([true, false]);
    expect(decodeBase64url(server.rules!.allowed)).toHaveLength(8);
    await phone.contacts.letIn('sip:carol@example.org' as AccountAddress);
    expect([names(phone), mayWrite('carol')]).toEqual([['bob='], true]);
    await phone.contacts.remove('bob');
    await phone.contacts.synced();
    expect(['bob', 'carol'].map(mayWrite)).toEqual([false, true]);
    await phone.contacts.setPolicy('everyone');
    await phone.contacts.synced();
    expect(server.rules).toMatchObject({ policy: 'everyone', allowed: '' });
  });

  it('is the same on all devices, which hear of it', async () => {
    const [phone, laptop] = [await device(), await device()];
    await phone.contacts.setPolicy('contacts');
    await phone.contacts.synced();
    await laptop.contacts.synced();
    expect(laptop.contacts.policy()).toBe('contacts');
    expect(laptop.events).toEqual([{ kind: 'contacts-changed', changed: [], policy: 'contacts' }]);
  });
});

describe('what is refused', () => {
  it.each([
    ['the own account', 'alice', {}, 'forbidden'],
    ['a long name', 'bob', { name: 'x'.repeat(129) }, 'bad-request'],
    ['a name of two lines', 'bob', { name: 'a\nb' }, 'bad-request'],
    ['a long note', 'bob', { note: 'x'.repeat(513) }, 'bad-request'],
    ['control characters', 'bob', { note: '\u0007' }, 'bad-request'],
  ])('%s', async (_, of, words, code) => {
    const { contacts } = await device();
    await expect(contacts.add(of, words)).rejects.toMatchObject({ code });
    expect(contacts.list()).toEqual([]);
  });

  it('a contact that is none, and a request that was not made', async () => {
    const { contacts } = await device();
    for (const call of [
      () => contacts.rename('bob', 'x'),
      () => contacts.setNote('bob', 'x'),
      () => contacts.remove('bob'),
      () => contacts.accept('bob'),
      () => contacts.decline('bob'),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'not-found' });
    await expect(contacts.setPolicy('nobody' as never)).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('more contacts than a list holds; removals make room', async () => {
    const { contacts } = await device();
    for (let n = 0; n < 1_000; n++) await contacts.add(`n${n}`);
    await expect(contacts.add('over')).rejects.toMatchObject({ code: 'limit-reached' });
    await contacts.remove('n5');
    await contacts.add('over');
    expect(contacts.list()).toHaveLength(1_000);
  });
});
