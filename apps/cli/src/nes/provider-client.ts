/** The public-keys provider as a client asks it (docs/spec/nes.md sections 4 and 5): over HTTP, and believed only for what its key signed. */
import { NesError } from '@sealwire/nes/errors';
import { type KeyObject, publicKeyText } from '@sealwire/nes/keys';
import { ANSWER_BYTES, decodeAnswer, type UserKeys } from '@sealwire/nes/provider-answer';
import type { Username } from '@sealwire/nes/username';
import { CliError } from '../exit-codes.ts';
import { reasonOf } from '../network-reason.ts';
import { printable } from '../printable.ts';

const WITHIN_MS = 10_000;
/** For so long, and so many: a conversation is not a request a line, and a key that was taken back is soon known to be. */
const KEPT_MS = 10 * 60_000;
const KEPT_USERS = 1_000;

export interface ProviderClientDeps {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: KeyObject;
  /** It names neither user nor time: nothing tells an answer about somebody else, or of long ago. */
  readonly isGenuine: boolean;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export class ProviderClient {
  readonly #deps: ProviderClientDeps;
  readonly #kept = new Map<Username, { readonly keys: UserKeys; readonly at: number }>();

  constructor(deps: ProviderClientDeps) {
    this.#deps = deps;
  }

  /** Throws `NesError`: `unknown-sender` for a user whom it does not know, `bad-answer`, `bad-key`; `CliError`: `offline`, `interrupted`. */
  async keysOf(username: Username): Promise<UserKeys> {
    const { key: providerKey, isGenuine, now } = this.#deps;
    const kept = this.#kept.get(username);
    const age = kept ? now() - kept.at : -1;
    if (kept && age >= 0 && age < KEPT_MS) return kept.keys;
    const { status, body } = await this.#request(`/users/${username}`);
    if (status === 404) throw new NesError('unknown-sender', `the provider knows no ${username}`);
    if (status !== 200) throw this.#notNow(`it answered ${status}`);
    const keys = decodeAnswer(body, { username, providerKey, namesUser: !isGenuine, now: now() });
    this.#kept.delete(username);
    this.#kept.set(username, { keys, at: now() });
    for (const [oldest] of this.#kept) if (this.#kept.size > KEPT_USERS) this.#kept.delete(oldest);
    return keys;
  }

  /** Throws `CliError`: `failure` with the provider's line, `offline`, `interrupted`. */
  async register(username: Username, keys: UserKeys, email: string): Promise<void> {
    const fields = {
      username,
      public_key_message: publicKeyText(keys.messageKey),
      public_key_sign: publicKeyText(keys.signKey),
      email,
    };
    const { status, body } = await this.#request('/users', fields);
    if (status === 201) return;
    const [line = ''] = new TextDecoder().decode(body).split('\n');
    const why = printable(line.slice(0, 200)) || `status ${status}`;
    if (status >= 500 || status === 429) throw this.#notNow(why);
    throw new CliError('failure', `the provider refuses: ${why}`);
  }

  async #request(path: string, fields?: unknown): Promise<{ readonly status: number; readonly body: Uint8Array }> {
    const { url, fetch, signal } = this.#deps;
    try {
      const response = await fetch(url + path, {
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
        ...(fields !== undefined && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(fields),
        }),
      });
      return { status: response.status, body: await bounded(response) };
    } catch (cause) {
      if (signal.aborted) throw new CliError('interrupted', 'stopped');
      throw this.#notNow(reasonOf(cause) ?? 'no answer in time', cause);
    }
  }

  #notNow(why: string, cause?: unknown): CliError {
    return new CliError('offline', `the provider ${this.#deps.url} cannot be asked now (${why})`, { cause });
  }
}

/** One byte more than may be there: the answer is refused by its length then. */
async function bounded({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > ANSWER_BYTES) break;
  }
  return new Uint8Array(Buffer.concat(chunks).subarray(0, ANSWER_BYTES + 1));
}
