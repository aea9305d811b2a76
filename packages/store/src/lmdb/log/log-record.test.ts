import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import type { Mail } from '../../port.ts';
import {
  copyMessage,
  digestAt,
  digestEnd,
  entryOf,
  idAt,
  markTaken,
  partOfAcknowledgements,
  partOfBatch,
  partsOf,
  readPart,
  recipientsOf,
  senderOf,
  sizeOf,
  takenEntriesOf,
  timeOf,
} from './log-record.ts';

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
const acknowledgements = fc.array(fc.record({ device, upTo: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }), {
  maxLength: 10,
});

const dirty = (length: number) => Buffer.alloc(length, 0xa5);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What a part says of mailboxes, in order. */
function said(part: Buffer, number: number): unknown[] {
  const found: unknown[] = [];
  readPart(part, number, (to, entry) => {
    expect(entry.number).toBe(number);
    if (!entry.part) {
      found.push({ device: to, upTo: entry.upTo });
      return;
    }
    const { row } = entry;
    const target = dirty(sizeOf(part, row) + 2);
    expect(copyMessage(part, row, target, 1)).toBe(target.length - 1);
    // Nothing beside it is written.
    expect([target[0], target.at(-1)]).toEqual([0xa5, 0xa5]);
    found.push({ to, at: timeOf(part, entryOf(part, row)), body: hex(target.subarray(1, -1)) });
  });
  return found;
}

describe('partOfBatch', () => {
  it('holds each message that was taken, for each of its recipients, in order; the caller’s arrays may change', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(mail, fc.boolean()), { maxLength: 6 }), (batch) => {
        const taken = batch.filter(([, isTaken]) => isTaken).map(([one]) => one);
        const bodies = taken.flatMap(({ at, recipients }) =>
          recipients.map(({ device: to, pieces }) => ({ to, at, body: hex(Buffer.concat(pieces)) })),
        );
        const heads = taken.map(({ sender, id, digest, at, recipients }) => ({
          sender,
          id: hex(id),
          digest: hex(digest),
          at,
          recipients: recipients.length,
        }));
        const { part, entries } = partOfBatch(
          batch.map(([one]) => one),
          dirty,
        );
        for (const [{ id, digest, recipients }] of batch)
          for (const each of [id, digest, ...recipients.flatMap(({ pieces }) => pieces)]) each.fill(0);
        for (const [i, [, isTaken]] of batch.entries()) markTaken(part, entries[i] as number, isTaken);
        expect(said(part, 7)).toEqual(bodies);
        expect(
          takenEntriesOf(part).map((entry) => ({
            sender: senderOf(part, entry),
            id: hex(part.subarray(idAt(entry), idAt(entry) + 16)),
            digest: hex(part.subarray(digestAt(entry), digestEnd(part, entry))),
            at: timeOf(part, entry),
            recipients: recipientsOf(part, entry),
          })),
        ).toEqual(heads);
      }),
    );
  });

  it('says nothing until a message is taken, and no more when it is not taken after all', () => {
    fc.assert(
      fc.property(mail, (one) => {
        const { part, entries } = partOfBatch([one], dirty);
        expect(takenEntriesOf(part)).toEqual([]);
        markTaken(part, entries[0] as number, true);
        expect(takenEntriesOf(part)).toEqual(entries);
        markTaken(part, entries[0] as number, false);
        expect([takenEntriesOf(part), said(part, 1)]).toEqual([[], []]);
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
    const { part, entries } = partOfBatch([{ sender, id, digest: body.subarray(0, 8), at: 1, recipients }], dirty);
    expect(part.length).toBeLessThan(15_000);
    markTaken(part, entries[0] as number, true);
    const sizes: number[] = [];
    readPart(part, 1, (_, entry) => sizes.push(entry.part ? sizeOf(part, entry.row) : -1));
    expect(sizes).toEqual(recipients.map(() => 10_002));
  });
});

describe('partOfAcknowledgements', () => {
  it('holds the number of each mailbox, and no message', () => {
    fc.assert(
      fc.property(acknowledgements, (all) => {
        const part = partOfAcknowledgements(all);
        expect(said(part, 3)).toEqual(all);
        expect(takenEntriesOf(part)).toEqual([]);
      }),
    );
  });
});

describe('partsOf', () => {
  it('takes apart again what was put together', () => {
    const any = fc.oneof(
      fc.array(mail, { maxLength: 3 }).map((batch) => partOfBatch(batch, dirty).part),
      acknowledgements.map(partOfAcknowledgements),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), (parts) => {
        expect(partsOf(Buffer.concat(parts)).map(hex)).toEqual(parts.map(hex));
      }),
    );
  });
});
