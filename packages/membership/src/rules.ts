/**
 * Whether an event may be part of a log: docs/spec/groups.md section 3. Judged by what the event itself follows and by nothing else, so
 * that every device says the same of it, for ever.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { type GroupEvent, groupEventSigningInput } from '@sealwire/wire/group-event';
import { groupLinkSigningInput } from '@sealwire/wire/group-link';
import { LIMITS } from '@sealwire/wire/limits';
import { MembershipError } from './errors.ts';
import { type AccountName, type ActionOf, accountName, hex, type LogRecord, type Records } from './records.ts';
import { invitedKey, isSame, type Membership, type View } from './view.ts';

export interface Candidate {
  readonly event: GroupEvent;
  readonly encoded: Uint8Array;
  readonly signature: Uint8Array;
  readonly previous: LogRecord | undefined;
}

type Basis = Pick<LogRecord, 'basis' | 'memberKey'>;

/** The account key that must have signed. Throws `MembershipError` when there is none. */
export function keyOfActor(records: Records, view: View, { event, previous }: Candidate): Uint8Array {
  const { action } = event;
  const account = accountName(event.actor);
  if (previous && (accountName(previous.event.actor) !== account || previous.event.number + 1 !== event.number))
    throw new MembershipError('bad-chain');
  const named =
    action.kind === 'create' || action.kind === 'join-link'
      ? action.key
      : action.kind === 'join' || (action.kind === 'leave' && action.invitation.length > 0)
        ? invitationOf(records, view, action.invitation, account).key
        : undefined;
  const key = named ?? previous?.key;
  if (!key) throw new MembershipError('not-a-member');
  if (previous && !isSame(previous.key, key)) throw new MembershipError('other-key');
  return key;
}

/** Throws `bad-key` or `bad-signature`. */
export function checkSignature(
  crypto: CryptoProvider,
  key: Uint8Array,
  { event: { action }, encoded, signature }: Candidate,
): void {
  if (!crypto.ed25519.verify(key, groupEventSigningInput(encoded), signature))
    throw new MembershipError('bad-signature');
  const brought =
    action.kind === 'invite'
      ? action.members.flatMap((member) => (member.key.length > 0 ? [member.key] : []))
      : action.kind === 'create' || action.kind === 'join-link' || action.kind === 'link-made'
        ? [action.key]
        : [];
  if (!brought.every((one) => crypto.ed25519.isValidPublicKey(one))) throw new MembershipError('bad-key');
}

/** What the event rests on. `view`: of its past. Throws `MembershipError`. */
export function basisOf(
  crypto: CryptoProvider,
  records: Records,
  view: View,
  event: GroupEvent,
  key: Uint8Array,
): Basis {
  const { action } = event;
  const account = accountName(event.actor);
  switch (action.kind) {
    case 'create':
      return restsOn(undefined);
    case 'join': {
      refuseMember(view, account);
      const { record } = invitationOf(records, view, action.invitation, account);
      if (!view.isOpen(record, account)) throw new MembershipError('not-invited');
      return restsOn(record);
    }
    case 'join-link':
      return restsOn(linkFor(crypto, records, view, event, action));
    case 'leave':
      if (action.invitation.length === 0) memberWith(view, account, key);
      else if (!view.openInvitations(account).some(({ hash }) => isSame(hash, action.invitation)))
        throw new MembershipError('not-invited');
      return restsOn(undefined);
    default: {
      const { tenure } = memberWith(view, account, key);
      if (!tenure) throw new MembershipError('not-administrator');
      return { basis: tenure, memberKey: checkAct(records, view, action) };
    }
  }
}

/** What an administrator does must make sense to who does it. Answers the key of who is promoted. */
function checkAct(records: Records, view: View, action: GroupEvent['action']): Uint8Array | undefined {
  switch (action.kind) {
    case 'invite':
      checkInvitation(records, view, action);
      return undefined;
    case 'remove': {
      const account = accountName(action.member);
      if (!view.member(account) && view.openInvitations(account).length === 0)
        throw new MembershipError('no-such-member');
      return undefined;
    }
    case 'promote': {
      const member = view.member(accountName(action.member));
      if (!member) throw new MembershipError('no-such-member');
      if (!member.key) throw new MembershipError('no-account-key');
      if (member.tenure) throw new MembershipError('already-administrator');
      return member.key;
    }
    case 'demote':
      if (!view.member(accountName(action.member))?.tenure) throw new MembershipError('no-such-member');
      return undefined;
    case 'link-revoked': {
      const link = records.named(hex(action.link));
      if (link?.event.action.kind !== 'link-made' || !view.isLink(link)) throw new MembershipError('no-such-link');
      return undefined;
    }
    default:
      return undefined;
  }
}

function checkInvitation(records: Records, view: View, { members }: ActionOf<'invite'>): void {
  const accounts = new Set(members.map(({ address }) => accountName(address)));
  if (accounts.size < members.length) throw new MembershipError('already-invited');
  for (const account of accounts) {
    refuseMember(view, account);
    if (view.openInvitations(account).length > 0) throw new MembershipError('already-invited');
  }
  refuseCrowd(records, view, accounts.size);
}

function linkFor(
  crypto: CryptoProvider,
  records: Records,
  view: View,
  { group, actor, at }: GroupEvent,
  { link: hash, key, proof }: ActionOf<'join-link'>,
): LogRecord {
  const account = accountName(actor);
  const link = records.named(hex(hash));
  if (link?.event.action.kind !== 'link-made' || !view.isLink(link)) throw new MembershipError('no-such-link');
  const { key: linkKey, expiresAt, uses } = link.event.action;
  if (!crypto.ed25519.verify(linkKey, groupLinkSigningInput(group, hash, actor, key), proof))
    throw new MembershipError('bad-link-proof');
  if (expiresAt > 0 && at > expiresAt) throw new MembershipError('link-expired');
  if (uses > 0 && view.uses(link) >= uses) throw new MembershipError('link-used-up');
  refuseMember(view, account);
  if (view.isShutOut(account, link)) throw new MembershipError('was-removed');
  refuseCrowd(records, view, 1);
  return link;
}

function invitationOf(records: Records, view: View, hash: Uint8Array, account: AccountName) {
  const record = records.named(hex(hash));
  const key = record && view.has(record) ? invitedKey(record, account) : undefined;
  if (!record || !key) throw new MembershipError('not-invited');
  return { record, key };
}

function memberWith(view: View, account: AccountName, key: Uint8Array): Membership {
  const member = view.member(account);
  if (!member) throw new MembershipError('not-a-member');
  if (!member.key || !isSame(member.key, key)) throw new MembershipError('other-key');
  return member;
}

function refuseMember(view: View, account: AccountName): void {
  if (view.member(account)) throw new MembershipError('already-member');
}

/** Counted one by one only where more accounts than the limit ever came up. */
function refuseCrowd(records: Records, view: View, more: number): void {
  const most = LIMITS.groupMembers.value - more;
  if (records.accountsEver <= most) return;
  let there = 0;
  for (const account of records.accounts)
    if (view.member(account) || view.openInvitations(account).length > 0) there += 1;
  if (there > most) throw new MembershipError('too-many-members');
}

function restsOn(basis: LogRecord | undefined): Basis {
  return { basis, memberKey: undefined };
}
