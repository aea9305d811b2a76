/** Who is in a group, and what else its log says: docs/spec/groups.md section 3. */
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Log } from './log.ts';
import { type AccountName, accountName, actionOf, byDepth, follows, type LogRecord } from './records.ts';
import { invitedKey, type Membership, rankOf, View } from './view.ts';

export interface GroupMember {
  readonly address: AccountAddress;
  /** Account key that the log names, 32 bytes, to be compared with the one that is pinned; undefined: a LIME account, which has none. */
  readonly key: Uint8Array | undefined;
  readonly role: 'administrator' | 'member';
  /** Hash of the event by which the account came in. */
  readonly since: Uint8Array;
}

export interface OpenInvitation {
  readonly address: AccountAddress;
  readonly key: Uint8Array;
  /** Hash of the event: what a `join` names. */
  readonly invitation: Uint8Array;
  readonly by: AccountAddress;
}

/** One that was not revoked. */
export interface LinkState {
  /** Hash of the event that made it. */
  readonly link: Uint8Array;
  readonly key: Uint8Array;
  readonly by: AccountAddress;
  /** ms since 1970; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Accounts that may join by it; undefined: any number. */
  readonly uses: number | undefined;
  /** Accounts that did. */
  readonly used: number;
}

export interface GroupState {
  readonly group: Uint8Array;
  /** Of conversations: what messages of the group are encrypted for. */
  readonly address: AccountAddress;
  readonly subject: string;
  /** Bytes of a `FileDescriptor`, as an administrator wrote them; undefined: none. */
  readonly picture: Uint8Array | undefined;
  /** s that messages are kept once they were read; 0: for good. */
  readonly lifetime: number;
  /** Administrators first, the most senior before all; at most `groupMembers`. */
  readonly members: readonly GroupMember[];
  readonly invited: readonly OpenInvitation[];
  readonly links: readonly LinkState[];
  /** Hashes of events that do not count, because of what somebody senior did at the same time (section 5). */
  readonly overruled: readonly Uint8Array[];
}

/**
 * What the log says; with `heads`, what it said to somebody who knew these events and those that they follow.
 * Throws `MembershipError` `no-such-event` for a head that is not in the log.
 */
export function stateOf(log: Log, heads?: readonly Uint8Array[]): GroupState {
  const view = heads ? log.viewOf(heads) : new View(log.records);
  const records = log.records.inOrder.filter((record) => view.has(record));
  const standing = records.filter((record) => view.stands(record));
  const accounts = [...log.records.accounts];
  const settings = (kind: 'rename' | 'picture' | 'timer') =>
    newest(standing.filter((record) => record.event.action.kind === kind));
  const [renamed, pictured, timed] = [settings('rename'), settings('picture'), settings('timer')];
  const picture = pictured && actionOf(pictured, 'picture').descriptor;
  return {
    group: log.group,
    address: log.address,
    subject: renamed ? actionOf(renamed, 'rename').subject : actionOf(log.records.inOrder[0]!, 'create').subject,
    picture: picture && picture.length > 0 ? picture : undefined,
    lifetime: timed ? actionOf(timed, 'timer').lifetime : 0,
    members: membersOf(view, accounts),
    invited: accounts.flatMap((account) => invitationsOf(view, account)).toSorted(byAddress),
    links: standing.filter(({ event }) => event.action.kind === 'link-made').flatMap((link) => linkOf(view, link)),
    overruled: records.filter((record) => !view.stands(record)).map(({ hash }) => hash),
  };
}

/** The member with this address, domains compared without case; undefined: it is not in the group. */
export function memberOf(state: GroupState, address: AccountAddress): GroupMember | undefined {
  const account = accountName(address);
  return state.members.find((member) => accountName(member.address) === account);
}

/** Links that have ended or were used up by `now` (ms since 1970): an administrator's device that sees them revokes them. */
export function endedLinks(state: GroupState, now: number): readonly LinkState[] {
  return state.links.filter(
    ({ expiresAt, uses, used }) => (expiresAt !== undefined && now > expiresAt) || (uses !== undefined && used >= uses),
  );
}

function membersOf(view: View, accounts: readonly AccountName[]): readonly GroupMember[] {
  return accounts
    .flatMap((account) => {
      const member = view.member(account);
      return member ? { account, member, address: addressIn(member.record, account) } : [];
    })
    .toSorted((a, b) => bySeniority(a.member, b.member) || byAddress(a, b))
    .slice(0, LIMITS.groupMembers.value)
    .map(({ address, member: { record, key, tenure } }) => ({
      address,
      key,
      role: tenure ? 'administrator' : 'member',
      since: record.hash,
    }));
}

function bySeniority(a: Membership, b: Membership): number {
  if (a.tenure && b.tenure) return byDepth(a.tenure, b.tenure);
  if (a.tenure || b.tenure) return a.tenure ? -1 : 1;
  return byDepth(a.record, b.record);
}

function invitationsOf(view: View, account: AccountName): readonly OpenInvitation[] {
  // Of several that administrators made at once, one is enough.
  return view
    .openInvitations(account)
    .slice(0, 1)
    .map((record) => ({
      address: addressIn(record, account),
      key: invitedKey(record, account)!,
      invitation: record.hash,
      by: record.event.actor,
    }));
}

function linkOf(view: View, record: LogRecord): LinkState[] {
  if (!view.isLink(record)) return [];
  const { key, expiresAt, uses } = actionOf(record, 'link-made');
  return [
    {
      link: record.hash,
      key,
      by: record.event.actor,
      expiresAt: expiresAt > 0 ? expiresAt : undefined,
      uses: uses > 0 ? uses : undefined,
      used: view.uses(record),
    },
  ];
}

/** Of changes of one setting the last; of those that were made at once the one of the most senior administrator. */
function newest(changes: readonly LogRecord[]): LogRecord | undefined {
  const last: LogRecord[] = [];
  for (const change of changes.toSorted((a, b) => byDepth(b, a)))
    if (!last.some((later) => follows(later, change))) last.push(change);
  return last.toSorted((a, b) => byDepth(rankOf(a), rankOf(b)) || byDepth(a, b))[0];
}

/** As the event that let the account in spells it. */
function addressIn({ event: { actor, action } }: LogRecord, account: AccountName): AccountAddress {
  if (action.kind === 'promote') return action.member;
  if (action.kind !== 'invite') return actor;
  return action.members.find(({ address }) => accountName(address) === account)!.address;
}

function byAddress(a: { readonly address: AccountAddress }, b: { readonly address: AccountAddress }): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}
