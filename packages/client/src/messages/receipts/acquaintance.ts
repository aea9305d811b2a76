/**
 * Who is told at all that a message has arrived: no strangers (docs/spec/messages.md section 7). A stranger could find out by it when a
 * device is online.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import { readPeer } from '../../accounts/peer-record.ts';
import type { Records } from '../../storage/ledger.ts';
import { hasHeard } from '../chain/incoming-chains.ts';
import { hasWritten } from '../chain/outgoing-records.ts';
import { receiptLevel } from './receipt-level.ts';

/** Whether messages of their own may go to `account` to tell what has become of its messages. `own`: the account of this device. */
export function mayBeTold(records: Records, own: AccountAddress, account: AccountAddress): boolean {
  return receiptLevel(records, account) !== 'off' && isAcquaintance(records, own, account);
}

/** This device or another of its account has written to `account`, or the user trusts one of its devices. */
function isAcquaintance(records: Records, own: AccountAddress, account: AccountAddress): boolean {
  if (account === own || hasWritten(records, account)) return true;
  const peer = readPeer(records, account);
  const isTrusted = peer?.verified || [...(peer?.trust.values() ?? [])].includes('trusted');
  return isTrusted || hasHeard(records, own, account);
}
