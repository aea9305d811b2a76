/**
 * What the user has found out about an account counts on all devices of theirs (docs/spec/verification.md section 9, decision 70): each
 * verdict is of one account key, goes into the sealed contact list, and is taken over where that key is the one that is known.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { ContactVerdict } from '@sealwire/wire/contacts';
import { type AccountAddress, type DeviceId, nameOf } from '@sealwire/wire/ids';
import { type PeerRecord, readPeer, writePeer } from '../accounts/peer-record.ts';
import { ClientError } from '../errors.ts';
import type { AccountResetEvent, Trust, VerificationChangedEvent } from '../events.ts';
import type { Transaction } from '../storage/ledger.ts';
import { VERDICTS } from './verdict-records.ts';

export interface VerdictsOptions {
  readonly crypto: CryptoProvider;
  readonly now: () => number;
}

export class Verdicts {
  readonly #options: VerdictsOptions;
  #share: () => void = () => {};

  constructor(options: VerdictsOptions) {
    this.#options = options;
  }

  /** Calls `share` when there is something to tell the other devices, within the transaction that says it. */
  bind(share: () => void): void {
    this.#share = share;
  }

  /**
   * The user has compared `accountKey`: what it signs is trusted, but for devices that are unsafe. Throws `account-key-changed` when it is
   * not the one that is pinned.
   */
  verified(transaction: Transaction, address: AccountAddress, accountKey: Uint8Array): void {
    const peer = readPeer(transaction, address);
    if (!peer || !this.#options.crypto.equal(peer.accountKey, accountKey)) throw keyChanged(address);
    writePeer(transaction, { ...peer, verified: true, trust: unsafeOnes(peer) });
    this.#say(transaction, address, 'verified', accountKey);
  }

  /** The user takes it back: but for unsafe ones, the account's devices are `untrusted`. */
  withdrawn(transaction: Transaction, address: AccountAddress): void {
    const peer = readPeer(transaction, address);
    if (peer) writePeer(transaction, { ...peer, verified: false, trust: unsafeOnes(peer) });
    this.over(transaction, address);
  }

  /** The characters differed: all devices of the account are unsafe. */
  different(transaction: Transaction, address: AccountAddress): void {
    const peer = readPeer(transaction, address);
    if (!peer) return;
    writePeer(transaction, allUnsafe(peer));
    this.#say(transaction, address, 'different', peer.accountKey);
  }

  /** What was found out counts no more: the account is forgotten, or another key of it was accepted. */
  over(transaction: Transaction, address: AccountAddress): void {
    const before = VERDICTS.read(transaction, address);
    if (before && before.state !== 'withdrawn') this.#say(transaction, address, 'withdrawn', before.accountKey);
  }

  /** The user's word on a device: none of the account is unsafe any more, as another device of ours should not make it again. */
  settled(transaction: Transaction, peer: PeerRecord): void {
    const isUnsafe = [...peer.trust.values()].includes('unsafe');
    if (!isUnsafe && VERDICTS.read(transaction, peer.address)?.state === 'different')
      this.over(transaction, peer.address);
  }

  /**
   * A later verdict of another device of ours. Answers what it changes here; of another key than ours it changes nothing, but for one that
   * was verified: then one of the two is not theirs.
   */
  heard(
    transaction: Transaction,
    verdict: ContactVerdict,
    reset: (address: AccountAddress) => AccountResetEvent,
  ): VerificationChangedEvent | AccountResetEvent | undefined {
    const { address, state } = verdict;
    const peer = readPeer(transaction, address);
    if (!peer) return undefined;
    const next = this.#judged(peer, verdict);
    if (next === peer) return undefined;
    writePeer(transaction, next);
    return next.shown && !peer.shown ? reset(address) : { kind: 'verification-changed', address, state };
  }

  /** `peer` at the first contact of this device, as the verdict of another one of ours has it. `shown`: its key is not the verified one. */
  met(transaction: Transaction, peer: PeerRecord): PeerRecord {
    const verdict = VERDICTS.read(transaction, peer.address);
    return verdict ? this.#judged(peer, verdict) : peer;
  }

  /** The same record when nothing changes. */
  #judged(peer: PeerRecord, { state, accountKey }: ContactVerdict): PeerRecord {
    const isSameKey = this.#options.crypto.equal(peer.accountKey, accountKey);
    if (state === 'verified') {
      if (isSameKey) return peer.verified ? peer : { ...peer, verified: true, trust: unsafeOnes(peer) };
      return peer.shown ? peer : { ...allUnsafe(peer), shown: peer.accountKey };
    }
    if (!isSameKey) return peer;
    if (state === 'different') return allUnsafe(peer);
    return peer.verified ? { ...peer, verified: false, trust: unsafeOnes(peer) } : peer;
  }

  #say(
    transaction: Transaction,
    address: AccountAddress,
    state: ContactVerdict['state'],
    accountKey: Uint8Array,
  ): void {
    VERDICTS.say(transaction, { address, state, accountKey }, this.#options.now());
    this.#share();
  }
}

export function keyChanged(address: AccountAddress): ClientError {
  return new ClientError(
    'account-key-changed',
    `the account key of ${address} is not the one known: nothing is sent; ask ${nameOf(address)} in another way`,
  );
}

function unsafeOnes({ trust }: PeerRecord): ReadonlyMap<DeviceId, Trust> {
  return new Map([...trust].filter(([, each]) => each === 'unsafe'));
}

function allUnsafe(peer: PeerRecord): PeerRecord {
  return { ...peer, trust: new Map(peer.manifest.devices.map(({ id }) => [id, 'unsafe'] as const)) };
}
