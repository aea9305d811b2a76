import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import type { Mail } from '../port.ts';
import { markTaken, readRecord, recordOfAcknowledgements, recordOfBatch } from './journal-record.ts';
import { bodyOf } from './segment.ts';

const device = fc
  .constantFrom('sip:a@b.c;gr=1', 'sip:жук@b.c;gr=2', 'sip:z@b.c;gr=long-long-long')
  .map((id) => id as DeviceId);
const piece = fc.uint8Array({ maxLength: 40 });

/** Some pieces are the very same for all recipients, others are not. */
const mail: fc.Arbitrary<Mail> = fc
  .record({
    sender: device,
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    digest: fc.uint8Array({ maxLength: 32 }),
    at: fc.nat(2 ** 31),
    shared: fc.array(piece, { maxLength: 3 }),
    own: fc.array(fc.record({ to: device, pieces: fc.array(piece, { maxLength: 2 }) }), { maxLength: 4 }),
  })
  .map(({ sender, id, digest, at, shared, own }) => ({
    sender,
    id: id as Mail['id'],
    digest,
    at,
    recipients: own.map(({ to, pieces }) => ({ device: to, pieces: [...shared, ...pieces] })),
  }));

const dirty = (length: number) => Buffer.alloc(length, 0xa5);

describe('recordOfBatch', () => {
  it('holds each message that was taken, for each of its recipients, in order; the caller’s arrays may change', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(mail, fc.boolean()), { maxLength: 6 }), (batch) => {
        const expected = batch
          .filter(([, taken]) => taken)
          .flatMap(([{ at, recipients }]) =>
            recipients.map(({ device: to, pieces }) => ({ to, at, body: Buffer.concat(pieces).toString('hex') })),
          );
        const { record, appended } = recordOfBatch(
          batch.map(([one]) => one),
          dirty,
        );
        for (const [one] of batch) for (const { pieces } of one.recipients) for (const each of pieces) each.fill(0);
        for (const [i, [, taken]] of batch.entries()) if (taken) markTaken(appended[i]!);
        const found: unknown[] = [];
        readRecord(record, 7, (to, entry) => {
          expect(entry.number).toBe(7);
          if (entry.mail) found.push({ to, at: entry.mail.at, body: Buffer.from(bodyOf(entry.mail)).toString('hex') });
        });
        expect(found).toEqual(expected);
      }),
    );
  });

  it('holds what several recipients share only once', () => {
    const body = new Uint8Array(10_000);
    const recipients = Array.from({ length: 50 }, (_, i) => ({
      device: `sip:a@b.c;gr=${i}` as DeviceId,
      pieces: [Uint8Array.of(1), body, Uint8Array.of(i)],
    }));
    const [sender, id] = ['sip:s@b.c;gr=1' as DeviceId, new Uint8Array(16) as Mail['id']];
    const { record, appended } = recordOfBatch([{ sender, id, digest: body.subarray(0, 8), at: 1, recipients }], dirty);
    expect(record.length).toBeLessThan(15_000);
    expect(appended[0]?.copies.map(({ size }) => size)).toEqual(recipients.map(() => 10_002));
  });
});

describe('recordOfAcknowledgements', () => {
  it('holds the number of each mailbox', () => {
    const entry = fc.record({ device, upTo: fc.nat({ max: Number.MAX_SAFE_INTEGER }) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 10 }), (all) => {
        const found: unknown[] = [];
        readRecord(recordOfAcknowledgements(all), 3, (to, said) => {
          if (!said.mail) found.push({ device: to, upTo: said.upTo });
        });
        expect(found).toEqual(all);
      }),
    );
  });
});
