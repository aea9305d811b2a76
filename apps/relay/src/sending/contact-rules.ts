/**
 * Who may write to an account, as its record says (docs/spec/contacts.md sections 4 and 5): kept as it is stored, so that what a node
 * remembers of many accounts stays small.
 */
import { nodeCrypto } from '@sealwire/crypto/node';
import { allowedEntry, CONTACT_RULES, type ContactPolicy, isAllowed } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';

const { sha256 } = nodeCrypto();

/** Of an account that has said anything. */
export interface AccountRules {
  readonly policy: ContactPolicy;
  /** About what it keeps in memory. */
  readonly bytes: number;
  isBlocked(sender: AccountAddress): boolean;
  /** Somebody who needs to be let in first. */
  isStranger(sender: AccountAddress): boolean;
}

/** Undefined: everybody may write. Throws `WireError` for a record that nobody wrote. */
export function accountRules(record: Uint8Array | undefined): AccountRules | undefined {
  if (!record) return undefined;
  const { policy, salt, allowed, blocked } = CONTACT_RULES.decode(record, 'bad-record');
  if (policy === 'everyone' && blocked.length === 0) return undefined;
  const shut = new Set<AccountAddress>(blocked);
  return {
    policy,
    bytes: 4 * record.length,
    isBlocked: (sender) => shut.has(sender),
    isStranger: (sender) => policy !== 'everyone' && !isAllowed(allowed, allowedEntry(sha256, salt, sender)),
  };
}
