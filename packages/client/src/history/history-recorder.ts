/**
 * Puts messages into the history in the very transaction that takes or queues them (docs/spec/history.md section 1): a crash leaves both or
 * neither. What changes messages that are kept already is noted in that transaction, too (`later/NUMBER`), and done soon after it.
 */
import { isNotice } from '@sealwire/cpim/chat-message';
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { type Content, decodeContent } from '@sealwire/wire/envelope';
import { GROUP_TYPE } from '@sealwire/wire/group-news';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { shownOf } from '../messages/cpim-content.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import type { OutboxWatch } from '../messages/outbox.ts';
import { textOf } from '../messages/text-of.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { type Catalogue, placeKey, readTalk, recentKey, writeTalk } from './catalogue.ts';
import { changeOf, type HistoryChange } from './history-change.ts';
import { type Entry, encodeEntries, type HistoryMessage } from './history-message.ts';
import { readSettings } from './history-settings.ts';

const NEXT = 'keeping/next';

export interface HistoryRecorderOptions {
  readonly ledger: Ledger;
  readonly catalogue: Catalogue;
  readonly me: DeviceId;
  readonly now: () => number;
  /** There is something to do in `conversation`, of which a commit is durable. */
  readonly wake: (conversation: AccountAddress) => void;
}

const nothing = () => {};

export class HistoryRecorder implements OutboxWatch {
  readonly #options: HistoryRecorderOptions;
  readonly #own: AccountAddress;
  #next: number;

  constructor(options: HistoryRecorderOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
    const record = options.ledger.get(NEXT);
    this.#next = record ? decodeRecord<{ next: number }>(record).header.next : 1;
  }

  /** A number that no message, page or change has had. */
  number(transaction: Transaction): number {
    const number = this.#next++;
    transaction.set(NEXT, encodeRecord({ next: this.#next }));
    return number;
  }

  /** An event goes into the inbox; call the answer once that is durable. */
  arrived(transaction: Transaction, event: DurableEvent): () => void {
    const change = changeOf(event, this.#options.now());
    if (change) return this.change(transaction, change);
    // A note to self of the only device was kept when it was sent.
    if (event.kind !== 'message' || event.device === this.#options.me) return nothing;
    const { kind: _, acceptedAt: __, ...message } = event;
    return this.#add(transaction, message);
  }

  /** A message goes into the outbox; call the answer once that is durable. */
  queued(transaction: Transaction, id: string, to: AccountAddress, plaintext: Uint8Array): () => void {
    const content = decodeContent(plaintext);
    if (isNotice(content.type) || content.type === RECEIPT_TYPE || content.type === GROUP_TYPE) return nothing;
    const { me } = this.#options;
    const shown = shownOf(content, this.#own);
    const change = this.#changeBy(content, shown, to);
    if (change) return this.change(transaction, change);
    const about = {
      id,
      from: this.#own,
      device: me,
      conversation: to,
      sentAt: content.sentAt,
      trust: 'trusted',
    } as const;
    return this.#add(transaction, { ...about, ...shown, state: 'queued' });
  }

  /** What a message of ours does to an earlier one; undefined: it stands for itself. */
  #changeBy(
    { edits, deletes, sentAt }: Content,
    { type, body, reactionTo }: ReturnType<typeof shownOf>,
    conversation: AccountAddress,
  ): HistoryChange | undefined {
    const author = this.#own;
    if (reactionTo !== undefined)
      return { kind: 'reaction', conversation, id: reactionTo, from: author, emoji: new TextDecoder().decode(body) };
    if (deletes !== undefined) return { kind: 'deleted', conversation, author, id: deletes };
    if (edits === undefined) return undefined;
    return { kind: 'edited', conversation, author, id: edits, text: textOf(type, body) ?? '', at: sentAt };
  }

  /** A message leaves the outbox. */
  settled(transaction: Transaction, id: string, to: AccountAddress, state: 'accepted' | 'failed'): () => void {
    return this.change(transaction, { kind: 'state', conversation: to, ids: [id], state });
  }

  /** Done soon after `transaction`, also after a restart; call the answer once that is durable. */
  change(transaction: Transaction, change: HistoryChange): () => void {
    // What is not kept has nothing to be changed; what was kept before it was switched off still has.
    if (!readSettings(transaction).on && !this.#options.catalogue.conversations().includes(change.conversation))
      return nothing;
    transaction.set(orderedKey('later', this.number(transaction)), encodeRecord(change));
    return () => this.#options.wake(change.conversation);
  }

  #add(transaction: Transaction, message: Omit<HistoryMessage, 'at'>): () => void {
    if (!readSettings(transaction).on) return nothing;
    const { catalogue, now, wake } = this.#options;
    const { conversation, from, id, type, body, lifetime } = message;
    const talk = readTalk(transaction, conversation);
    const time = now();
    const at = Math.max(time, talk.newest);
    const isOwn = from === this.#own;
    const text = textOf(type, body);
    const entry: Entry = {
      place: [at, this.number(transaction)],
      message: {
        ...message,
        ...(text !== undefined && { text }),
        at,
        // What others wrote ends after it was shown.
        ...(isOwn && lifetime !== undefined && { expiresAt: time + lifetime * 1_000 }),
      },
    };
    const record = encodeEntries([entry]);
    transaction.set(recentKey(conversation, entry.place[1]), record);
    transaction.set(placeKey(conversation, from, id), encodeRecord({ place: entry.place }));
    writeTalk(transaction, conversation, { ...talk, newest: at, unread: talk.unread + (isOwn ? 0 : 1) });
    return () => {
      catalogue.addRecent(conversation, entry, record.length);
      wake(conversation);
    };
  }
}
