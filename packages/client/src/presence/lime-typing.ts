/**
 * Typing of and towards LIME devices of somebody else, such as Linphone (docs/spec/presence.md section 4): RFC 3994 inside a message of
 * theirs. They have no keys for typing; that one has typing switched on is known by what it says of its own user.
 */
import { COMPOSING_TYPE, readComposing, writeComposing } from '@sealwire/cpim/composing';
import { CpimError } from '@sealwire/cpim/errors';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { ClientError, isStorageBroken } from '../errors.ts';
import type { IncomingMessage } from '../events.ts';
import { encodeCpim } from '../messages/cpim-content.ts';
import type { DirectMessage } from '../messages/direct-sender.ts';
import { isForeign } from '../messages/receipts/incoming-receipts.ts';
import { reasonOf } from '../messages/sending-errors.ts';
import type { Timers } from '../runtime.ts';
import type { Ledger } from '../storage/ledger.ts';

/** RFC 3994 section 3.3: who says nothing for so long is idle, and section 3.4: it is said again after a minute at the earliest. */
const IDLE_AFTER_MS = 15_000;
const SAID_AGAIN_MS = 60_000;
const REFRESH_SECONDS = 90;
/** Between two beginnings: whoever presses keys and takes them back costs no ratchet step each time. */
const BEGINS_EVERY_MS = 5_000;
/** Section 4: of who names no time, and of who names a longer one. */
const LONGEST_SECONDS = 120;
/** A device that has told nothing for so long is not told either. */
const TELLS_FOR_MS = 600_000;
/** Between two messages. Each word is a ratchet step; those that nobody took are skipped by the next message, for which LIME's bound is 1,024. */
const WORDS_AT_MOST = 200;

export interface LimeTypingOptions {
  readonly ledger: Ledger;
  readonly me: DeviceId;
  readonly now: () => number;
  readonly timers: Timers;
  readonly direct: (message: DirectMessage) => Promise<unknown>;
  readonly broken: (reason: ClientError) => void;
}

interface Said {
  readonly at: number;
  /** Its next word is that it is over; undefined: it has been said, or a message has. */
  over: (() => void) | undefined;
}

export class LimeTyping {
  readonly #options: LimeTypingOptions;
  /** When a device last told of its own user, by this device's clock. */
  readonly #tells = new Map<DeviceId, number>();
  readonly #said = new Map<AccountAddress, Said>();
  /** Since our last message there. */
  readonly #words = new Map<AccountAddress, number>();
  /** Words go out in their order. */
  #saying: Promise<void> = Promise.resolve();

  constructor(options: LimeTypingOptions) {
    this.#options = options;
  }

  /** For how long a word says that its user types, ms; 0: it does not. Undefined: it is none. */
  heard({ device, body }: IncomingMessage): number | undefined {
    try {
      const { typing, refresh = LONGEST_SECONDS } = readComposing(body);
      this.#tells.set(device, this.#options.now());
      return typing ? Math.min(refresh, LONGEST_SECONDS) * 1_000 : 0;
    } catch (error) {
      if (error instanceof CpimError) return undefined;
      throw error;
    }
  }

  /** The user types in the conversation with `to`, or does not any more. */
  say(to: AccountAddress, typing: boolean): void {
    const { now } = this.#options;
    const said = this.#said.get(to);
    if (!typing) {
      this.#end(to);
      return;
    }
    const age = said ? now() - said.at : Number.POSITIVE_INFINITY;
    const isTold = age >= 0 && age < (said?.over ? SAID_AGAIN_MS : BEGINS_EVERY_MS);
    if (isTold && !said?.over) return;
    if (!isTold && !this.#tell(to, true)) return;
    said?.over?.();
    const over = this.#options.timers.after(IDLE_AFTER_MS, () => this.#end(to));
    this.#said.set(to, { at: isTold ? said!.at : now(), over });
  }

  /** A message of ours leaves: its readers see by it that nobody types any more. */
  wrote(to: AccountAddress): void {
    this.#words.delete(to);
    this.#close(to);
  }

  offline(): void {
    for (const { over } of this.#said.values()) over?.();
    this.#said.clear();
    this.#tells.clear();
  }

  #end(to: AccountAddress): void {
    if (this.#said.get(to)?.over === undefined) return;
    this.#close(to);
    this.#tell(to, false);
  }

  #close(to: AccountAddress): void {
    const said = this.#said.get(to);
    said?.over?.();
    if (said) said.over = undefined;
  }

  /** False: it is not for anybody. */
  #tell(to: AccountAddress, typing: boolean): boolean {
    const { me, now, direct, broken } = this.#options;
    const devices = this.#listeners(to);
    const words = this.#words.get(to) ?? 0;
    if (devices.length === 0 || words >= WORDS_AT_MOST) return false;
    this.#words.set(to, words + 1);
    const body = writeComposing({ typing, ...(typing && { refresh: REFRESH_SECONDS }) });
    const content = encodeCpim({ type: COMPOSING_TYPE, body, sentAt: now() }, me, to);
    this.#saying = this.#saying
      .then(() => direct({ to, devices, content, shown: true, fleeting: true }))
      .then(undefined, (error: unknown) => {
        const reason = reasonOf(error);
        if (isStorageBroken(reason)) broken(reason);
      });
    return true;
  }

  #listeners(to: AccountAddress): DeviceId[] {
    const { ledger, now } = this.#options;
    if (isGroupAddress(to)) return [];
    const tells = ([device, at]: readonly [DeviceId, number]) =>
      accountOf(device) === to && Math.abs(now() - at) < TELLS_FOR_MS && isForeign(ledger, device);
    return [...this.#tells].filter(tells).map(([device]) => device);
  }
}
