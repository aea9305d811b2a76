/**
 * Whom the user knows, and who may write (docs/spec/contacts.md): the same on all devices of the account, and encrypted by them. What is said
 * here is durable on this device at once; the server and the other devices have it with the next connection, or when `synced` resolves.
 */
import {
  CONTACT_NAME_BYTES,
  CONTACT_NOTE_BYTES,
  CONTACT_POLICIES,
  type ContactEntry,
  type ContactPolicy,
} from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { ClientError } from '../errors.ts';
import { hasHeard } from '../messages/chain/incoming-chains.ts';
import { hasWritten } from '../messages/chain/outgoing-records.ts';
import type { Services } from '../services.ts';
import type { Transaction } from '../storage/ledger.ts';
import { superfluous } from './contact-merge.ts';
import {
  allContacts,
  allRequests,
  type ContactRequest,
  countContacts,
  deleteRequest,
  isKnown,
  readContact,
  readState,
  writeContact,
  writeState,
} from './contact-records.ts';
import type { ContactSync } from './contact-sync.ts';

export type { ContactPolicy } from '@sealwire/wire/contacts';
export type { ContactRequest } from './contact-records.ts';

export interface Contact {
  readonly address: AccountAddress;
  /** The user's own name for it; empty: none. */
  readonly name: string;
  readonly note: string;
  /** ms, of the last change. */
  readonly changedAt: number;
}

export interface ContactWords {
  /** At most 128 bytes of UTF-8 without control characters. */
  readonly name?: string;
  /** At most 512 bytes. */
  readonly note?: string;
}

export interface ClientContactsOptions extends Pick<Services, 'self' | 'ledger' | 'book'> {
  readonly sync: ContactSync;
  readonly now: () => number;
  readonly addressOf: (name: string) => AccountAddress;
  /** Members of our groups, and who is invited there. */
  readonly companions: () => readonly AccountAddress[];
}

export class ClientContacts {
  readonly #options: ClientContactsOptions;

  constructor(options: ClientContactsOptions) {
    this.#options = options;
  }

  /** By name, then by address. Asks nobody. */
  list(): Contact[] {
    const all = allContacts(this.#options.ledger).filter(({ state }) => state === 'contact');
    const sortKey = ({ name, address }: Contact) => `${name.toLowerCase() || address.slice('sip:'.length)}\0${address}`;
    return all.map(contactOf).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  }

  get(of: string): Contact | undefined {
    const known = readContact(this.#options.ledger, this.#options.addressOf(of));
    return known?.state === 'contact' ? contactOf(known) : undefined;
  }

  /** Who is one already keeps what is not given. Throws `bad-address`, `bad-request`, `forbidden`, `limit-reached`. */
  async add(of: string, words: ContactWords = {}): Promise<Contact> {
    const address = this.#addressOf(of);
    return this.#change((transaction) => {
      const known = readContact(transaction, address);
      const { name = '', note = '' } = known?.state === 'contact' ? known : {};
      return this.#write(transaction, { address, state: 'contact', name, note, ...checked(words) });
    });
  }

  /** The user's own name for a contact; empty: none. Throws `not-found`, and what `add` throws. */
  rename(of: string, name: string): Promise<Contact> {
    return this.#edit(of, { name });
  }

  /** Throws as `rename`. */
  setNote(of: string, note: string): Promise<Contact> {
    return this.#edit(of, { note });
  }

  /** Throws `not-found`. Where only contacts may write, it is a stranger from then on. */
  async remove(of: string): Promise<void> {
    const address = this.#addressOf(of);
    await this.#change((transaction) => {
      if (readContact(transaction, address)?.state !== 'contact') throw noContact(address);
      this.#write(transaction, { address, state: 'removed', name: '', note: '' });
    });
  }

  /** Strangers who have written and were not answered, the oldest first; at most a hundred. */
  requests(): ContactRequest[] {
    return allRequests(this.#options.ledger);
  }

  /** Makes a contact of who asked to be one. Throws `not-found`. */
  async accept(from: string, words: ContactWords = {}): Promise<Contact> {
    const address = this.#addressOf(from);
    if (!this.requests().some((request) => request.from === address)) throw noRequest(address);
    return this.add(address, words);
  }

  /** Forgets a request, and tells nobody. Throws `not-found`. */
  async decline(from: string): Promise<void> {
    const address = this.#addressOf(from);
    const isThere = await this.#options.ledger.commit((transaction) => deleteRequest(transaction, address));
    if (!isThere) throw noRequest(address);
  }

  /** Who may write to this account. */
  policy(): ContactPolicy {
    return readState(this.#options.ledger).policy;
  }

  /**
   * `everyone`; `requests`: of strangers one small message a day, a `contact-request` event; `contacts`: nothing of strangers. Who was
   * written to is no stranger. Throws `bad-request`.
   */
  async setPolicy(policy: ContactPolicy): Promise<void> {
    if (!CONTACT_POLICIES.includes(policy))
      throw new ClientError('bad-request', `a contact policy is one of ${CONTACT_POLICIES.join(', ')}`);
    const { self, book, now } = this.#options;
    await this.#change((transaction) => {
      const state = readState(transaction);
      if (policy !== 'everyone')
        for (const { address } of book.all())
          if (hasWritten(transaction, address) || hasHeard(transaction, self.address, address))
            this.#letIn(transaction, address);
      const policyAt = Math.max(now(), state.policyAt + 1);
      writeState(transaction, { ...state, policy, policyAt, isPolicyNew: true });
      this.met(transaction, this.#options.companions());
    });
  }

  /** Resolves when the server has all of this. Throws `ClientError`: `unreachable`, `no-contacts-key`, `contacts-forged`, … */
  synced(): Promise<void> {
    return this.#options.sync.run();
  }

  /** Whether `address` would have to be let in before it may write. */
  isStranger(address: AccountAddress): boolean {
    return address !== this.#options.self.address && !isKnown(this.#options.ledger, address);
  }

  /** Somebody is written to, and may answer. Resolves when the server knows, or cannot be told now. */
  async letIn(address: AccountAddress): Promise<void> {
    const { ledger, sync } = this.#options;
    try {
      await ledger.commit((transaction) => this.#letIn(transaction, address));
      await sync.run();
    } catch {
      // It is told with the next connection.
    }
  }

  /** Who is in a group with us writes to us there. A list that is full takes no more of them, and what they write does not come. */
  met(transaction: Transaction, accounts: readonly AccountAddress[]): void {
    for (const account of accounts) {
      if (isKnown(transaction, account)) continue;
      if (countContacts(transaction) >= LIMITS.contactsPerAccount.value) return;
      this.#letIn(transaction, account);
      this.#options.sync.soon();
    }
  }

  async #edit(of: string, words: ContactWords): Promise<Contact> {
    const address = this.#addressOf(of);
    return this.#change((transaction) => {
      const known = readContact(transaction, address);
      if (known?.state !== 'contact') throw noContact(address);
      return this.#write(transaction, { ...known, ...checked(words) });
    });
  }

  async #change<T>(work: (transaction: Transaction) => T): Promise<T> {
    const answer = await this.#options.ledger.commit(work);
    this.#options.sync.soon();
    return answer;
  }

  #letIn(transaction: Transaction, address: AccountAddress): void {
    const known = readContact(transaction, address);
    if (address === this.#options.self.address || (known && known.state !== 'removed')) return;
    this.#write(transaction, { address, state: 'known', name: '', note: '' });
  }

  #write(
    transaction: Transaction,
    { address, state, name, note }: Pick<ContactEntry, 'address' | 'state' | 'name' | 'note'>,
  ): Contact {
    const before = readContact(transaction, address);
    // Later than any word on it that this device knows, whatever its clock says.
    const at = Math.max(this.#options.now(), (before?.at ?? 0) + 1);
    const contact = { address, state, name, note, at };
    writeContact(transaction, { ...contact, isNew: true });
    const most = LIMITS.contactsPerAccount.value;
    const count = countContacts(transaction);
    if (count > most && count - superfluous(allContacts(transaction)).length > most)
      throw new ClientError('limit-reached', `a contact list has at most ${most} contacts: remove one first`);
    return contactOf(contact);
  }

  #addressOf(of: string): AccountAddress {
    const address = this.#options.addressOf(of);
    if (address === this.#options.self.address) throw new ClientError('forbidden', 'this is our own account');
    return address;
  }
}

function contactOf({ address, name, note, at }: ContactEntry): Contact {
  return { address, name, note, changedAt: at };
}

function checked(words: ContactWords): ContactWords {
  const isFit = (text: string, most: number) =>
    new TextEncoder().encode(text).length <= most && !/[\p{Cc}\p{Cs}]/u.test(text.replaceAll('\n', ''));
  if (words.name !== undefined && (!isFit(words.name, CONTACT_NAME_BYTES) || words.name.includes('\n')))
    throw new ClientError('bad-request', `a name is a line of at most ${CONTACT_NAME_BYTES} bytes`);
  if (words.note !== undefined && !isFit(words.note, CONTACT_NOTE_BYTES))
    throw new ClientError('bad-request', `a note has at most ${CONTACT_NOTE_BYTES} bytes, and no control characters`);
  return words;
}

function noContact(address: AccountAddress): ClientError {
  return new ClientError('not-found', `${address} is no contact: add it first`);
}

function noRequest(address: AccountAddress): ClientError {
  return new ClientError('not-found', `${address} has not asked, or was answered: see the list of requests`);
}
