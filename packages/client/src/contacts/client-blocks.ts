/**
 * Accounts of which the user wants to hear nothing (docs/spec/contacts.md section 5). The server keeps them out, so that it knows them;
 * nobody who is blocked is told.
 */
import { BlocksAnswer } from '@sealwire/wire/http';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Services } from '../services.ts';
import type { Records } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

/** All of them at their longest, with the quotes and commas of JSON. */
const ANSWER_BYTES = 1_024 + LIMITS.blocksPerAccount.value * (LIMITS.deviceIdBytes.value + 3);

/** What this device knows of them. */
const KEY = 'blocks/known';

export interface ClientBlocksOptions extends Pick<Services, 'self' | 'http' | 'tokens' | 'ledger'> {
  readonly addressOf: (name: string) => AccountAddress;
  /** The server keeps somebody out from now on. */
  readonly blocked: (account: AccountAddress) => Promise<void>;
}

export class ClientBlocks {
  readonly #options: ClientBlocksOptions;

  constructor(options: ClientBlocksOptions) {
    this.#options = options;
  }

  /** As the server has them. */
  async list(): Promise<AccountAddress[]> {
    const { self, http, tokens } = this.#options;
    const call = { method: 'GET', path: `${self.paths.api}/blocks`, answerBytes: ANSWER_BYTES } as const;
    const { blocked } = await tokens.authorized((token) => http.json({ ...call, token }, BlocksAnswer));
    await this.#remember(() => blocked);
    return blocked;
  }

  /** As this device knows it: what it said itself, and what the server had when it was asked last. */
  isBlocked(account: AccountAddress): boolean {
    return known(this.#options.ledger).includes(account);
  }

  /**
   * Resolves when the server has it: from then on nothing arrives that the account sends. The same again changes nothing. Throws
   * `bad-address`, `forbidden` for our own, `limit-reached` beyond 500, and what a request throws.
   */
  async add(account: string): Promise<AccountAddress> {
    const address = await this.#put('PUT', account);
    await this.#remember((before) => [...before.filter((other) => other !== address), address]);
    await this.#options.blocked(address);
    return address;
  }

  /** What was sent meanwhile does not come any more. */
  async remove(account: string): Promise<AccountAddress> {
    const address = await this.#put('DELETE', account);
    await this.#remember((before) => before.filter((other) => other !== address));
    return address;
  }

  async #remember(change: (before: readonly AccountAddress[]) => readonly AccountAddress[]): Promise<void> {
    await this.#options.ledger.commit((transaction) =>
      transaction.set(KEY, encodeRecord({ blocked: change(known(transaction)) })),
    );
  }

  async #put(method: 'PUT' | 'DELETE', account: string): Promise<AccountAddress> {
    const { self, http, tokens, addressOf } = this.#options;
    const address = addressOf(account);
    const call = { method, path: `${self.paths.api}/blocks/${encodeURIComponent(address)}` } as const;
    await tokens.authorized((token) => http.bytes({ ...call, token }));
    return address;
  }
}

function known(records: Records): readonly AccountAddress[] {
  const stored = records.get(KEY);
  return stored ? decodeRecord<{ blocked: readonly AccountAddress[] }>(stored).header.blocked : [];
}
