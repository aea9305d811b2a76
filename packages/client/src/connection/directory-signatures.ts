/**
 * Whether an answer is our key directory's (docs/spec/verification.md section 7): signed by the key that was pinned with the first signed
 * answer. Record `self/directory-key`: that key, and another one that was shown.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import {
  ANSWER_SIGNATURE_HEADER,
  type AnswerSignature,
  answerSigningInput,
  parseAnswerSignature,
  type SignedExchange,
} from '@sealwire/wire/answer-signature';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import type { Alarms } from '../accounts/alarms.ts';
import { ClientError } from '../errors.ts';
import type { Ledger, Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const KEY = 'self/directory-key';
/** Clocks of two nodes may differ by so much; what is older than that was recorded, and is shown again. */
const OLDER_MS = 5 * 60_000;

interface Stored {
  readonly key: string;
  readonly offered?: string;
}

export interface DirectorySignaturesOptions {
  readonly ledger: Ledger;
  readonly crypto: CryptoProvider;
  readonly alarms: Alarms;
}

export class DirectorySignatures {
  readonly #options: DirectorySignaturesOptions;
  /** Of all answers so far, by the directory's clock. */
  #newest = 0;

  constructor(options: DirectorySignaturesOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the answer may be read. Throws `directory-unsigned`, `directory-forged`, `directory-key-changed`: nothing of the answer
   * is believed then.
   */
  async check(exchange: SignedExchange, headers: Headers): Promise<void> {
    const { ledger, crypto } = this.#options;
    const pinned = read(ledger);
    const header = headers.get(ANSWER_SIGNATURE_HEADER);
    if (header === null) {
      // A server that signs nothing, so far.
      if (!pinned) return;
      throw refusal('directory-unsigned', 'the key directory does not sign its answers any more');
    }
    const signed = parsed(header);
    const input = answerSigningInput((bytes) => crypto.sha256(bytes), exchange, signed.time);
    if (!crypto.ed25519.verify(signed.key, input, signed.signature))
      throw refusal('directory-forged', 'an answer of the key directory was changed on its way');
    const key = encodeBase64url(signed.key);
    if (pinned && pinned.key !== key) {
      await this.#keyChanged(key);
      throw refusal('directory-key-changed', 'the key directory signs with another key than before');
    }
    if (signed.time < this.#newest - OLDER_MS)
      throw refusal('directory-forged', 'an old answer of the key directory is shown again');
    this.#newest = Math.max(this.#newest, signed.time);
    if (!pinned || pinned.offered !== undefined)
      await ledger.commit((transaction) => {
        const now = read(transaction);
        if (!now || now.key === key) write(transaction, { key });
      });
  }

  /** The user has found out why: the key that was shown last is pinned. Throws `not-found`. */
  accept(): Promise<void> {
    return this.#options.ledger.commit((transaction) => {
      const offered = read(transaction)?.offered;
      if (offered === undefined) throw new ClientError('not-found', 'the key directory shows no other key');
      write(transaction, { key: offered });
      this.#newest = 0;
    });
  }

  /** 32 bytes; undefined: it has signed nothing so far. */
  pinned(): Uint8Array | undefined {
    const stored = read(this.#options.ledger);
    return stored && decodeBase64url(stored.key);
  }

  /** Told once for each key that is shown. */
  async #keyChanged(key: string): Promise<void> {
    const { ledger, alarms } = this.#options;
    const publish = await ledger.commit((transaction) => {
      const stored = read(transaction);
      if (!stored || stored.offered === key) return undefined;
      write(transaction, { ...stored, offered: key });
      return alarms.tell(transaction, { kind: 'directory-key-change' });
    });
    publish?.();
  }
}

function read(records: Records): Stored | undefined {
  const stored = records.get(KEY);
  return stored && decodeRecord<Stored>(stored).header;
}

function write(transaction: Transaction, stored: Stored): void {
  transaction.set(KEY, encodeRecord({ ...stored }));
}

function parsed(header: string): AnswerSignature {
  try {
    return parseAnswerSignature(header);
  } catch {
    throw refusal('directory-forged', 'the signature of the key directory cannot be read');
  }
}

function refusal(code: 'directory-unsigned' | 'directory-forged' | 'directory-key-changed', what: string): ClientError {
  return new ClientError(code, `${what}: nothing is believed of it; ask the operator`);
}
