/**
 * What the user has found out about accounts, as all devices of the account have it in the sealed contact list (docs/spec/verification.md
 * section 9). Records `verdicts/ADDRESS`, one an account: the later word.
 */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { ContactVerdict } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const TABLE = 'verdicts/';
/** Of two at the same time the one that trusts less. */
const BY_CAUTION: readonly ContactVerdict['state'][] = ['verified', 'withdrawn', 'different'];

export interface StoredVerdict extends ContactVerdict {
  /** Not at the server yet. */
  readonly isNew?: true;
}

type Header = Omit<StoredVerdict, 'accountKey'>;

export function readVerdict(records: Records, address: AccountAddress): StoredVerdict | undefined {
  const stored = records.get(TABLE + address);
  if (!stored) return undefined;
  const { header, blob } = decodeRecord<Header>(stored);
  return { ...header, accountKey: blob };
}

export function allVerdicts(records: Records): StoredVerdict[] {
  return records.keys(TABLE).map((key) => readVerdict(records, key.slice(TABLE.length) as AccountAddress)!);
}

export function writeVerdict(transaction: Transaction, { accountKey, ...header }: StoredVerdict): void {
  transaction.set(TABLE + header.address, encodeRecord(header, accountKey));
}

/**
 * What the server's list says becomes ours, but where our own word is later. `isBack`: it is one that the server should not show, and
 * gets all again that we know. Answers what is news here.
 */
export function takeVerdicts(
  transaction: Transaction,
  theirs: readonly ContactVerdict[],
  isBack: boolean,
): readonly ContactVerdict[] {
  const offered = new Map(theirs.map((verdict) => [verdict.address, verdict]));
  for (const { isNew, ...ours } of allVerdicts(transaction)) {
    const other = offered.get(ours.address);
    if (other && !isLater(ours, other)) continue;
    if (other || isNew || isBack) writeVerdict(transaction, { ...ours, isNew: true });
    else transaction.delete(TABLE + ours.address);
  }
  const news: ContactVerdict[] = [];
  for (const verdict of offered.values()) {
    const ours = readVerdict(transaction, verdict.address);
    if (ours && isLater(ours, verdict)) continue;
    if (!ours || !isSame(ours, verdict)) news.push(verdict);
    writeVerdict(transaction, verdict);
  }
  return news;
}

/** What the list has room for: of too many the oldest that were withdrawn go, then the oldest of all. */
export function fittingVerdicts(records: Records): {
  readonly sent: ContactVerdict[];
  readonly dropped: ContactVerdict[];
} {
  const all = allVerdicts(records).map(({ isNew: _, ...verdict }) => verdict);
  const isOver = ({ state }: ContactVerdict) => Number(state === 'withdrawn');
  const byWorth = all.sort((a, b) => isOver(a) - isOver(b) || b.at - a.at);
  const most = LIMITS.verdictsPerAccount.value;
  return { sent: byWorth.slice(0, most), dropped: byWorth.slice(most) };
}

/** They are at the server, or were left out; not those that were changed meanwhile. */
export function verdictsWritten(transaction: Transaction, { sent, dropped }: ReturnType<typeof fittingVerdicts>): void {
  const isStill = (verdict: ContactVerdict) => {
    const now = readVerdict(transaction, verdict.address);
    return now !== undefined && isSame(now, verdict);
  };
  for (const verdict of sent) if (isStill(verdict)) writeVerdict(transaction, verdict);
  for (const verdict of dropped) if (isStill(verdict)) transaction.delete(TABLE + verdict.address);
}

function isSame(a: ContactVerdict, b: ContactVerdict): boolean {
  return orderOf(a) === orderOf(b);
}

function isLater(a: ContactVerdict, b: ContactVerdict): boolean {
  if (a.at !== b.at) return a.at > b.at;
  return orderOf(a) > orderOf(b);
}

function orderOf({ at, state, accountKey }: ContactVerdict): string {
  return `${at} ${BY_CAUTION.indexOf(state)} ${encodeBase64url(accountKey)}`;
}
