/** Frames that wait for the relay's answer, by relay id (docs/spec/client.md section 5, steps 4 and 5). */
import { encodeBase64url } from '@sealwire/wire/base64url';
import type { Accepted, LeftOut, Rejected } from '@sealwire/wire/frames';
import type { DeviceId } from '@sealwire/wire/ids';
import type { Acceptance } from '../events.ts';
import type { Timers } from '../runtime.ts';

/** A relay that takes this long to answer is as good as gone: the same frame goes out on the next link. */
const ANSWER_WITHIN_MS = 30_000;
export const NOBODY: readonly DeviceId[] = [];

export type Outcome =
  | ({ readonly kind: 'accepted' } & Pick<Acceptance, 'leftOut'>)
  | { readonly kind: 'offline' }
  | Rejected;

export interface InFlightOptions {
  readonly timers: Timers;
  readonly transmit: (frame: Uint8Array) => void;
  /** This link is of no use. */
  readonly drop: (reason: string) => void;
}

export class InFlight {
  readonly #options: InFlightOptions;
  readonly #waiting = new Map<string, (outcome: Outcome) => void>();
  /** Devices that the relay left out. */
  readonly #leftOut = new Map<string, readonly DeviceId[]>();

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  async send(relayId: string, frame: Uint8Array): Promise<Outcome> {
    const { timers, transmit, drop } = this.#options;
    const cancel = timers.after(ANSWER_WITHIN_MS, () => drop('no answer to a message'));
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#waiting.set(relayId, resolve);
      transmit(frame);
    });
    cancel();
    return outcome;
  }

  accepted({ ids }: Accepted): void {
    for (const id of ids) {
      const relayId = encodeBase64url(id);
      this.#settle(relayId, { kind: 'accepted', leftOut: this.#leftOut.get(relayId) ?? NOBODY });
      this.#leftOut.delete(relayId);
    }
  }

  /** Said before the message is accepted. */
  leftOut({ id, devices }: LeftOut): void {
    const relayId = encodeBase64url(id);
    if (this.#waiting.has(relayId)) this.#leftOut.set(relayId, [...(this.#leftOut.get(relayId) ?? []), ...devices]);
  }

  rejected(rejected: Rejected): void {
    this.#settle(encodeBase64url(rejected.id), rejected);
  }

  offline(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#leftOut.clear();
    for (const resolve of waiting) resolve({ kind: 'offline' });
  }

  #settle(relayId: string, outcome: Outcome): void {
    this.#waiting.get(relayId)?.(outcome);
    this.#waiting.delete(relayId);
  }
}
