/**
 * How long messages of a pair may be shown, as its user wants it on all their devices; a group has its own in its log
 * (docs/spec/messages.md section 6). Table `timer`, in the sealed contact list.
 */
import type { ContactTimer } from '@sealwire/wire/contacts';
import { LONGEST_LIFETIME } from '@sealwire/wire/envelope';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { SharedWords } from '../contacts/shared-words.ts';
import { ClientError } from '../errors.ts';
import type { Records } from '../storage/ledger.ts';

/** Of two at the same time the one that keeps less: none is the longest. */
const byLength = ({ lifetime }: ContactTimer) =>
  String(LONGEST_LIFETIME - (lifetime || LONGEST_LIFETIME)).padStart(9, '0');

export const TIMERS = new SharedWords<ContactTimer, ContactTimer>({
  table: 'timer',
  most: LIMITS.timersPerAccount.value,
  rankOf: (timer) => `${byLength(timer)} ${timer.lifetime}`,
  isOver: ({ lifetime }) => lifetime === 0,
  toStored: (timer) => timer,
  fromStored: ({ address, lifetime, at }) => ({ address, lifetime, at }),
});

/** Seconds; 0: no end. */
export function pairTimer(records: Records, conversation: AccountAddress): number {
  return TIMERS.read(records, conversation)?.lifetime ?? 0;
}

/** Throws `bad-request` for what is no time in seconds of up to a year. */
export function checkLifetime(lifetime: number): void {
  if (!Number.isInteger(lifetime) || lifetime < 0 || lifetime > LONGEST_LIFETIME)
    throw new ClientError('bad-request', `a timer has 0 (none) to ${LONGEST_LIFETIME} seconds, not ${lifetime}`);
}
