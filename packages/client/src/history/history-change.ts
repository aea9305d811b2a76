/** What becomes of messages that are kept already, and which events say so. What a new event changes is to be added to `changeOf`. */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DurableEvent } from '../messages/inbox.ts';
import { textOf } from '../messages/text-of.ts';
import type { Entry, HistoryMessage, Reaction, SentState } from './history-message.ts';

/** Of one conversation. Whether `author` may say it is for who makes the change to know; it changes nothing that another account wrote. */
export type HistoryChange = { readonly conversation: AccountAddress } & (
  | { readonly kind: 'state'; readonly ids: readonly string[]; readonly state: SentState }
  /** The user was shown the conversation up to a message of `device`: `id`, or number `upTo` of its chain. `at`: ms. */
  | {
      readonly kind: 'shown';
      readonly device: DeviceId;
      readonly id?: string;
      readonly upTo?: number;
      readonly at: number;
    }
  | {
      readonly kind: 'edited';
      readonly author: AccountAddress;
      readonly id: string;
      readonly text: string;
      readonly at: number;
    }
  | { readonly kind: 'deleted'; readonly author: AccountAddress; readonly id: string }
  /** `id` is of a message of `author`, or, where it is not known, of anybody's. An empty emoji takes the reaction back. */
  | ({ readonly kind: 'reaction'; readonly id: string; readonly author?: AccountAddress } & Reaction)
);

/** Of each account one, the newest; the newest accounts of those that are not members any more go first. */
const REACTIONS = 64;
const RANKS: Readonly<Record<SentState, number>> = {
  queued: 0,
  failed: 1,
  accepted: 2,
  'not-delivered': 3,
  delivered: 4,
  displayed: 5,
};

/** What an event of the inbox says of messages that are kept; undefined: nothing. `now`: ms. */
export function changeOf(event: DurableEvent, now: number): HistoryChange | undefined {
  switch (event.kind) {
    case 'delivered':
    case 'displayed':
    case 'not-delivered':
      return { kind: 'state', conversation: event.to, ids: event.ids, state: event.kind };
    case 'displayed-elsewhere': {
      const { conversation, device, by, id, upTo } = event;
      // A LIME device of ours names the message alone: of whom it is the conversation says.
      if (device === undefined && id === undefined) return undefined;
      const named = { ...(id !== undefined && { id }), ...(upTo !== undefined && { upTo }) };
      return { kind: 'shown', conversation, device: device ?? by, ...named, at: now };
    }
    case 'reaction': {
      const { conversation, from, id, emoji } = event;
      return { kind: 'reaction', conversation, id, from, emoji };
    }
    case 'message-edited': {
      const { conversation, from, id, type, body, sentAt } = event;
      const text = textOf(type, body);
      return text === undefined ? undefined : { kind: 'edited', conversation, author: from, id, text, at: sentAt };
    }
    case 'message-deleted':
      return { kind: 'deleted', conversation: event.conversation, author: event.from, id: event.id };
    default:
      return undefined;
  }
}

/** Accounts that may have written the message that a change names. `others`: those that write in its conversation beside our own. */
export function authorsOf(
  change: HistoryChange,
  own: AccountAddress,
  others: readonly AccountAddress[],
): readonly AccountAddress[] {
  if (change.kind === 'state') return [own];
  if (change.kind === 'shown') {
    return [...new Set([accountOf(change.device), ...others])].filter((account) => account !== own);
  }
  if (change.kind !== 'reaction' || change.author !== undefined) return [change.author!];
  return [...new Set([own, ...others, change.from])];
}

/** `entry` as it is after `change`; the same one when that changes nothing. */
export function changed(entry: Entry, change: HistoryChange): Entry {
  const { message } = entry;
  const news = newsOf(message, change);
  return news ? { ...entry, message: { ...message, ...news } } : entry;
}

function newsOf(message: HistoryMessage, change: HistoryChange): Partial<HistoryMessage> | undefined {
  switch (change.kind) {
    case 'state':
      if (message.state === undefined || RANKS[change.state] <= RANKS[message.state]) return undefined;
      return { state: change.state };
    case 'edited':
      if (message.deleted || (message.editedAt ?? 0) >= change.at || message.text === undefined) return undefined;
      return { text: change.text, body: new TextEncoder().encode(change.text), editedAt: change.at };
    case 'deleted':
      return { deleted: true, type: 'text/plain', text: '', body: new Uint8Array(0), reactions: [] };
    case 'reaction': {
      const others = (message.reactions ?? []).filter(({ from }) => from !== change.from);
      if (change.emoji === '') return { reactions: others };
      return { reactions: [...others, { from: change.from, emoji: change.emoji }].slice(-REACTIONS) };
    }
    case 'shown':
      return undefined;
  }
}
