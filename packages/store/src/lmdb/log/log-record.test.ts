import { describe, expect, it } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import fc from 'fast-check';
import type { Mail } from '../../port.ts';
import {
  copyMessage,
  digestAt,
  digestEnd,
  entryOf,
  firstRow,
  idAt,
  type MailboxChange,
  markNotTaken,
  markTaken,
  nextRow,
  partOfBatch,
  partOfChanges,
  partsOf,
  readPart,
  recipientsOf,
  refusedBy,
  senderOf,
  seqOf,
  setSeq,
  sizeOf,
  takenEntriesOf,
  timeOf,
} from './log-record.ts';

const device = fc
  .constantFrom('sip:a@b.c;gr=1', 'sip:жук@b.c;gr=2', 'sip:z@b.c;gr=long-long-long')
  .map((id) => id as DeviceId);
const piece = fc.uint8Array({ maxLength: 40 });

const mail: fc.Arbitrary<Mail> = fc
  .record({
    sender: device,
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    digest: fc.uint8Array({ maxLength: 32 }),
    at: fc.nat(2 ** 31),
    shared: fc.array(piece, { maxLength: 3 }),
    recipients: fc.array(fc.record({ device, own: fc.array(piece, { maxLength: 2 }) }), { maxLength: 4 }),
  })
  .map((one) => ({ ...one, id: one.id as Mail['id'] }));
const seq = fc.integer({ min: 1, max: 2 ** 48 - 1 });
const lost = fc.array(fc.record({ seq, size: fc.nat(2 ** 31) }), { maxLength: 5 });
const change: fc.Arbitrary<MailboxChange> = fc.oneof(
  fc.record({ what: fc.constant('acknowledged' as const), upTo: seq }),
  fc.record({ what: fc.constant('claimed' as const), session: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
  fc.record({ what: fc.constant('resumed' as const), upTo: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
  fc.record({ what: fc.constantFrom('expired' as const, 'trimmed' as const, 'damaged' as const), lost }),
);
const changes = fc.array(fc.record({ device, change }), { maxLength: 10 });

const dirty = (length: number) => Buffer.alloc(length, 0xa5);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What a part says of mailboxes, in order. */
function said(part: Buffer, lsn: number): unknown[] {
  const found: unknown[] = [];
  readPart(part, lsn, (to, entry) => {
    expect(entry.lsn).toBe(lsn);
    if (!entry.part) {
      found.push({ device: to, change: entry.change });
      return;
    }
    const { row } = entry;
    const target = dirty(sizeOf(part, row) + 2);
    expect(copyMessage(part, row, target, 1)).toBe(target.length - 1);
    // Nothing beside it is written.
    expect([target[0], target.at(-1)]).toEqual([0xa5, 0xa5]);
    const at = timeOf(part, entryOf(part, row));
    found.push({ to, seq: seqOf(part, row), at, body: hex(target.subarray(1, -1)) });
  });
  return found;
}

/** Gives the rows of a message these numbers, of which 0 is a refusal. */
function take(part: Buffer, entry: number, seqs: readonly number[]): void {
  markTaken(part, entry, !seqs.includes(0));
  let row = firstRow(part, entry);
  for (const one of seqs) {
    setSeq(part, row, one);
    row = nextRow(part, row);
  }
}

describe('partOfBatch', () => {
  it('holds each message that was taken, for each recipient that did not refuse it, in order; the caller’s arrays may change', () => {
    const taken = fc.record({ one: mail, isTaken: fc.boolean(), seqs: fc.array(fc.nat(3), { minLength: 4 }) });
    fc.assert(
      fc.property(fc.array(taken, { maxLength: 6 }), (batch) => {
        const all = batch.filter(({ isTaken }) => isTaken);
        const bodies = all.flatMap(({ one: { at, shared, recipients }, seqs }) =>
          recipients.flatMap(({ device: to, own }, i) =>
            seqs[i] === 0 ? [] : [{ to, seq: seqs[i], at, body: hex(Buffer.concat([...shared, ...own])) }],
          ),
        );
        const heads = all.map(({ one: { sender, id, digest, at, recipients }, seqs }) => ({
          sender,
          id: hex(id),
          digest: hex(digest),
          at,
          recipients: recipients.length,
          refused: [...new Set(recipients.flatMap(({ device: to }, i) => (seqs[i] === 0 ? [to] : [])))],
        }));
        const { part, entries } = partOfBatch(
          batch.map(({ one }) => one),
          dirty,
        );
        for (const { id, digest, shared, recipients } of batch.map(({ one }) => one))
          for (const each of [id, digest, ...shared, ...recipients.flatMap(({ own }) => own)]) each.fill(0);
        for (const [i, { one, isTaken, seqs }] of batch.entries())
          if (isTaken) take(part, entries[i] as number, seqs.slice(0, one.recipients.length));
        expect(said(part, 7)).toEqual(bodies);
        expect(
          takenEntriesOf(part).map((entry) => ({
            sender: senderOf(part, entry),
            id: hex(part.subarray(idAt(entry), idAt(entry) + 16)),
            digest: hex(part.subarray(digestAt(entry), digestEnd(part, entry))),
            at: timeOf(part, entry),
            recipients: recipientsOf(part, entry),
            refused: refusedBy(part, entry),
          })),
        ).toEqual(heads);
      }),
    );
  });

  it('says nothing until a message is taken, and no more when it is not taken after all', () => {
    fc.assert(
      fc.property(mail, (one) => {
        const { part, entries } = partOfBatch([one], dirty);
        const [entry] = entries as [number];
        expect(takenEntriesOf(part)).toEqual([]);
        markTaken(part, entry, true);
        expect(takenEntriesOf(part)).toEqual(entries);
        markNotTaken(part, entry);
        expect([takenEntriesOf(part), said(part, 1)]).toEqual([[], []]);
      }),
    );
  });

  it('holds what several recipients share only once', () => {
    const body = new Uint8Array(10_000);
    const recipients = Array.from({ length: 50 }, (_, i) => ({
      device: `sip:a@b.c;gr=${i}` as DeviceId,
      own: [Uint8Array.of(1), Uint8Array.of(i)],
    }));
    const [sender, id] = ['sip:s@b.c;gr=1' as DeviceId, new Uint8Array(16) as Mail['id']];
    const one = { sender, id, digest: body.subarray(0, 8), at: 1, shared: [body], recipients };
    const { part, entries } = partOfBatch([one], dirty);
    expect(part.length).toBeLessThan(15_000);
    take(part, entries[0] as number, new Array(50).fill(1));
    const sizes: number[] = [];
    readPart(part, 1, (_, entry) => sizes.push(entry.part ? sizeOf(part, entry.row) : -1));
    expect(sizes).toEqual(recipients.map(() => 10_002));
  });
});

describe('partOfChanges', () => {
  it('holds what happened to each mailbox, and no message', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const part = partOfChanges(all);
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
      changes.map(partOfChanges),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), (parts) => {
        expect(partsOf(Buffer.concat(parts)).map(hex)).toEqual(parts.map(hex));
      }),
    );
  });
});
