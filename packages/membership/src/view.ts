/**
 * What a set of events says: which of them stand, who is in, and as what (docs/spec/groups.md sections 3 and 5). The set is a whole log, or
 * the past of one event; it answers the same whatever the order in which the events came in.
 *
 * No rule here runs in a circle: whether an act stands depends on the event that made its actor an administrator, and on acts of
 * administrators who are senior to that one, which `byDepth` puts before it.
 */
import { hasPlace, type Places } from './places.ts';
import { type AccountName, accountName, actionOf, byDepth, follows, type LogRecord, type Records } from './records.ts';

export interface Entry {
  readonly record: LogRecord;
  /** The administrator's act that let the account in. */
  readonly authority: LogRecord;
  /** Undefined: the account has none. */
  readonly key: Uint8Array | undefined;
}

export interface Membership extends Entry {
  /** What made the member an administrator; undefined: the member is none. */
  readonly tenure: LogRecord | undefined;
}

export class View {
  private readonly standing = new Map<LogRecord, boolean>();
  private readonly joins = new Map<LogRecord, ReadonlySet<LogRecord>>();

  /** `past`: of the events of `records` only these. */
  constructor(
    private readonly records: Records,
    private readonly past?: Places,
  ) {}

  /** Whether the event counts, once all that the set has is known. */
  stands(record: LogRecord): boolean {
    let stands = this.standing.get(record);
    if (stands === undefined) {
      stands = this.judge(record);
      this.standing.set(record, stands);
    }
    return stands;
  }

  /** Undefined: the account is not in the group. */
  member(account: AccountName): Membership | undefined {
    const about = this.standingAbout(account);
    let best: Entry | undefined;
    for (const record of about) {
      const entry = entryOf(record, account);
      if (!entry || !about.every((end) => !ends(end, entry))) continue;
      if (!best || (byDepth(rankOf(entry.authority), rankOf(best.authority)) || byDepth(record, best.record)) < 0)
        best = entry;
    }
    return best && { ...best, tenure: tenureIn(about, best) };
  }

  /** Whether the account may still join by this invitation of it. Who has joined and left may not. */
  isOpen(invitation: LogRecord, account: AccountName): boolean {
    const key = invitedKey(invitation, account);
    if (!key || !this.has(invitation) || !this.stands(invitation)) return false;
    const entry: Entry = { record: invitation, authority: invitation, key };
    return this.standingAbout(account).every((end) => !ends(end, entry));
  }

  /** Invitations of the account that are open, oldest first; none of a member. */
  openInvitations(account: AccountName): readonly LogRecord[] {
    if (this.member(account)) return [];
    return this.records
      .about(account)
      .filter((record) => record.event.action.kind === 'invite' && this.isOpen(record, account))
      .toSorted(byDepth);
  }

  /** Whether the account was removed and the link made before, or without knowing it. */
  isShutOut(account: AccountName, link: LogRecord): boolean {
    return this.standingAbout(account).some(
      (record) => record.event.action.kind === 'remove' && !follows(link, record),
    );
  }

  /** Whether the link was made and not revoked. It may be used up or have ended. */
  isLink(link: LogRecord): boolean {
    return this.has(link) && this.stands(link) && !this.revocations(link).some((record) => this.stands(record));
  }

  /** How many joined by the link. */
  uses(link: LogRecord): number {
    return this.joinsOf(link).size;
  }

  has(record: LogRecord): boolean {
    return this.past === undefined || hasPlace(this.past, record.place);
  }

  private judge(record: LogRecord): boolean {
    switch (record.event.action.kind) {
      case 'create':
      case 'leave':
        return true;
      case 'join':
        return this.stands(record.basis!);
      case 'join-link':
        return this.stands(record.basis!) && this.joinsOf(record.basis!).has(record);
      default:
        return this.isInOffice(record);
    }
  }

  /** Whether the administrator who did this was one, and nobody senior had ended that at the same time. */
  private isInOffice(record: LogRecord): boolean {
    const tenure = record.basis!;
    if (!this.stands(tenure)) return false;
    return this.about(accountName(record.event.actor)).every(
      (end) =>
        !endsOffice(end) ||
        byDepth(end.basis!, tenure) >= 0 ||
        follows(tenure, end) ||
        follows(end, record) ||
        !this.stands(end),
    );
  }

  /** Those who came in by the link: not those whom a revocation did not know, and no more than it is for. */
  private joinsOf(link: LogRecord): ReadonlySet<LogRecord> {
    let joins = this.joins.get(link);
    if (!joins) {
      const revocations = this.revocations(link).filter((record) => this.stands(record));
      const { uses } = actionOf(link, 'link-made');
      const inTime = this.records
        .ofLink(link.name)
        .filter((record) => record.event.action.kind === 'join-link' && this.has(record))
        .filter((record) => revocations.every((revocation) => follows(revocation, record)))
        .toSorted(byDepth);
      joins = new Set(uses === 0 ? inTime : inTime.slice(0, uses));
      this.joins.set(link, joins);
    }
    return joins;
  }

  private revocations(link: LogRecord): readonly LogRecord[] {
    return this.records
      .ofLink(link.name)
      .filter((record) => record.event.action.kind === 'link-revoked' && this.has(record));
  }

  private about(account: AccountName): readonly LogRecord[] {
    return this.records.about(account).filter((record) => this.has(record));
  }

  private standingAbout(account: AccountName): readonly LogRecord[] {
    return this.about(account).filter((record) => this.stands(record));
  }
}

/** The key that an invitation names for the account; undefined: it does not name it, or without a key. */
export function invitedKey(invitation: LogRecord, account: AccountName): Uint8Array | undefined {
  const { action } = invitation.event;
  if (action.kind !== 'invite') return undefined;
  const key = action.members.find(({ address }) => accountName(address) === account)?.key;
  return key && key.length > 0 ? key : undefined;
}

/** What puts administrators in order: who was made one first is senior. */
export function rankOf(act: LogRecord): LogRecord {
  return act.basis ?? act;
}

/** How the event lets the account in; undefined: it does not. To promote somebody is to vouch for the membership too. */
function entryOf(record: LogRecord, account: AccountName): Entry | undefined {
  switch (record.event.action.kind) {
    case 'create':
      return { record, authority: record, key: record.key };
    case 'join':
    case 'join-link':
      return { record, authority: record.basis!, key: record.key };
    case 'promote':
      return { record, authority: record, key: record.memberKey };
    case 'invite':
      return invitedKey(record, account) ? undefined : { record, authority: record, key: undefined };
    default:
      return undefined;
  }
}

/** An end that the authority of an entry did not know of is one of it; after leaving, a link that is older lets in again. */
function ends(end: LogRecord, { record, authority, key }: Entry): boolean {
  switch (end.event.action.kind) {
    case 'remove':
      return !follows(authority, end);
    case 'leave':
      // Under another key of the same address it ends what it knew of alone: a false key puts nobody out.
      if (!key || !isSame(end.key, key)) return follows(end, record);
      return !follows(record.event.action.kind === 'join-link' ? record : authority, end);
    default:
      return false;
  }
}

/** The oldest promotion that nothing has ended: of what stands about an account, whose entry this is. */
function tenureIn(about: readonly LogRecord[], entry: Entry): LogRecord | undefined {
  const { key } = entry;
  return about
    .filter(({ event: { action } }) => action.kind === 'create' || action.kind === 'promote')
    .filter((tenure) => key && isSame(tenure.memberKey ?? tenure.key, key))
    .filter((tenure) =>
      about.every(
        (end) =>
          follows(tenure, end) ||
          !(end.event.action.kind === 'demote' || ends(end, { record: tenure, authority: tenure, key })),
      ),
    )
    .toSorted(byDepth)[0];
}

/** Done by another: who leaves or steps down undoes nothing. */
function endsOffice({ event: { actor, action } }: LogRecord): boolean {
  return (action.kind === 'remove' || action.kind === 'demote') && accountName(action.member) !== accountName(actor);
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
