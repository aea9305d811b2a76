import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import type { Mail } from '../../port.ts';
import { firstRow, partOfBatch, setSeq } from '../log/log-record.ts';
import { UnsettledMails } from './unsettled-mails.ts';

/**
 * Some messages come with the commit of the one before, others with a later one, some numbers are
 * left out; some go.
 */
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        later: fc.constantFrom(0, 0, 1, 3),
        skips: fc.constantFrom(0, 0, 0, 2),
        size: fc.nat(30),
        count: fc.constantFrom(1, 1, 2, 20),
      }),
    },
    { weight: 1, arbitrary: fc.record({ drops: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ removes: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.record({ horizon: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.constant({ drops: 1_000 }) },
  ),
  { maxLength: 40 },
);

interface Pushed {
  readonly seq: number;
  readonly lsn: number;
  readonly at: number;
  readonly body: Uint8Array;
}

function rowOf({ seq, at, body }: Pushed): { part: Buffer; row: number } {
  const sender = 'sip:a@b.c;gr=1' as DeviceId;
  const id = new Uint8Array(16) as Mail['id'];
  const recipients = [{ device: sender, own: [body] }];
  const { part, entries } = partOfBatch([{ sender, id, digest: id, at, shared: [], recipients }], Buffer.alloc);
  const row = firstRow(part, entries[0] as number);
  setSeq(part, row, seq);
  return { part, row };
}

describe('UnsettledMails', () => {
  it('holds what came and did not go, with its number, time, commit, sender and body', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const unsettled = new UnsettledMails();
        let held: Pushed[] = [];
        let seq = 0;
        let lsn = 1;
        for (const step of sequence) {
          if ('drops' in step) {
            const count = Math.min(step.drops, held.length);
            unsettled.drop(count);
            held = held.slice(count);
          } else if ('removes' in step) {
            expect(unsettled.remove(step.removes)).toBe(held.some((one) => one.seq === step.removes));
            held = held.filter((one) => one.seq !== step.removes);
          } else if ('horizon' in step) {
            const expected = held.filter(({ at }) => at < step.horizon);
            const found = unsettled.takenBefore(step.horizon);
            expect(found).toEqual(expected.map((one) => ({ seq: one.seq, size: one.body.length })));
            for (const one of expected) unsettled.remove(one.seq);
            held = held.filter((one) => !expected.includes(one));
          } else {
            lsn += step.later;
            seq += step.skips;
            for (let n = 0; n < step.count; n++) {
              const one = { seq: ++seq, lsn, at: (seq * 7) % 100, body: new Uint8Array(step.size).fill(seq) };
              const { part, row } = rowOf(one);
              unsettled.push(part, row, lsn);
              held.push(one);
            }
          }
          expect(unsettled.length).toBe(held.length);
          expect(unsettled.bytes).toBe(held.reduce((sum, one) => sum + one.body.length, 0));
          expect(unsettled.oldest).toBeLessThanOrEqual(Math.min(...held.map(({ at }) => at)));
          for (let upTo = 0; upTo <= lsn + 1; upTo++)
            expect(unsettled.countOfCommits(upTo)).toBe(held.filter((one) => one.lsn <= upTo).length);
          for (const [j, one] of held.entries()) {
            expect([unsettled.seq(j), unsettled.at(j), unsettled.size(j)]).toEqual([one.seq, one.at, one.body.length]);
            expect(unsettled.account(j)).toBe('sip:a@b.c');
            expect(unsettled.countUpTo(one.seq)).toBe(j + 1);
            const target = new Uint8Array(one.body.length + 1);
            unsettled.copy(j, target, 1);
            expect(target.subarray(1)).toEqual(one.body);
          }
        }
      }),
    );
  });
});
