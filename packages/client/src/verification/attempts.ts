/**
 * Comparisons of four characters that came as far as the keys and did not end well: whoever is between two people has one guess in 2^20 in
 * each, so their number is bounded, whoever ended them (case S67). Table `attempts`, key `attempts/ADDRESS`: times, ms.
 */
import { type AccountAddress, nameOf } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

/** With one account, in a day. */
const ATTEMPTS = 5;
const DAY_MS = 24 * 60 * 60_000;

const keyOf = (address: AccountAddress) => `attempts/${address}`;

export function isLocked(records: Records, address: AccountAddress, now: number): boolean {
  return recent(records, address, now).length >= ATTEMPTS;
}

/** Throws `verification-locked`. */
export function refuseLocked(records: Records, address: AccountAddress, now: number): void {
  if (!isLocked(records, address, now)) return;
  const name = nameOf(address);
  throw new ClientError(
    'verification-locked',
    `${ATTEMPTS} comparisons with ${name} did not end well within a day: somebody may be guessing; compare the safety number instead`,
  );
}

/** Before a key of ours leaves. Throws as `refuseLocked` does. */
export function spendAttempt(transaction: Transaction, address: AccountAddress, now: number): void {
  refuseLocked(transaction, address, now);
  transaction.set(keyOf(address), encodeRecord({ times: [...recent(transaction, address, now), now] }));
}

/** One ended well. */
export function forgetAttempts(transaction: Transaction, address: AccountAddress): void {
  transaction.delete(keyOf(address));
}

/** A clock that was ahead must not lock for longer than a day. */
function recent(records: Records, address: AccountAddress, now: number): number[] {
  const stored = records.get(keyOf(address));
  const times = stored ? decodeRecord<{ times: number[] }>(stored).header.times : [];
  return times.filter((at) => Math.abs(now - at) < DAY_MS);
}
