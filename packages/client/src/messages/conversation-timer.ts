/**
 * How long messages of a pair may be shown, as its user on this device wants it; a group has its own in its log (docs/spec/messages.md section
 * 6). Table `timer`, key `timer/CONVERSATION`.
 */
import { LONGEST_LIFETIME } from '@sealwire/wire/envelope';
import type { AccountAddress } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const keyOf = (conversation: AccountAddress) => `timer/${conversation}`;

/** Seconds; undefined: no end. */
export function pairTimer(records: Records, conversation: AccountAddress): number | undefined {
  const stored = records.get(keyOf(conversation));
  return stored && decodeRecord<{ lifetime: number }>(stored).header.lifetime;
}

/** 0: no end. */
export function setPairTimer(transaction: Transaction, conversation: AccountAddress, lifetime: number): void {
  if (lifetime === 0) transaction.delete(keyOf(conversation));
  else transaction.set(keyOf(conversation), encodeRecord({ lifetime }));
}

/** Throws `bad-request` for what is no time in seconds of up to a year. */
export function checkLifetime(lifetime: number): void {
  if (!Number.isInteger(lifetime) || lifetime < 0 || lifetime > LONGEST_LIFETIME)
    throw new ClientError('bad-request', `a timer has 0 (none) to ${LONGEST_LIFETIME} seconds, not ${lifetime}`);
}
