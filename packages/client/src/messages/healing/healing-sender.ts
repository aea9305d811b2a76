/**
 * Sends what heals a session (docs/spec/healing.md): requests for what this device could not read, and once more what others could not;
 * and refusals of what need not come again (docs/spec/engines.md section 4). It goes before the next message to the same account. What is lost of it is due again on the next link.
 */
import { RECEIPT_TYPE } from '@sealwire/wire/chain';
import { type Content, encodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { EngineContext } from '../../engines/engine.ts';
import { isStorageBroken } from '../../errors.ts';
import type { Timers } from '../../runtime.ts';
import type { Transaction } from '../../storage/ledger.ts';
import type { DirectOutcome, DirectSender } from '../direct-sender.ts';
import { isPassing, reasonOf } from '../sending-errors.ts';
import type { Refusals } from './refusals.ts';
import type { Repeat, Repeats } from './repeats.ts';
import type { UnreadMessages } from './unread-messages.ts';

/** Of what could not be read there may be more under way: one request for all of it. */
const QUIET_MS = 1_000;
/** After a refusal that should pass. */
const PAUSE_MS = 10 * 60_000;

export interface HealingSenderOptions {
  readonly unread: UnreadMessages;
  readonly repeats: Repeats;
  readonly refusals: Refusals;
  readonly context: EngineContext;
  readonly direct: DirectSender;
  readonly timers: Timers;
  readonly now: () => number;
  /** Somebody has become due. */
  readonly wake: () => void;
}

export class HealingSender {
  readonly #options: HealingSenderOptions;
  readonly #due = new Set<AccountAddress>();
  readonly #waiting = new Map<AccountAddress, { readonly isPause: boolean; readonly cancel: () => void }>();

  constructor(options: HealingSenderOptions) {
    this.#options = options;
  }

  due(): Iterable<AccountAddress> {
    return this.#due;
  }

  /** Whether there is something for `to`, due or about to be; it is not any more. */
  take(to: AccountAddress): boolean {
    const waiting = this.#waiting.get(to);
    if (this.#due.delete(to)) return true;
    if (!waiting || waiting.isPause) return false;
    this.#stopWaiting(to);
    return true;
  }

  /** There is something for `to`. */
  soon(to: AccountAddress): void {
    if (!this.#due.has(to) && !this.#waiting.has(to)) this.#after(to, QUIET_MS, false);
  }

  /** What waits for quiet is due now. Whether anything is. */
  hasten(): boolean {
    for (const [to, { isPause }] of this.#waiting)
      if (!isPause) {
        this.#stopWaiting(to);
        this.#due.add(to);
      }
    return this.#due.size > 0;
  }

  /** A new link: what earlier ones left is due at once. */
  online(): void {
    const { unread, repeats, refusals } = this.#options;
    const devices = [...unread.due(), ...refusals.due()];
    for (const to of [...devices.map(accountOf), ...repeats.addressees()]) this.#due.add(to);
  }

  offline(): void {
    for (const to of [...this.#waiting.keys()]) this.#stopWaiting(to);
    this.#due.clear();
  }

  /** `period`: of the link. Throws only what makes the storage useless. */
  async send(to: AccountAddress, period: AbortSignal): Promise<void> {
    const { unread, repeats, refusals } = this.#options;
    let isDone = true;
    for (const device of unread.due()) {
      if (period.aborted) return;
      if (accountOf(device) === to) isDone = (await this.#request(device, period)) && isDone;
    }
    for (const device of refusals.due()) {
      if (period.aborted) return;
      if (accountOf(device) === to) isDone = (await this.#refuse(device, period)) && isDone;
    }
    for (const repeat of repeats.waiting(to)) {
      if (period.aborted) return;
      isDone = (await this.#repeat(repeat, period)) && isDone;
    }
    if (!isDone && !period.aborted) this.#after(to, PAUSE_MS, true);
  }

  /** False: to be tried again later. */
  async #request(device: DeviceId, period: AbortSignal): Promise<boolean> {
    const { unread, context } = this.#options;
    const ids = unread.request(device);
    if (!ids) return false;
    const outcome = await this.#tell(device, { unread: ids }, period, (transaction) =>
      unread.spend(transaction, device),
    );
    if (outcome === 'later') return false;
    await context.commit((transaction) => unread.asked(transaction, device, ids));
    if (unread.isDue(device)) this.soon(accountOf(device));
    return true;
  }

  /** False: to be tried again later. */
  async #refuse(device: DeviceId, period: AbortSignal): Promise<boolean> {
    const { refusals, context } = this.#options;
    const refused = refusals.of(device);
    if (!refused) return false;
    const outcome = await this.#tell(device, { refused }, period, (transaction) => refusals.spend(transaction, device));
    if (outcome === 'later') return false;
    await context.commit((transaction) => refusals.told(transaction, device, refused));
    return true;
  }

  /** A message for one device that no application is shown. */
  #tell(
    device: DeviceId,
    what: Pick<Content, 'unread' | 'refused'>,
    period: AbortSignal,
    spend: (transaction: Transaction) => void,
  ): Promise<DirectOutcome> {
    const { direct, now } = this.#options;
    const content = encodeContent({ type: RECEIPT_TYPE, body: new Uint8Array(0), sentAt: now(), ...what });
    const message = { to: accountOf(device), devices: [device], content, shown: false };
    return this.#outcomeOf(() => direct.send(message, period, spend));
  }

  /** False: to be tried again later. */
  async #repeat(repeat: Repeat, period: AbortSignal): Promise<boolean> {
    const { repeats, context, direct } = this.#options;
    const { to, device, content, shown } = repeat;
    const outcome = await this.#outcomeOf(() => direct.send({ to, devices: [device], content, shown }, period));
    if (outcome === 'later') return false;
    await context.commit((transaction) => repeats.done(transaction, repeat));
    return true;
  }

  async #outcomeOf(send: () => Promise<DirectOutcome>): Promise<DirectOutcome> {
    try {
      return await send();
    } catch (error) {
      const reason = reasonOf(error);
      if (isStorageBroken(reason)) throw reason;
      return isPassing(reason) || reason.code === 'aborted' ? 'later' : 'refused';
    }
  }

  #after(to: AccountAddress, ms: number, isPause: boolean): void {
    this.#stopWaiting(to);
    const cancel = this.#options.timers.after(ms, () => {
      this.#waiting.delete(to);
      this.#due.add(to);
      this.#options.wake();
    });
    this.#waiting.set(to, { isPause, cancel });
  }

  #stopWaiting(to: AccountAddress): void {
    this.#waiting.get(to)?.cancel();
    this.#waiting.delete(to);
  }
}
