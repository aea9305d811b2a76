import { describe, expect, it } from '@jest/globals';
import type { AccountRecordName } from '../port.ts';
import {
  ALICE,
  account,
  BOB,
  bytes,
  device,
  eachWithStore,
  expectError,
  manifest,
  NOW,
  type OpenStore,
  people,
} from './fixture.ts';

const DAY_MS = 86_400_000;
const record = (version: number, content = version) => ({ version, bytes: bytes(content, 100) });

export function accountRecordsContract(open: OpenStore): void {
  describe('records of accounts', () => {
    const store = eachWithStore(open);
    const read = async (name: AccountRecordName, ...addresses: readonly (typeof ALICE)[]) =>
      store().accountRecords.read(addresses, name);

    it('are each account’s and each name’s own', async () => {
      for (const address of [ALICE, BOB]) await people(store(), address, 1);
      await store().accountRecords.replace(ALICE, 'contact-rules', 0, record(1));
      await store().accountRecords.replace(ALICE, 'contact-list', 0, record(2));
      await store().accountRecords.replace(BOB, 'contact-rules', 0, record(3));
      expect(await read('contact-rules', BOB, ALICE)).toEqual([record(3), record(1)]);
      expect(await read('contact-list', BOB, ALICE)).toEqual([undefined, record(2)]);
      expect(await read('contact-rules')).toEqual([]);
    });

    it('need an account', async () => {
      await expectError(store().accountRecords.replace(ALICE, 'contact-rules', 0, record(1)), 'not-found');
      expect(await read('contact-rules', ALICE)).toEqual([undefined]);
    });

    it('are replaced where they are what the caller saw; the same again changes nothing', async () => {
      await people(store(), ALICE, 1);
      const { accountRecords } = store();
      const replace = (after: number, version: number, content?: number) =>
        accountRecords.replace(ALICE, 'contact-list', after, record(version, content));
      await expectError(replace(1, 2), 'conflict');
      for (let i = 0; i < 2; i++) await replace(0, 4);
      await expectError(replace(0, 4, 9), 'conflict');
      await expectError(replace(0, 5), 'conflict');
      await expectError(replace(4, 4, 9), 'conflict');
      await expectError(replace(4, 3), 'conflict');
      await replace(4, 11);
      await expectError(replace(4, 12), 'conflict');
      expect(await read('contact-list', ALICE)).toEqual([record(11)]);
    });

    it('of several who replace one at the same time, one does', async () => {
      await people(store(), ALICE, 1);
      for (const after of [0, 1]) {
        const writers = [1, 2, 3, 4].map((content) =>
          store().accountRecords.replace(ALICE, 'contact-rules', after, record(after + 1, content)),
        );
        const results = await Promise.allSettled(writers);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const winner = results.findIndex(({ status }) => status === 'fulfilled');
        expect(await read('contact-rules', ALICE)).toEqual([record(after + 1, winner + 1)]);
      }
    });

    it('are copied on their way in and out', async () => {
      await people(store(), ALICE, 1);
      const given = record(1);
      const replaced = store().accountRecords.replace(ALICE, 'contact-rules', 0, given);
      given.bytes.fill(9);
      await replaced;
      const [first] = await read('contact-rules', ALICE);
      first!.bytes.fill(8);
      expect(await read('contact-rules', ALICE)).toEqual([record(1)]);
    });

    it('I12: go with their account, and leave those of a longer address alone', async () => {
      const longer = `${ALICE}0` as typeof ALICE;
      for (const address of [ALICE, longer]) {
        await people(store(), address, 1);
        await store().accountRecords.replace(address, 'contact-rules', 0, record(1));
      }
      await store().accounts.delete(ALICE, NOW);
      expect(await read('contact-rules', ALICE, longer)).toEqual([undefined, record(1)]);
      await expectError(store().accountRecords.replace(ALICE, 'contact-rules', 1, record(2)), 'not-found');
    });

    it('of an account that nobody finished are not its heir’s', async () => {
      await people(store(), ALICE, 1);
      await store().accountRecords.replace(ALICE, 'contact-rules', 0, record(1));
      const late = { now: NOW + DAY_MS, afterMs: DAY_MS };
      const heir = [account(ALICE, 2), manifest(1, 2), [device(ALICE, 9)]] as const;
      expect(await store().accounts.create(...heir, undefined, late)).toBe('created');
      expect(await read('contact-rules', ALICE)).toEqual([undefined]);
    });
  });
}
