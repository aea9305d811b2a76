/**
 * Invite links (docs/spec/groups.md section 7), both ends: who has one asks the administrator that it names for the log, with the link key's
 * word for its account; when the log is here it joins. Table `joining`, key `joining/GROUP`: a link by which this account wants to join.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { endedLinks, type LinkState } from '@sealwire/membership/state';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { groupAddressOf } from '@sealwire/wire/group-event';
import { formatGroupLink, type GroupLink, groupLinkSigningInput, parseGroupLink } from '@sealwire/wire/group-link';
import type { GroupNews } from '@sealwire/wire/group-news';
import { type AccountAddress, nameOf } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { administratorSeed } from '../accounts/administrator.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import { readPeer } from '../accounts/peer-record.ts';
import type { SelfRecord } from '../accounts/self-record.ts';
import { ClientError } from '../errors.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import type { Group } from './group.ts';
import type { GroupMail } from './group-mail.ts';
import type { GroupStore } from './group-store.ts';

export interface GroupLinksOptions {
  readonly store: GroupStore;
  readonly mail: GroupMail;
  readonly ledger: Ledger;
  readonly book: PeerBook;
  readonly crypto: CryptoProvider;
  readonly now: () => number;
  readonly self: SelfRecord;
}

const keyOf = (group: AccountAddress) => `joining/${group}`;
const NO_BYTES = new Uint8Array(0);

export class GroupLinks {
  readonly #options: GroupLinksOptions;

  constructor(options: GroupLinksOptions) {
    this.#options = options;
  }

  /**
   * Asks to be let in by the link `text`; answers the group. Throws `bad-group-link`, `account-key-changed` when the directory shows another
   * key than the link has for who made it, `not-administrator`, `unknown-account`.
   */
  async ask(text: string): Promise<AccountAddress> {
    const { store, mail, ledger, book } = this.#options;
    const link = linkIn(text);
    const proof = this.#prove(link);
    const { accountKey } = await book.refresh(link.from);
    if (!this.#options.crypto.equal(accountKey, link.fromKey))
      throw new ClientError(
        'account-key-changed',
        `the server shows another account key of ${nameOf(link.from)} than the link has: nothing is sent; ask who gave it to you`,
      );
    const address = groupAddressOf(link.group);
    const publish = await ledger.commit((transaction) => {
      transaction.set(keyOf(address), encodeRecord({ link: formatGroupLink(link) }));
      const heads = store.read(transaction, address)?.log.heads ?? [];
      return mail.news(transaction, link.from, address, {
        heads,
        events: NO_BYTES,
        asks: true,
        link: link.link,
        proof,
      });
    });
    publish();
    return address;
  }

  /** Whether who asks for the log has a link that counts. */
  letsIn({ state }: Group, from: AccountAddress, { link, proof }: GroupNews, transaction: Transaction): boolean {
    const { crypto, now } = this.#options;
    const key = readPeer(transaction, from)?.accountKey;
    const made = state.links.find((each) => isSame(each.link, link));
    if (!key || !made || endedLinks(state, now()).includes(made)) return false;
    return crypto.ed25519.verify(made.key, groupLinkSigningInput(state.group, link, from, key), proof);
  }

  /**
   * Joins a group whose log has come, if this account has asked for it. Undefined: it has not, or is in it. Call `publish` once that is
   * durable. Throws `group-refused`, after which the link is forgotten.
   */
  join(transaction: Transaction, group: Group): (() => void) | undefined {
    const { store, mail, self } = this.#options;
    const stored = transaction.get(keyOf(group.address));
    if (!stored || group.members.has(self.address)) return undefined;
    const link = linkIn(decodeRecord<{ link: string }>(stored).header.link);
    transaction.delete(keyOf(group.address));
    const after = store.joinByLink(transaction, group.address, link);
    return mail.toGroup(transaction, after, after.log.since(group.log.heads));
  }

  /** The link key's word for this account. */
  #prove({ group, link, seed }: GroupLink): Uint8Array {
    const { crypto, self } = this.#options;
    const key = crypto.ed25519.publicKey(administratorSeed(self));
    return crypto.ed25519.sign(seed, groupLinkSigningInput(group, link, self.address, key));
  }
}

/** As an application names it, to revoke it. */
export function linkId({ link }: Pick<LinkState, 'link'>): string {
  return encodeBase64url(link);
}

function linkIn(text: string): GroupLink {
  try {
    return parseGroupLink(text);
  } catch (error) {
    if (error instanceof WireError) throw new ClientError('bad-group-link', error.message, { cause: error });
    throw error;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return encodeBase64url(one) === encodeBase64url(other);
}
