/** Messages that wait in the outbox: what the user hears of it, once for each (docs/spec/client.md section 5). */
import type { DeviceId } from '@sealwire/wire/ids';
import type { EngineContext } from '../engines/engine.ts';
import type { ClientError } from '../errors.ts';
import type { DurableEvent, Inbox } from './inbox.ts';
import type { OutboxEntry } from './outbox.ts';

/** So many refusals in a row that should pass are told of. */
const FAILURES_TOLD = 6;
/** The user hears of these in another way, or needs not. */
const TOLD_ELSEWHERE = ['mailbox-full', 'too-many-requests'];

export class WaitingMessages {
  readonly #inbox: Inbox;
  readonly #context: EngineContext;
  /** By number: for room, and for something else. */
  readonly #toldFull = new Set<number>();
  readonly #toldWaiting = new Set<number>();
  /** By the message's id: what it was refused with last. */
  readonly #reasons = new Map<string, ClientError>();

  constructor(inbox: Inbox, context: EngineContext) {
    this.#inbox = inbox;
    this.#context = context;
  }

  /** No mailbox of `devices` has room. */
  async full({ number, id, to }: OutboxEntry, devices: readonly DeviceId[]): Promise<void> {
    if (devices.length === 0 || this.#toldFull.has(number)) return;
    this.#toldFull.add(number);
    await this.#tell({ kind: 'left-out', id, to, devices, queued: true });
  }

  /** It was refused once more, after `failures` times in a row. */
  async refused({ number, id, to }: OutboxEntry, reason: ClientError, failures: number): Promise<void> {
    this.#reasons.set(id, reason);
    if (failures < FAILURES_TOLD || this.#toldWaiting.has(number) || TOLD_ELSEWHERE.includes(reason.code)) return;
    this.#toldWaiting.add(number);
    await this.#tell({ kind: 'send-waits', id, to, code: reason.code, text: reason.message });
  }

  /** Why a message waits; undefined when it was not refused. */
  reasonOf(id: string): ClientError | undefined {
    return this.#reasons.get(id);
  }

  /** It waits no more. */
  settled({ number, id }: OutboxEntry): void {
    this.#reasons.delete(id);
    this.#toldFull.delete(number);
    this.#toldWaiting.delete(number);
  }

  async #tell(event: DurableEvent): Promise<void> {
    const publish = await this.#context.commit((transaction) => this.#inbox.add(transaction, event));
    publish();
  }
}
