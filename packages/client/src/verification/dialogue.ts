/**
 * One comparison of four characters with one other person (docs/spec/verification.md section 4): what was said, what may be said next, and
 * what it means. It sends and stores nothing itself. What comes twice, as after a lost link, changes nothing.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import {
  commitmentOf,
  MAC_BYTES,
  SALT_BYTES,
  type ShortStringSecrets,
  type StatedList,
  shortStringSecrets,
  type VerificationRole,
  type VerificationSide,
} from '@sealwire/verification/short-string';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { VerificationMessage } from '@sealwire/wire/verification';

/**
 * `requested`: the other side has not answered. `offered`: the other side asks, our user has not answered. `exchanging`: keys go to and fro.
 * `comparing`: the characters are there, and our user has not compared them. `waiting`: ours has, the other has not. `verified`, `ended`:
 * it is over.
 */
export type VerificationStep = 'requested' | 'offered' | 'exchanging' | 'comparing' | 'waiting' | 'verified' | 'ended';

/** `cancelled` to `late`: said by one of the two devices. The others are found out here: no device answers, or lists contradict each other. */
export type VerificationEnd = CancelReason | 'unreachable' | 'forked-list' | 'hidden-list' | 'closed';
type CancelReason = Extract<VerificationMessage, { kind: 'cancel' }>['reason'];

type Said<K extends VerificationMessage['kind']> = Extract<VerificationMessage, { kind: K }>;

/** An account and its key, as this device knows them now. */
type KnownAccount = Pick<VerificationSide, 'address' | 'accountKey'>;

interface DialogueOptions {
  readonly crypto: CryptoProvider;
  readonly id: Uint8Array;
  readonly me: DeviceId;
  readonly own: KnownAccount;
  readonly peer: KnownAccount;
  /** Of the other account, when it is the one that asks. A requester does not know yet which one answers. */
  readonly device?: DeviceId;
}

export class Dialogue {
  readonly #options: DialogueOptions;
  readonly role: VerificationRole;
  step: VerificationStep;
  ended: VerificationEnd | undefined;
  device: DeviceId | undefined;
  #secret: Uint8Array | undefined;
  #key: Uint8Array | undefined;
  #salt: Uint8Array | undefined;
  #commitment: Uint8Array | undefined;
  #theirKey: Uint8Array | undefined;
  #secrets: ShortStringSecrets | undefined;
  /** What the other side has confirmed, with a MAC that is right. */
  theirs: StatedList | undefined;

  constructor(options: DialogueOptions) {
    this.#options = options;
    this.device = options.device;
    this.role = options.device === undefined ? 'requester' : 'accepter';
    this.step = this.role === 'requester' ? 'requested' : 'offered';
  }

  get id(): Uint8Array {
    return this.#options.id;
  }

  get peer(): AccountAddress {
    return this.#options.peer.address;
  }

  /** The key that is verified when this ends well. */
  get peerKey(): Uint8Array {
    return this.#options.peer.accountKey;
  }

  /** Undefined before both keys are there. */
  get shortString(): string | undefined {
    return this.#secrets?.shortString;
  }

  get isOver(): boolean {
    return this.step === 'verified' || this.step === 'ended';
  }

  /** Our user takes part: what binds this device to its key. */
  accept(random: RandomBytes): Said<'accept'> {
    const { crypto, id, me } = this.#options;
    this.#makeKey(random);
    this.#salt = random(SALT_BYTES);
    this.#commitment = commitmentOf(crypto, id, me, this.#key!, this.#salt);
    this.step = 'exchanging';
    return { kind: 'accept', id, commitment: this.#commitment };
  }

  /** A device of the other account takes part. Undefined: it has said so already. `forged` where it says something else now. */
  accepted(device: DeviceId, { commitment }: Said<'accept'>, random: RandomBytes): Said<'key'> | undefined {
    if (this.#isKnown(this.#commitment, commitment)) return undefined;
    this.device = device;
    this.#commitment = commitment.slice();
    this.#makeKey(random);
    this.step = 'exchanging';
    return { kind: 'key', id: this.id, key: this.#key! };
  }

  /** The requester has shown its key: so may we. As `accepted`. */
  shown({ key }: Said<'key'>): Said<'reveal'> | undefined {
    if (this.#isKnown(this.#theirKey, key)) return undefined;
    this.#theirKey = key.slice();
    this.#compute();
    return { kind: 'reveal', id: this.id, key: this.#key!, salt: this.#salt! };
  }

  /** The accepter has shown its key, and is held to its commitment. */
  revealed({ key, salt }: Said<'reveal'>): void {
    const { crypto, id } = this.#options;
    if (this.#isKnown(this.#theirKey, key)) return;
    if (!crypto.equal(commitmentOf(crypto, id, this.device!, key, salt), this.#commitment!)) throw new ForgedError();
    this.#theirKey = key.slice();
    this.#salt = salt.slice();
    this.#compute();
  }

  /** Our user says that the characters agree. `list`: the newest of our own account. */
  confirm(list: StatedList): Said<'confirm'> {
    this.step = 'waiting';
    return { kind: 'confirm', id: this.id, ...list, mac: this.#secrets!.confirmation(this.role, list) };
  }

  /** So says the other user. Throws `ForgedError`. */
  confirmed({ version, digest, mac }: Said<'confirm'>): void {
    const { crypto } = this.#options;
    const theirRole = this.role === 'requester' ? 'accepter' : 'requester';
    const list = { version, digest: digest.slice() };
    const right = this.#secrets!.confirmation(theirRole, list);
    if (mac.length !== MAC_BYTES || !crypto.equal(right, mac)) throw new ForgedError();
    this.theirs ??= list;
  }

  end(reason: VerificationEnd): void {
    this.step = 'ended';
    this.ended = reason;
    this.#forget();
  }

  succeed(): void {
    this.step = 'verified';
    this.#forget();
  }

  #forget(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
    this.#secrets = undefined;
  }

  #makeKey(random: RandomBytes): void {
    const { x25519 } = this.#options.crypto;
    this.#secret = random(x25519.keyLength);
    this.#key = x25519.publicKey(this.#secret);
  }

  #isKnown(known: Uint8Array | undefined, said: Uint8Array): boolean {
    if (!known) return false;
    if (!this.#options.crypto.equal(known, said)) throw new ForgedError();
    return true;
  }

  #compute(): void {
    const { crypto, id, me, own, peer } = this.#options;
    const ours: VerificationSide = { ...own, device: me, key: this.#key! };
    const theirs: VerificationSide = { ...peer, device: this.device!, key: this.#theirKey! };
    const sides =
      this.role === 'requester' ? { requester: ours, accepter: theirs } : { requester: theirs, accepter: ours };
    let shared: Uint8Array;
    try {
      shared = crypto.x25519.sharedSecret(this.#secret!, this.#theirKey!);
    } catch {
      // A key of small order: whoever sends it wants to know the secret beforehand.
      throw new ForgedError();
    }
    const transcript = { id, ...sides, commitment: this.#commitment!, salt: this.#salt! };
    this.#secrets = shortStringSecrets(crypto, shared, transcript);
    this.step = 'comparing';
  }
}

/** What was said contradicts itself. */
export class ForgedError extends Error {
  override readonly name = 'ForgedError';
}
