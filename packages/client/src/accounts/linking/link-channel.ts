/** The channel at the server over which two devices link (docs/spec/linking.md section 2). */
import { encodeBase64url } from '@sealwire/wire/base64url';
import { LinkAnswer, LinkMessageAnswer } from '@sealwire/wire/http';
import type { LinkSlot } from '@sealwire/wire/linking';
import type { AccessTokens } from '../../connection/access-tokens.ts';
import type { HttpCalls } from '../../connection/http-calls.ts';
import { ClientError } from '../../errors.ts';
import { pause, type Timers } from '../../runtime.ts';

const LOOK_EVERY_MS = 1_000;
/** In a row: by then the channel is over. */
const FAILURES = 90;

export interface LinkChannelOptions {
  readonly http: HttpCalls;
  /** Of a device that belongs to the account. */
  readonly tokens?: AccessTokens;
  /** Of the API, without a slash at the end. */
  readonly apiPath: string;
  readonly timers: Timers;
  readonly signal: AbortSignal | undefined;
}

/** Answers the id of a new one. Throws what a request throws. */
export async function openLinkChannel({ http, apiPath, signal }: LinkChannelOptions): Promise<Uint8Array> {
  const call = { method: 'POST', path: `${apiPath}/links`, signal, repeatable: true } as const;
  const { id } = await http.json(call, LinkAnswer);
  return id;
}

export class LinkChannel {
  readonly #options: LinkChannelOptions;
  readonly #path: string;
  /** What was left last, and how. */
  #again: (() => Promise<void>) | undefined;

  constructor(options: LinkChannelOptions, id: Uint8Array) {
    this.#options = options;
    this.#path = `${options.apiPath}/links/${encodeBase64url(id)}`;
  }

  /** Throws `conflict` when somebody else left a word there; `link-over`. */
  async leave(slot: LinkSlot, message: Uint8Array): Promise<void> {
    const { http, tokens, signal } = this.#options;
    const body = { message: encodeBase64url(message) };
    const call = { method: 'PUT', body, signal } as const;
    const leave = async () => {
      await asOver(
        tokens
          ? tokens.authorized((token) => http.bytes({ ...call, path: `${this.#path}/old/${slot}`, token }))
          : http.bytes({ ...call, path: `${this.#path}/new/${slot}` }),
      );
    };
    await leave();
    this.#again = leave;
  }

  /** Waits for a word of the other device, also over a link that is lost for a moment. Throws `link-over`, `aborted`, `unreachable`. */
  async read(slot: LinkSlot): Promise<Uint8Array> {
    const { http, timers, signal } = this.#options;
    const call = { method: 'GET', path: `${this.#path}/${slot}`, signal } as const;
    for (let failures = 0; ; ) {
      try {
        const { message } = await asOver(http.json(call, LinkMessageAnswer));
        if (message) return message;
        // Servers tell each other in a way that may lose a word.
        await this.#again?.();
        failures = 0;
      } catch (error) {
        if (!(error instanceof ClientError && error.retryable) || failures++ === FAILURES) throw error;
      }
      await pause(timers, LOOK_EVERY_MS, signal);
    }
  }
}

async function asOver<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
    throw new ClientError('link-over', 'the link code is over: make a new one on the new device', { cause: error });
  }
}
