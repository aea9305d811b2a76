/**
 * Keeps the contact list the same on all devices of the account, by the encrypted copy at the server (docs/spec/contacts.md section 3): reads
 * it on each connection, when the relay hints at a newer one, and before it writes. What the server shows counts only if a device of ours
 * made it, and never takes back what this device knows.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { allowedEntry, allowedSet, type ContactList } from '@sealwire/wire/contacts';
import { ContactsAnswer } from '@sealwire/wire/http';
import type { AccountAddress } from '@sealwire/wire/ids';
import { resetEvent } from '../accounts/account-reset.ts';
import { backOff } from '../connection/back-off.ts';
import { asClientError, ClientError } from '../errors.ts';
import type { ContactsAlarmEvent } from '../events.ts';
import { TIMERS } from '../messages/conversation-timer.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import type { Timers } from '../runtime.ts';
import type { Services } from '../services.ts';
import type { Transaction } from '../storage/ledger.ts';
import { VERDICTS } from '../verification/verdict-records.ts';
import { allowedSaltOf, contactsKeyOf, openList, sealList } from './contact-cipher.ts';
import { entriesOf, isSameEntry, laterPolicy, mergeEntries, superfluous } from './contact-merge.ts';
import {
  allContacts,
  type ContactState,
  deleteContact,
  readContact,
  readState,
  writeContact,
  writeState,
} from './contact-records.ts';

/** Others write at the same time, each of them once. */
const ROUNDS = 6;

export interface ContactSyncOptions extends Pick<Services, 'self' | 'ledger' | 'http' | 'tokens' | 'verdicts'> {
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly timers: Timers;
  readonly inbox: { add(transaction: Transaction, event: DurableEvent): () => void };
  readonly trace: (name: string, details: Record<string, string | number>) => void;
}

/** What the server has; `list` is undefined when there is none. */
interface Remote {
  readonly version: number;
  readonly sealedHash: string;
  readonly list: ContactList | undefined;
}

export class ContactSync {
  readonly #options: ContactSyncOptions;
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #online = false;
  #failures = 0;
  #cancel: (() => void) | undefined;

  constructor(options: ContactSyncOptions) {
    this.#options = options;
  }

  start(): void {
    this.#online = true;
    this.#failures = 0;
    this.#look();
  }

  /** The relay says that there is this version. */
  hint(version: number): void {
    if (readState(this.#options.ledger).version < version) this.#look();
  }

  /** Something has changed here. */
  soon(): void {
    if (this.#online) this.#look();
  }

  stop(): void {
    this.#online = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async done(): Promise<void> {
    await this.#running;
  }

  /** Resolves when the server has what this device has, and this device what the server had. Throws `ClientError`. */
  run(): Promise<void> {
    const running = this.#running.then(() => this.#sync());
    this.#running = running.catch(() => undefined);
    return running;
  }

  #look(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isWaiting || !contactsKeyOf(this.#options.self, this.#options.crypto)) return;
    this.#isWaiting = true;
    this.#running = this.#running.then(async () => {
      this.#isWaiting = false;
      if (this.#online) await this.#try();
    });
  }

  async #try(): Promise<void> {
    const { timers, random, trace } = this.#options;
    try {
      await this.#sync();
      this.#failures = 0;
    } catch (error) {
      const { code, retryable, retryAfterMs } = asClientError(error, 'engine-failed');
      trace('contacts-failed', { code });
      if (!retryable || !this.#online) return;
      this.#cancel = timers.after(backOff(this.#failures++, random, retryAfterMs), () => this.#look());
    }
  }

  async #sync(): Promise<void> {
    const { self, crypto, ledger } = this.#options;
    const key = contactsKeyOf(self, crypto);
    if (!key)
      throw new ClientError(
        'no-contacts-key',
        'this device was let in by one that knew of no contacts: remove it from the account, and link it again',
      );
    for (let round = 0; round < ROUNDS; round++) {
      const remote = await this.#read(key);
      await this.#take(remote);
      if (!hasNews(ledger)) return this.#tellRules(key);
      if (await this.#write(key, remote)) return this.#tellRules(key);
    }
    throw new ClientError('unavailable', 'other devices of the account change the contact list: try again');
  }

  async #read(key: Uint8Array): Promise<Remote> {
    const { self, http, tokens, crypto } = this.#options;
    const call = { method: 'GET', path: `${self.paths.api}/contacts` } as const;
    const { version, list } = await tokens.authorized((token) => http.json({ ...call, token }, ContactsAnswer));
    if (!list) return { version, sealedHash: '', list: undefined };
    const sealedHash = hexOf(crypto.sha256(list));
    try {
      return { version, sealedHash, list: openList(crypto, key, { address: self.address, version }, list) };
    } catch (cause) {
      await this.#alarm({ kind: 'contacts-alarm', reason: 'forged', version, known: this.#state.version }, sealedHash);
      throw new ClientError(
        'contacts-forged',
        'the server shows a contact list that no device of this account has written: ask its operator',
        { cause },
      );
    }
  }

  get #state(): ContactState {
    return readState(this.#options.ledger);
  }

  /** What the server has becomes ours, but where our own word is later. */
  async #take({ version, sealedHash, list }: Remote): Promise<void> {
    const { self, ledger, inbox, verdicts } = this.#options;
    const known = this.#state;
    if (version === known.version && sealedHash === known.sealedHash) return;
    const isFork = version === known.version;
    const isBack = isFork || version < known.version;
    if (isBack)
      await this.#alarm(
        { kind: 'contacts-alarm', reason: isFork ? 'forked' : 'rolled-back', version, known: known.version },
        sealedHash,
      );
    const published = await ledger.commit((transaction) => {
      const state = readState(transaction);
      const theirs = entriesOf(list ?? { entries: [] });
      const ours = new Map(
        allContacts(transaction).map(({ isNew = false, ...entry }) => [entry.address, { isNew, entry }]),
      );
      // A server that has gone back gets all again that we know.
      const kept = [...ours.values()].filter(({ isNew }) => isNew || isBack).map(({ entry }) => entry);
      const merged = mergeEntries(entriesOf({ entries: kept }), theirs);
      const changed: AccountAddress[] = [];
      for (const address of new Set([...ours.keys(), ...merged.keys()])) {
        const before = ours.get(address)?.entry;
        const next = merged.get(address);
        if (!next) deleteContact(transaction, address);
        else writeContact(transaction, isSameEntry(next, theirs.get(address)) ? next : { ...next, isNew: true });
        if (!isSameEntry(next, before) && (before?.state === 'contact' || next?.state === 'contact'))
          changed.push(address);
      }
      const { policy, policyAt } = list ?? { policy: 'everyone' as const, policyAt: 0 };
      const chosen = laterPolicy({ policy: state.policy, policyAt: state.policyAt }, { policy, policyAt });
      const { isPolicyNew: _, ...rest } = state;
      writeState(transaction, {
        ...rest,
        policy: chosen.policy,
        policyAt: chosen.policyAt,
        ...((chosen.policyAt !== policyAt || chosen.policy !== policy) && { isPolicyNew: true }),
        ...(!isBack && { version, sealedHash }),
      });
      const events: DurableEvent[] = [];
      for (const verdict of VERDICTS.take(transaction, list?.verdicts ?? [], isBack)) {
        const event = verdicts.heard(transaction, verdict, (address) => resetEvent(address, self.address));
        if (event) events.push(event);
      }
      for (const { address, lifetime } of TIMERS.take(transaction, list?.timers ?? [], isBack))
        events.push({ kind: 'timer-changed', conversation: address, lifetime });
      const isOtherPolicy = chosen.policy !== state.policy;
      if (changed.length > 0 || isOtherPolicy)
        events.push({ kind: 'contacts-changed', changed, ...(isOtherPolicy && { policy: chosen.policy }) });
      return events.map((event) => inbox.add(transaction, event));
    });
    for (const publish of published) publish();
  }

  /** Tells the application once. `sealedHash`: of what the server shows. */
  async #alarm(event: ContactsAlarmEvent, sealedHash: string): Promise<void> {
    const { ledger, inbox } = this.#options;
    const alarm = `${event.reason} ${event.version} ${sealedHash}`;
    const publish = await ledger.commit((transaction) => {
      const state = readState(transaction);
      if (state.alarm === alarm) return undefined;
      writeState(transaction, { ...state, alarm });
      return inbox.add(transaction, event);
    });
    publish?.();
  }

  /** False: somebody else was faster. */
  async #write(key: Uint8Array, remote: Remote): Promise<boolean> {
    const { self, ledger, http, tokens, crypto } = this.#options;
    const { address, paths } = self;
    const { policy, policyAt, version: known } = this.#state;
    const dropped = new Set(superfluous(allContacts(ledger)));
    const sent = allContacts(ledger).filter((entry) => !dropped.has(entry.address));
    const version = Math.max(remote.version, known) + 1;
    const entries = sent.map(({ isNew: _, ...entry }) => entry);
    const verdicts = VERDICTS.fitting(ledger);
    const timers = TIMERS.fitting(ledger);
    const list = { policy, policyAt, entries, verdicts: verdicts.sent, timers: timers.sent };
    const sealed = sealList(this.#options, key, { address, version }, list);
    const body = { after: remote.version, version, list: encodeBase64url(sealed) };
    const call = { method: 'PUT', path: `${paths.api}/contacts`, body } as const;
    try {
      await tokens.authorized((token) => http.bytes({ ...call, token }));
    } catch (error) {
      if (error instanceof ClientError && error.code === 'conflict') return false;
      throw error;
    }
    await ledger.commit((transaction) => {
      // Not one that was changed meanwhile.
      for (const entry of sent)
        if (isSameEntry(readContact(transaction, entry.address), entry)) {
          const { isNew: _, ...old } = entry;
          writeContact(transaction, old);
        }
      for (const one of dropped) deleteContact(transaction, one);
      VERDICTS.written(transaction, verdicts);
      TIMERS.written(transaction, timers);
      const { isPolicyNew, ...state } = readState(transaction);
      const stillNew = isPolicyNew && (state.policy !== policy || state.policyAt !== policyAt);
      const sealedHash = hexOf(crypto.sha256(sealed));
      writeState(transaction, { ...state, version, sealedHash, ...(stillNew && { isPolicyNew: true }) });
    });
    return true;
  }

  /** Whoever comes later with an older list is refused by the server, and has the newer one next time. */
  async #tellRules(key: Uint8Array): Promise<void> {
    const { self, ledger, http, tokens, crypto } = this.#options;
    const { version, policy, policyAt, rulesVersion } = this.#state;
    if (policyAt === 0 || rulesVersion === version) return;
    const salt = allowedSaltOf(key, crypto);
    const known = policy === 'everyone' ? [] : allContacts(ledger).filter(({ state }) => state !== 'removed');
    const allowed = allowedSet(known.map(({ address }) => allowedEntry(crypto.sha256, salt, address)));
    const body = { version, policy, salt: encodeBase64url(salt), allowed: encodeBase64url(allowed) };
    const call = { method: 'PUT', path: `${self.paths.api}/contacts/policy`, body } as const;
    await tokens.authorized((token) => http.bytes({ ...call, token }));
    await ledger.commit((transaction) => writeState(transaction, { ...readState(transaction), rulesVersion: version }));
  }
}

function hasNews(records: ContactSyncOptions['ledger']): boolean {
  const { isPolicyNew } = readState(records);
  const isEntryNew = () => allContacts(records).some(({ isNew }) => isNew);
  return isPolicyNew === true || isEntryNew() || VERDICTS.hasNews(records) || TIMERS.hasNews(records);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
