/**
 * Mailboxes whose numbers the contract can foretell. An adapter may leave numbers out; this view of it gives each device's messages the
 * numbers 1, 2, 3, … in their order, and holds the adapter to what the port says of numbers: they grow, and none is given twice.
 */
import { expect } from '@jest/globals';
import type { DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, GapRecord, Mail, Mailboxes } from '../port.ts';

export function numberedByOne(mailboxes: Mailboxes): Mailboxes {
  /** Of each device the adapter's numbers that are known, ascending: the first of them is shown as 1. */
  const numbers = new Map<DeviceId, number[]>();

  function of(device: DeviceId): number[] {
    const known = numbers.get(device) ?? [];
    numbers.set(device, known);
    return known;
  }

  function shown(device: DeviceId, seq: number): number {
    return of(device).filter((number) => number <= seq).length;
  }

  /** The adapter's number for one that is shown; beyond the newest: as much beyond. */
  function actual(device: DeviceId, seq: number): number {
    const known = of(device);
    if (seq <= 0) return seq;
    return known[seq - 1] ?? (known.at(-1) ?? 0) + seq - known.length;
  }

  /** `before`: the newest number that was known when the call began. */
  function given(device: DeviceId, seq: number, before: number): void {
    const known = of(device);
    expect(seq).toBeGreaterThan(before);
    expect(known).not.toContain(seq);
    known.push(seq);
    known.sort((a, b) => a - b);
  }

  function showResult(result: AppendResult, { recipients }: Mail, before: ReadonlyMap<DeviceId, number>): AppendResult {
    if (result.status !== 'accepted') return result;
    for (const [i, { device }] of recipients.entries())
      if (result.seqs[i] !== 0) given(device, result.seqs[i]!, before.get(device) ?? 0);
    return {
      ...result,
      seqs: result.seqs.map((seq, i) => (seq === 0 ? 0 : shown(recipients[i]!.device, seq))),
    };
  }

  function showGap(device: DeviceId, gap: GapRecord): GapRecord {
    return { ...gap, fromSeq: shown(device, gap.fromSeq), toSeq: shown(device, gap.toSeq) };
  }

  return {
    ...mailboxes,
    async append(batch, limits) {
      const named = batch.map((mail) => ({ ...mail, recipients: [...mail.recipients] }));
      const before = new Map([...numbers].map(([device, known]) => [device, known.at(-1) ?? 0]));
      const results = await mailboxes.append(batch, limits);
      return results.map((result, i) => showResult(result, named[i]!, before));
    },
    async read(device, bounds) {
      const { mails, gap, settledSeq, end } = await mailboxes.read(device, {
        ...bounds,
        after: actual(device, bounds.after),
      });
      expect([...mails].sort((a, b) => a.seq - b.seq)).toEqual(mails);
      return {
        mails: mails.map((mail) => ({ ...mail, seq: shown(device, mail.seq) })),
        end,
        settledSeq: shown(device, settledSeq),
        ...(gap && { gap: showGap(device, gap) }),
      };
    },
    acknowledge: (batch) =>
      mailboxes.acknowledge(batch.map((entry) => ({ ...entry, upTo: actual(entry.device, entry.upTo) }))),
  };
}
