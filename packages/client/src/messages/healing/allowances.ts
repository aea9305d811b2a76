/**
 * How often something may happen, durably: what others can make this device do must not happen without end, nor more often after a
 * restart (docs/spec/healing.md section 5). Table `spent`, key `spent/WHAT WHO`: when it happened.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';

const HOUR_MS = 60 * 60_000;

export interface Allowance {
  readonly what: string;
  readonly times: number;
  readonly withinMs: number;
}

/** New sessions because something could not be read: with one device, and with all of its account. Each may cost a one-time prekey. */
export const RESTARTS_OF_DEVICE: Allowance = { what: 'restart', times: 3, withinMs: HOUR_MS };
export const RESTARTS_OF_ACCOUNT: Allowance = { what: 'restart', times: 12, withinMs: 24 * HOUR_MS };
/** Requests to one device to send again. */
export const REQUESTS: Allowance = { what: 'request', times: 12, withinMs: HOUR_MS };
/** Requests of one device that are listened to. */
export const ANSWERS: Allowance = { what: 'answer', times: 12, withinMs: HOUR_MS };
/** Telling one device what of it could not be read, and listening to one that tells it. */
export const REFUSALS: Allowance = { what: 'refusal', times: 12, withinMs: HOUR_MS };
export const LISTENED_REFUSALS: Allowance = { what: 'refused', times: 12, withinMs: HOUR_MS };
/** Notices to one LIME device of somebody else (docs/spec/messages.md section 7). */
export const NOTICES: Allowance = { what: 'notice', times: 240, withinMs: HOUR_MS };

/** Asking one device for what a group's log lacks here, and answering one that asks (docs/spec/groups.md section 6). */
export const GROUP_QUESTIONS: Allowance = { what: 'group-question', times: 24, withinMs: HOUR_MS };
export const GROUP_ANSWERS: Allowance = { what: 'group-answer', times: 24, withinMs: HOUR_MS };

/** False when it has happened as often as it may. `now` in ms; what lies ahead of it was written by a clock that was wrong, and does not count. */
export function mayHappen(
  records: Records,
  { what, times, withinMs }: Allowance,
  who: DeviceId | AccountAddress,
  now: number,
): boolean {
  return timesOf(records, what, who).filter((at) => now - withinMs < at && at <= now).length < times;
}

/** It happens, in `transaction`. */
export function spend(
  transaction: Transaction,
  { what, times }: Allowance,
  who: DeviceId | AccountAddress,
  now: number,
): void {
  const at = [...timesOf(transaction, what, who), now].slice(-times);
  transaction.set(keyOf(what, who), encodeRecord({ at }));
}

/** The device has left its account's manifest. */
export function forgetSpent(transaction: Transaction, device: DeviceId): void {
  const all = [
    RESTARTS_OF_DEVICE,
    REQUESTS,
    ANSWERS,
    REFUSALS,
    LISTENED_REFUSALS,
    NOTICES,
    GROUP_QUESTIONS,
    GROUP_ANSWERS,
  ];
  for (const { what } of all) transaction.delete(keyOf(what, device));
}

const keyOf = (what: string, who: string) => `spent/${what} ${who}`;

function timesOf(records: Records, what: string, who: string): readonly number[] {
  const stored = records.get(keyOf(what, who));
  return stored ? decodeRecord<{ at: readonly number[] }>(stored).header.at : [];
}
