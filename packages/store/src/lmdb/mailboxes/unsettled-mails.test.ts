import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import type { Mail } from '../../port.ts';
import { firstRow, partOfBatch } from '../log/log-record.ts';
import { PendingMails } from './unsettled-mails.ts';

/** Some messages come with the flight of the one before, others with a later one; some go, oldest first. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        later: fc.constantFrom(0, 0, 1, 3),
        size: fc.nat(30),
        count: fc.constantFrom(1, 1, 2, 20),
      }),
    },
    { weight: 1, arbitrary: fc.record({ drops: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.constant({ drops: 1_000 }) },
  ),
  { maxLength: 40 },
);

interface Pushed {
  readonly flight: number;
  readonly at: number;
  readonly body: Uint8Array;
}

function partOf({ at, body }: Pushed): { part: Buffer; row: number } {
  const sender = 'sip:a@b.c;gr=1' as DeviceId;
  const id = new Uint8Array(16) as Mail['id'];
  const recipients = [{ device: sender, pieces: [body] }];
  const { part, entries } = partOfBatch([{ sender, id, digest: id, at, recipients }], Buffer.alloc);
  return { part, row: firstRow(part, entries[0] as number) };
}

describe('PendingMails', () => {
  it('holds what came and was not dropped, and knows how many came with the first one’s flight before it', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const pending = new PendingMails();
        const pushed: Pushed[] = [];
        let dropped = 0;
        let flight = 1;
        for (const step of sequence) {
          if ('drops' in step) {
            const count = Math.min(step.drops, pushed.length - dropped);
            pending.drop(count);
            dropped += count;
          } else {
            flight += step.later;
            for (let n = 0; n < step.count; n++) {
              const one = { flight, at: 1_000 + pushed.length, body: new Uint8Array(step.size).fill(pushed.length) };
              const { part, row } = partOf(one);
              pending.push(part, row, flight);
              pushed.push(one);
            }
          }
          const left = pushed.slice(dropped);
          expect(pending.length).toBe(left.length);
          const first = left[0] && {
            flight: left[0].flight,
            dropped: pushed.slice(0, dropped).filter((one) => one.flight === left[0]?.flight).length,
          };
          expect(pending.first).toEqual(first);
          for (let upTo = 0; upTo <= flight + 1; upTo++)
            expect(pending.countUpTo(upTo)).toBe(left.filter((one) => one.flight <= upTo).length);
          for (const [j, { at, body }] of left.entries()) {
            expect([pending.at(j), pending.size(j)]).toEqual([at, body.length]);
            const target = new Uint8Array(body.length + 1);
            expect(pending.copy(j, target, 1)).toBe(target.length);
            expect(target.subarray(1)).toEqual(body);
          }
        }
      }),
    );
  });
});
