/**
 * Whom a message to a group is for, and what it says of the group's log (docs/spec/groups.md sections 4 and 6): the accounts of the members
 * as this device knows them when it encrypts. One that cannot be written to is left out and told of; the others get the message.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeContent, encodeContent } from '@sealwire/wire/envelope';
import { GROUP_TYPE } from '@sealwire/wire/group-news';
import { type AccountAddress, accountOf, type DeviceId, domainOf, nameOf } from '@sealwire/wire/ids';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { PeerRecord } from '../accounts/peer-record.ts';
import { ClientError } from '../errors.ts';
import type { MemberSkippedEvent } from '../events.ts';
import type { Inbox } from '../messages/inbox.ts';
import type { OutboxEntry } from '../messages/outbox.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { partIsSaid, partOf } from './group-part.ts';
import type { GroupStore } from './group-store.ts';

/** Accounts whose device lists are asked for at once. */
const AT_ONCE = 8;

export interface GroupAudience {
  readonly peers: readonly PeerRecord[];
  /** The plaintext with what it says of the group. */
  readonly dressed: Uint8Array;
  /** Of the membership: it goes to whoever must know of it, whatever the policy of trust is. */
  readonly isNews: boolean;
  /** In the transaction that encrypts: who is left out. Call the answer once that is durable. */
  told(transaction: Transaction, entry: OutboxEntry): () => void;
}

export interface GroupAudiencesOptions {
  readonly ledger: Ledger;
  readonly store: GroupStore;
  readonly book: PeerBook;
  readonly crypto: CryptoProvider;
  readonly own: AccountAddress;
  readonly inbox: Inbox;
}

interface Member {
  readonly address: AccountAddress;
  readonly peer?: PeerRecord;
  readonly reason?: MemberSkippedEvent['reason'];
}

const BECAUSE: Record<MemberSkippedEvent['reason'], string> = {
  'account-gone': 'the server does not know the account any more',
  'other-domain': 'it is on another server, and messages do not travel between servers yet',
  'account-key-differs': 'the server shows another account key than the group has for it',
};

export class GroupAudiences {
  readonly #options: GroupAudiencesOptions;

  constructor(options: GroupAudiencesOptions) {
    this.#options = options;
  }

  /**
   * `plaintext`: a `Content`, encoded. Throws `no-such-group`, `not-a-member` when this account may not write there, and what the directory
   * throws that may pass.
   */
  async audience(address: AccountAddress, plaintext: Uint8Array, maxAgeMs: number): Promise<GroupAudience> {
    const { store, own } = this.#options;
    const group = store.get(address);
    const content = decodeContent(plaintext);
    const isNews = content.type === GROUP_TYPE;
    if (!isNews && !group.members.has(own)) throw notMember();
    const addresses = [...group.members.keys()].filter((member) => member !== own);
    const members: Member[] = [];
    for (let from = 0; from < addresses.length; from += AT_ONCE)
      members.push(
        ...(await Promise.all(
          addresses
            .slice(from, from + AT_ONCE)
            .map((member) => this.#member(member, group.members.get(member)?.key, maxAgeMs)),
        )),
      );
    return {
      peers: members.flatMap(({ peer, reason }) => (peer && !reason ? [peer] : [])),
      isNews,
      dressed: isNews ? plaintext : encodeContent({ ...content, group: partOf(this.#options.ledger, group) }),
      told: (transaction, entry) => {
        if (!isNews) partIsSaid(transaction, group);
        return this.#tell(transaction, entry, members);
      },
    };
  }

  /** The other members. Throws as `audience`. */
  others(address: AccountAddress): AccountAddress[] {
    const { store, own } = this.#options;
    const { members } = store.get(address);
    if (!members.has(own)) throw notMember();
    return [...members.keys()].filter((member) => member !== own);
  }

  /** Looks again at the accounts of `devices`: those that there still are. */
  async refresh(devices: readonly DeviceId[]): Promise<PeerRecord[]> {
    const { book } = this.#options;
    const peers: PeerRecord[] = [];
    for (const account of new Set(devices.map(accountOf))) {
      try {
        peers.push(await book.refresh(account));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    return peers;
  }

  async #member(address: AccountAddress, key: Uint8Array | undefined, maxAgeMs: number): Promise<Member> {
    const { book, crypto, own } = this.#options;
    if (domainOf(address) !== domainOf(own)) return { address, reason: 'other-domain' };
    try {
      const peer = await book.current(address, maxAgeMs);
      const differs = key !== undefined && !crypto.equal(key, peer.accountKey);
      return { address, peer, ...(differs && { reason: 'account-key-differs' }) };
    } catch (error) {
      if (isGone(error)) return { address, reason: 'account-gone' };
      throw error;
    }
  }

  /** Each once, until it gets a message again. */
  #tell(transaction: Transaction, { id, to }: OutboxEntry, members: readonly Member[]): () => void {
    const published: (() => void)[] = [];
    for (const { address, reason } of members) {
      const key = `unheard/${to} ${address}`;
      const stored = transaction.get(key);
      const before = stored && decodeRecord<{ reason: string }>(stored).header.reason;
      if (reason === before) continue;
      if (!reason) {
        transaction.delete(key);
        continue;
      }
      transaction.set(key, encodeRecord({ reason }));
      const text = `${nameOf(address)} does not get what is written in the group: ${BECAUSE[reason]}`;
      published.push(
        this.#options.inbox.add(transaction, { kind: 'member-skipped', id, to, account: address, reason, text }),
      );
    }
    return () => {
      for (const publish of published) publish();
    };
  }
}

function notMember(): ClientError {
  return new ClientError('not-a-member', 'this account is not a member of the group: somebody has to invite it');
}

function isGone(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'unknown-account';
}
