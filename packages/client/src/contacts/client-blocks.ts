/**
 * Accounts of which the user wants to hear nothing (docs/spec/contacts.md section 5). The server keeps them out, so that it knows them;
 * nobody who is blocked is told.
 */
import { BlocksAnswer } from '@sealwire/wire/http';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Services } from '../services.ts';

/** All of them at their longest, with the quotes and commas of JSON. */
const ANSWER_BYTES = 1_024 + LIMITS.blocksPerAccount.value * (LIMITS.deviceIdBytes.value + 3);

export interface ClientBlocksOptions extends Pick<Services, 'self' | 'http' | 'tokens'> {
  readonly addressOf: (name: string) => AccountAddress;
  /** The server keeps somebody out from now on. */
  readonly blocked: (account: AccountAddress) => Promise<void>;
}

export class ClientBlocks {
  readonly #options: ClientBlocksOptions;

  constructor(options: ClientBlocksOptions) {
    this.#options = options;
  }

  async list(): Promise<AccountAddress[]> {
    const { self, http, tokens } = this.#options;
    const call = { method: 'GET', path: `${self.paths.api}/blocks`, answerBytes: ANSWER_BYTES } as const;
    return (await tokens.authorized((token) => http.json({ ...call, token }, BlocksAnswer))).blocked;
  }

  /**
   * Resolves when the server has it: from then on nothing arrives that the account sends. The same again changes nothing. Throws
   * `bad-address`, `forbidden` for our own, `limit-reached` beyond 500, and what a request throws.
   */
  async add(account: string): Promise<AccountAddress> {
    const address = await this.#put('PUT', account);
    await this.#options.blocked(address);
    return address;
  }

  /** What was sent meanwhile does not come any more. */
  remove(account: string): Promise<AccountAddress> {
    return this.#put('DELETE', account);
  }

  async #put(method: 'PUT' | 'DELETE', account: string): Promise<AccountAddress> {
    const { self, http, tokens, addressOf } = this.#options;
    const address = addressOf(account);
    const call = { method, path: `${self.paths.api}/blocks/${encodeURIComponent(address)}` } as const;
    await tokens.authorized((token) => http.bytes({ ...call, token }));
    return address;
  }
}
