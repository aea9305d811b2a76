/** What operators see, decide and do: pages of accounts, their own records, the trail. */
import { describe, expect, it } from '@jest/globals';
import { type AccountAddress, parseAccountAddress } from '@sealwire/wire/ids';
import type { OperatorRecord } from '../port.ts';
import { ALICE, account, eachWithStore, expectError, NOW, type OpenStore, people, secret } from './fixture.ts';

/** Of this test: other tests may have written before and behind it. */
const own = (n: string) => `${ALICE} ${n}`;
const record = (n: string, version = 1, text = `text ${version}`): OperatorRecord => ({ key: own(n), version, text });

export function accountPagesContract(open: OpenStore): void {
  describe('pages of accounts', () => {
    const store = eachWithStore(open);
    const address = (letters: string): AccountAddress => parseAccountAddress(ALICE.replace('@', `${letters}@`));

    it('come in the order of their addresses, each account once, deleted ones never', async () => {
      const all = ['a', 'b', 'c', 'd', 'e'].map(address);
      for (const one of [...all].reverse()) await people(store(), one, 1);
      await store().accounts.delete(all[1]!, NOW);
      const left = all.filter((one) => one !== all[1]);
      const seen: AccountAddress[] = [];
      // Before all of this test, whatever others left.
      let after = ALICE.slice(0, ALICE.indexOf('@'));
      while (seen.length < left.length) {
        const page = await store().accounts.page(after, 3);
        seen.push(...page.map((one) => one.address).filter((one) => left.includes(one)));
        after = page.at(-1)!.address;
      }
      expect(seen).toEqual(left);
      expect(await store().accounts.page(all[3]!, 1)).toEqual([account(all[4]!)]);
    });

    it('an invitation says what is left of it', async () => {
      expect(await store().accounts.findInvitation(secret(1))).toBeUndefined();
      await store().accounts.addInvitation(secret(1), 3, NOW);
      expect(await store().accounts.findInvitation(secret(1))).toEqual({ uses: 3, expiresAt: NOW });
      await store().accounts.addInvitation(secret(1), 0, NOW + 1);
      expect(await store().accounts.findInvitation(secret(1))).toEqual({ uses: 0, expiresAt: NOW + 1 });
    });
  });
}

export function operatorRecordsContract(open: OpenStore): void {
  describe('records of operators', () => {
    const store = eachWithStore(open);

    it('are each kind’s and each key’s own', async () => {
      const { operatorRecords } = store();
      await operatorRecords.replace('standing', 0, record('a'));
      await operatorRecords.replace('domain', 0, record('a', 2));
      expect(await operatorRecords.read('standing', [own('b'), own('a')])).toEqual([undefined, record('a')]);
      expect(await operatorRecords.read('domain', [own('a')])).toEqual([record('a', 2)]);
      expect(await operatorRecords.read('notice', [own('a')])).toEqual([undefined]);
    });

    it('are listed in the order of the bytes of their keys, from a key on', async () => {
      const { operatorRecords } = store();
      // As strings of JavaScript the last two are the other way round.
      const keys = ['a', 'b', 'é', '\uffee', '\u{1f600}'];
      for (const key of [...keys].reverse()) await operatorRecords.replace('notice', 0, record(key));
      const listed = async (after: string, limit: number) =>
        (await operatorRecords.list('notice', own(after), limit)).map(({ key }) => key);
      expect(await listed('', keys.length)).toEqual(keys.map(own));
      expect(await listed('a', 2)).toEqual([own('b'), own('é')]);
      expect((await operatorRecords.list('notice', '', 100_000)).map(({ key }) => key)).toEqual(
        expect.arrayContaining(keys.map(own)),
      );
    });

    it('are replaced where they are what the caller saw; the same again changes nothing', async () => {
      const { operatorRecords } = store();
      const replace = (after: number, version: number, text?: string) =>
        operatorRecords.replace('standing', after, record('a', version, text));
      await expectError(replace(1, 2), 'conflict');
      for (let i = 0; i < 2; i++) await replace(0, 1);
      await expectError(replace(0, 1, 'other'), 'conflict');
      await expectError(replace(1, 1, 'other'), 'conflict');
      await replace(1, 4);
      expect(await operatorRecords.read('standing', [own('a')])).toEqual([record('a', 4)]);
    });

    it('of several who replace one at the same time, one does', async () => {
      const { operatorRecords } = store();
      for (const after of [0, 1]) {
        const writers = ['x', 'y', 'z'].map((text) =>
          operatorRecords.replace('standing', after, record('a', after + 1, text)),
        );
        const results = await Promise.allSettled(writers);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      }
    });

    it('go, and may be made anew', async () => {
      const { operatorRecords } = store();
      await operatorRecords.replace('domain', 0, record('a', 7));
      for (let i = 0; i < 2; i++) await operatorRecords.remove('domain', own('a'));
      expect(await operatorRecords.read('domain', [own('a')])).toEqual([undefined]);
      await operatorRecords.replace('domain', 0, record('a'));
    });
  });
}

export function auditTrailContract(open: OpenStore): void {
  describe('the audit trail', () => {
    const store = eachWithStore(open);
    /** A time of this test: behind all that tests before it wrote. */
    let last = NOW;
    const entry = (at: number, n: number) => ({
      at: last + at,
      id: n.toString(16).padStart(16, '0'),
      text: own(`${n}`),
    });

    it('is read from its end, page by page', async () => {
      const { auditTrail } = store();
      last += 1_000;
      const entries = [entry(1, 1), entry(2, 9), entry(2, 10), entry(500, 2)];
      for (const one of [2, 0, 3, 1]) await auditTrail.append(entries[one]!);
      const [first, second, third, fourth] = [...entries].reverse();
      expect(await auditTrail.read(undefined, 2)).toEqual([first, second]);
      expect(await auditTrail.read(second, 2)).toEqual([third, fourth]);
      expect(await auditTrail.read(first, 1)).toEqual([second]);
    });

    it('T203: keeps what was written first: a repeat changes nothing, and nothing replaces it', async () => {
      const { auditTrail } = store();
      last += 1_000;
      for (let i = 0; i < 2; i++) await auditTrail.append(entry(1, 1));
      await expectError(auditTrail.append({ ...entry(1, 1), text: 'another' }), 'conflict');
      const [newest, before] = await auditTrail.read(undefined, 2);
      expect(newest).toEqual(entry(1, 1));
      expect(before?.at ?? 0).toBeLessThan(newest!.at);
      expect(Object.keys(auditTrail).sort()).toEqual(['append', 'read']);
    });
  });
}
