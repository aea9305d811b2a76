/**
 * What the user has found out about accounts, as all devices of the account have it in the sealed contact list (docs/spec/verification.md
 * section 9). Table `verdicts`.
 */
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import type { ContactVerdict } from '@sealwire/wire/contacts';
import { LIMITS } from '@sealwire/wire/limits';
import { SharedWords } from '../contacts/shared-words.ts';

/** Of two at the same time the one that trusts less. */
const BY_CAUTION: readonly ContactVerdict['state'][] = ['verified', 'withdrawn', 'different'];

interface StoredVerdict extends Omit<ContactVerdict, 'accountKey'> {
  readonly accountKey: string;
}

export const VERDICTS = new SharedWords<ContactVerdict, StoredVerdict>({
  table: 'verdicts',
  most: LIMITS.verdictsPerAccount.value,
  rankOf: ({ state, accountKey }) => `${BY_CAUTION.indexOf(state)} ${encodeBase64url(accountKey)}`,
  isOver: ({ state }) => state === 'withdrawn',
  toStored: (verdict) => ({ ...verdict, accountKey: encodeBase64url(verdict.accountKey) }),
  fromStored: ({ address, state, at, accountKey }) => ({ address, state, at, accountKey: decodeBase64url(accountKey) }),
});
