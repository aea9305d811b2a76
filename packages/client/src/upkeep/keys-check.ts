/**
 * Once a day, and soon after an absence of more than a day: does the directory hold what it should (docs/spec/client.md section 8)? The
 * engines mend what differs; the application is told. When it is due is durable, record `self/keys-check`.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import type { EngineContext, KeysFinding } from '../engines/engine.ts';
import type { Engines } from '../engines/engines.ts';
import { asClientError } from '../errors.ts';
import type { Inbox } from '../messages/inbox.ts';
import type { Timers } from '../runtime.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

export const CHECK_EVERY_MS = 24 * 60 * 60_000;
/** Drawn anew each time: the devices of a server that was away must not ask all at once. */
export const CHECK_JITTER_MS = 10 * 60_000;
/** After a failure that passes. */
export const CHECK_AGAIN_MS = 60 * 60_000;
const KEY = 'self/keys-check';

export interface KeysCheckOptions {
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly engines: Engines;
  readonly context: EngineContext;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly trace: (name: string, details: Record<string, string>) => void;
}

export class KeysCheck {
  readonly #options: KeysCheckOptions;
  #cancel: (() => void) | undefined;
  #online = false;
  /** The server has lost something. */
  #isUrgent = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: KeysCheckOptions) {
    this.#options = options;
  }

  /** Online. */
  start(): void {
    this.#online = true;
    this.#running = this.#running.then(() => this.#begin());
  }

  stop(): void {
    this.#online = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The server was restored from a backup: it may hold keys that were used since. Looks at once, or as soon as it is online. */
  soon(): void {
    this.#isUrgent = true;
    const { ledger, now } = this.#options;
    const due = () => ledger.commit((transaction) => writeDueAt(transaction, now()));
    this.#running = this.#running.then(due).catch(() => undefined);
    if (this.#online) void this.#runDue();
  }

  /** Resolves when nothing is under way. */
  async done(): Promise<void> {
    await this.#running;
  }

  /** Checks at once. Throws `ClientError`; it is as due after that as before. */
  run(): Promise<readonly KeysFinding[]> {
    const running = this.#running.then(() => this.#check());
    this.#running = running.catch(() => undefined);
    return running;
  }

  async #begin(): Promise<void> {
    // A device that was just registered has just published its keys.
    if (dueAt(this.#options.ledger) === undefined) await this.#record([]).catch(() => undefined);
    const waitMs = (dueAt(this.#options.ledger) ?? 0) - this.#options.now();
    if (this.#isUrgent) void this.#runDue();
    // Due later than any check is put off: by a clock that was ahead.
    else this.#schedule(waitMs > CHECK_EVERY_MS ? 0 : waitMs);
  }

  #schedule(waitMs: number): void {
    this.#cancel?.();
    if (!this.#online) return;
    const [high, low] = this.#options.random(2) as unknown as [number, number];
    const jitter = (CHECK_JITTER_MS * ((high << 8) | low)) / 0xffff;
    const wait = Math.max(waitMs, 0) + jitter;
    this.#cancel = this.#options.timers.after(wait, () => void this.#runDue());
  }

  async #runDue(): Promise<void> {
    try {
      await this.run();
      this.#isUrgent = false;
      this.#schedule(CHECK_EVERY_MS);
    } catch (error) {
      const { code, retryable } = asClientError(error, 'engine-failed');
      this.#options.trace('keys-check-failed', { code });
      this.#schedule(retryable ? CHECK_AGAIN_MS : CHECK_EVERY_MS);
    }
  }

  async #check(): Promise<readonly KeysFinding[]> {
    const { engines, context } = this.#options;
    const findings: KeysFinding[] = [];
    for (const engine of engines.keyed(context)) findings.push(...(await engine.keys.checkKeys(engine.context)));
    await this.#record(findings);
    return findings;
  }

  async #record(findings: readonly KeysFinding[]): Promise<void> {
    const { ledger, inbox, now } = this.#options;
    const publish = await ledger.commit((transaction) => {
      writeDueAt(transaction, now() + CHECK_EVERY_MS);
      return findings.map((finding) => inbox.add(transaction, { kind: 'directory-keys', ...finding }));
    });
    for (const each of publish) each();
  }
}

function dueAt(ledger: Ledger): number | undefined {
  const stored = ledger.get(KEY);
  return stored && decodeRecord<{ dueAt: number }>(stored).header.dueAt;
}

function writeDueAt(transaction: Transaction, dueAt: number): void {
  transaction.set(KEY, encodeRecord({ dueAt }));
}
