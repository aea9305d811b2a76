/** What a device keeps of itself is stored under names that do not change (docs/spec/client.md section 2). */
import { expect, it } from '@jest/globals';
import { parseAccountAddress, parseAccountName, parseDeviceId } from '@sealwire/wire/ids';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { decodeRecord } from '../storage/record.ts';
import { readSelf, type SelfRecord, writeSelf } from './self-record.ts';

const address = parseAccountAddress('sip:alice@example.org');
const device = parseDeviceId(`${address};gr=urn:uuid:1`);
const self: SelfRecord = {
  server: 'https://chat.example.org',
  paths: { api: '/v1', lime: '/lime', directory: '/directory', relay: '/relay' },
  domain: 'example.org',
  name: parseAccountName('alice'),
  address,
  device,
  suites: ['c448'],
  kind: 'create',
  step: 'keys',
  refused: false,
  accountSeed: Uint8Array.of(1),
  loginSeed: Uint8Array.of(2),
  entry: {
    id: device,
    identities: [{ suite: 'c448', identityKey: Uint8Array.of(3) }],
    loginKey: Uint8Array.of(4),
    addedAt: 5,
  },
};

it('is read as it was written, with suites under the name `curve`, as the first releases stored them', async () => {
  const ledger = await Ledger.open(new MemoryStorage());
  await ledger.commit((transaction) => writeSelf(transaction, self));
  expect(readSelf(ledger)).toEqual(self);
  expect(decodeRecord(ledger.get('self/account')!).header).toMatchObject({
    curves: ['c448'],
    entry: { identities: [{ curve: 'c448', identityKey: { bytes: 'Aw' } }] },
  });
});
