/**
 * How the user finds out that nobody is between them and somebody else (docs/spec/verification.md): by a number of 60 digits, by a code to
 * be scanned, or by four characters while both are online. What ends well makes the account *verified*: the devices that its key signs are
 * trusted, later ones too.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { personFingerprint, safetyNumber } from '@sealwire/verification/safety-number';
import {
  type CodeComparison,
  compareCodes,
  formatVerificationCode,
  listDigest,
  parseVerificationCode,
  type VerificationCode,
} from '@sealwire/verification/verification-code';
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { PeerRecord } from '../accounts/peer-record.ts';
import { ClientError } from '../errors.ts';
import type { Ledger } from '../storage/ledger.ts';
import type { Dialogue, VerificationEnd, VerificationStep } from './dialogue.ts';
import type { Dialogues } from './dialogues.ts';
import type { Verdicts } from './verdicts.ts';

export type { CodeComparison, VerificationEnd, VerificationStep };

export interface SafetyNumber {
  readonly address: AccountAddress;
  /** 60, the same on both sides. */
  readonly digits: string;
  /** For a QR code, or to be copied: what `compare` of the other side takes. */
  readonly code: string;
}

/** A comparison of four characters, as it stands. */
export interface VerificationState {
  readonly id: string;
  readonly peer: AccountAddress;
  /** Of the peer; undefined until one has answered. */
  readonly device: DeviceId | undefined;
  /** Whether this side has asked. */
  readonly requested: boolean;
  readonly step: VerificationStep;
  /** The characters, from the step `comparing` on. */
  readonly shortString: string | undefined;
  /** In the step `ended`. */
  readonly reason: VerificationEnd | undefined;
}

export interface ClientVerificationOptions {
  readonly dialogues: Dialogues;
  readonly crypto: CryptoProvider;
  readonly ledger: Ledger;
  readonly book: PeerBook;
  readonly verdicts: Verdicts;
  readonly own: AccountAddress;
  readonly addressOf: (to: string) => AccountAddress;
}

export class ClientVerification {
  readonly #crypto: CryptoProvider;
  readonly #ledger: Ledger;
  readonly #book: PeerBook;
  readonly #verdicts: Verdicts;
  readonly #own: AccountAddress;
  readonly #addressOf: (to: string) => AccountAddress;
  readonly #dialogues: Dialogues;

  constructor(options: ClientVerificationOptions) {
    this.#crypto = options.crypto;
    this.#ledger = options.ledger;
    this.#book = options.book;
    this.#verdicts = options.verdicts;
    this.#own = options.own;
    this.#addressOf = options.addressOf;
    this.#dialogues = options.dialogues;
  }

  /** Of the pair of our account and `to`. Throws as `ClientTrust.peer`; offline, it is made of what is known. */
  async safetyNumber(to: string): Promise<SafetyNumber> {
    const { own, peer } = await this.#pair(to);
    const mine = this.#codeOf(own, peer);
    return {
      address: peer.address,
      digits: safetyNumber(mine.self.fingerprint, mine.peer.fingerprint),
      code: formatVerificationCode(mine),
    };
  }

  /**
   * Compares the code that the other side shows with what is known here; `same` and `old-list` verify the account, every other answer
   * changes nothing. Throws `bad-verification-code`, and as `safetyNumber`.
   */
  async compare(to: string, scanned: string): Promise<CodeComparison> {
    const theirs = codeIn(scanned);
    const { own, peer } = await this.#pair(to);
    const comparison = compareCodes(this.#crypto, this.#codeOf(own, peer), theirs);
    if (comparison === 'same' || comparison === 'old-list') await this.#verify(peer);
    return comparison;
  }

  /**
   * Compares the digits that the other side reads out, with or without spaces; those of our own number verify the account. False: they
   * differ, and nothing has changed. Throws `bad-verification-code` for what has not 60 digits, and as `safetyNumber`.
   */
  async compareNumber(to: string, digits: string): Promise<boolean> {
    const theirs = digits.replace(/\s/g, '');
    if (!/^\d{60}$/.test(theirs))
      throw new ClientError('bad-verification-code', 'a safety number has 60 digits: read all of them');
    const { own, peer } = await this.#pair(to);
    const { self, peer: other } = this.#codeOf(own, peer);
    if (safetyNumber(self.fingerprint, other.fingerprint) !== theirs) return false;
    await this.#verify(peer);
    return true;
  }

  /** The user takes the verification of an account back; devices that were trusted singly are `untrusted` again, too. Throws `bad-address`. */
  async withdraw(to: string): Promise<void> {
    const address = this.#addressOf(to);
    return this.#ledger.commit((transaction) => this.#verdicts.withdrawn(transaction, address));
  }

  /**
   * Asks `to` to compare four characters: all of their devices are asked, the first one that accepts has it. Throws `verification-busy`,
   * `verification-locked`, `unsafe-device`, and as `ClientTrust.peer`.
   */
  async request(to: string): Promise<VerificationState> {
    return stateOf(await this.#dialogues.request(this.#addressOf(to)));
  }

  /** Takes part in a comparison that the other side asks for. Throws `verification-over`, `verification-locked`, `unsafe-device`. */
  accept(id: string): void {
    this.#dialogues.accept(id);
  }

  /** The user has compared the characters with the other user, and they are the same. Throws `verification-over`. */
  confirm(id: string): Promise<void> {
    return this.#dialogues.confirm(id);
  }

  /** They are not: the account is unsafe from now on, and nothing is sent to it. Throws `verification-over`. */
  different(id: string): Promise<void> {
    return this.#dialogues.different(id);
  }

  /** Ends a comparison, or declines it; nothing has changed by it. Throws `verification-over`. */
  cancel(id: string): Promise<void> {
    return this.#dialogues.cancel(id);
  }

  /** Those that are under way. */
  list(): VerificationState[] {
    return this.#dialogues.list().map(stateOf);
  }

  /** Calls `listener` with each comparison that begins by the other side's word, goes on or ends; the answer ends that. */
  onChange(listener: (state: VerificationState) => void): () => void {
    return this.#dialogues.onChange((dialogue) => listener(stateOf(dialogue)));
  }

  async #pair(to: string): Promise<{ own: PeerRecord; peer: PeerRecord }> {
    const address = this.#addressOf(to);
    if (address === this.#own) throw new ClientError('bad-request', 'that is your own account: verify somebody else');
    return { own: await this.#known(this.#own), peer: await this.#known(address) };
  }

  /** Two people side by side may be offline. */
  async #known(address: AccountAddress): Promise<PeerRecord> {
    try {
      return await this.#book.refresh(address);
    } catch (error) {
      const known = this.#book.find(address);
      const isOffline = error instanceof ClientError && error.retryable;
      if (known && isOffline) return known;
      throw error;
    }
  }

  #codeOf(own: PeerRecord, peer: PeerRecord): VerificationCode {
    const crypto = this.#crypto;
    const known = (account: PeerRecord) => ({
      fingerprint: personFingerprint(crypto, account),
      version: account.manifest.version,
      list: listDigest(crypto, account.bytes),
    });
    return { self: known(own), peer: known(peer) };
  }

  #verify({ address, accountKey }: PeerRecord): Promise<void> {
    return this.#ledger.commit((transaction) => this.#verdicts.verified(transaction, address, accountKey));
  }
}

/** Throws `ClientError` `bad-verification-code`. */
function codeIn(text: string): VerificationCode {
  try {
    return parseVerificationCode(text);
  } catch (error) {
    if (error instanceof WireError) throw new ClientError('bad-verification-code', error.message, { cause: error });
    throw error;
  }
}

function stateOf(dialogue: Dialogue): VerificationState {
  const { id, peer, device, role, step, shortString, ended } = dialogue;
  return {
    id: encodeBase64url(id),
    peer,
    device,
    requested: role === 'requester',
    step,
    shortString,
    reason: ended,
  };
}
