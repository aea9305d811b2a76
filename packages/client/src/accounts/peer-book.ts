/**
 * The accounts this device talks to: fetches manifests, checks them against what is pinned, and keeps the user's trust in devices.
 * A server can withhold news of an account, but it can neither add a device to it nor take the list back (cases E06, S37, S38).
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { ManifestAnswer, ManifestHistoryAnswer } from '@sealwire/wire/http';
import { type AccountAddress, accountOf, type DeviceId, domainOf, nameOf } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Call, HttpCalls } from '../connection/http-calls.ts';
import { ClientError } from '../errors.ts';
import type { Trust } from '../events.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { keyChanged, type Verdicts } from '../verification/verdicts.ts';
import {
  deletePeer,
  deviceOf,
  followPeer,
  type OfferedManifest,
  type PeerRecord,
  pinPeer,
  readPeer,
  readPeers,
  withCertificate,
  writePeer,
} from './peer-record.ts';

/** Of 100 versions each: nobody changes a list of devices so often, and a contact could sign versions without end. */
const HISTORY_PAGES = 100;
/** Several devices may give the directory back what it lost, one version each at a time. */
const RESTORE_ATTEMPTS = 4;

/** Our own account: whoever holds its key knows better than a directory that was restored from a backup. */
export interface OwnAccount {
  readonly address: AccountAddress;
  /** The directory shows `shown`, older than `known`. Rejects when it cannot be given what it lost. */
  publishAgain(known: PeerRecord, shown: OfferedManifest & { readonly version: number }): Promise<void>;
}

export interface PeerBookOptions {
  readonly ledger: Ledger;
  readonly http: HttpCalls;
  readonly directoryPath: string;
  readonly crypto: CryptoProvider;
  readonly now: () => number;
  readonly own: OwnAccount;
  readonly verdicts: Verdicts;
  /** Its sessions go. */
  readonly forgetDevice: (transaction: Transaction, device: DeviceId) => void;
  /** In the transaction that stores a manifest without it: all goes that is kept of it. */
  readonly deviceLeft: (transaction: Transaction, device: DeviceId) => void;
  /** Judge an answer about `subject` below the directory's path; absent: all are believed. */
  readonly signed?: (subject: string) => Pick<Call, 'check' | 'checkNone'>;
  /** In the transaction that makes its devices unsafe; the answer is called once that is durable. */
  readonly accountReset: (transaction: Transaction, address: AccountAddress) => () => void;
}

export class PeerBook {
  readonly #options: PeerBookOptions;
  readonly #refreshing = new Map<AccountAddress, Promise<PeerRecord>>();
  /** Of these the directory showed an older state than ours last: it is asked each time, until it has caught up. */
  readonly #behind = new Set<AccountAddress>();

  constructor(options: PeerBookOptions) {
    this.#options = options;
  }

  /** Undefined before the first contact. */
  find(address: AccountAddress): PeerRecord | undefined {
    return readPeer(this.#options.ledger, address);
  }

  all(): PeerRecord[] {
    return readPeers(this.#options.ledger);
  }

  /** The account as confirmed by the directory within the last `maxAgeMs`. Throws as `refresh` does. */
  async current(address: AccountAddress, maxAgeMs: number): Promise<PeerRecord> {
    const known = this.find(address);
    const isBehind = this.#behind.has(address) || known?.shown !== undefined;
    const age = known ? this.#options.now() - known.checkedAt : maxAgeMs;
    // Confirmed in the future: by a clock that was ahead.
    return known && !isBehind && age >= 0 && age <= maxAgeMs ? known : this.refresh(address);
  }

  /**
   * Asks the directory, once for all who wait. Throws `unknown-account`, `account-key-changed`, `manifest-rollback`, `manifest-fork`,
   * `manifest-invalid`, and what a request throws. After a refusal everything stays as it was.
   */
  refresh(address: AccountAddress): Promise<PeerRecord> {
    const running = this.#refreshing.get(address);
    if (running) return running;
    const refresh = this.#refresh(address).finally(() => this.#refreshing.delete(address));
    this.#refreshing.set(address, refresh);
    return refresh;
  }

  /** Throws `unknown-device` when the account's manifest, as this device knows it, does not name the device. */
  async setTrust(device: DeviceId, trust: Trust, also?: (transaction: Transaction) => void): Promise<void> {
    await this.#options.ledger.commit((transaction) => {
      this.writeTrust(transaction, device, trust);
      also?.(transaction);
    });
  }

  /** As `setTrust`, inside a transaction that changes other things too. */
  writeTrust(transaction: Transaction, device: DeviceId, trust: Trust): void {
    const peer = readPeer(transaction, accountOf(device));
    if (!peer || !deviceOf(peer, device))
      throw new ClientError(
        'unknown-device',
        `${accountOf(device)} has no such device: look at its list of devices first`,
      );
    const { shown, ...rest } = { ...peer, trust: new Map(peer.trust).set(device, trust) };
    if (trust !== 'unsafe') this.#options.verdicts.settled(transaction, rest);
    // Who says that a device of the known key is good after all has decided.
    writePeer(transaction, shown && trust === 'unsafe' ? { ...rest, shown } : rest);
  }

  /** Forgets the pinned account key and all sessions: the next contact is a first one. The user's decision alone. */
  async forget(address: AccountAddress): Promise<void> {
    await this.#options.ledger.commit((transaction) => {
      const peer = readPeer(transaction, address);
      for (const { id } of peer?.manifest.devices ?? []) this.#options.forgetDevice(transaction, id);
      deletePeer(transaction, address);
      this.#options.verdicts.over(transaction, address);
    });
  }

  /**
   * The user has found out that an account was reset, and that `accountKey` is its new key: what is known of the old one goes, and the
   * devices that the new one names are untrusted. Throws `account-key-changed` when the server shows yet another key, and as `refresh` does.
   */
  async acceptReset(address: AccountAddress, accountKey: Uint8Array): Promise<PeerRecord> {
    const { crypto, ledger, now, deviceLeft, verdicts } = this.#options;
    const answer = await this.#fetchNewest(address);
    if (!crypto.equal(answer.accountKey, accountKey)) throw keyChanged(address);
    const newest = { bytes: answer.manifest, signature: answer.signature };
    const pinned = withCertificate(pinPeer(crypto, address, accountKey, newest, now()), answer.certificate);
    await ledger.commit((transaction) => {
      const before = readPeer(transaction, address);
      for (const { id } of before?.manifest.devices ?? []) deviceLeft(transaction, id);
      writePeer(transaction, pinned);
      verdicts.over(transaction, address);
    });
    return pinned;
  }

  /** All devices of the key that is known are unsafe from now on; told once, until the user decides. `shown`: signed by the other key. */
  async #noteReset({ address, accountKey }: PeerRecord): Promise<void> {
    const publish = await this.#options.ledger.commit((transaction) => {
      const known = readPeer(transaction, address);
      if (!known) return undefined;
      const isTold = known.shown !== undefined;
      const unsafe = known.manifest.devices.map(({ id }) => [id, 'unsafe'] as const);
      writePeer(transaction, { ...known, shown: accountKey, trust: new Map(unsafe) });
      return isTold ? undefined : this.#options.accountReset(transaction, address);
    });
    publish?.();
  }

  async #refresh(address: AccountAddress): Promise<PeerRecord> {
    const { crypto, ledger, now } = this.#options;
    const answer = await this.#fetchOrRestore(address);
    const newest = { bytes: answer.manifest, signature: answer.signature };
    const known = this.find(address);
    if (!known) {
      const first = pinPeer(crypto, address, answer.accountKey, newest, now());
      const pinned = withCertificate(first, answer.certificate);
      return this.#meet(pinned);
    }
    if (!crypto.equal(known.accountKey, answer.accountKey)) {
      await this.#noteReset(pinPeer(crypto, address, answer.accountKey, newest, now()));
      throw keyChanged(address);
    }
    const isBehind = answer.version < known.manifest.version;
    if (isBehind) this.#behind.add(address);
    const caughtUp = answer.version > known.manifest.version + 1 ? await this.#followHistory(known) : known;
    const followed = withCertificate(followPeer(crypto, caughtUp, [newest], now()), answer.certificate);
    if (!isBehind) this.#behind.delete(address);
    await ledger.commit((transaction) => this.#store(transaction, followed));
    return this.find(address) ?? followed;
  }

  /** First contact of this device: another one of ours may know more of the account. */
  async #meet(pinned: PeerRecord): Promise<PeerRecord> {
    const { ledger, verdicts, accountReset } = this.#options;
    const { address } = pinned;
    const publish = await ledger.commit((transaction) => {
      if (readPeer(transaction, address)) return undefined;
      const met = verdicts.met(transaction, pinned);
      writePeer(transaction, met);
      return met.shown && accountReset(transaction, address);
    });
    publish?.();
    return this.find(address) ?? pinned;
  }

  /** Trust may have changed while the directory was asked: the newer word of the user stays. */
  #store(transaction: Transaction, followed: PeerRecord): void {
    const before = readPeer(transaction, followed.address);
    if (!before || before.manifest.version > followed.manifest.version) return;
    const present = new Set(followed.manifest.devices.map(({ id }) => id));
    for (const { id } of before.manifest.devices) if (!present.has(id)) this.#options.deviceLeft(transaction, id);
    const trust = new Map([...before.trust].filter(([device]) => present.has(device)));
    const { shown: _, ...rest } = followed;
    const { verified = false, shown } = before;
    writePeer(transaction, { ...rest, verified, trust, ...(shown && { shown }) });
  }

  /** Of our own account no older state than ours, if the directory takes what it lost. */
  async #fetchOrRestore(address: AccountAddress) {
    const { own, crypto } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#fetchNewest(address);
      const known = this.find(address);
      const isOurs = address === own.address && known && crypto.equal(known.accountKey, answer.accountKey);
      const isBehind = isOurs && answer.version < known.manifest.version;
      if (!isBehind || attempt === RESTORE_ATTEMPTS) return answer;
      await own.publishAgain(known, { version: answer.version, bytes: answer.manifest, signature: answer.signature });
    }
  }

  async #fetchNewest(address: AccountAddress) {
    const { directoryPath, signed } = this.#options;
    const subject = this.#subjectOf(address);
    const call = {
      method: 'GET',
      path: `${directoryPath}/${subject}`,
      ...signed?.(subject),
    } as const;
    try {
      const answer = await this.#options.http.json(call, ManifestAnswer);
      if (answer.address !== address)
        throw new ClientError(
          'unknown-account',
          `${address} is not what the server calls it: its accounts look like ${answer.address}`,
        );
      return answer;
    } catch (error) {
      if (error instanceof ClientError && error.code === 'not-found')
        throw new ClientError(
          'unknown-account',
          this.#isOfOurServer(address)
            ? `there is no ${nameOf(address)} on this server: check the name`
            : `there is no ${address}, or this server does not know the one at ${domainOf(address)}: check the address`,
          { cause: error },
        );
      throw error;
    }
  }

  #isOfOurServer(address: AccountAddress): boolean {
    return domainOf(address) === domainOf(this.#options.own.address);
  }

  /** Lists of other domains are asked for here as well: the own directory asks theirs. */
  #subjectOf(address: AccountAddress): string {
    const name = this.#isOfOurServer(address) ? nameOf(address) : address.slice('sip:'.length);
    return `manifests/${encodeURIComponent(name)}`;
  }

  /** `known` after the versions that were missed, page by page: what is not signed and chained ends it, and no page is kept. */
  async #followHistory(known: PeerRecord): Promise<PeerRecord> {
    const { crypto, directoryPath, http, now, signed } = this.#options;
    const history = `${this.#subjectOf(known.address)}/history`;
    let peer = known;
    for (let page = 0; page < HISTORY_PAGES; page++) {
      const after = peer.manifest.version;
      const subject = `${history}?after=${after}`;
      const call = {
        method: 'GET',
        path: `${directoryPath}/${subject}`,
        answerBytes: LIMITS.manifestPageBytes.value,
        ...signed?.(subject),
      } as const;
      const { manifests, next } = await http.json(call, ManifestHistoryAnswer);
      const offered = manifests.map(({ manifest, signature }) => ({ bytes: manifest, signature }));
      peer = followPeer(crypto, peer, offered, now());
      // A page that leads nowhere must not be asked for again and again.
      if (next === undefined || peer.manifest.version === after) return peer;
    }
    throw new ClientError(
      'manifest-invalid',
      `the directory shows no end of device lists of ${known.address}: nothing is sent; ask the operator`,
    );
  }
}
